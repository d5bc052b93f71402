"""What an App and its services are said to be doing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotistic.api.app import AppStatus
from iotistic.api.conditions import StatusCondition
from iotistic.rollout.status import AppFacts, ServiceFacts, app_status, readiness_of, service_status
from iotistic.rollout.values import Phase, Readiness, ServiceReadiness
from tests.unit.rollout.caller import ALL_READY, LOCKED, STARTING, Caller, in_phase, wanted

NOW = "2026-11-24T10:00:00Z"
UP = ServiceFacts(name="web", image="web:1", container_status="running", unchanged=True)


def up(**fields: Any) -> ServiceFacts:
    """A running service, with these differences."""
    return replace(UP, **fields)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (up(), ("Running", True, "")),
        (up(health="healthy"), ("Running", True, "")),
        (up(health="starting"), ("Starting", False, "its probes have not answered yet")),
        (up(health="starting", health_message="GET :80/ -> 503"), ("Starting", False, "GET :80/ -> 503")),
        (up(health="unhealthy"), ("Unhealthy", False, "its probe fails")),
        (up(health="unhealthy", health_message="GET :80/ -> 500"), ("Unhealthy", False, "GET :80/ -> 500")),
        (up(unchanged=False), ("Updating", False, "to be replaced")),
        (
            up(unchanged=False, waits_for="waits for db (healthy)"),
            ("Waiting", False, "waits for db (healthy)"),
        ),
        (up(unchanged=False, downloading="1 of 2 MB"), ("Pulling", False, "pulling web:1 1 of 2 MB")),
        (up(container_status=""), ("Waiting", False, "not made yet")),
        (up(container_status="", waits_for="waits for db"), ("Waiting", False, "waits for db")),
        (up(container_status="created"), ("Created", False, "not started yet")),
        (up(container_status="restarting", exit_code=1), ("Restarting", False, "exit 1")),
        (
            up(container_status="exited", exit_code=137, oom_killed=True),
            ("Exited", False, "exit 137 (OOMKilled)"),
        ),
        (up(container_status="exited", exit_code=0), ("Exited", False, "exit 0")),
        (up(container_status="exited", exit_code=0, restart="Never"), ("Completed", True, "")),
        (up(container_status="exited", exit_code=0, restart="OnFailure"), ("Completed", True, "")),
        (up(container_status="exited", exit_code=2, restart="Never"), ("Failed", False, "exit 2")),
        (up(container_status="dead", exit_code=2), ("Exited", False, "exit 2")),
        (up(container_status="stopping"), ("Stopping", False, "")),
        (up(run_state="Stopped"), ("Stopping", False, "")),
        (up(run_state="Stopped", container_status="exited"), ("Stopped", True, "")),
        (up(run_state="Stopped", container_status=""), ("Stopped", True, "")),
        (up(run_state="Paused"), ("Pausing", False, "")),
        (up(run_state="Paused", container_status="paused"), ("Paused", True, "")),
        (up(container_status="paused"), ("Paused", False, "")),
        (
            up(container_status="exited", failure_reason="CrashLoop", failure="exit 1", retry_seconds=40.0),
            ("CrashLoop", False, "exit 1, next try in 40 s"),
        ),
        (
            up(
                container_status="",
                failure_reason="ImageNotFound",
                failure="no image web:1",
                retry_seconds=9.6,
            ),
            ("Failed", False, "no image web:1, next try in 10 s"),
        ),
        (up(failure_reason="CrashLoop", failure="exit 1"), ("Running", True, "")),
        (up(failure_reason="CrashLoop", failure="exit 1", health="starting"), ("CrashLoop", False, "exit 1")),
        (
            up(run_state="Stopped", container_status="exited", failure="exit 1", failure_reason="CrashLoop"),
            ("Stopped", True, ""),
        ),
    ],
)
def test_a_service_is_said_to_be(facts: ServiceFacts, said: tuple[str, bool, str]) -> None:
    status = service_status(facts)

    assert (status.state, status.ready, status.reason) == said


DB = up(name="db")
BAD = up(health="unhealthy", health_message="GET :8080/health -> 500")


def shop(*services: ServiceFacts, **fields: Any) -> AppFacts:
    """App shop with these services; without any, with two that are ready."""
    return AppFacts(name="shop", generation=3, release="1", services=services or (UP, DB), **fields)


def conditions(status: AppStatus) -> dict[str, str]:
    """`Ready` -> `False Undone`."""
    return {condition.type: f"{condition.status} {condition.reason}" for condition in status.conditions}


@pytest.mark.parametrize(
    ("facts", "state", "ready", "why"),
    [
        (shop(), "Ready", "2/2", ""),
        (shop(BAD, DB), "Degraded", "1/2", "web: GET :8080/health -> 500"),
        (shop(up(unchanged=False), DB), "Updating", "1/2", "web: to be replaced"),
        (
            shop(
                up(name="api", container_status=""),
                up(failure_reason="CrashLoop", failure="exit 1", health="starting"),
            ),
            "Degraded",
            "0/2",
            "web: crash loop, exit 1",
        ),
        (shop(up(run_state="Stopped", container_status="")), "Stopped", "0/0", ""),
        (shop(up(run_state="Stopped", container_status=""), DB), "Ready", "1/1", ""),
        (shop(up(run_state="Stopped"), DB), "Updating", "1/1", "web: stopping"),
        (shop(up(run_state="Stopped", stop_waits="locked"), DB), "Ready", "2/2", ""),
        (shop(hold="suspended: spec.suspend is true"), "Held", "2/2", "suspended: spec.suspend is true"),
        (shop(hold="orphaned: apply its file"), "Orphaned", "2/2", "orphaned: apply its file"),
        (shop(stalled="volume data would be lost"), "Stalled", "2/2", "volume data would be lost"),
        (shop(deleting=True), "Deleting", "2/2", "what it has here is being removed"),
        (shop(up(unchanged=False), DB, locked="shop is locked"), "Updating", "1/2", "shop is locked"),
        (shop(up(container_status=""), failure="no network"), "Degraded", "0/1", "no network"),
        (shop(failure="no policy"), "Ready", "2/2", "no policy"),
        (shop(left="an old release has to stay"), "Ready", "2/2", "an old release has to stay"),
        (shop(BAD, DB, left="an old release"), "Degraded", "1/2", "web: GET :8080/health -> 500"),
    ],
)
def test_an_app_is_said_to_be(facts: AppFacts, state: str, ready: str, why: str) -> None:
    status = app_status(facts, now=NOW)

    assert (status.state, status.ready, status.why) == (state, ready, why)
    assert status.observed_generation == 3


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            shop(),
            {
                "Ready": "True AllServicesReady",
                "Reconciling": "False Settled",
                "Stalled": "False NotStalled",
                "Available": "True Serving",
            },
        ),
        (
            shop(BAD, DB),
            {
                "Ready": "False Unhealthy",
                "Reconciling": "True Unhealthy",
                "Stalled": "False NotStalled",
                "Available": "False NotServing",
            },
        ),
        (
            shop(stalled="volume data would be lost"),
            {
                "Ready": "False WouldLoseData",
                "Reconciling": "False Settled",
                "Stalled": "True WouldLoseData",
                "Available": "True Serving",
            },
        ),
        (
            shop(hold="suspended: spec.suspend is true"),
            {
                "Ready": "False Suspended",
                "Reconciling": "False Settled",
                "Stalled": "False NotStalled",
                "Available": "True Serving",
            },
        ),
    ],
)
def test_conditions_for_programs(facts: AppFacts, expected: dict[str, str]) -> None:
    assert conditions(app_status(facts, now=NOW)) == expected


def test_the_time_of_a_condition_changes_with_its_status_only() -> None:
    before = {
        name: StatusCondition(type=name, status="True", reason="x", last_transition_time="before")
        for name in ("Ready", "Stalled")
    }

    status = app_status(shop(previous=before), now=NOW)

    times = {condition.type: condition.last_transition_time for condition in status.conditions}
    assert times == {"Ready": "before", "Reconciling": NOW, "Stalled": NOW, "Available": NOW}


def rolling(caller: Caller, *services: ServiceFacts, **fields: Any) -> AppStatus:
    """Status of shop with the caller's last decision."""
    facts = shop(*services, rollout=caller.decision, digest=caller.app.digest, **fields)
    return app_status(facts, now=NOW)


