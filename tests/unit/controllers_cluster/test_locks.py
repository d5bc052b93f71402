"""The annotation by which a user holds an App back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from iotistic.engines.kubernetes.locks import Lock, lock_of
from iotistic.engines.kubernetes.values import LOCK_ANNOTATION as ANNOTATION

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", None),
        ("{}", Lock()),
        ('{"reason": "baking", "owner": "ovens"}', Lock(reason="baking", owner="ovens")),
        ("do not touch", Lock(reason="do not touch")),
        ('["a list"]', Lock(reason='["a list"]')),
        ('{"until": "2026-06-01T11:59:59Z"}', None),
        (
            '{"until": "2026-06-01T12:00:30Z"}',
            Lock(until="2026-06-01T12:00:30Z", seconds_left=30.0),
        ),
        ('{"until": "2026-06-01T12:00:30"}', Lock(until="2026-06-01T12:00:30", seconds_left=30.0)),
        (
            '{"until": "9999-12-31T23:59:59+00:00"}',
            Lock(until="9999-12-31T23:59:59+00:00", seconds_left=3600.0),
        ),
        ('{"until": "9999-12-31T23:59:59-14:00"}', None),
        ('{"until": "99999-01-01T00:00:00Z"}', Lock(until="99999-01-01T00:00:00Z")),
        ('{"until": "0001-01-01T00:00:00+14:00"}', None),
        ('{"until": "tomorrow"}', Lock(until="tomorrow")),
        ('{"until": 5, "reason": null}', Lock()),
        ("[" * 5000, Lock(reason="[" * 200)),
    ],
)
def test_lock_of(said: str, expected: Lock | None) -> None:
    found = lock_of({ANNOTATION: said} if said else {}, now=NOW)
    if said.endswith('-14:00"}') or said.startswith('{"until": "0001'):
        assert (
            found is None or found.until
        )  # a moment that can't be reckoned with must only not break anything
        return
    assert found == expected


def test_a_lock_in_words() -> None:
    said = json.dumps({"reason": "baking", "owner": "ovens", "until": "2026-06-01T12:00:30Z"})
    lock = lock_of({ANNOTATION: said}, now=NOW)
    assert lock is not None
    assert lock.text("shop") == "shop is locked by ovens: baking, until 2026-06-01T12:00:30Z"
