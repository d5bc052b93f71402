"""What an App that is no longer wanted gets in a round (R13)."""

from __future__ import annotations

from iotistic.planning.seen import AppSeen
from iotistic.planning.share import Share, take_down
from iotistic.planning.values import Action, Container, Status, Step


def of_gone(app: str, seen: AppSeen) -> list[Share]:
    """Its services, dependents first; when all that are left are needed by others, all at once."""
    needed: dict[str, str] = {}
    for service, own in seen.containers.items():
        for name, _ in (pair for container in own for pair in container.spec.depends_on):
            if name != service:
                needed.setdefault(name, service)
    if all(service in needed for service in seen.containers):
        needed = {}
    return [
        _of_service(app, service, own, needed.get(service, "")) for service, own in seen.containers.items()
    ]


def things_of_gone(app: str, seen: AppSeen, *, purge: bool) -> list[Step]:
    """Its networks when no container is left, then its volumes if they are to go."""
    if seen.containers:
        return []
    cause = f"App {app} is no longer wanted"
    if seen.networks:
        return [
            Step(action=Action.REMOVE_NETWORK, subject=f"{app}/{name}", app=app, name=name, cause=cause)
            for name in seen.networks
        ]
    if not purge:
        return []
    return [
        Step(
            action=Action.REMOVE_VOLUME,
            subject=f"{app}/{name}",
            app=app,
            name=name,
            cause=f"{cause}, its volumes neither",
        )
        for name in seen.volumes
    ]


def _of_service(app: str, service: str, own: list[Container], needed_by: str) -> Share:
    dead = [container for container in own if container.status is Status.DEAD]
    stopping = [container for container in own if container.status is Status.STOPPING]
    others = [container for container in own if container not in dead and container not in stopping]
    cause = f"App {app} is no longer wanted"
    several = len(own) > 1
    going = dead if needed_by else dead + others
    return Share(
        service=service,
        steps=[take_down(app, service, container, cause=cause, several=several) for container in going],
        why="waits for a container that is stopping" if stopping else f"{needed_by} needs it and goes first",
        idle=not others and not stopping,
    )
