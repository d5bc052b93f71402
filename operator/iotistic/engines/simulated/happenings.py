"""What an engine would report when one world becomes another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iotistic.engines.base import EngineEvent
from iotistic.planning.values import Container, Network, Observed, Status, Volume

_ALIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.STOPPING})


def happenings(before: Observed, after: Observed, *, time: float) -> list[EngineEvent]:
    """Events between two worlds, in the words of Docker.

    Args:
        before: the world as it was.
        after: the world as it is.
        time: seconds since 1970, of all events.
    """
    old = {container.id: container for container in before.containers}
    new = {container.id: container for container in after.containers}
    events: list[EngineEvent] = []
    for id in [*old, *(id for id in new if id not in old)]:
        was, now = old.get(id), new.get(id)
        shown = now or was
        assert shown is not None
        events += [_event(shown, action, time) for action in _actions(was, now)]
    events += _things("network", before.networks, after.networks, time)
    events += _things("volume", before.volumes, after.volumes, time)
    images_before, images_after = set(before.images), set(after.images)
    events += [EngineEvent(kind="image", action="delete", time=time)] * len(images_before - images_after)
    events += [EngineEvent(kind="image", action="pull", time=time)] * len(images_after - images_before)
    return events


def _actions(was: Container | None, now: Container | None) -> Sequence[str]:
    if was is None:
        assert now is not None
        return ["create", "start"] if now.status in _ALIVE else ["create"]
    if now is None:
        return ["die", "destroy"] if was.status in _ALIVE else ["destroy"]
    if was.status in _ALIVE and now.status not in _ALIVE:
        return ["die"]
    if was.status not in _ALIVE and now.status in _ALIVE:
        return ["start"]
    if was.status is not now.status:
        return ["pause" if now.status is Status.PAUSED else "unpause"]
    if was.started != now.started and now.status in _ALIVE:
        return ["die", "start"]
    if was.name != now.name:
        return ["rename"]
    return [] if was == now else ["update"]


def _event(container: Container, action: str, time: float) -> EngineEvent:
    return EngineEvent(
        kind="container",
        action=action,
        container=container.id,
        app=container.app,
        service=container.service,
        exit_code=container.exit_code if action == "die" else None,
        time=time,
    )


def _things(
    kind: str, before: Iterable[Network | Volume], after: Iterable[Network | Volume], time: float
) -> list[EngineEvent]:
    was, now = set(before), set(after)
    gone = [EngineEvent(kind=kind, action="destroy", app=thing.app, time=time) for thing in was - now]
    made = [EngineEvent(kind=kind, action="create", app=thing.app, time=time) for thing in now - was]
    return gone + made
