"""Which release of an App may run now: brings a changed App in, and takes it back when it is not good.

Pure: knows no engine, no clock, no store. `docs/rollout.md` has the whole table of transitions, and a
test that executes it. One turn of a caller, for each App:

    readiness = readiness_of(facts, digest=state.effective or wanted.digest, ...)   # rollout.status
    decision = step(wanted, state, readiness, now)
    if decision.persist:
        put_rollout(app, to_text(decision.state))    # before anything else is done
    state = decision.state                           # the whole of it, with what is not stored
    target = the spec of the release decision.effective
    planner options: hold the App if decision.hold; keep the images of decision.keep, and decision.prepare

The caller keeps the specs: one revision per digest (see `history`), and with each the contents of the
Secrets and ConfigMaps that it refers to: a digest covers them, so an undo has to bring them back too. It
calls when something has happened, and after `wake_in_seconds`; not while the engine does not answer.
"""

from __future__ import annotations

from dataclasses import replace

from iotistic.rollout import stopped, wording
from iotistic.rollout.values import (
    Decision,
    Event,
    Failure,
    Mark,
    Now,
    Phase,
    Readiness,
    Release,
    RolloutState,
    Wait,
    Wanted,
    Watch,
)

MOST_REBOOTS = 3
"""The reboot at which an attempt has failed."""
MOST_GOOD = 16
"""Good releases that are remembered as such, and as many failed ones."""
AWAY_SECONDS = 120.0
"""Two turns further apart than this: nobody was looking in between."""
GRACE_SECONDS = 60.0
"""After nobody has looked, an attempt has at least so long, and minReadySeconds, once."""
FIRST_LOOK_SECONDS = 0.5
"""From the beginning of an attempt until its first look."""
SHORTEST_SLEEP_SECONDS = 0.05

Said = list[Event]


def step(app: Wanted, state: RolloutState, observed: Readiness, now: Now) -> Decision:
    """One turn.

    Args:
        app: what is wanted.
        state: the last turn's `Decision.state`; after a start `record.from_text`; empty for a new App.
        observed: the App compared with the release that may run by `state`.
        now: this moment.

    Returns: what may run, the state to go on with, and what is to be told. The same arguments again,
        with the state returned, change nothing and tell nothing; but an attempt begins without looking,
        and asks to be called again soon.
    """
    said: Said = []
    after = _renamed(state, app)
    pending = _must_begin(after, app)
    begins = pending and not app.suspend
    if begins:
        after, pending = _begin(after, app, now, said), False
    elif not app.suspend:
        after = _given_up(after, app, said)
    seen = observed if observed.digest == after.effective and not begins else Readiness()
    wait = _wait(after, app, seen, now, pending=pending)
    after = _with_wait(after, app, wait, said)
    if after.begun:
        after = _attempted(after, app, seen, now, said, stands=bool(wait) or seen.fetching)
    elif after.failure is not None and not app.suspend:
        after = _brought_back(after, seen, said)
    if after.effective != seen.digest:
        seen = Readiness()
    phase = _phase(after, seen, waits=wait is not None, pending=pending)
    after = replace(after, watch=replace(after.watch, phase=phase, seen=now.monotonic))
    decision = _decision(app, state, after, seen, now, phase=phase, wait=wait, said=said)
    return replace(decision, wake_in_seconds=FIRST_LOOK_SECONDS) if begins else decision


def seconds_left(state: RolloutState, now: Now) -> float:
    """What remains of the attempt's deadline. Time of an earlier boot after the last write is not known
    and does not count."""
    clock = state.clock
    if clock is None or clock.boot != now.boot or now.monotonic < clock.at:
        return state.seconds_left
    return state.seconds_left - (now.monotonic - clock.at)


def retry(state: RolloutState) -> RolloutState:
    """The state after somebody asked for another try; the same state when nothing is tried and nothing has
    failed.

    The caller stores it, and forgets the services' back-offs. The next step begins the attempt anew; one
    under way goes on with its whole deadline.
    """
    if state.failure is None:
        return replace(state, seconds_left=state.deadline_seconds, clock=None) if state.begun else state
    again = state.attempt or Release(digest=state.failure.digest, name=state.failure.release)
    return replace(_settled(state), attempt=again)


