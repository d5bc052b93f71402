"""Which differences of a status are worth a write, and when."""

from __future__ import annotations

from typing import Any

from iotistic.controllers.cluster.statuses import Due, Urgency, due, urgency_of


def app(state: str = "Ready", why: str = "", restarts: int = 0, **fields: Any) -> dict[str, Any]:
    services = [{"name": "web", "state": "Running", "ready": True, "restarts": restarts}]
    return {"state": state, "why": why, "observedGeneration": 1, "services": services} | fields


def moments(shown: dict[str, Any], content: dict[str, Any], urgency: Urgency, **more: Any) -> float | None:
    """Seconds after which it is written; None: never."""
    answer, now = due(shown, content, urgency, 0.0, **more), 0.0
    while not answer.write and answer.in_seconds is not None:
        now += answer.in_seconds
        answer = due(shown, content, urgency, now, before=answer, **more)
    return now if answer.write else None


def test_the_same_is_never_written() -> None:
    assert due(app(), app(), Urgency.NOW, 0.0) == Due()


def test_what_has_to_be_stored_is_written_at_once() -> None:
    assert due(app(), app(rollout="{}"), Urgency.NOW, 0.0).write


def test_a_lasting_difference_is_written_soon() -> None:
    assert moments(app(), app("Degraded"), Urgency.SOON) == 2.0


def test_what_passes_by_is_not_written() -> None:
    assert moments(app(), app("Updating"), Urgency.PASSING, spent=1) == 60.0
    assert moments(app(), app("Updating"), Urgency.PASSING, spent=2) is None


def test_during_an_attempt_a_failure_that_lasts_is_worth_one_write() -> None:
    assert moments(app(), app("Degraded"), Urgency.PASSING, spent=1) == 30.0


def test_what_serves_no_more_is_told_however_its_states_change() -> None:
    was = {"name": "web", "state": "Running", "ready": True}
    crashes, starts = (was | {"state": state, "ready": False} for state in ("CrashLoop", "Starting"))
    first = due(was, crashes, Urgency.PASSING, 0.0)
    second = due(was, starts, Urgency.PASSING, 20.0, before=first)
    assert second.in_seconds == 10.0
    assert due(was, crashes, Urgency.PASSING, 30.0, before=second).write

    def serving(status: str) -> dict[str, Any]:
        return app("Updating", conditions=[{"type": "Available", "status": status}])

    assert moments(serving("True"), serving("False"), Urgency.PASSING, spent=1) == 30.0
    assert moments(serving("False"), serving("True"), Urgency.PASSING, spent=1) == 60.0


def test_of_a_stall_other_words_are_told_soon() -> None:
    assert moments(app("Stalled", "no Secret a"), app("Stalled", "no Secret b"), Urgency.SOON) == 2.0
    assert moments(app("Stalled", "used: 1 of 2"), app("Stalled", "used: 2 of 2"), Urgency.SOON) == 30.0


def test_restart_counts_alone_are_worth_nothing_during_an_attempt() -> None:
    assert moments(app(), app(restarts=3), Urgency.PASSING, counts=False) is None
    assert moments(app(), app(restarts=3), Urgency.SOON, counts=True) == 300.0


def test_other_words_for_the_same_wait() -> None:
    assert moments(app("Degraded", "a"), app("Degraded", "b"), Urgency.SOON) == 30.0


def test_a_state_that_changes_again_begins_to_wait_anew() -> None:
    first = due(app(), app("Degraded"), Urgency.SOON, 0.0)
    second = due(app(), app("Updating"), Urgency.SOON, 1.5, before=first)
    assert second.in_seconds == 2.0


def test_a_status_of_an_app_service_counts_by_its_state() -> None:
    shown = {"name": "web", "state": "Running", "ready": True, "since": "a", "restarts": 0}
    assert moments(shown, shown | {"since": "b", "restarts": 1}, Urgency.SOON) == 300.0
    assert moments(shown, shown | {"state": "CrashLoop", "ready": False}, Urgency.SOON) == 2.0


def stopping(state: str) -> dict[str, Any]:
    service = {"name": "web", "state": state, "ready": state == "Stopped", "runState": "Stopped"}
    return app("Updating", services=[service])


def test_how_far_a_stop_by_hand_is_has_to_be_seen_also_during_an_attempt() -> None:
    shown, content = stopping("Stopping"), stopping("Stopped")
    assert urgency_of(shown, content, under_way=True) is Urgency.SOON
    assert urgency_of(app("Updating"), shown, under_way=True) is Urgency.SOON
    assert urgency_of(content, content | {"release": "2"}, under_way=True) is Urgency.PASSING


def test_a_refusal_is_told_once_during_an_attempt() -> None:
    refused, told = ["only dynamically provisioned pvc can be resized"], "release 2: "
    content = app("Degraded", told + refused[0])
    assert urgency_of(app("Updating"), content, under_way=True, refusals=refused) is Urgency.SOON
    assert moments(app("Updating"), content, Urgency.SOON, spent=2) == 2.0
    assert urgency_of(content, app("Updating", refused[0]), under_way=True, refusals=refused) is (
        Urgency.PASSING
    )
    assert urgency_of(app(), app("Updating"), under_way=True, refusals=["", "x"]) is Urgency.PASSING
    used = [f"exceeded quota: small, used: pods={count}" for count in (1, 2)]
    was, now = (app("Updating", text) for text in used)
    assert urgency_of(was, now, under_way=True, refusals=[used[1]]) is Urgency.PASSING


def test_the_end_of_a_refusal_is_told_during_an_attempt() -> None:
    once = ["exceeded quota: small, used: pods=1"]
    shown, content = app("Degraded", once[0]), app("Updating", "web: starting")
    assert urgency_of(shown, content, under_way=True, once=once) is Urgency.SOON
    assert urgency_of(content, shown, under_way=True, once=once) is Urgency.PASSING
    again = ["exceeded quota: small, used: pods=2"]
    assert urgency_of(shown, content, under_way=True, refusals=again, once=once) is Urgency.PASSING


def test_where_nothing_is_under_way_all_is_told_soon() -> None:
    assert urgency_of(app(), app("Degraded"), under_way=False) is Urgency.SOON
