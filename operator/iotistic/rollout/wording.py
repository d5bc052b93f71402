"""The sentences of the rollout: why a release has failed, and what it is waiting for."""

from __future__ import annotations

from collections.abc import Iterable

from iotistic.rollout.values import (
    Phase,
    Readiness,
    Release,
    RolloutState,
    ServiceReadiness,
    Wait,
    Wanted,
    Watch,
)

SEVERITY = ("CrashLoop", "Failed", "Unhealthy", "Exited", "Restarting", "Pulling", "Starting", "Waiting")
"""States of services that are not ready, worst first; others come last."""


def severity(state: str) -> int:
    """Rank of a service's state, worst lowest."""
    return SEVERITY.index(state) if state in SEVERITY else len(SEVERITY)


def worst(services: Iterable[ServiceReadiness]) -> ServiceReadiness | None:
    """The service to speak of: of those not ready the one in the worst state, the first of equals."""
    waiting = [service for service in services if not service.ready]
    return min(waiting, key=lambda service: severity(service.state), default=None)


def culprit(message: str, services: Iterable[str]) -> str:
    """The service that a failure's message begins with; empty when it is about none."""
    first = message.partition(" ")[0]
    return first if first in services else ""


def seconds_text(seconds: float) -> str:
    """Whole seconds for people: `20 s`."""
    return f"{seconds:.0f} s"


def not_ready(observed: Readiness, watch: Watch, *, held: float, needed: float) -> str:
    """Why a release has not become ready in time, by its worst service.

    Args:
        observed: how its services are now.
        watch: what was seen during the attempt.
        held: seconds that all of them have been ready; of interest when they are.
        needed: seconds that they had to be.
    """
    if observed.blocked:
        return observed.blocked
    service = worst(observed.services)
    if service is None and observed.services:
        return f"its services were ready too late, for {seconds_text(held)} of {seconds_text(needed)}"
    if service is None:
        return "nothing is known of its services"
    others = sum(not other.ready for other in observed.services) - 1
    more = f"; {others} more not ready" if others else ""
    reason = f" ({service.reason})" if service.reason else ""
    return f"{service.name} {_how(service.name, watch)}{reason}{more}"


def _how(name: str, watch: Watch) -> str:
    if name in watch.been_ready:
        return "did not stay ready"
    return "never became ready" if watch.whole else "is not ready"


def beginning(app: Wanted, good: Release) -> str:
    """That a release begins to come in, and which one it takes the place of."""
    if app.digest == good.digest:
        return f"bringing release {app.release} in again, the last good one"
    if app.release == good.name:
        return f"bringing in a changed release {app.release}; the last good one has the same name"
    return f"bringing in release {app.release}; release {good.name} is the last good one"


def progress(phase: Phase, release: Release, observed: Readiness, *, needed: float) -> str:
    """What an attempt is doing, in one sentence that changes only when something happens."""
    start = f"release {release.name}: "
    if phase is Phase.PREPARING and observed.missing:
        return f"{start}waits for {', '.join(observed.missing)}"
    if observed.all_ready:
        return f"{start}all services are ready, and have to stay so for {seconds_text(needed)}"
    return f"{start}{_service_text(observed) or 'begins'}"


def moving(state: RolloutState, app: Wanted) -> str:
    """What is on its way."""
    if state.quarantine is not None and state.quarantine.digest == app.digest and not state.undone:
        return f"going back to release {_good_name(state)}"
    return f"release {app.release}"


def waiting(state: RolloutState, app: Wanted, wait: Wait) -> str:
    """What waits, and for what."""
    return f"{moving(state, app)} waits: {wait.message}"


def undoing(state: RolloutState, observed: Readiness, wait: Wait | None) -> str:
    """What an undo is doing, in one sentence."""
    now = wait.message if wait else _service_text(observed) if observed.digest else ""
    where = f"{failed(state)}; going back to release {_good_name(state)}"
    return f"{where} ({now})" if now else where


def failing(state: RolloutState, *, auto_undo: bool, undo: bool) -> str:
    """That a release has just failed, and what comes now."""
    assert state.failure is not None
    if undo:
        then = f"going back to release {_good_name(state)}"
    elif not auto_undo:
        then = "it stays, as autoUndo is false"
    else:
        then = "there is no earlier good release to go back to"
    return f"release {state.failure.release} failed: {state.failure.message}; {then}"


def undone(state: RolloutState, services: int) -> str:
    """That the last good release serves again."""
    assert state.failure is not None
    name = state.failure.release
    after = f" after {seconds_text(state.failure.seconds)}" if state.failure.reason != "RebootLoop" else ""
    count = "its service is" if services == 1 else f"all {services} services are"
    return (
        f"release {name} was undone{after}: {state.failure.message}; {count} back on release "
        f"{_good_name(state)}. Release {name} will not be tried again until its spec changes or "
        "somebody asks for a retry"
    )


def failed(state: RolloutState) -> str:
    """Which release has failed, and why; empty when none has."""
    return f"release {state.failure.release}: {state.failure.message}" if state.failure else ""


def _good_name(state: RolloutState) -> str:
    return state.last_good.name if state.last_good else ""


def _service_text(observed: Readiness) -> str:
    if observed.blocked:
        return observed.blocked
    service = worst(observed.services)
    if service is None:
        return ""
    return f"{service.name}: {service.reason or service.state.lower() or 'not ready'}"
