"""What one service gets in a round (R3-R7, R14, R15, R19)."""

from __future__ import annotations

from iotistic.api.appservice import RunState
from iotistic.api.service import RestartPolicy, Strategy
from iotistic.planning.counting import Counted
from iotistic.planning.seen import ALIVE
from iotistic.planning.share import Share, leftovers, step, take_down
from iotistic.planning.situation import IMAGES_FIRST, Situation, Standing
from iotistic.planning.values import Action, Container, Status


def of_service(app: Situation, standing: Standing, *, keep_images: bool) -> Share | None:
    """What a service of the target gets; None when it is done."""
    if standing.counted.leftovers:
        return leftovers(app.target.name, standing.target.name, standing.counted, idle=standing.idle)
    container = standing.counted.container
    if standing.target.run_state is RunState.STOPPED:
        return _stopped(app, standing, container) if container is not None else None
    if container is None:
        return _make(app, standing, keep_images=keep_images)
    if standing.changed:
        return _replace(app, standing, container)
    return _keep(app, standing, container)


def of_dropped(app: Situation, service: str, counted: Counted) -> Share:
    """What a service that the App no longer has gets (R19)."""
    container = counted.container
    if counted.leftovers or container is None:
        idle = container is None and not counted.stopping
        return leftovers(app.target.name, service, counted, idle=idle)
    if app.barrier and app.target.strategy in IMAGES_FIRST:
        return Share(service=service, why=app.barrier)
    cause = f"service {service} is no longer in the App"
    return Share(service=service, steps=(take_down(app.target.name, service, container, cause=cause),))


def _stopped(app: Situation, standing: Standing, container: Container) -> Share | None:
    """Wanted Stopped: outside fetching, the barrier and strategies (R4)."""
    name, service = app.target.name, standing.target.name
    if container.status in ALIVE:
        stop = step(Action.STOP, name, service, container, cause="run state Stopped")
        return Share(service=service, steps=(stop,), idle=standing.idle)
    if standing.changed:
        gone = take_down(name, service, container, changes=app.changes(standing))
        return Share(service=service, steps=(gone,))
    return _record(app, standing, container, barrier="")


def _make(app: Situation, standing: Standing, *, keep_images: bool) -> Share:
    """Absent: fetch, then start (R5-R7)."""
    service = standing.target
    share = Share(service=service.name, idle=standing.idle)
    image = service.spec.image
    if not app.images.there(image):
        if app.images.downloading(image):
            share.why = f"image {image.short} is downloading"
            return share
        share.why = f"waits for image {image.short}"
        if service.strategy is Strategy.DELETE_THEN_DOWNLOAD and not keep_images:
            share.discard = app.images.replaceable(image)
        if not share.discard:
            share.fetch = image
        return share
    barrier = app.barrier if service.strategy in IMAGES_FIRST else ""
    share.why = barrier or app.lacks(service)
    if not share.why:
        cause = "no container yet"
        share.steps = (step(Action.START, app.target.name, service.name, None, cause=cause),)
    return share


def _replace(app: Situation, standing: Standing, container: Container) -> Share:
    """Changed: take it down by its strategy (R7)."""
    service = standing.target
    share = Share(service=service.name)
    if service.strategy in IMAGES_FIRST:
        image = service.spec.image
        if not app.images.there(image):
            loading = app.images.downloading(image)
            share.why = f"image {image.short} is downloading" if loading else f"waits for image {image.short}"
            share.fetch = None if loading else image
            return share
        if app.barrier:
            share.why = app.barrier
            return share
    changes = app.changes(standing)
    if app.hands_over(standing):
        share.why = app.lacks_dependency(service)
        if not share.why:
            hand = step(Action.HANDOVER, app.target.name, service.name, container, changes=changes)
            share.steps = (hand,)
        return share
    share.steps = (take_down(app.target.name, service.name, container, changes=changes),)
    return share


def _keep(app: Situation, standing: Standing, container: Container) -> Share | None:
    """Unchanged: started when it should run, paused or not as wanted, and its release recorded."""
    service, status = standing.target, container.status
    paused = service.run_state is RunState.PAUSED
    match status:
        case Status.CREATED | Status.EXITED if status is Status.CREATED or _restarts(container):
            return _start_again(app, standing, container)
        case Status.RUNNING if paused:
            action, cause = Action.PAUSE, "run state Paused"
        case Status.PAUSED if not paused:
            action, cause = Action.UNPAUSE, "run state Running"
        case Status.RESTARTING if paused:
            return Share(service=service.name, why="waits until it has restarted", idle=True)
        case _:
            barrier = app.barrier if service.strategy in IMAGES_FIRST else ""
            return _record(app, standing, container, barrier=barrier)
    done = step(action, app.target.name, service.name, container, cause=cause)
    return Share(service=service.name, steps=(done,), idle=True)


def _restarts(container: Container) -> bool:
    """Exited under restart policy Always: somebody stopped it (R3)."""
    return container.spec.restart is RestartPolicy.ALWAYS


def _start_again(app: Situation, standing: Standing, container: Container) -> Share:
    service = standing.target
    why = app.lacks(service)
    if why:
        return Share(service=service.name, why=why, idle=True)
    created = container.status is Status.CREATED
    cause = "created and never started" if created else f"exited with {container.exit_code}"
    start = step(Action.START, app.target.name, service.name, container, cause=cause)
    return Share(service=service.name, steps=(start,), idle=True)


def _record(app: Situation, standing: Standing, container: Container, *, barrier: str) -> Share | None:
    """Another release, or another name of its image: recorded, never made anew (R15)."""
    changes: tuple[str, ...] = ()
    if container.release != app.target.release:
        changes = (f"release {container.release} -> {app.target.release}",)
    if standing.renamed:
        old, new = container.spec.image.short, standing.target.spec.image.short
        changes += (f"image {old} is now called {new}",)
    if not changes:
        return None
    name = standing.target.name
    if barrier:
        return Share(service=name, why=barrier, idle=True)
    record = step(Action.UPDATE_METADATA, app.target.name, name, container, changes=changes)
    return Share(service=name, steps=(record,), idle=True)
