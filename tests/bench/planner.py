"""One round of the planner for a hundred Apps of ten services, in processor time: other work on the
machine does not count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from figure import Figure

from iotistic.api.app import App
from iotistic.planning.normal import target_of
from iotistic.planning.preview import preview
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import AppTarget, Container, Image, Observed, Options

APPS = 100
SERVICES = 10
ROUNDS = 30
BAR_MILLISECONDS = 25.0


def measure() -> list[Figure]:
    """Time rounds on a converged world, on one where each image has to be fetched, and on one where each
    service has to be replaced."""
    old, new = _targets("1"), _targets("2")
    world = _as_observed(preview(Observed(), old, Options()).end)
    fetched = tuple(Image(ref=service.spec.image) for service in new[0].services)
    ready = replace(world, images=world.images + fetched)
    held = replace(ready, held=frozenset(target.name for target in new))
    return [
        _figure("nothing to do", world, old, steps=0),
        _figure("all to be fetched", world, new, steps=APPS * SERVICES + SERVICES),
        _figure("all to be locked", ready, new, steps=APPS * (SERVICES + 1)),
        _figure("all to be killed", held, new, steps=APPS * SERVICES),
    ]


def _figure(which: str, world: Observed, targets: Sequence[AppTarget], *, steps: int) -> Figure:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        found = next_steps(world, targets, Options())
        taken.append((time.process_time() - started) * 1000)
        if len(found.steps) != steps:
            raise RuntimeError(f"{which}: {len(found.steps)} steps instead of {steps}")
    median = statistics.median(taken)
    return Figure(
        name=f"plan {APPS} Apps x {SERVICES} services, {which}",
        value=median,
        bar=BAR_MILLISECONDS,
        text=f"{median:.1f} ms",
        unit="ms",
        note=f"median of {ROUNDS} ({min(taken):.1f}-{max(taken):.1f} ms), {steps} steps",
    )


def _targets(tag: str) -> list[AppTarget]:
    return [target_of(_app(number, tag), release=tag) for number in range(APPS)]


def _app(number: int, tag: str) -> App:
    services: list[dict[str, Any]] = [
        {
            "name": f"s{index}",
            "image": f"registry.local/team/s{index}:{tag}",
            "env": [{"name": "NUMBER", "value": f"{number}/{index}"}],
            "ports": [{"containerPort": 80}],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            "networks": {"default": {}, "back": {}},
            "dependsOn": {f"s{index - 1}": "started"} if index else {},
        }
        for index in range(SERVICES)
    ]
    spec = {"services": services, "networks": [{"name": "back"}], "volumes": [{"name": "data"}]}
    return App.model_validate({"metadata": {"name": f"app{number}"}, "spec": spec})


def _as_observed(world: Observed) -> Observed:
    """With specs that are equal to the targets' and not the same objects: an engine reads labels."""
    return replace(world, containers=tuple(_reread(container) for container in world.containers))


def _reread(container: Container) -> Container:
    spec = container.spec
    return replace(
        container, spec=replace(spec, image=replace(spec.image), config="".join(list(spec.config)))
    )
