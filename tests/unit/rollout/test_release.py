"""The rollout, told as stories: updates that go well, that fail, that are held back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotistic.rollout.release import forget_last_good
from iotistic.rollout.values import Phase, Readiness, RolloutState, ServiceReadiness
from tests.unit.rollout.caller import (
    ALL_READY,
    CHANGING,
    LOCKED,
    NO_IMAGE,
    SERVICES,
    STARTING,
    Caller,
    in_phase,
    services,
)


def test_a_first_install_is_good_at_its_first_readiness() -> None:
    caller = Caller()

    assert caller.turn(NO_IMAGE).phase is Phase.PREPARING
    assert caller.turn(STARTING, after=5).phase is Phase.VERIFYING
    done = caller.turn(after=5)

    assert (done.phase, done.effective, done.why) == (Phase.DONE, "a", "")
    assert caller.reasons() == ["InstallStarted", "Installed"]


def test_an_app_that_runs_already_is_good_with_the_second_look() -> None:
    caller = Caller()

    begun = caller.turn()
    assert (begun.phase, begun.effective, begun.wake_in_seconds) == (Phase.PREPARING, "a", 0.5)
    assert caller.turn(after=0.5).phase is Phase.DONE


def test_an_update_is_good_after_min_ready_seconds() -> None:
    caller = in_phase(Phase.VERIFYING)

    assert caller.turn(after=1).phase is Phase.VERIFYING
    assert caller.turn(after=9.9).phase is Phase.VERIFYING
    done = caller.turn(after=0.2)

    assert (done.phase, done.effective, done.keep) == (Phase.DONE, "b", ("b",))
    assert caller.told == [("Updated", "release B is good: all 2 services ready")]


def test_readiness_that_breaks_begins_again() -> None:
    caller = in_phase(Phase.VERIFYING)

    caller.turn(after=1)
    caller.turn(STARTING, after=9)
    caller.turn(after=1)

    assert caller.turn(after=9).phase is Phase.VERIFYING
    assert caller.turn(after=1).phase is Phase.DONE


def test_a_release_that_never_gets_ready_is_undone_as_a_whole_and_quarantined() -> None:
    caller = in_phase(Phase.APPLYING)

    caller.turn(Readiness(services=services(("db",), reason="GET :8080/health -> 500")), after=50)
    failed = caller.turn(Readiness(services=services(("db",), reason="GET :8080/health -> 500")), after=49)
    assert (failed.phase, failed.effective, failed.keep) == (Phase.UNDOING, "a", ("a",))
    undone = caller.turn(after=3)

    assert (undone.phase, undone.effective) == (Phase.UNDONE, "a")
    assert undone.why == "release B: web never became ready (GET :8080/health -> 500)"
    assert undone.state.quarantine is not None
    assert (undone.state.quarantine.digest, undone.state.quarantine.reason) == ("b", "DeadlineExceeded")
    assert caller.told == [
        (
            "DeadlineExceeded",
            "release B failed: web never became ready (GET :8080/health -> 500); going back to release A",
        ),
        (
            "Undone",
            "release B was undone after 100 s: web never became ready (GET :8080/health -> 500); all 2 "
            "services are back on release A. Release B will not be tried again until its spec changes or "
            "somebody asks for a retry",
        ),
    ]


def test_what_is_undone_stays_undone() -> None:
    caller = in_phase(Phase.UNDONE)
    writes = caller.writes

    for seen in (ALL_READY, STARTING, ALL_READY, LOCKED, NO_IMAGE):
        decision = caller.turn(seen, after=1000)
        assert (decision.phase, decision.effective) == (Phase.UNDONE, "a")

    assert caller.reasons() == []
    assert caller.writes == writes


@pytest.mark.parametrize(
    ("change", "effective"),
    [
        ({"digest": "c", "release": "C"}, "c"),
        ({"digest": "a", "release": "A"}, "a"),
        ({"deadline_seconds": 900.0}, "b"),
        ({"min_ready_seconds": 0.0}, "b"),
        ({"release": "B2"}, "a"),
        ({"auto_undo": False}, "a"),
    ],
)
def test_a_quarantine_ends_when_what_is_asked_of_the_release_changes(
    change: dict[str, object], effective: str
) -> None:
    caller = in_phase(Phase.UNDONE)

    caller.want(**change)

    assert caller.turn().effective == effective
    assert (caller.state.failure is None) == (change.keys() != {"release"} and "auto_undo" not in change)


def test_retry_tries_again_with_the_whole_deadline() -> None:
    caller = in_phase(Phase.UNDONE)

    caller.ask_retry()
    assert caller.state.effective == "a"
    again = caller.turn(after=1)

    assert (again.phase, again.effective, again.seconds_left) == (Phase.PREPARING, "b", 100)
    assert caller.reasons() == ["UpdateStarted"]


def test_retry_of_what_has_not_failed_changes_nothing() -> None:
    for phase in (Phase.IDLE, Phase.DONE):
        caller = in_phase(phase)
        before = caller.state
        caller.ask_retry()
        assert caller.state is before


def test_of_two_updates_in_quick_succession_the_newest_wins_and_the_last_good_stays() -> None:
    caller = in_phase(Phase.APPLYING)

    caller.want("c")
    decision = caller.turn(CHANGING, after=50)

    assert (decision.effective, decision.keep, decision.seconds_left) == ("c", ("a",), 100)
    assert caller.told[0] == ("Superseded", "release B gave way to release C before it was good")
    failed = caller.turn(STARTING, after=100)
    assert (failed.phase, failed.effective) == (Phase.UNDOING, "a")


def test_what_was_seen_of_another_release_says_nothing_of_this_one() -> None:
    caller = in_phase(Phase.DONE)

    caller.want("b", min_ready_seconds=0.0)
    caller.turn()
    stale = caller.turn_with(replace(ALL_READY, digest="a"))

    assert stale.phase is Phase.PREPARING


def test_going_back_to_the_last_good_spec_while_another_is_under_way() -> None:
    caller = in_phase(Phase.APPLYING)

    caller.want("a")
    assert caller.turn(STARTING, after=1).effective == "a"
    failed = caller.turn(STARTING, after=100)
    assert (failed.phase, failed.effective) == (Phase.FAILED, "a")
    assert failed.events[0].message.endswith("there is no earlier good release to go back to")
    caller.turn(after=10)

    assert caller.turn(after=10).phase is Phase.DONE


def test_a_failed_first_install_stays_says_why_and_may_still_become_good() -> None:
    caller = in_phase(Phase.FAILED)

    stays = caller.turn(STARTING, after=10_000)
    assert (stays.phase, stays.effective, stays.wake_in_seconds) == (Phase.FAILED, "b", None)
    assert stays.why == "release B: web never became ready (GET :8080/health -> 500); 1 more not ready"
    assert caller.reasons() == []

    assert caller.turn(after=1).phase is Phase.FAILED
    assert caller.turn(after=10).phase is Phase.DONE
    assert caller.reasons() == ["Installed"]


def test_without_auto_undo_a_failed_update_stays() -> None:
    caller = in_phase(Phase.APPLYING)
    caller.want(auto_undo=False)

    failed = caller.turn(STARTING, after=100)

    assert (failed.phase, failed.effective, failed.keep) == (Phase.FAILED, "b", ("a",))
    assert failed.events[0].message.endswith("it stays, as autoUndo is false")
    caller.want(auto_undo=True)
    assert caller.turn(STARTING).effective == "a"


def test_a_failed_update_that_stayed_has_to_stay_ready_as_well() -> None:
    caller = in_phase(Phase.APPLYING)
    caller.want(auto_undo=False)
    caller.turn(STARTING, after=100)

    first = caller.turn(after=1)
    assert (first.phase, first.wake_in_seconds) == (Phase.FAILED, 10)

    assert caller.turn(after=10).phase is Phase.DONE


def test_never_is_said_only_by_one_who_has_watched() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.cut()
    caller.turn(STARTING, after=30)
    failed = caller.turn(STARTING, after=100)

    assert failed.why.startswith("release B: web is not ready (GET :8080/health -> 500)")


def test_a_service_that_was_ready_did_not_stay_so() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(Readiness(services=services(("web", "db"))), after=1)
    failed = caller.turn(Readiness(services=services(("db",), reason="exit 1")), after=98.5)

    assert failed.why.startswith("release B: web did not stay ready (exit 1)")


def test_readiness_that_comes_too_late_is_said_so() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(STARTING, after=90)
    caller.turn(after=4)
    failed = caller.turn(after=5)

    assert failed.phase is Phase.UNDOING
    assert failed.why.startswith("release B: its services were ready too late, for 5 s of 10 s")


def test_the_worst_service_is_named() -> None:
    caller = in_phase(Phase.VERIFYING)
    seen = Readiness(
        services=(
            ServiceReadiness(name="api", ready=False, state="Waiting", reason="waits for db"),
            ServiceReadiness(name="db", ready=False, state="CrashLoop", reason="crash loop, exit 1"),
            ServiceReadiness(name="web", ready=True),
        )
    )

    failed = caller.turn(seen, after=99)

    assert failed.why.startswith(
        "release B: db never became ready (crash loop, exit 1); 1 more not ready; going back to release A"
    )


def test_an_app_that_would_lose_data_is_not_good_however_ready_its_services_are() -> None:
    caller = in_phase(Phase.VERIFYING)
    blocked = replace(ALL_READY, blocked="volume data has another driver")

    caller.turn(blocked, after=50)
    failed = caller.turn(blocked, after=50)

    assert failed.why.startswith("release B: volume data has another driver")


def test_a_longer_deadline_helps_the_attempt_that_is_under_way() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(STARTING, after=49)

    caller.want(deadline_seconds=300.0)

    assert caller.turn(STARTING).seconds_left == 250


@pytest.mark.parametrize(("deadline", "phase"), [(51.0, Phase.VERIFYING), (50.0, Phase.UNDOING)])
def test_a_shorter_deadline_counts_at_once(deadline: float, phase: Phase) -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.turn(STARTING, after=49)

    caller.want(deadline_seconds=deadline)

    assert caller.turn(STARTING).phase is phase


def test_another_name_of_the_same_release_is_no_update() -> None:
    caller = in_phase(Phase.DONE)

    caller.want(release="spring")
    decision = caller.turn(after=1)

    assert (decision.phase, decision.events, decision.persist) == (Phase.DONE, (), True)
    assert decision.state.last_good is not None
    assert decision.state.last_good.name == "spring"


def test_a_good_release_is_not_undone_later() -> None:
    caller = in_phase(Phase.DONE)

    assert caller.turn(STARTING, after=100_000).phase is Phase.DONE
    assert caller.turn(CHANGING, after=100_000).effective == "a"


def test_it_asks_to_be_woken_for_what_comes_first() -> None:
    caller = in_phase(Phase.VERIFYING)

    assert caller.turn(STARTING, after=9).wake_in_seconds == 60  # it is looked at each minute
    assert caller.turn(after=1).wake_in_seconds == 10
    assert caller.turn(after=4).wake_in_seconds == 6
    assert caller.turn(STARTING, after=80).wake_in_seconds == 5
    assert caller.turn(after=1).wake_in_seconds == 4
    assert in_phase(Phase.DONE).turn(after=1).wake_in_seconds is None


def test_images_are_prepared_only_before_anything_changes() -> None:
    prepared = {phase: in_phase(phase).decision for phase in Phase if phase is not Phase.IDLE}

    assert {phase for phase, decision in prepared.items() if decision and decision.prepare} == {
        Phase.PREPARING,
        Phase.WAITING,
    }


def test_an_update_that_goes_well_is_written_twice() -> None:
    caller = in_phase(Phase.DONE)
    writes = caller.writes

    caller.want("b")
    for _ in range(5):
        caller.turn(CHANGING, after=1)
    for _ in range(20):
        caller.turn(after=1)

    assert caller.phase is Phase.DONE
    assert caller.writes - writes == 2


def test_without_the_last_good_spec_a_failed_update_stays() -> None:
    caller = in_phase(Phase.VERIFYING)
    caller.state = forget_last_good(caller.state)

    assert caller.turn(STARTING, after=100).phase is Phase.FAILED


@pytest.mark.parametrize("phase", [Phase.DONE, Phase.UNDOING, Phase.UNDONE])
def test_without_the_last_good_spec_what_is_wanted_comes_in_like_a_first_install(phase: Phase) -> None:
    caller = in_phase(phase)
    caller.state = forget_last_good(caller.state)

    decision = caller.turn(STARTING, after=1)

    assert (decision.phase, decision.effective) == (Phase.PREPARING, caller.app.digest)
    assert caller.reasons() == ["InstallStarted"]
    assert decision.state.once_good == ()
    assert caller.turn(after=1).phase is Phase.DONE


def test_a_new_machine_clock_that_went_back_costs_nothing() -> None:
    caller = in_phase(Phase.VERIFYING)

    caller.seconds = 3.0
    decision = caller.turn(STARTING)

    assert decision.seconds_left == 100


def test_an_empty_app_is_never_ready() -> None:
    assert not Readiness(digest="a").all_ready
    assert not Readiness(digest="a").all_current
    assert Readiness(services=services(SERVICES)).all_ready


def test_the_state_begins_empty() -> None:
    assert RolloutState().effective == ""
    assert RolloutState().quarantine is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": "c"}, "bringing in release C; release A is the last good one"),
        ({"digest": "a", "release": "3"}, "bringing release 3 in again, the last good one"),
        (
            {"digest": "c", "release": "A"},
            "bringing in a changed release A; the last good one has the same name",
        ),
    ],
)
def test_an_update_is_told_with_what_it_takes_the_place_of(change: dict[str, Any], said: str) -> None:
    caller = in_phase(Phase.UNDONE)
    caller.want(**change)
    caller.turn()

    assert caller.told == [("UpdateStarted", said)]
