"""A simulated engine that takes no time, and a driver that executes steps on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.app import App
from iotistic.engines.base import Progress, StepContext
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.planning.normal import target_of
from iotistic.planning.values import Action, AppTarget, Container, Step


def target(*services: dict[str, Any], name: str = "shop", release: str = "1", **spec: Any) -> AppTarget:
    """The target of an App; without services one `web` of image web:1."""
    return target_of(
        App.model_validate(
            {
                "metadata": {"name": name},
                "spec": {"services": list(services) or [{"name": "web", "image": "web:1"}]} | spec,
            }
        ),
        release=release,
    )


def step(
    action: Action, app: str = "shop", service: str = "", *, name: str = "", container: str = ""
) -> Step:
    """One step."""
    subject = name if action is Action.FETCH else f"{app}/{service or name}"
    return Step(action=action, subject=subject, app=app, service=service, name=name, container=container)


class Driver:
    """Executes steps as the agent would."""

    def __init__(self, engine: SimulatedEngine, wanted: AppTarget) -> None:
        self.engine = engine
        self.target = wanted
        self.progress: list[Progress] = []
        self.context = StepContext(
            target=wanted, service_ids={"web": 1, "db": 2}, app_id=1001, progress=self.progress.append
        )

    async def do(self, action: Action, service: str = "", *, name: str = "", container: str = "") -> None:
        """One step on the App."""
        wanted = step(action, self.target.name, service, name=name, container=container)
        await self.engine.execute(wanted, self.context)

    async def up(self, service: str = "web") -> Container:
        """Everything that a service needs, then the service; its container."""
        wanted = self.target.service(service)
        assert wanted is not None
        seen = await self.engine.observe(frozenset({wanted.spec.image.full}))
        if wanted.spec.image not in {image.ref for image in seen.images}:
            await self.do(Action.FETCH, name=wanted.spec.image.full)
        for network in sorted(wanted.spec.networks - {found.name for found in seen.networks}):
            await self.do(Action.CREATE_NETWORK, name=network)
        for volume in sorted(wanted.spec.volumes - {found.name for found in seen.volumes}):
            await self.do(Action.CREATE_VOLUME, name=volume)
        await self.do(Action.START, service)
        return await self.container(service)

    async def container(self, service: str = "web") -> Container:
        """The only container of a service."""
        seen = await self.engine.observe(frozenset())
        found = [container for container in seen.containers if container.service == service]
        assert len(found) == 1, found
        return found[0]

    def update(self, wanted: AppTarget) -> None:
        """From now on this is the target."""
        self.target = wanted
        self.context = replace(self.context, target=wanted)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SimulatedEngine]:
    made = SimulatedEngine(tmp_path, pace=AT_ONCE)
    yield made
    await made.close()


@pytest.fixture
def shop(engine: SimulatedEngine) -> Driver:
    return Driver(engine, target())