def test_an_undone_app_serves_but_is_not_ready() -> None:
    status = rolling(in_phase(Phase.UNDONE))

    assert (status.state, status.ready, status.release) == ("Undone", "2/2", "1")
    assert status.why == "release B: web never became ready (GET :8080/health -> 500); 1 more not ready"
    assert conditions(status) == {
        "Ready": "False Undone",
        "Reconciling": "False Settled",
        "Stalled": "True Undone",
        "Available": "True Serving",
    }
    assert {condition.message for condition in status.conditions} == {status.why}


def test_an_undone_app_whose_good_release_fails_says_both() -> None:
    status = rolling(in_phase(Phase.UNDONE), BAD, DB)

    assert status.state == "Undone"
    assert status.why.endswith("1 more not ready; now web: GET :8080/health -> 500")
    assert conditions(status)["Available"] == "False NotServing"


def test_an_app_that_is_going_back_says_so() -> None:
    status = rolling(in_phase(Phase.UNDOING), up(unchanged=False), DB)

    assert status.state == "Undoing"
    assert status.why.endswith("going back to release A")
    assert conditions(status) == {
        "Ready": "False Undoing",
        "Reconciling": "True Undoing",
        "Stalled": "False NotStalled",
        "Available": "True Serving",
    }


def test_a_failed_app_is_stalled_with_the_reason() -> None:
    status = rolling(in_phase(Phase.FAILED), BAD, DB)

    assert status.state == "Failed"
    assert conditions(status) == {
        "Ready": "False DeadlineExceeded",
        "Reconciling": "False Settled",
        "Stalled": "True DeadlineExceeded",
        "Available": "False NotServing",
    }


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.PREPARING, "Preparing"),
        (Phase.APPLYING, "Applying"),
        (Phase.VERIFYING, "Verifying"),
        (Phase.WAITING, "Waiting"),
    ],
)
def test_a_release_that_is_not_good_yet_is_not_ready_however_ready_its_services_are(
    phase: Phase, reason: str
) -> None:
    status = rolling(in_phase(phase))

    assert (status.state, status.ready) == ("Updating", "2/2")
    assert status.why
    assert conditions(status) == {
        "Ready": f"False {reason}",
        "Reconciling": f"True {reason}",
        "Stalled": "False NotStalled",
        "Available": "True Serving",
    }


