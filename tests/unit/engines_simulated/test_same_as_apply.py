"""Whatever is done to it, the engine's world is what planning's `apply` says."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iotistic.engines.base import StepContext
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.engines.simulated.world import read_world
from iotistic.planning.apply import apply
from iotistic.planning.values import Action, AppTarget, Container, Observed, ServiceTarget, Status, Step
from tests.unit.engines_simulated.conftest import step, target

IMAGES = frozenset(f"docker.io/library/{name}:{tag}" for name in ("web", "db") for tag in (1, 2))
ON_CONTAINER = {
    Status.RUNNING: (Action.STOP, Action.PAUSE, Action.RESTART, Action.KILL, Action.UPDATE_METADATA),
    Status.PAUSED: (Action.UNPAUSE, Action.KILL),
    Status.EXITED: (Action.START, Action.REMOVE, Action.UPDATE_METADATA),
}


def shop(release: str, image: str, networks: list[str]) -> AppTarget:
    """One release of an App of two services, of which one has a volume."""
    web: dict[str, Any] = {"name": "web", "image": image, "networks": {name: {} for name in networks}}
    mounts = [{"name": "data", "mountPath": "/data"}]
    probe = {"tcpSocket": {"port": 5432}}
    return target(
        web,
        {"name": "db", "image": "db:1", "volumeMounts": mounts, "readinessProbe": probe},
        release=release,
        networks=[{"name": "back", "internal": True}],
        volumes=[{"name": "data", "driverOpts": {"o": "x"}}],
    )


TARGETS = {"1": shop("1", "web:1", []), "2": shop("2", "web:2", ["back"])}


def possible(seen: Observed, wanted: AppTarget) -> list[Step]:
    """Every step that an engine would not refuse in this world."""
    refs = {image.ref.full for image in seen.images}
    used = {container.spec.image.full for container in seen.containers}
    attached = {name for container in seen.containers for name in container.spec.networks}
    networks = {network.name for network in seen.networks}
    volumes = {volume.name for volume in seen.volumes}
    found = [step(Action.FETCH, "", name=ref) for ref in sorted(IMAGES - refs)]
    found += [step(Action.REMOVE_IMAGE, "", name=ref) for ref in sorted(refs - used)]
    found += [step(Action.CREATE_NETWORK, name=name) for name in sorted(wanted.networks.keys() - networks)]
    found += [step(Action.REMOVE_NETWORK, name=name) for name in sorted(networks - attached)]
    found += [step(Action.CREATE_VOLUME, name=name) for name in sorted(wanted.volumes.keys() - volumes)]
    for container in seen.containers:
        has_all = container.spec.networks <= networks and container.spec.volumes <= volumes
        for action in ON_CONTAINER[container.status] if has_all else ():
            found.append(step(action, service=container.service, container=container.id))
    for service in wanted.services:
        found += _new(service, seen, refs=refs, networks=networks, volumes=volumes)
    return found


def _new(
    service: ServiceTarget, seen: Observed, *, refs: set[str], networks: set[str], volumes: set[str]
) -> list[Step]:
    spec = service.spec
    if spec.image.full not in refs or not (spec.networks <= networks and spec.volumes <= volumes):
        return []
    own = [container for container in seen.containers if container.service == service.name]
    if not own:
        return [step(Action.START, service=service.name)]
    running = [container for container in own if container.status is Status.RUNNING]
    return [step(Action.HANDOVER, service=service.name, container=one.id) for one in running]


def plain(seen: Observed) -> object:
    """A world without the facts that only an engine knows."""

    def container(one: Container) -> object:
        return (one.app, one.service, one.release, one.status, one.spec)

    return (
        Counter(container(one) for one in seen.containers),
        Counter(image.ref for image in seen.images),
        Counter(seen.networks),
        Counter(seen.volumes),
    )


@settings(max_examples=60, deadline=None)
@given(
    choices=st.lists(st.tuples(st.sampled_from(["1", "2"]), st.integers(0, 1000)), min_size=5, max_size=30)
)
def test_the_world_is_what_apply_says(
    tmp_path_factory: pytest.TempPathFactory, choices: list[tuple[str, int]]
) -> None:
    directory = tmp_path_factory.mktemp("world")

    async def walk() -> None:
        engine = SimulatedEngine(directory, pace=AT_ONCE)
        for release, choice in choices:
            wanted = TARGETS[release]
            before = await engine.observe(IMAGES)
            steps = possible(before, wanted)
            chosen = steps[choice % len(steps)]

            await engine.execute(chosen, StepContext(target=wanted))

            after = await engine.observe(IMAGES)
            assert plain(after) == plain(apply(before, chosen, [wanted])), chosen.text
            check(after, directory)

    asyncio.run(walk())


def check(seen: Observed, directory: Path) -> None:
    """What must be so in each world, and that the file holds it all."""
    ids = [container.id for container in seen.containers]
    created = [container.created for container in seen.containers]
    assert len(set(ids)) == len(ids)
    assert len(set(created)) == len(created)
    world = read_world(directory / "simulated.json")
    assert world.records.keys() == set(ids)
    assert plain(world.observed) == plain(seen)
