"""When the deadline of a release runs and stands still: waits, reboots, and times in which nobody looked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotistic.rollout.values import Phase, Readiness
from tests.unit.rollout.caller import (
    ALL_READY,
    CHANGING,
    FETCHING,
    LOCKED,
    NO_IMAGE,
    STARTING,
    Caller,
    in_phase,
    wanted,
)


@pytest.mark.parametrize("seen", [FETCHING, LOCKED])
def test_the_clock_stands_still_while_something_else_is_waited_for(seen: Readiness) -> None:
    caller = in_phase(Phase.PREPARING)
    caller.turn(seen, after=29)
    writes = caller.writes

    waiting = [caller.turn(seen, after=60) for _ in range(50)]

    assert {decision.seconds_left for decision in waiting} == {70}
    assert {decision.wake_in_seconds for decision in waiting} == {None}
    assert caller.writes == writes
    assert caller.turn(STARTING, after=1).seconds_left == 70
    assert caller.turn(STARTING, after=69.9).phase is Phase.VERIFYING
    assert caller.turn(STARTING, after=0.1).phase is Phase.UNDOING


def test_the_deadline_does_not_pass_while_its_clock_stands() -> None:
    caller = in_phase(Phase.PREPARING)

    stands = caller.turn(FETCHING, after=100)
    assert (stands.phase, stands.seconds_left) == (Phase.PREPARING, 0)
    assert caller.turn(FETCHING, after=1).phase is Phase.PREPARING
    assert caller.turn(STARTING, after=1).phase is Phase.UNDOING


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_nothing_changes_while_suspended(phase: Phase) -> None:
    caller = in_phase(phase)
    effective, failure = caller.state.effective, caller.state.failure
    caller.want(suspend=True)

    for seen in (ALL_READY, CHANGING, FETCHING, LOCKED, NO_IMAGE, ALL_READY):
        decision = caller.turn(seen, after=60)
        assert decision.hold
        assert decision.effective == effective
        assert decision.state.failure == failure
        assert decision.wake_in_seconds is None
        assert decision.prepare == ()
    caller.want("c")
    assert caller.turn(after=60).effective == effective
    assert set(caller.reasons()) <= {"Waiting"}

    caller.want(suspend=False)
    assert caller.turn(after=60).effective == "c"


def test_a_suspended_first_install_waits_and_begins_when_it_may() -> None:
    caller = Caller(app=wanted("a", suspend=True))

    waiting = caller.turn()
    assert (waiting.phase, waiting.hold, waiting.effective) == (Phase.WAITING, True, "a")
    assert waiting.wait is not None
    assert (waiting.wait.reason, waiting.wait.since) == ("Suspended", "at 1000.0")
    assert caller.turn(after=500).wait == waiting.wait

    caller.want(suspend=False)
    assert caller.turn(STARTING).phase is Phase.PREPARING
    assert caller.reasons() == ["Waiting", "InstallStarted"]


def test_a_wait_says_who_holds_it_and_since_when() -> None:
    caller = in_phase(Phase.WAITING)

    decision = caller.turn(LOCKED, after=30)

    assert decision.wait is not None
    assert (decision.wait.reason, decision.wait.since) == ("Locked", "at 1001.0")
    assert decision.why == "release B waits: shop/web is locked: backup"


def test_a_lock_does_not_hold_back_what_is_ready() -> None:
    caller = in_phase(Phase.VERIFYING)
    ready = replace(ALL_READY, locked="shop/web is locked: backup")

    assert caller.turn(ready, after=1).wait is None
    assert caller.turn(ready, after=10).phase is Phase.DONE


def test_an_image_that_no_ready_service_needs_is_not_waited_for() -> None:
    caller = in_phase(Phase.PREPARING)

    assert caller.turn(replace(ALL_READY, missing=("web:b",)), after=1).phase is Phase.VERIFYING


def test_what_waits_is_the_release_that_comes_not_the_undo_that_is_over() -> None:
    caller = in_phase(Phase.UNDONE)
    caller.want(deadline_seconds=900.0, suspend=True)

    assert caller.turn().why == "release B waits: spec.suspend is true"


def test_an_undo_may_have_to_wait_for_a_lock_too() -> None:
    caller = in_phase(Phase.UNDOING)

    decision = caller.turn(LOCKED, after=5)

    assert (decision.phase, decision.effective) == (Phase.UNDOING, "a")
    assert decision.events[0].message == "going back to release A waits: shop/web is locked: backup"
    assert decision.why.endswith("going back to release A (shop/web is locked: backup)")
    assert caller.turn(after=5).phase is Phase.UNDONE


def test_the_third_reboot_fails_an_attempt() -> None:
    caller = in_phase(Phase.VERIFYING)

    phases = []
    for _ in range(3):
        caller.reboot()
        phases.append(caller.turn(STARTING).phase)

    assert phases == [Phase.VERIFYING, Phase.VERIFYING, Phase.UNDOING]
    assert caller.state.quarantine is not None
    assert caller.state.quarantine.reason == "RebootLoop"
    caller.turn(after=5)
    assert caller.told[-1][1].startswith(
        "release B was undone: the device rebooted 3 times while its containers ran; all 2 services"
    )


def test_a_first_install_that_reboots_the_device_fails_once() -> None:
    caller = Caller()
    caller.turn(STARTING)
    for _ in range(5):
        caller.reboot()
        caller.turn(STARTING)

    assert caller.phase is Phase.FAILED
    assert caller.reasons() == ["InstallStarted", "RebootLoop"]


@pytest.mark.parametrize("seen", [NO_IMAGE, FETCHING, LOCKED])
def test_reboots_before_anything_of_it_runs_are_not_its_fault(seen: Readiness) -> None:
    caller = in_phase(Phase.PREPARING)

    for _ in range(10):
        caller.reboot()
        assert caller.turn(seen).effective == "b"

    caller.turn(STARTING, after=1)
    assert caller.state.reboots == 0


def test_a_reboot_is_counted_once_and_also_when_the_first_look_knew_nothing() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.reboot()

    caller.turn_with(Readiness())
    assert caller.state.reboots == 0
    for _ in range(3):
        caller.turn(STARTING, after=1)
        caller.cut()

    assert caller.state.reboots == 1


def test_after_a_reboot_what_was_left_at_the_last_write_is_left() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(FETCHING, after=19)
    caller.reboot()
    caller.turn(STARTING)
    caller.turn(STARTING, after=50)
    assert caller.decision is not None
    assert caller.decision.seconds_left == 30

    caller.reboot()
    assert caller.turn(STARTING, after=500).seconds_left == 80
    assert caller.turn(STARTING, after=79).phase is Phase.VERIFYING
    assert caller.turn(STARTING, after=1).phase is Phase.UNDOING


def test_time_goes_on_while_the_agent_is_away_but_it_looks_for_a_minute_before_it_judges() -> None:
    caller = in_phase(Phase.VERIFYING)

    caller.cut()
    caller.seconds += 3600
    back = caller.turn(STARTING)
    assert (back.phase, back.seconds_left) == (Phase.VERIFYING, 70)

    caller.cut()
    caller.seconds += 3600
    assert caller.turn(STARTING).phase is Phase.UNDOING


def test_the_extra_time_is_never_longer_than_the_deadline() -> None:
    caller = Caller(app=wanted(deadline_seconds=20.0))
    caller.turn(STARTING)

    assert caller.turn(STARTING, after=600).seconds_left == 20


def test_while_the_engine_does_not_answer_nobody_looks_either() -> None:
    caller = in_phase(Phase.VERIFYING)

    back = caller.turn(STARTING, after=600)
    assert (back.phase, back.seconds_left) == (Phase.VERIFYING, 70)
    failed = caller.turn(STARTING, after=70)

    assert failed.why.startswith("release B: web is not ready")


def test_readiness_before_and_after_a_time_without_a_look_does_not_add_up() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(after=1)

    assert caller.turn(after=600).phase is Phase.VERIFYING
    assert caller.turn(after=10).phase is Phase.DONE


def test_a_minute_between_two_turns_is_nothing_unusual() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(after=1)

    assert caller.turn(after=60).phase is Phase.DONE


def test_a_release_that_got_ready_while_the_agent_was_away_is_good() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.cut()

    caller.turn(STARTING, after=3600)
    caller.turn(after=3)

    assert caller.turn(after=10).phase is Phase.DONE


def test_an_agent_that_dies_again_and_again_cannot_keep_a_bad_release() -> None:
    caller = in_phase(Phase.VERIFYING)

    seconds = 0
    while caller.turn(STARTING, after=10).effective == "b":
        caller.cut()
        seconds += 10
        assert seconds < 300

    assert caller.phase is Phase.UNDOING


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.APPLYING, Phase.VERIFYING])
def test_retry_of_what_is_under_way_gives_it_the_whole_deadline(phase: Phase) -> None:
    caller = in_phase(phase)
    caller.turn(STARTING, after=60)

    caller.ask_retry()
    again = caller.turn(STARTING, after=1)

    assert (again.effective, again.seconds_left, caller.reasons()[1:]) == ("b", 100, [])
    assert caller.turn(STARTING, after=99).phase is Phase.VERIFYING
    assert caller.turn(STARTING, after=1).phase is Phase.UNDOING


def test_a_release_that_is_quiet_for_long_is_looked_at_all_the_same() -> None:
    """Nothing tells of an App where nothing happens: without a turn of its own it would pass for unseen, and
    be ready too late however long it has been ready."""
    caller = in_phase(Phase.DONE)
    caller.want("b", deadline_seconds=900, min_ready_seconds=300)
    began, decision = caller.seconds, caller.turn(CHANGING)
    while decision.phase is not Phase.DONE:
        assert decision.phase is not Phase.UNDOING
        assert decision.wake_in_seconds is not None
        decision = caller.turn(after=decision.wake_in_seconds)
    assert caller.seconds - began < 400
