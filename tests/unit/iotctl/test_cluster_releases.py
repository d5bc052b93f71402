"""What a cluster tells of releases: since when each is wanted; since when a lock is."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.apps import locked_since
from iotctl.cluster.releases import numbered_at

Json = dict[str, Any]


def field(manager: str, name: str, time: str = "") -> Json:
    return {"manager": manager, "fieldsV1": {name: {}}} | ({"time": time} if time else {})


@pytest.mark.parametrize(
    ("fields", "moment"),
    [
        ([], ""),
        ([field("iotistic-edge", "f:revision")], ""),
        ([field("iotistic-edge", "f:revision", "10:00"), field("kubectl", "f:revision", "11:00")], "10:00"),
        ([field("iotistic-edge", "f:metadata", "11:00")], ""),
    ],
)
def test_when_a_release_got_its_number(fields: list[Json], moment: str) -> None:
    assert numbered_at({"managedFields": fields, "creationTimestamp": "09:00"}) == moment


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ('{"reason": "sale", "since": "10:00"}', "10:00"),
        ('{"reason": "sale"}', ""),
        ('{"since": 5}', ""),
        ("[]", ""),
        ("sale", ""),
        ("", ""),
    ],
)
def test_since_when_it_is_locked(text: str, since: str) -> None:
    assert locked_since({"metadata": {"annotations": {"iotistic.io/lock": text}}}) == since
