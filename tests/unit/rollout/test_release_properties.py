"""The rollout over random lives of an App: whatever happens, and wherever the agent is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from iotistic.rollout.record import from_text, to_text
from iotistic.rollout.release import AWAY_SECONDS, FIRST_LOOK_SECONDS, GRACE_SECONDS, seconds_left, step
from iotistic.rollout.values import Decision, Phase, Readiness, RolloutState
from tests.unit.rollout.caller import (
    ALL_READY,
    CHANGING,
    FETCHING,
    LOCKED,
    NO_IMAGE,
    STARTING,
    Caller,
    services,
    wanted,
)
from tests.unit.rollout.table import rows

TABLE = {(row.start, row.next, row.said) for row in rows()}
UNKNOWN = Readiness()
SIGHTS = {
    "ready": ALL_READY,
    "half ready": Readiness(services=services(("db",), reason="exit 1")),
    "starting": STARTING,
    "changing": CHANGING,
    "fetching": FETCHING,
    "no image": NO_IMAGE,
    "locked": LOCKED,
    "blocked": replace(ALL_READY, blocked="would lose data"),
    "unknown": UNKNOWN,
}
BROUGHT_BACK = {"retry", "digest", "deadline_seconds", "min_ready_seconds"}
"""What lets a quarantined release run again."""

looks = st.tuples(
    st.just("look"),
    st.sampled_from([*SIGHTS, "ready", "ready", "starting"]),
    st.sampled_from([0.0, 1.0, 5.0, 10.0, 31.0, 60.0, 100.0, 500.0]),
)
changes = st.one_of(
    st.tuples(st.just("digest"), st.sampled_from("abc")),
    st.tuples(st.just("suspend"), st.booleans()),
    st.tuples(st.just("auto_undo"), st.booleans()),
    st.tuples(st.just("deadline_seconds"), st.sampled_from([50.0, 100.0])),
    st.tuples(st.just("min_ready_seconds"), st.sampled_from([0.0, 10.0])),
)
accidents = st.tuples(st.sampled_from(["cut", "reboot", "retry"]))
lives = st.lists(st.one_of(looks, looks, looks, changes, accidents), max_size=40)


@dataclass
class Life:
    """A caller that checks each of its turns against what must always hold."""

    caller: Caller = field(default_factory=lambda: Caller(app=wanted("a")))
    touched: set[str] = field(default_factory=set)
    """What happened since the last turn that was not suspended."""
    ready_since: float | None = None
    ran: float = 0.0
    """Seconds that the clock of this attempt may have run."""
    ran_before: tuple[float, bool] | None = None
    """Moment of the last turn, and whether the clock ran from then on."""
    triples: list[tuple[Phase, Phase, tuple[str, ...]]] = field(default_factory=list)

    def live(self, life: Sequence[tuple[object, ...]]) -> None:
        """Go through all of it."""
        for what, *how in life:
            if what == "look":
                self.look(SIGHTS[str(how[0])], float(how[1]))  # type: ignore[arg-type]
                continue
            self.touched.add(str(what))
            if what == "cut":
                self.caller.cut()
                self.ready_since = None
            elif what == "reboot":
                self.caller.reboot()
                self.ready_since, self.ran_before = None, None
            elif what == "retry":
                self.caller.ask_retry()
            else:
                self.caller.want(**{str(what): how[0]}, **_name(str(what), how[0]))

    def look(self, seen: Readiness, after: float) -> Decision:
        """One turn, checked."""
        caller = self.caller
        before, phase, stored = caller.state, caller.phase, caller.stored
        digest = before.effective or caller.app.digest
        known = seen is not UNKNOWN
        caller.told.clear()
        caller.seconds += after
        observed = replace(seen, digest=digest if known else "")
        decision = caller.turn_with(observed)
        self._count(decision, before.effective, ready=known and seen.all_ready, after=after)

        reasons = tuple(caller.reasons())
        self.triples.append((phase, decision.phase, reasons))
        self.check_what_runs(decision, before.effective)
        self.check_the_outcome(decision, before.last_good is not None, reasons)
        self.check_the_write(decision, stored)
        self.check_again(decision, observed)
        if not caller.app.suspend:
            self.touched.clear()
        return decision

    def check_what_runs(self, decision: Decision, before: str) -> None:
        app, state = self.caller.app, decision.state
        if app.suspend:
            assert decision.hold
            assert decision.effective == (before or app.digest)
            assert {event.reason for event in decision.events} <= {"Waiting"}
        elif state.quarantine is None:
            assert decision.effective == app.digest
        else:
            assert state.last_good is not None
            assert decision.effective == state.last_good.digest != state.quarantine.digest
            assert state.quarantine.digest == app.digest
        if self.quarantined and not self.touched & BROUGHT_BACK:
            assert decision.effective != self.quarantined
        self.quarantined = state.quarantine.digest if state.quarantine else ""

    quarantined: str = ""

    def check_the_outcome(self, decision: Decision, update: bool, reasons: tuple[str, ...]) -> None:
        app, now = self.caller.app, self.caller.seconds
        if "Installed" in reasons:
            assert self.ready_since is not None
            assert not update
        if "Updated" in reasons:
            assert update
            assert self.ready_since is not None
            assert now - self.ready_since >= app.min_ready_seconds
        if "DeadlineExceeded" in reasons:
            assert self.ran >= app.deadline_seconds - 0.001
        if "Undone" in reasons:
            assert self.ready_since is not None
        assert bool(decision.why) == (decision.phase not in {Phase.DONE, Phase.IDLE})
        assert decision.wake_in_seconds is None or decision.wake_in_seconds > 0

    def check_the_write(self, decision: Decision, stored: str) -> None:
        text = to_text(decision.state)
        assert from_text(text) == decision.state
        assert text == self.caller.stored
        assert decision.persist == (text != stored)

    def check_again(self, decision: Decision, observed: Readiness) -> None:
        """The same turn once more, also by an agent that has just started, changes and tells nothing."""
        started = step(self.caller.app, from_text(self.caller.stored), observed, self.caller.now)
        assert started.effective == decision.effective
        if any(event.reason in {"InstallStarted", "UpdateStarted"} for event in decision.events):
            assert decision.wake_in_seconds == FIRST_LOOK_SECONDS
            return
        again = step(self.caller.app, decision.state, observed, self.caller.now)
        assert again == replace(decision, persist=False, events=(), state=again.state)
        assert not again.persist
        assert {event.reason for event in started.events} <= {"Updated"}

    def _count(self, decision: Decision, before: str, *, ready: bool, after: float) -> None:
        caller, state = self.caller, decision.state
        began = {"UpdateStarted", "InstallStarted"} & {event.reason for event in decision.events}
        if self.ran_before is not None and self.ran_before[1]:
            self.ran += caller.seconds - self.ran_before[0]
        if began:
            self.ran = 0.0
        self.ran_before = (caller.seconds, state.clock is not None)
        same = decision.state.watch.seen is not None and not began and decision.effective == before
        gap = after > AWAY_SECONDS
        if not ready or caller.app.suspend:
            self.ready_since = None
        elif self.ready_since is None or gap or not same:
            self.ready_since = caller.seconds


def _name(what: str, value: object) -> dict[str, object]:
    return {"release": str(value).upper(), "images": (f"web:{value}",)} if what == "digest" else {}


@settings(deadline=None, max_examples=300)
@given(lives)
def test_whatever_happens_each_turn_holds_and_is_in_the_table(life: Sequence[tuple[object, ...]]) -> None:
    lived = Life()

    lived.live(life)

    silent = {(one, two, said) for one, two, said in lived.triples if one is two and not said}
    assert set(lived.triples) - silent - TABLE == set()


@settings(deadline=None, max_examples=100)
@given(lives, st.booleans(), st.sampled_from([1.0, 7.0, 60.0]))
def test_wherever_it_is_cut_it_ends_when_all_gets_ready(
    life: Sequence[tuple[object, ...]], cut: bool, pace: float
) -> None:
    lived = Life()
    lived.live(life)
    end_of(lived, cut=cut)

    for _ in range(13):
        decision = lived.look(ALL_READY, pace)

    assert decision.phase in {Phase.DONE, Phase.UNDONE}
    assert decision.wait is None
    assert decision.wake_in_seconds is None


@settings(deadline=None, max_examples=100)
@given(lives, st.booleans(), st.sampled_from(["starting", "half ready", "changing", "no image", "blocked"]))
def test_wherever_it_is_cut_a_bad_release_ends_in_time(
    life: Sequence[tuple[object, ...]], cut: bool, sight: str
) -> None:
    lived = Life()
    lived.live(life)
    end_of(lived, cut=cut)

    bound = lived.caller.app.deadline_seconds + GRACE_SECONDS + lived.caller.app.min_ready_seconds
    for _ in range(int(bound / 30) + 2):
        decision = lived.look(SIGHTS[sight], 30.0)

    assert decision.phase in {Phase.DONE, Phase.UNDOING, Phase.UNDONE, Phase.FAILED}
    assert decision.wake_in_seconds is None


def end_of(lived: Life, *, cut: bool) -> None:
    """Nobody holds anything back any more; perhaps the agent is killed a last time."""
    lived.caller.want(suspend=False)
    if cut:
        lived.live([("cut",)])


@settings(deadline=None, max_examples=100)
@given(lives, st.data())
def test_a_write_that_was_lost_is_made_up_for(
    life: Sequence[tuple[object, ...]], data: st.DataObject
) -> None:
    """Killed after a decision and before its write: nothing was done yet, so the turn is made again."""
    lived = Life()
    lived.live(life)
    caller = lived.caller
    seen = SIGHTS[data.draw(st.sampled_from([*SIGHTS]))]
    observed = replace(seen, digest=caller.state.effective or caller.app.digest)
    caller.cut()

    lost = step(caller.app, caller.state, observed, caller.now)
    caller.cut()
    again = step(caller.app, caller.state, observed, caller.now)

    assert again == lost


@settings(deadline=None, max_examples=100)
@given(lives)
def test_writes_are_few(life: Sequence[tuple[object, ...]]) -> None:
    """A write has one of these causes; time that just goes by is none."""
    lived = Life()
    causes = 0
    for one in life:
        before = lived.caller.state
        writes = lived.caller.writes
        lived.live([one])
        if lived.caller.writes == writes:
            continue
        causes += 1
        after = lived.caller.state
        assert _cause(before, after)

    assert lived.caller.writes == causes


def _cause(before: RolloutState, after: RolloutState) -> set[str]:
    """Fields that may make a write; `seconds_left` alone may not."""
    changed = {one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)}
    moved = before.clock is None or after.clock is None or before.clock.boot != after.clock.boot
    return changed - ({"seconds_left"} if moved else {"seconds_left", "clock"})


def test_the_seconds_left_go_down_with_the_clock_and_never_up_by_themselves() -> None:
    caller = Caller(app=wanted("a"))
    caller.turn(STARTING)
    left = [seconds_left(caller.state, caller.now)]
    for _ in range(20):
        caller.turn(STARTING, after=3)
        left.append(seconds_left(caller.state, caller.now))

    assert left == [100 - 3 * turn for turn in range(21)]
