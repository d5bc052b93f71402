"""One step carried out on a world: planning's `apply`, refused where an engine would refuse, and with the
facts that only an engine knows (ids, names, times, digests). Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from iotistic.api.errors import EngineError
from iotistic.api.image import ImageRef
from iotistic.engines.simulated.world import World
from iotistic.planning.apply import apply
from iotistic.planning.values import Action, AppTarget, Container, Image, NormalSpec, Observed, Status, Step

NEXT = "-next"
"""After the name of a container that takes over, until the old one has gone."""
_ALIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.RESTARTING, Status.STOPPING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an engine knows beside world and step."""

    seed: int
    now: datetime
    service_ids: Mapping[str, int]


def advance(world: World, step: Step, target: AppTarget | None, facts: Facts) -> World:
    """The world after a step.

    Args:
        world: the world before.
        step: what is done.
        target: the App's target; None for an App that is gone.
        facts: what the engine knows.

    Raises: EngineError when an engine would refuse the step.
    """
    if refusal := _refusal(world.observed, step, target):
        raise EngineError(f"{step.text}: {refusal}")
    after = apply(world.observed, step, [target] if target else [])
    return _dressed(world, after, step, target, facts)


def joined(before: World, after: World) -> World:
    """The world in the middle of a hand-over: the new container runs beside the old one."""
    there = {container.id for container in before.observed.containers}
    new = tuple(
        replace(container, name=container.name + NEXT)
        for container in after.observed.containers
        if container.id not in there
    )
    return replace(
        before,
        observed=replace(before.observed, containers=before.observed.containers + new),
        records={**before.records, **{container.id: after.records[container.id] for container in new}},
        made=after.made,
    )


def without(world: World, ids: frozenset[str]) -> World:
    """The world when these containers have gone, and none is `-next` any more."""
    containers = tuple(
        replace(container, name=container.name.removesuffix(NEXT))
        for container in world.observed.containers
        if container.id not in ids
    )
    return _with_containers(world, containers)


def ended(world: World, id: str, exit_code: int, now: datetime, *, restarting: bool) -> World:
    """The world when a container has ended by itself."""
    status = Status.RESTARTING if restarting else Status.EXITED
    return _with_containers(
        world,
        tuple(
            replace(container, status=status, exit_code=exit_code, finished=moment(now))
            if container.id == id
            else container
            for container in world.observed.containers
        ),
    )


def restarted(world: World, id: str, now: datetime) -> World:
    """The world when the engine has started a container again by its restart policy."""
    return _with_containers(
        world,
        tuple(
            replace(container, status=Status.RUNNING, started=moment(now), restarts=container.restarts + 1)
            if container.id == id
            else container
            for container in world.observed.containers
        ),
    )


def moment(now: datetime) -> str:
    """A wall time as engines write it."""
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def digest_of(ref: ImageRef, seed: int) -> str:
    """The digest that an image has here."""
    return ref.digest or "sha256:" + hashlib.sha256(f"{seed}/{ref.full}".encode()).hexdigest()


def size_of(ref: ImageRef, seed: int) -> int:
    """Bytes that an image has here."""
    return Random(f"{seed}/{digest_of(ref, seed)}").randint(3_000_000, 40_000_000)


def means(wanted: ImageRef, image: Image) -> bool:
    """Whether a name means this image: by its name, or by its digest."""
    return image.ref == wanted or (
        bool(wanted.digest) and image.ref.name == wanted.name and image.digest == wanted.digest
    )


def _refusal(seen: Observed, step: Step, target: AppTarget | None) -> str:
    """Why an engine would not do this step; empty when it would."""
    mine = [container for container in seen.containers if container.app == step.app]
    match step.action:
        case Action.REMOVE_IMAGE:
            used = any(container.spec.image.full == step.name for container in seen.containers)
            return "a container uses it" if used else ""
        case Action.REMOVE_NETWORK:
            attached = any(step.name in container.spec.networks for container in mine)
            return "containers are attached" if attached else ""
        case Action.PAUSE | Action.UNPAUSE | Action.RESTART | Action.START if step.container:
            found = next((container for container in mine if container.id == step.container), None)
            return _missing(seen, step.app, found.spec) if found else f"no container {step.container}"
        case Action.START | Action.HANDOVER:
            service = target.service(step.service) if target else None
            if service is None:
                return f"App {step.app} has no service {step.service} to start"
            has_image = any(means(service.spec.image, image) for image in seen.images)
            no_image = "" if has_image else f"no image {service.spec.image.short}"
            return no_image or _missing(seen, step.app, service.spec)
    return ""


