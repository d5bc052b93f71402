"""What was stopped by hand shows nobody that a release is good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotistic.rollout.values import Phase
from tests.unit.rollout.caller import ALL_READY, STARTING, Caller, in_phase, services, wanted

BOTH = ("web", "db")
ONLY_WEB = replace(STARTING, services=services(("web",)))


def installed(**fields: object) -> Caller:
    """a is good."""
    caller = Caller(app=wanted("a", **fields))
    caller.turn()
    caller.turn()
    return caller


def test_a_bad_update_that_is_stopped_does_not_become_the_good_one() -> None:
    caller = in_phase(Phase.VERIFYING)

    caller.want(stopped=BOTH)
    waiting = [caller.turn(ALL_READY, after=60) for _ in range(20)]

    assert {decision.phase for decision in waiting} == {Phase.WAITING}
    assert waiting[-1].why == (
        "release B waits: web, db were stopped by hand before the release was good; they have to run first"
    )
    assert caller.reasons() == ["Waiting"]
    assert waiting[-1].wake_in_seconds is None

    caller.want(stopped=())
    caller.turn(STARTING, after=1)
    assert caller.turn(STARTING, after=100).phase is Phase.UNDOING
    assert caller.reasons() == ["Resumed", "DeadlineExceeded"]


def test_what_goes_on_after_a_stop_has_to_stay_ready_for_its_whole_time() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(ALL_READY, after=1)

    caller.want(stopped=("web",))
    caller.turn(ALL_READY, after=9.9)
    caller.want(stopped=())
    caller.turn(ALL_READY, after=60)

    assert caller.turn(ALL_READY, after=9).phase is Phase.VERIFYING
    assert caller.turn(ALL_READY, after=1).phase is Phase.DONE


def test_an_update_whose_other_services_are_bad_is_undone_although_one_is_stopped() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.want(stopped=("web",))

    assert caller.turn(ONLY_WEB, after=1).phase is Phase.VERIFYING
    assert caller.turn(ONLY_WEB, after=100).phase is Phase.UNDOING
    assert caller.turn(ALL_READY, after=1).phase is Phase.UNDONE


def test_a_failed_release_that_stays_does_not_become_good_by_a_stop() -> None:
    caller = in_phase(Phase.FAILED)

    caller.want(stopped=BOTH)
    caller.turn(ALL_READY, after=60)

    assert caller.turn(ALL_READY, after=60).phase is Phase.FAILED


def test_what_was_stopped_for_long_keeps_no_update_from_being_good() -> None:
    caller = installed()
    caller.want(stopped=("web",))
    caller.turn()
    assert caller.phase is Phase.DONE

    caller.want("b")
    caller.turn()
    caller.turn(STARTING, after=1)
    caller.turn(ALL_READY, after=1)
    caller.cut()
    caller.turn(ALL_READY, after=1)

    assert caller.turn(ALL_READY, after=10).phase is Phase.DONE


def test_an_app_that_is_stopped_as_a_whole_tries_its_new_release_when_it_is_started() -> None:
    caller = installed()
    caller.want("b", stopped=BOTH)
    caller.turn()
    assert caller.turn(after=1).phase is Phase.WAITING

    caller.want(stopped=())
    caller.turn(STARTING, after=1)

    assert caller.turn(STARTING, after=100).effective == "a"


@pytest.mark.parametrize("cut", [False, True])
def test_who_was_stopped_at_the_beginning_outlives_the_process(cut: bool) -> None:
    caller = installed()
    caller.want("b", stopped=("web",))
    caller.turn()
    caller.turn(STARTING, after=1)
    if cut:
        caller.cut()

    caller.want(stopped=BOTH)
    assert caller.turn(ALL_READY, after=1).phase is Phase.WAITING
    caller.want(stopped=("db",))
    assert caller.turn(ALL_READY, after=1).phase is Phase.WAITING
    caller.want(stopped=("web",))
    caller.turn(ALL_READY, after=1)
    assert caller.turn(ALL_READY, after=10).phase is Phase.DONE
