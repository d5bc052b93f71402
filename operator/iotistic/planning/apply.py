"""The world after a step that went well. Pure: previews and the simulated engine are made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from iotistic.api.image import parse_image
from iotistic.planning.images import Images
from iotistic.planning.values import (
    Action,
    AppTarget,
    Container,
    Health,
    Image,
    Network,
    Observed,
    ServiceTarget,
    Status,
    Step,
    Volume,
)

FIRST_MOMENT = "2000-01-01T00:00:00Z"


def apply(observed: Observed, step: Step, targets: Sequence[AppTarget]) -> Observed:
    """The world after a step that went well.

    A container that is made or started runs and is healthy, if it has probes; what it is made from is
    the target. A step on something that is no longer there changes nothing.

    Args:
        observed: the world before.
        step: one step.
        targets: the Apps as they were wanted when the step was planned.
    """
    target = next((target for target in targets if target.name == step.app), None)
    return _EFFECTS[step.action](observed, step, target)


def later(observed: Observed) -> str:
    """A moment after the creation of every container, RFC 3339."""
    newest = max((container.created for container in observed.containers), default="") or FIRST_MOMENT
    try:
        moment = datetime.fromisoformat(newest) + timedelta(seconds=1)
    except (ValueError, OverflowError):
        return newest + "~"
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _fetch(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    ref = parse_image(step.name)
    images = observed.images
    if all(image.ref != ref for image in images):
        images = (*images, Image(ref=ref, digest=ref.digest))
    return replace(observed, images=images, downloading=observed.downloading - {step.name})


def _remove_image(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return replace(observed, images=tuple(i for i in observed.images if i.ref.full != step.name))


def _start(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    service = target.service(step.service) if target else None
    if step.container:
        return _with_status(observed, step.container, Status.RUNNING, _health(service))
    if target is None or service is None:
        return observed
    return replace(observed, containers=(*observed.containers, _made(observed, target, service)))


def _handover(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    service = target.service(step.service) if target else None
    if target is None or service is None:
        return observed
    made = _made(observed, target, service)
    left = tuple(container for container in observed.containers if container.id != step.container)
    return replace(observed, containers=(*left, made))


def _restart(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    service = target.service(step.service) if target else None
    return _with_status(observed, step.container, Status.RUNNING, _health(service))


def _stop(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return _with_status(observed, step.container, Status.EXITED, Health.NONE)


def _pause(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return _with_status(observed, step.container, Status.PAUSED, Health.NONE)


def _remove(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return replace(observed, containers=tuple(c for c in observed.containers if c.id != step.container))


def _update_metadata(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    """The release, and the image's name where both names are one image."""
    service = target.service(step.service) if target else None
    found = next((c for c in observed.containers if c.id == step.container), None)
    if target is None or service is None or found is None:
        return observed
    same = Images(observed).same(found, service.spec.image)
    spec = replace(found.spec, image=service.spec.image) if same else found.spec
    now = replace(found, release=target.release, spec=spec)
    return replace(observed, containers=tuple(now if c is found else c for c in observed.containers))


def _create_network(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    config = target.networks.get(step.name, "") if target else ""
    if any(network.app == step.app and network.name == step.name for network in observed.networks):
        return observed
    made = Network(app=step.app, name=step.name, config=config)
    return replace(observed, networks=(*observed.networks, made))


def _remove_network(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    left = tuple(n for n in observed.networks if (n.app, n.name) != (step.app, step.name))
    return replace(observed, networks=left)


def _create_volume(observed: Observed, step: Step, target: AppTarget | None) -> Observed:
    config = target.volumes.get(step.name, "") if target else ""
    if any(volume.app == step.app and volume.name == step.name for volume in observed.volumes):
        return observed
    return replace(observed, volumes=(*observed.volumes, Volume(app=step.app, name=step.name, config=config)))


def _remove_volume(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    left = tuple(v for v in observed.volumes if (v.app, v.name) != (step.app, step.name))
    return replace(observed, volumes=left)


def _take_lock(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return replace(observed, held=observed.held | {step.app})


def _release_lock(observed: Observed, step: Step, _: AppTarget | None) -> Observed:
    return replace(observed, held=observed.held - {step.app})


def _nothing(observed: Observed, _step: Step, _: AppTarget | None) -> Observed:
    return observed


def _made(observed: Observed, target: AppTarget, service: ServiceTarget) -> Container:
    ids = {container.id for container in observed.containers}
    number = len(ids) + 1
    while f"new{number}" in ids:
        number += 1
    return Container(
        id=f"new{number}",
        app=target.name,
        service=service.name,
        release=target.release,
        status=Status.RUNNING,
        created=later(observed),
        health=_health(service),
        spec=service.spec,
    )


def _health(service: ServiceTarget | None) -> Health:
    probed = service is not None and service.service is not None and bool(service.service.probes)
    return Health.HEALTHY if probed else Health.NONE


def _with_status(observed: Observed, id: str, status: Status, health: Health) -> Observed:
    return replace(
        observed,
        containers=tuple(
            replace(container, status=status, health=health, exit_code=0) if container.id == id else container
            for container in observed.containers
        ),
    )


_EFFECTS: dict[Action, Callable[[Observed, Step, AppTarget | None], Observed]] = {
    Action.FETCH: _fetch,
    Action.REMOVE_IMAGE: _remove_image,
    Action.START: _start,
    Action.UNPAUSE: _restart,
    Action.RESTART: _restart,
    Action.STOP: _stop,
    Action.KILL: _remove,
    Action.REMOVE: _remove,
    Action.PAUSE: _pause,
    Action.HANDOVER: _handover,
    Action.UPDATE_METADATA: _update_metadata,
    Action.CREATE_NETWORK: _create_network,
    Action.REMOVE_NETWORK: _remove_network,
    Action.CREATE_VOLUME: _create_volume,
    Action.REMOVE_VOLUME: _remove_volume,
    Action.TAKE_LOCK: _take_lock,
    Action.RELEASE_LOCK: _release_lock,
    Action.WAIT: _nothing,
}