def forget_last_good(state: RolloutState) -> RolloutState:
    """The state after the caller has lost the last good release's spec: nothing is left to go back to,
    so what is wanted is brought in like a first install."""
    lost = state.last_good.digest if state.last_good else ""
    once_good = tuple(digest for digest in state.once_good if digest != lost)
    kept = state if state.begun else retry(state)
    return replace(kept, last_good=None, once_good=once_good)


def _renamed(state: RolloutState, app: Wanted) -> RolloutState:
    """A release may get another name with nothing else changed."""
    name, attempt, good, failure = app.release, state.attempt, state.last_good, state.failure
    if attempt is not None and attempt.digest == app.digest and attempt.name != name:
        state = replace(state, attempt=replace(attempt, name=name))
    if good is not None and good.digest == app.digest and good.name != name:
        state = replace(state, last_good=replace(good, name=name))
    if failure is not None and failure.digest == app.digest and failure.release != name:
        state = replace(state, failure=replace(failure, release=name))
    return state


def _must_begin(state: RolloutState, app: Wanted) -> bool:
    failure = state.failure
    if failure is not None:
        terms = (failure.deadline_seconds, failure.min_ready_seconds)
        return failure.digest != app.digest or terms != (app.deadline_seconds, app.min_ready_seconds)
    if state.attempt is not None:
        return state.attempt.digest != app.digest or not state.begun
    return state.last_good is None or state.last_good.digest != app.digest


def _begin(state: RolloutState, app: Wanted, now: Now, said: Said) -> RolloutState:
    good = state.last_good
    if state.begun and state.failure is None and state.attempt:
        text = f"release {state.attempt.name} gave way to release {app.release} before it was good"
        said.append(Event(reason="Superseded", message=text))
    if good is None:
        said.append(Event(reason="InstallStarted", message=f"installing release {app.release}"))
    else:
        said.append(Event(reason="UpdateStarted", message=wording.beginning(app, good)))
    return replace(
        _settled(state),
        attempt=Release(digest=app.digest, name=app.release),
        seconds_left=app.deadline_seconds,
        clock=Mark(boot=now.boot, at=now.monotonic),
        deadline_seconds=app.deadline_seconds,
        boot=now.boot,
        stopped=app.stopped,
        watch=Watch(phase=Phase.PREPARING, seen=now.monotonic, whole=True),
    )


def _given_up(state: RolloutState, app: Wanted, said: Said) -> RolloutState:
    """A failed attempt stays only as long as autoUndo is false."""
    if state.attempt is None or state.failure is None or not _may_undo(state, app):
        return state
    said.append(Event(reason="Undoing", message=wording.undoing(state, Readiness(), None), warning=True))
    return _undoing(state)


def _may_undo(state: RolloutState, app: Wanted) -> bool:
    good, attempt = state.last_good, state.attempt
    return app.auto_undo and good is not None and attempt is not None and good.digest != attempt.digest


def _undoing(state: RolloutState) -> RolloutState:
    return replace(_settled(state), failure=state.failure)


def _settled(state: RolloutState) -> RolloutState:
    """What stays of a state when its attempt is over."""
    return RolloutState(
        last_good=state.last_good, once_good=state.once_good, failed=state.failed, watch=state.watch
    )


def _attempting(state: RolloutState) -> bool:
    return state.begun and state.failure is None


def _going_back(state: RolloutState) -> bool:
    return state.quarantine is not None and not state.undone


def _wait(state: RolloutState, app: Wanted, seen: Readiness, now: Now, *, pending: bool) -> Wait | None:
    """Who holds back what is still to be done. Windows and approvals belong here, between the two."""
    moving = _attempting(state) or _going_back(state)
    reason = message = ""
    if app.suspend and (pending or moving):
        reason, message = "Suspended", "spec.suspend is true"
    elif seen.locked and moving and not seen.all_ready:
        reason, message = "Locked", seen.locked
    elif _attempting(state) and stopped.only_they_lack(off := stopped.unproven(state, app, seen), seen):
        reason, message = "Stopped", stopped.message(off)
    if not reason:
        return None
    return Wait(reason=reason, message=message, since=state.wait_since if state.wait == reason else now.wall)


