"""The engine's events, as far as they are about us."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from iotistic.api.errors import EngineUnreachableError
from iotistic.engines.base import EngineEvent
from iotistic.engines.docker.client import Client, Stream
from iotistic.engines.docker.observer import Observer

CONTAINER = ("create", "start", "die", "oom", "stop", "pause", "unpause", "rename", "update", "destroy")
NETWORK = ("create", "connect", "disconnect", "destroy")
VOLUME = ("create", "destroy")
IMAGE = ("pull", "load", "import", "tag", "untag", "delete")
FILTERS = {
    "type": ["container", "network", "volume", "image"],
    "event": sorted({*CONTAINER, *NETWORK, *VOLUME, *IMAGE}),
}
"""The engine leaves out the rest: health checks of hundreds of containers are two events each."""


async def events(client: Client, observer: Observer) -> AsyncIterator[EngineEvent]:
    """Events from now on, beginning with one that says so: what was before is not told.

    Raises: EngineUnreachableError when the engine goes away.
    """

    def open(api: Any) -> Any:
        response = api._get(api._url("/events"), params=_params(), stream=True, timeout=None)
        api._raise_for_status(response)
        observer.mark(everything=True)
        observer.listening = True
        return Stream(_with_first(api._stream_helper(response, decode=True)), response)

    try:
        async with aclosing(client.stream("Docker engine", open)) as stream:
            async for raw in stream:
                event = _noted(raw, observer)
                if event is not None:
                    yield event
    finally:
        observer.listening = False
    raise EngineUnreachableError(
        f"the Docker engine at {client.address} has ended", hint="it is asked again; systemctl status docker"
    )


def _params() -> dict[str, str]:
    return {"filters": json.dumps(FILTERS)}


def _with_first(messages: Any) -> Any:
    yield {"Type": "engine", "Action": "connect"}
    yield from messages


def _noted(raw: Mapping[str, Any], observer: Observer) -> EngineEvent | None:
    """Mark what has to be looked at again; the event, unless it is of no interest to anybody."""
    kind, action = raw.get("Type", ""), raw.get("Action", "")
    actor = raw.get("Actor") or {}
    id, attributes = actor.get("ID") or "", actor.get("Attributes") or {}
    time = float(raw.get("timeNano") or 0) / 1e9
    match kind:
        case "container":
            return _container(action, id, attributes, observer, time)
        case "network":
            container = attributes.get("container") or ""
            ours = observer.knows_network(id) or (container and observer.knows(container))
            observer.mark(
                container=container if observer.knows(container) else "", networks=action in _MAKING
            )
            return EngineEvent(kind=kind, action=action, container=container, time=time) if ours else None
        case "volume":
            observer.mark(volumes=True)
            return EngineEvent(kind=kind, action=action, time=time)
        case "image":
            observer.mark(images=True)
            return EngineEvent(kind=kind, action=action, time=time)
    return EngineEvent(kind=kind, action=action, time=time)


_MAKING = frozenset({"create", "destroy"})


def _container(
    action: str, id: str, attributes: Mapping[str, str], observer: Observer, time: float
) -> EngineEvent | None:
    owner = observer.adoption.owner(id, attributes)
    if owner is None:
        observer.mark(foreign=action in {"create", "destroy"})
        return None
    observer.mark(container=id)
    code = attributes.get("exitCode")
    return EngineEvent(
        kind="container",
        action=action,
        container=id,
        app=owner.app,
        service=owner.name,
        exit_code=int(code) if action == "die" and code else None,
        time=time,
    )
