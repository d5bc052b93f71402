"""Services that somebody has stopped or paused, and whether a release can be good without them.

Being stopped as wanted is a fine state to be in, and no proof of anything: see decision 0011.
"""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.rollout.values import Readiness, RolloutState, Wanted


def unproven(state: RolloutState, app: Wanted, seen: Readiness) -> tuple[str, ...]:
    """Services that have to run before the attempt can be good: those that were stopped after it had
    begun, and, where none is left to run, all. Empty: what runs is proof enough."""
    if not state.begun:
        return ()
    off = tuple(service.name for service in seen.services if service.name in app.stopped)
    if len(off) == len(seen.services):
        return off
    return tuple(name for name in off if name not in state.stopped)


def only_they_lack(names: Sequence[str], seen: Readiness) -> bool:
    """Whether everything else is ready, so that nothing but a start of these helps."""
    others = (service.ready for service in seen.services if service.name not in names)
    return bool(names) and not seen.blocked and all(others)


def message(names: Sequence[str]) -> str:
    """What is waited for, in words."""
    were, they = ("was", "it has") if len(names) == 1 else ("were", "they have")
    return f"{', '.join(names)} {were} stopped by hand before the release was good; {they} to run first"
