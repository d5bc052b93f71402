"""Which kinds kopf watches, and what is done with an event: handed on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import kopf

from iotistic.engines.kubernetes.kinds import PLACES


class Delivered(Protocol):
    """Takes over one event of a watch; must be quick and must not fail."""

    def __call__(self, kind: str, change: str | None, delivered: dict[str, Any]) -> None:
        """`change` is ADDED, MODIFIED or DELETED; None for what a listing found."""
        ...


def registry_of(
    delivered: Delivered, login: Callable[[], Awaitable[kopf.ConnectionInfo]]
) -> kopf.OperatorRegistry:
    """All handlers.

    Args:
        delivered: is called for each event.
        login: how the API server is reached at the moment; asked again when it no longer lets us in.
    """
    registry = kopf.OperatorRegistry()
    for kind, place in PLACES.items():
        handler = _handler(kind, delivered)
        kopf.on.event(place.group, place.version, place.plural, id=place.plural, registry=registry)(handler)

    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await login()

    kopf.on.login(id="login", registry=registry)(log_in)
    return registry


def _handler(kind: str, delivered: Delivered) -> Callable[..., Any]:
    async def on_event(event: Any, **_: Any) -> None:
        delivered(kind, event["type"], event["object"])

    return on_event
