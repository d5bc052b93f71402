"""When a failing service is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iotistic.rollout.backoff import LONGEST_DELAY_SECONDS, Failing, after_failure, delay_seconds, is_loop


@pytest.mark.parametrize(
    ("failures", "jitter", "seconds"),
    [
        (1, 0.0, 10),
        (2, 0.0, 20),
        (3, 0.0, 40),
        (5, 0.0, 160),
        (6, 0.0, 300),
        (1000, 0.0, 300),
        (1, 1.0, 11),
        (2, 0.5, 21),
        (6, 1.0, 300),
    ],
)
def test_delays_double_up_to_five_minutes(failures: int, jitter: float, seconds: float) -> None:
    assert delay_seconds(failures, jitter) == pytest.approx(seconds)


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1))
def test_one_more_failure_never_waits_less(failures: int, one: float, other: float) -> None:
    assert delay_seconds(failures, one) <= delay_seconds(failures + 1, other) <= LONGEST_DELAY_SECONDS


def fail(before: Failing | None, now: float, reason: str = "CrashLoop") -> Failing:
    return after_failure(before, now=now, reason=reason, message="exit 1", jitter=0.0, since=f"at {now}")


def test_failures_add_up_and_remember_the_first() -> None:
    first = fail(None, 100.0)
    second = fail(first, 110.0, reason="ImageNotFound")

    assert (first.failures, first.retry_at, first.since) == (1, 110.0, "at 100.0")
    assert (second.failures, second.retry_at, second.since) == (2, 130.0, "at 100.0")
    assert second.reason == "ImageNotFound"


@pytest.mark.parametrize(("now", "waits"), [(100.0, True), (109.9, True), (110.0, False), (500.0, False)])
def test_it_waits_until_its_moment(now: float, waits: bool) -> None:
    assert fail(None, 100.0).waits(now) is waits


@pytest.mark.parametrize(
    ("exits", "loop"),
    [
        ([], False),
        ([99.0, 100.0], False),
        ([98.0, 99.0, 100.0], True),
        ([40.0, 99.0, 100.0], True),
        ([39.9, 99.0, 100.0], False),
        ([1.0, 2.0, 3.0], False),
    ],
)
def test_three_exits_within_a_minute_are_a_loop(exits: list[float], loop: bool) -> None:
    assert is_loop(exits, 100.0) is loop