def _missing(seen: Observed, app: str, spec: NormalSpec) -> str:
    """What a container of this spec needs and has not."""
    networks = {network.name for network in seen.networks if network.app == app}
    volumes = {volume.name for volume in seen.volumes if volume.app == app}
    if missing := sorted(spec.networks - networks):
        return f"no network {', '.join(missing)}"
    if missing := sorted(spec.volumes - volumes):
        return f"no volume {', '.join(missing)}"
    return ""


def _with_containers(world: World, containers: tuple[Container, ...]) -> World:
    there = {container.id for container in containers}
    return replace(
        world,
        observed=replace(world.observed, containers=containers),
        records={id: record for id, record in world.records.items() if id in there},
    )


def _dressed(world: World, after: Observed, step: Step, target: AppTarget | None, facts: Facts) -> World:
    images = tuple(
        replace(image, digest=image.digest or digest_of(image.ref, facts.seed)) for image in after.images
    )
    before = {container.id: container for container in world.observed.containers}
    records, made = dict(world.records), world.made
    containers: list[Container] = []
    for container in after.containers:
        was, now = before.get(container.id), container
        if was is None:
            made += 1
            now = _new(container, step, target, images, world, facts, made)
            records[now.id] = _record(target, step)
        containers.append(_timed(was, now, step, facts.now))
    changed = replace(world, observed=replace(after, images=images), records=records, made=made)
    return _with_containers(changed, tuple(_named_alone(containers)))


def _named_alone(containers: Sequence[Container]) -> Iterator[Container]:
    """A container that took over has its service's name once it is alone, also after a hand-over was cut."""
    counts = Counter((container.app, container.service) for container in containers)
    for container in containers:
        if container.name.endswith(NEXT) and counts[container.app, container.service] == 1:
            yield replace(container, name=container.name.removesuffix(NEXT))
        else:
            yield container


def _record(target: AppTarget | None, step: Step) -> Mapping[str, Any]:
    service = target.service(step.service) if target else None
    assert service is not None, "refused above"
    return json.loads(json.dumps(service.record))  # type: ignore[no-any-return]


def _new(
    container: Container,
    step: Step,
    target: AppTarget | None,
    images: tuple[Image, ...],
    world: World,
    facts: Facts,
    number: int,
) -> Container:
    newest = max((c.created for c in world.observed.containers if c.created), default="")
    created = moment(facts.now)
    if created <= newest:  # the clock stood still or jumped: the newest must still be the newest
        created = moment(datetime.fromisoformat(newest) + timedelta(microseconds=1))
    ports = _record(target, step).get("ports") or []
    digests = [image.digest for image in images if means(container.spec.image, image)]
    return replace(
        container,
        id=hashlib.sha256(f"{facts.seed}/{number}".encode()).hexdigest()[:12],
        name=f"{step.app}-{step.service}-{facts.service_ids.get(step.service, 1)}",
        created=created,
        image_digest=digests[0] if digests else "",
        ports=tuple(
            f"{port['hostPort']}->{port['containerPort']}/{port.get('protocol', 'TCP').lower()}"
            for port in ports
            if port.get("hostPort")
        ),
    )


def _timed(was: Container | None, container: Container, step: Step, now: datetime) -> Container:
    alive_before = was is not None and was.status in _ALIVE
    alive = container.status in _ALIVE
    again = step.action is Action.RESTART and container.id == step.container
    if alive and (not alive_before or again):
        return replace(container, started=moment(now), finished="")
    if alive_before and not alive:
        return replace(container, finished=moment(now))
    return container
