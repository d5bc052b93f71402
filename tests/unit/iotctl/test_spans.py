"""Lengths of time, read and shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iotctl.spans import age, seconds_of, short


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("5m", 300),
        ("1m30s", 90),
        ("2h", 7200),
        ("250ms", 0.25),
        ("45", 45),
        ("1.5m", 90),
        ("1d", 86400),
    ],
)
def test_seconds_of(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5x", "-5s", "5 minutes", "m", "1m 30s x"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (119, "119 s"),
        (120, "2 m"),
        (7200, "2 h"),
    ],
)
def test_short(seconds: float, text: str) -> None:
    assert short(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_short_is_always_short(seconds: float) -> None:
    assert len(short(seconds)) <= 9


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-01T00:00:00Z", "2 d"),
        ("2026-01-02T23:59:57+00:00", "3 s"),
        ("2026-01-02T21:00:00", "3 h"),
        ("2027-01-01T00:00:00Z", "0 s"),
        ("", ""),
        ("yesterday", ""),
    ],
)
def test_age(moment: str, text: str) -> None:
    assert age(moment, datetime(2026, 1, 3, tzinfo=UTC)) == text