def _with_wait(state: RolloutState, app: Wanted, wait: Wait | None, said: Said) -> RolloutState:
    reason = wait.reason if wait else ""
    if reason == state.wait:
        return state
    if wait is not None:
        said.append(Event(reason="Waiting", message=wording.waiting(state, app, wait)))
    elif _attempting(state) or _going_back(state):
        said.append(Event(reason="Resumed", message=f"{wording.moving(state, app)} goes on"))
    return replace(state, wait=reason, wait_since=wait.since if wait else "")


def _attempted(
    state: RolloutState, app: Wanted, seen: Readiness, now: Now, said: Said, *, stands: bool
) -> RolloutState:
    """An attempt one turn further: its clock, its reboots, and whether it is good or has failed."""
    before = state.watch
    away = before.seen is None or not 0 <= now.monotonic - before.seen <= AWAY_SECONDS
    ready = seen.all_ready and not app.suspend and not stopped.unproven(state, app, seen)
    began = before.ready_at if before.ready_at is not None and not away else now.monotonic
    names = {one.name for one in seen.services if one.ready and one.name not in app.stopped}
    watch = replace(
        before,
        ready_at=began if ready else None,
        been_ready=before.been_ready | names,
        whole=before.whole and not away,
    )
    state = replace(state, watch=watch)
    if state.failure is None:
        state = _rebooted(state, app, seen, now, stands=stands)
        state = _clocked(state, app, now, stands=stands, away=away)
    held = now.monotonic - began
    if ready and held >= _needed(state, app):
        return _good(state, seen, said)
    if state.failure is None and state.reboots >= MOST_REBOOTS:
        text = f"the device rebooted {MOST_REBOOTS} times while its containers ran"
        return _fail(state, app, now, "RebootLoop", text, said)
    if state.failure is None and state.clock is not None and seconds_left(state, now) <= 0:
        text = wording.not_ready(seen, watch, held=held, needed=_needed(state, app))
        return _fail(state, app, now, "DeadlineExceeded", text, said)
    return state


def _needed(state: RolloutState, app: Wanted) -> float:
    """Seconds that all services have to be ready: a first install that has not failed is good at once."""
    first = state.last_good is None and state.failure is None
    return 0.0 if first else app.min_ready_seconds


def _rebooted(state: RolloutState, app: Wanted, seen: Readiness, now: Now, *, stands: bool) -> RolloutState:
    """Counts reboots while containers of the release ran: those during its downloads, or while somebody
    holds it back, are not its fault."""
    if state.boot == now.boot or not (seen.digest or app.suspend):
        return state
    counts = not stands and not seen.missing
    return replace(state, boot=now.boot, reboots=state.reboots + counts)


def _clocked(state: RolloutState, app: Wanted, now: Now, *, stands: bool, away: bool) -> RolloutState:
    """The deadline's clock started or stopped; unchanged, and so not written, while it just goes on."""
    clock, left = state.clock, seconds_left(state, now)
    if state.deadline_seconds != app.deadline_seconds:
        left += app.deadline_seconds - state.deadline_seconds
        state, clock = replace(state, deadline_seconds=app.deadline_seconds), None
    least = min(app.deadline_seconds, GRACE_SECONDS + app.min_ready_seconds)
    if away and not state.graced and left < least:
        state, clock, left = replace(state, graced=True), None, least
    if stands:
        if state.clock is None and clock is None and left == state.seconds_left:
            return state
        return replace(state, clock=None, seconds_left=max(left, 0.0))
    if clock is not None and clock.boot == now.boot and clock.at <= now.monotonic:
        return state
    return replace(state, clock=Mark(boot=now.boot, at=now.monotonic), seconds_left=left)


def _good(state: RolloutState, seen: Readiness, said: Said) -> RolloutState:
    assert state.attempt is not None
    count = len(seen.services)
    services = "its service" if count == 1 else f"all {count} services"
    reason = "Updated" if state.last_good else "Installed"
    said.append(Event(reason=reason, message=f"release {state.attempt.name} is good: {services} ready"))
    good = state.attempt.digest
    once_good = (*(digest for digest in state.once_good if digest != good), good)
    failed = tuple(failure for failure in state.failed if failure.digest != good)
    return replace(_settled(state), last_good=state.attempt, once_good=once_good[-MOST_GOOD:], failed=failed)


