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


def test_where_nothing_is_under_way_all_is_told_soon() -> None:
    assert urgency_of(app(), app("Degraded"), under_way=False) is Urgency.SOON
