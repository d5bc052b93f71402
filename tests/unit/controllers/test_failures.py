"""Services that fail wait longer and longer, also over restarts of the agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotistic.controllers.failures import Failures, Key
from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.store import SqliteStore

WEB: Key = ("shop", "web")
DB: Key = ("shop", "db")


class Clock:
    """A monotonic clock that a test turns."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(store: SqliteStore, clock: Clock) -> Failures:
    return Failures(store, clock)


@pytest.mark.parametrize(
    ("times", "least", "most"),
    [(1, 10, 11), (2, 20, 22), (3, 40, 44), (5, 160, 176), (6, 300, 300), (50, 300, 300)],
)
def test_each_failure_makes_the_wait_longer(
    failures: Failures, clock: Clock, times: int, least: float, most: float
) -> None:
    for _ in range(times):
        failing = failures.fail(WEB, "EngineFailed", "no such device")

    assert least <= failing.retry_at - clock.now <= most
    assert failures.waiting() == {WEB}
    clock.now = failing.retry_at
    assert failures.waiting() == set()
    assert failures.get(WEB) == failing, "it is remembered until it does well"


def test_three_exits_within_a_minute_are_a_loop(failures: Failures, clock: Clock) -> None:
    found = []
    for seconds in (0, 61, 20, 20, 5, 5, 5):
        clock.now += seconds
        found.append(failures.note_exit(WEB))

    assert found == [False, False, False, True, False, False, True]


def test_ten_minutes_of_running_make_up_for_failures(failures: Failures, clock: Clock) -> None:
    failures.fail(WEB, "CrashLoop", "exit 1")
    clock.now += 11

    failures.running({WEB: "12:00"})
    assert failures.next_moment() == 600
    clock.now += 599
    failures.running({WEB: "12:00"})
    assert failures.get(WEB) is not None

    clock.now += 1
    failures.running({WEB: "12:00"})
    assert failures.get(WEB) is None
    assert failures.next_moment() is None


def test_a_new_start_counts_anew(failures: Failures, clock: Clock) -> None:
    failures.fail(WEB, "CrashLoop", "exit 1")
    clock.now += 11
    failures.running({WEB: "12:00"})
    clock.now += 300
    failures.running({WEB: "12:05"})
    clock.now += 301

    failures.running({WEB: "12:05"})

    assert failures.get(WEB) is not None


def test_the_next_moment_is_the_first_of_all(failures: Failures, clock: Clock) -> None:
    failures.fail(WEB, "CrashLoop", "exit 1")
    failures.fail(WEB, "CrashLoop", "exit 1")
    first = failures.fail(DB, "CrashLoop", "exit 1")

    assert failures.next_moment() == first.retry_at - clock.now
    assert failures.retry_seconds(DB) == first.retry_at - clock.now
    assert failures.retry_seconds(("shop", "other")) is None


def test_a_wait_goes_on_after_a_restart_on_another_clock(
    data: Path, store: SqliteStore, failures: Failures, clock: Clock
) -> None:
    failures.fail(WEB, "CrashLoop", "exit 137")
    failing = failures.fail(WEB, "CrashLoop", "exit 137")
    left = failing.retry_at - clock.now

    again = open_store(data / "device.sqlite")
    later = Failures(again, Clock(5.0))

    found = later.get(WEB)
    assert found is not None
    assert (found.failures, found.reason, found.message) == (2, "CrashLoop", "exit 137")
    assert found.retry_at == pytest.approx(5.0 + left)
    assert later.fail(WEB, "CrashLoop", "exit 137").failures == 3
    again.close()


def test_what_is_forgotten_is_forgotten_for_good(store: SqliteStore, failures: Failures) -> None:
    failures.fail(WEB, "CrashLoop", "exit 1")
    failures.fail(DB, "NoSpace", "full")
    failures.fail(("till", "web"), "NoSpace", "full")
    failures.fail(("shop", ""), "EngineFailed", "no network")

    failures.forget_reason("NoSpace")
    assert failures.waiting() == {WEB, ("shop", "")}
    failures.forget_app("shop", ["db"])
    assert failures.waiting() == {WEB}, "and the App's own"
    failures.forget_app("shop")

    assert failures.waiting() == set()
    assert store.backoffs() == []


def test_removals_of_images_are_not_kept_over_restarts(store: SqliteStore, failures: Failures) -> None:
    failures.fail(("", "docker.io/library/web:1"), "EngineFailed", "in use")

    assert failures.waiting() == {("", "docker.io/library/web:1")}
    assert store.backoffs() == []