def _fail(state: RolloutState, app: Wanted, now: Now, reason: str, message: str, said: Said) -> RolloutState:
    assert state.attempt is not None
    used = app.deadline_seconds - max(0.0, seconds_left(state, now))
    failure = Failure(
        digest=state.attempt.digest,
        release=state.attempt.name,
        reason=reason,
        message=message,
        since=now.wall,
        seconds=used,
        deadline_seconds=app.deadline_seconds,
        min_ready_seconds=app.min_ready_seconds,
    )
    undo = _may_undo(state, app)
    others = tuple(one for one in state.failed if one.digest != failure.digest)
    state = replace(state, failed=(*others, failure)[-MOST_GOOD:])
    state = replace(state, failure=failure, clock=None, seconds_left=0.0, wait="", wait_since="")
    said.append(
        Event(reason=reason, message=wording.failing(state, auto_undo=app.auto_undo, undo=undo), warning=True)
    )
    return _undoing(state) if undo else state


def _brought_back(state: RolloutState, seen: Readiness, said: Said) -> RolloutState:
    """An undo one turn further."""
    if state.undone or not seen.all_ready:
        return state
    said.append(Event(reason="Undone", message=wording.undone(state, len(seen.services)), warning=True))
    return replace(state, undone=True)


def _phase(state: RolloutState, seen: Readiness, *, waits: bool, pending: bool) -> Phase:
    if waits and (pending or state.begun):
        return Phase.WAITING
    if state.failure is not None:
        if state.begun:
            return Phase.FAILED
        return Phase.UNDONE if state.undone else Phase.UNDOING
    if not state.begun:
        return Phase.DONE if state.last_good else Phase.IDLE
    if seen.all_ready:
        return Phase.VERIFYING
    if not seen.digest or seen.missing:
        return Phase.PREPARING
    return Phase.VERIFYING if seen.all_current else Phase.APPLYING


def _decision(
    app: Wanted,
    before: RolloutState,
    state: RolloutState,
    seen: Readiness,
    now: Now,
    *,
    phase: Phase,
    wait: Wait | None,
    said: Said,
) -> Decision:
    left = max(0.0, seconds_left(state, now)) if _attempting(state) else None
    began = state.watch.ready_at
    held = now.monotonic - began if state.begun and began is not None else None
    getting = phase is Phase.PREPARING or (phase is Phase.WAITING and not app.suspend)
    return Decision(
        wanted=app.digest,
        effective=state.effective or app.digest,
        prepare=app.images if getting else (),
        keep=(state.last_good.digest,) if state.last_good else (),
        hold=app.suspend,
        state=state,
        persist=state != before,
        phase=phase,
        wait=wait,
        why=_why(app, state, seen, phase, wait),
        seconds_left=left,
        ready_seconds=held,
        wake_in_seconds=_wake(app, state, now, held),
        events=tuple(event for event in said if event.reason != "Resumed" or len(said) == 1),
    )


def _wake(app: Wanted, state: RolloutState, now: Now, held: float | None) -> float | None:
    moments = [seconds_left(state, now)] if state.clock is not None else []
    if held is not None:
        moments.append(_needed(state, app) - held)
    if not moments:
        return None
    # An App where nothing happens is looked at all the same: else nobody was looking, and nothing is proven.
    return max(SHORTEST_SLEEP_SECONDS, min(*moments, AWAY_SECONDS / 2))


def _why(app: Wanted, state: RolloutState, seen: Readiness, phase: Phase, wait: Wait | None) -> str:
    match phase:
        case Phase.IDLE | Phase.DONE:
            return ""
        case Phase.WAITING if wait is not None:
            return wording.waiting(state, app, wait)
        case Phase.UNDOING:
            return wording.undoing(state, seen, wait)
        case Phase.UNDONE | Phase.FAILED:
            return wording.failed(state)
    assert state.attempt is not None
    return wording.progress(phase, state.attempt, seen, needed=_needed(state, app))
