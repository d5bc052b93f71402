"""The lock of an App: what it guards, when it is taken, waited for, given back (R8)."""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.planning.seen import AppSeen
from iotistic.planning.share import Share
from iotistic.planning.values import Action, Step, UserLock

GUARDED = (Action.KILL, Action.STOP, Action.PAUSE, Action.HANDOVER)
"""What interrupts somebody. (No set: members of enums are slow to hash, and this is asked for each step.)"""


def under_lock(
    app: str, seen: AppSeen, shares: Sequence[Share], *, force: bool, active: bool
) -> tuple[list[Step], list[Step]]:
    """The App's steps on its services and its lock, and the waits of services that get none.

    Args:
        app: name of the App.
        seen: what there is of it.
        shares: what its services would get.
        force: users' locks don't matter.
        active: the App has other steps in this round.
    """
    if seen.held:
        return _with_lock(app, shares, active=active)
    steps: list[Step] = []
    waits: list[Step] = []
    guarded: list[Step] = []
    user = seen.user_lock if not force else None
    for share in shares:
        own, why, after = share.steps, share.why, ""
        interrupts = [step for step in own if step.action in GUARDED]
        if interrupts:
            guarded += interrupts
            own = [step for step in own if step.action not in GUARDED]
            why = _locked(user) if user else "waits for the App's lock"
            after = f"to {interrupts[0].action}: {interrupts[0].cause}"
        steps += own
        if not own:
            waits.append(_wait(app, share.service, why, after))
    if not guarded:
        return steps, waits
    cause = f"to {guarded[0].action} {guarded[0].service}"
    cause += f" and {len(guarded) - 1} more" if len(guarded) > 1 else ""
    if user:
        why = _locked(user)
        return steps, [Step(action=Action.WAIT, subject=app, app=app, cause=why, changes=(cause,)), *waits]
    return [Step(action=Action.TAKE_LOCK, subject=app, app=app, cause=cause), *steps], waits


def release(app: str) -> Step:
    """Give the lock back."""
    return Step(action=Action.RELEASE_LOCK, subject=app, app=app, cause="nothing is left to interrupt")


def _with_lock(app: str, shares: Sequence[Share], *, active: bool) -> tuple[list[Step], list[Step]]:
    steps = [step for share in shares for step in share.steps]
    waiting = [share for share in shares if not share.steps]
    if not steps and not active and all(share.idle for share in waiting):
        steps.append(release(app))
    return steps, [_wait(app, share.service, share.why) for share in waiting]


def _wait(app: str, service: str, why: str, after: str = "") -> Step:
    """`after`: what it waits to do, and which difference makes that."""
    return Step(
        action=Action.WAIT,
        subject=f"{app}/{service}",
        app=app,
        service=service,
        cause=why,
        changes=(after,) if after else (),
    )


def _locked(lock: UserLock) -> str:
    """In words, who holds up what."""
    where = f" on {lock.service}" if lock.service else ""
    who = f" by {lock.owner}" if lock.owner else ""
    return f"locked{where}{who}: {lock.reason}" if lock.reason else f"locked{where}{who}"
