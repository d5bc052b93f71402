"""`docs/rollout.md` against the code: every row of its table of transitions is executed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from iotistic.rollout import release
from iotistic.rollout.record import to_text
from iotistic.rollout.release import MOST_REBOOTS
from iotistic.rollout.values import Phase, Readiness, RolloutState
from tests.unit.rollout.caller import (
    CHANGING,
    LOCKED,
    NO_IMAGE,
    STARTING,
    Caller,
    in_phase,
    wanted,
)
from tests.unit.rollout.table import Row, rows, section

Act = Callable[[Phase], Caller]
STOPPED = "a service was stopped by hand meanwhile, the others are ready"
NONE_GOOD = ", and none was good yet"
STAYING = ", and autoUndo is false"
BEFORE = {
    Phase.PREPARING: [NO_IMAGE],
    Phase.WAITING: [LOCKED],
    Phase.APPLYING: [CHANGING],
    Phase.VERIFYING: [STARTING],
    Phase.FAILED: [STARTING],
}


def ordinary(phase: Phase) -> Caller:
    """An update of a to b."""
    return failed_update() if phase is Phase.FAILED else in_phase(phase)


def install(phase: Phase) -> Caller:
    """A first install of b."""
    caller = Caller(app=wanted("b"))
    if phase is Phase.IDLE:
        return caller
    caller.turn()
    for seen in BEFORE[phase]:
        caller.turn(seen, after=100.0 if phase is Phase.FAILED else 1.0)
    return caller


def failed_update() -> Caller:
    """An update of a to b that failed and stays."""
    caller = in_phase(Phase.VERIFYING)
    caller.want(auto_undo=False)
    caller.turn(STARTING, after=100)
    return caller


def seeing(seen: Readiness, *, after: float = 1.0, start: Act = ordinary, **change: object) -> Act:
    """Something is changed, time passes, and this is seen."""

    def act(phase: Phase) -> Caller:
        caller = begun(start, phase)
        caller.want(**change)  # type: ignore[arg-type]
        caller.turn(seen, after=after)
        return caller

    return act


def begun(start: Act, phase: Phase) -> Caller:
    caller = start(phase)
    assert caller.phase is phase
    caller.told.clear()
    return caller


def nothing_known(phase: Phase) -> Caller:
    caller = begun(ordinary, phase)
    caller.turn_with(replace(STARTING, digest="another"))
    return caller


def steady(start: Act) -> Act:
    def act(phase: Phase) -> Caller:
        caller = begun(start, phase)
        caller.turn(after=1)
        assert caller.phase is phase
        caller.turn(after=10)
        return caller

    return act


def stopped_before(phase: Phase) -> Caller:
    """An update of an App whose service web is stopped; it stays so."""
    caller = Caller(app=wanted("a"))
    caller.turn()
    caller.turn()
    caller.want("b", stopped=("web",))
    caller.turn()
    caller.turn(STARTING, after=1)
    return caller


def late(start: Act, **change: object) -> Act:
    """The clock runs out; after a wait it does so at once, as its time had gone before."""

    def act(phase: Phase) -> Caller:
        caller = begun(start, phase)
        caller.want(**change)  # type: ignore[arg-type]
        if phase is Phase.WAITING:
            caller.state = replace(caller.state, seconds_left=0.0)
        caller.turn(STARTING, after=100)
        return caller

    return act


def third_reboot(start: Act) -> Act:
    def act(phase: Phase) -> Caller:
        caller = begun(start, phase)
        caller.state = replace(caller.state, reboots=MOST_REBOOTS - 1)
        caller.stored = to_text(caller.state)
        caller.reboot()
        caller.turn(STARTING)
        return caller

    return act


def retried(start: Act) -> Act:
    def act(phase: Phase) -> Caller:
        caller = begun(start, phase)
        caller.ask_retry()
        caller.turn(after=1)
        return caller

    return act


def while_suspended(start: Act, first: dict[str, object], then: dict[str, object], seen: Readiness) -> Act:
    """Suspended with a change, then another change."""

    def act(phase: Phase) -> Caller:
        caller = start(phase)
        caller.want(suspend=True, **first)  # type: ignore[arg-type]
        caller.turn(STARTING, after=1)
        assert caller.phase is phase
        caller.told.clear()
        caller.want(**then)  # type: ignore[arg-type]
        caller.turn(seen, after=1)
        return caller

    return act


def taken_back(after: Phase, seen: Readiness = STARTING, **change: object) -> Act:
    """c was wanted of a suspended App, and is no longer."""
    start = failed_update if after is Phase.FAILED else lambda: in_phase(after)
    before = "a" if after is Phase.DONE else "b"
    return while_suspended(
        lambda _: start(), {"digest": "c"}, {"digest": before, "suspend": False} | change, seen
    )


C = {"digest": "c"}
READY = Readiness(services=tuple(replace(one, ready=True) for one in STARTING.services))
WHEN: dict[str, Act] = {
    "an App is wanted": seeing(STARTING, start=install),
    "an App is wanted, but suspended": seeing(STARTING, start=install, suspend=True),
    "another spec is wanted": seeing(STARTING, **C),
    "another spec is wanted, and autoUndo is false": seeing(STARTING, **C),
    "another spec is wanted" + NONE_GOOD: seeing(STARTING, start=install, **C),
    "another spec is wanted, but suspended": seeing(STARTING, suspend=True, **C),
    "another spec is wanted, and it was suspended already": while_suspended(in_phase, {}, C, STARTING),
    "its images are there": seeing(CHANGING),
    "its containers are there": seeing(STARTING),
    "an image is missing": seeing(NO_IMAGE),
    "nothing is known of it": nothing_known,
    "a container is not as it says": seeing(CHANGING),
    "a user's lock holds it back": seeing(LOCKED),
    STOPPED: seeing(READY, stopped=("web",)),
    STOPPED + NONE_GOOD: seeing(READY, start=install, stopped=("web",)),
    "all its services are stopped by hand": seeing(READY, stopped=("web", "db")),
    "it is suspended": seeing(STARTING, suspend=True),
    "nobody holds it back, an image is missing": seeing(NO_IMAGE),
    "nobody holds it back, its images are there": seeing(CHANGING),
    "nobody holds it back, its containers are there": seeing(STARTING),
    "suspended before it began, and no longer": while_suspended(
        lambda _: in_phase(Phase.DONE), C, {"suspend": False}, STARTING
    ),
    "suspended before it began, and no longer" + NONE_GOOD: while_suspended(
        lambda _: install(Phase.IDLE), {}, {"suspend": False}, STARTING
    ),
    "all ready" + NONE_GOOD: seeing(READY, start=install),
    "all ready for minReadySeconds": steady(ordinary),
    "all ready for minReadySeconds, but for one that was stopped before": steady(stopped_before),
    "all ready for minReadySeconds" + NONE_GOOD: steady(install),
    "all ready for minReadySeconds" + STAYING: steady(ordinary),
    "all ready, and minReadySeconds is 0": seeing(READY, min_ready_seconds=0.0),
    "the deadline passes": late(ordinary),
    "the deadline passes" + NONE_GOOD: late(install),
    "the deadline passes" + STAYING: late(ordinary, auto_undo=False),
    "the third reboot": third_reboot(ordinary),
    "the third reboot" + NONE_GOOD: third_reboot(install),
    "all of the last good release are ready": seeing(READY),
    "it was suspended, and is no longer": while_suspended(in_phase, {}, {"suspend": False}, STARTING),
    "autoUndo is set again": seeing(STARTING, auto_undo=True),
    "somebody asks for a retry": retried(ordinary),
    "somebody asks for a retry" + NONE_GOOD: retried(install),
    "another deadline is set": seeing(STARTING, deadline_seconds=900.0),
    "another deadline is set" + NONE_GOOD: seeing(STARTING, start=install, deadline_seconds=900.0),
    "taken back, after Done": taken_back(Phase.DONE),
    "taken back, after Undone": taken_back(Phase.UNDONE),
    "taken back, after Undoing": taken_back(Phase.UNDOING),
    "taken back, after Undoing, and all of the last good release are ready": taken_back(Phase.UNDOING, READY),
    "taken back, after Undoing, but suspended as before": taken_back(Phase.UNDOING, suspend=True),
    "taken back, after Failed": taken_back(Phase.FAILED),
    "taken back, after Failed, and autoUndo is set again": taken_back(Phase.FAILED, auto_undo=True),
}


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.start}: {row.when}")
def test_every_row_of_the_table_is_what_happens(row: Row) -> None:
    caller = WHEN[row.when](row.start)

    assert (caller.phase, tuple(caller.reasons())) == (row.next, row.said)


def test_the_table_has_every_situation_that_is_executed_here() -> None:
    assert {row.when for row in rows()} == WHEN.keys()


def test_no_row_is_there_twice() -> None:
    listed = [(row.start, row.when) for row in rows()]

    assert len(set(listed)) == len(listed)


def test_the_page_lists_every_reason_and_whether_it_is_a_warning() -> None:
    """Read off the source: each `Event(reason=...)`, and those that `_fail` is given."""
    said: dict[str, str] = {"DeadlineExceeded": "Warning", "RebootLoop": "Warning"}
    for node in ast.walk(ast.parse(Path(release.__file__).read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        warning = "Warning" if "warning" in given else "Normal"
        for constant in ast.walk(given["reason"]):
            if isinstance(constant, ast.Constant):
                said[str(constant.value)] = warning
    assigned = {"Installed": "Normal", "Updated": "Normal"}

    assert {row[0]: row[1] for row in section("What is told")} == said | assigned


def test_every_reason_is_somewhere_in_the_table() -> None:
    assert {reason for row in rows() for reason in row.said} == {row[0] for row in section("What is told")}


def test_the_page_lists_what_is_stored() -> None:
    listed = {name.strip("`") for row in section("Clocks and cuts") for name in row[0].split(", ")}

    assert listed == {one.name for one in fields(RolloutState)} - {"watch"}
