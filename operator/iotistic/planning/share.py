"""What one service, or the App itself, gets in a round, and the making of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotistic.api.image import ImageRef
from iotistic.planning.compare import listed
from iotistic.planning.counting import Counted
from iotistic.planning.seen import ALIVE
from iotistic.planning.values import Action, Container, Image, Status, Step

FULL_ID = 64
"""Length of an id as engines give it: steps tell its beginning."""


@dataclass(slots=True, kw_only=True)
class Share:
    """What a service that is not done gets in this round."""

    service: str
    steps: Sequence[Step] = ()
    why: str = ""
    """What it waits for when it gets none of them."""
    idle: bool = False
    """Its wait waits for no interruption (R8)."""
    fetch: ImageRef | None = None
    """An image to be fetched for it."""
    discard: Sequence[Image] = ()
    """Images to be removed for it."""


def step(
    action: Action,
    app: str,
    service: str,
    container: Container | None,
    *,
    cause: str = "",
    changes: tuple[str, ...] = (),
    several: bool = False,
) -> Step:
    """A step on a service; `several`: say which container."""
    subject = f"{app}/{service}"
    if several and container is not None:
        subject += "#" + (container.id[:12] if len(container.id) == FULL_ID else container.id)
    return Step(
        action=action,
        subject=subject,
        app=app,
        service=service,
        container=container.id if container is not None else "",
        cause=cause or listed(changes),
        changes=changes or ((cause,) if cause else ()),
    )


def take_down(
    app: str,
    service: str,
    container: Container,
    *,
    cause: str = "",
    changes: tuple[str, ...] = (),
    several: bool = False,
) -> Step:
    """Kill what is alive, remove what is not (R9)."""
    action = Action.KILL if container.status in ALIVE else Action.REMOVE
    return step(action, app, service, container, cause=cause, changes=changes, several=several)


def leftovers(app: str, service: str, counted: Counted, *, idle: bool) -> Share:
    """Dead ones are removed, those that don't count taken down, stopping ones waited for (R14)."""
    steps = [
        take_down(
            app, service, container, cause=_left_over(container, counted.container), several=counted.several
        )
        for container in counted.leftovers
        if container.status is not Status.STOPPING
    ]
    return Share(service=service, steps=steps, why="waits for a container that is stopping", idle=idle)


def _left_over(container: Container, counting: Container | None) -> str:
    if container.status is Status.DEAD:
        return "dead"
    which = counting.name or counting.id[:12] if counting is not None else "another one"
    return f"left over: {which} serves"
