"""What a status keeps, and what is read from it."""

from __future__ import annotations

import pytest

from iotistic.controllers.cluster.reporting import record, recorded, shown, stalled_content
from iotistic.rollout.values import Mark, Release, RolloutState

STATE = RolloutState(
    attempt=Release(digest="d2", name="2"),
    last_good=Release(digest="d1", name="1"),
    seconds_left=40.0,
    clock=Mark(boot="cluster", at=100.0),
    deadline_seconds=60.0,
)


def test_the_rollout_is_read_as_it_was_kept() -> None:
    text = record(STATE, retried="again", machine="board-1")
    assert recorded(text, machine="board-1") == (STATE, "again")


def test_another_machines_clock_says_nothing() -> None:
    state, _ = recorded(record(STATE, retried="", machine="board-1"), machine="board-2")
    assert state.clock is not None
    assert state.clock.boot != "cluster"
    assert state.seconds_left == 40.0


def test_nothing_is_said_of_the_machine_while_no_clock_runs() -> None:
    quiet = RolloutState(last_good=STATE.last_good)
    assert record(quiet, retried="", machine="a") == record(quiet, retried="", machine="b")


@pytest.mark.parametrize("text", ["", "x", "[]", '{"attempt": 5}'])
def test_what_was_never_kept(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        recorded(text, machine="a")


def test_a_stall_keeps_what_is_known_of_the_services() -> None:
    services = [{"name": "web", "state": "Running", "ready": True}]
    before = {
        "status": {
            "observedGeneration": 1,
            "state": "Ready",
            "ready": "1/1",
            "services": services,
            "rollout": "{}",
            "conditions": [
                {"type": "Available", "status": "True", "reason": "Serving", "lastTransitionTime": "then"}
            ],
        }
    }
    content = stalled_content(before, reason="Unreadable", why="no", generation=2, now="now", rollout="{}")
    assert content["services"] == services
    assert content["observedGeneration"] == 2
    assert [
        (c["type"], c["status"], c["reason"], c["lastTransitionTime"]) for c in content["conditions"]
    ] == [
        ("Ready", "False", "Unreadable", "now"),
        ("Reconciling", "False", "Settled", "now"),
        ("Stalled", "True", "Unreadable", "now"),
        ("Available", "True", "Serving", "then"),
    ]
    assert stalled_content(
        {"status": content}, reason="Unreadable", why="no", generation=2, now="later", rollout="{}"
    ) == shown({"status": content})