def test_a_wait_says_what_is_waited_for() -> None:
    caller = in_phase(Phase.APPLYING)
    caller.turn(LOCKED)

    assert rolling(caller).why == "release B waits: shop/web is locked: backup"


def test_a_good_release_is_ready_and_a_new_spec_is_not_before_its_first_turn() -> None:
    caller = in_phase(Phase.DONE)

    assert conditions(rolling(caller))["Ready"] == "True AllServicesReady"
    caller.want("b")
    status = rolling(caller)
    assert (status.state, conditions(status)["Ready"]) == ("Updating", "False Progressing")


@pytest.mark.parametrize("phase", [Phase.UNDONE, Phase.UNDOING, Phase.FAILED])
def test_what_became_of_an_earlier_release_is_not_said_of_a_new_spec(phase: Phase) -> None:
    caller = in_phase(phase)
    caller.want("c")

    status = rolling(caller)

    assert (status.state, status.why) == ("Updating", "what is wanted has just changed")
    assert conditions(status) == {
        "Ready": "False Progressing",
        "Reconciling": "True Progressing",
        "Stalled": "False NotStalled",
        "Available": "True Serving",
    }


def test_a_suspended_app_is_held_whatever_its_rollout_does() -> None:
    caller = in_phase(Phase.UNDONE)

    assert rolling(caller, hold="suspended: spec.suspend is true").state == "Held"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (UP, ServiceReadiness(name="web", ready=True, state="Running")),
        (BAD, ServiceReadiness(name="web", ready=False, state="Unhealthy", reason="GET :8080/health -> 500")),
        (
            up(unchanged=False),
            ServiceReadiness(
                name="web", ready=False, current=False, state="Updating", reason="to be replaced"
            ),
        ),
        (
            up(failure_reason="CrashLoop", failure="exit 1", container_status="exited", retry_seconds=40.0),
            ServiceReadiness(name="web", ready=False, state="CrashLoop", reason="crash loop, exit 1"),
        ),
        (
            up(failure_reason="ImageNotFound", failure="no image web:2", unchanged=False, retry_seconds=40.0),
            ServiceReadiness(name="web", ready=False, current=False, state="Failed", reason="no image web:2"),
        ),
        (
            up(unchanged=False, downloading="8.9 of 12.4 MB"),
            ServiceReadiness(name="web", ready=False, current=False, state="Pulling", reason="pulling web:1"),
        ),
        (
            up(run_state="Stopped", container_status="", unchanged=False),
            ServiceReadiness(name="web", ready=True, state="Stopped"),
        ),
        (
            up(run_state="Paused", container_status="paused"),
            ServiceReadiness(name="web", ready=True, state="Paused"),
        ),
        (
            up(restart="Never", container_status="exited", exit_code=0),
            ServiceReadiness(name="web", ready=True, state="Completed"),
        ),
    ],
)
def test_what_the_rollout_is_told_of_a_service(facts: ServiceFacts, expected: ServiceReadiness) -> None:
    readiness = readiness_of(shop(facts), digest="a")

    assert readiness.services == (expected,)


def test_what_the_rollout_is_told_of_an_app() -> None:
    facts = shop(stalled="would lose data", locked="shop is locked")

    readiness = readiness_of(facts, digest="a", missing=["web:2"], fetching=True)

    assert (readiness.digest, readiness.blocked, readiness.locked) == (
        "a",
        "would lose data",
        "shop is locked",
    )
    assert (readiness.missing, readiness.fetching, readiness.all_ready) == (("web:2",), True, False)
    assert readiness_of(shop(failure="no network"), digest="a").blocked == "no network"


def test_from_facts_to_undone_and_back_to_words() -> None:
    """The whole way with facts as an agent has them: a good release, a bad one, what a person reads."""
    caller = Caller(app=wanted("a", release="1"))
    bad = shop(BAD, DB)
    for facts in (shop(), shop()):
        caller.turn(readiness_of(facts, digest=""))
    caller.want("b", release="2")
    for after in (0.0, 1.0, 60.0, 39.0):
        caller.turn(readiness_of(bad, digest=""), after=after)
    caller.turn(readiness_of(shop(), digest=""), after=1)

    status = rolling(caller)

    assert (status.state, status.why) == (
        "Undone",
        "release 2: web never became ready (GET :8080/health -> 500)",
    )


def test_facts_that_are_ready_make_a_ready_app() -> None:
    assert readiness_of(shop(), digest="a").all_ready
    assert replace(ALL_READY, digest="a").all_ready
    assert not STARTING.all_ready
    assert not Readiness().all_ready
