"""The controllers of an agent without its API: real store, real locks, a simulated engine that takes no
time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iotistic.api.app import App
from iotistic.bus import Bus
from iotistic.controllers.apps import Apps
from iotistic.controllers.clock import monotonic
from iotistic.controllers.desired import Desired
from iotistic.controllers.failures import Failures
from iotistic.controllers.journal import Journal
from iotistic.controllers.reconciler import LoopOptions, Reconciler
from iotistic.controllers.world import World
from iotistic.engines.base import Engine, StepContext
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.planning.values import Action, Container, Observed, Step
from iotistic.store.base import Store
from iotistic.store.locks import FileLocks

LONGEST_SECONDS = 10.0


class Watched:
    """The simulated engine, with what it was asked for, and a gate before chosen steps."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self.asked: list[str] = []
        self.before_step: Callable[[Step], Awaitable[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def execute(self, step: Step, context: StepContext) -> None:
        self.asked.append(step.text)
        if self.before_step is not None:
            await self.before_step(step)
        await self._engine.execute(step, context)


class Inside:
    """The parts, wired as in the agent."""

    def __init__(self, data: Path, store: Store) -> None:
        self.simulated = SimulatedEngine(data, pace=AT_ONCE)
        self.engine = Watched(self.simulated)
        engine: Engine = self.engine  # type: ignore[assignment]  # the rest is handed through
        self.store = store
        self.bus = Bus()
        self.journal = Journal(self.bus)
        self.desired = Desired(store)
        self.failures = Failures(store, monotonic)
        locks = FileLocks(data / "locks", install=store.install, now=lambda: datetime.now(UTC))
        self.world = World(engine, store, locks, self.desired, None)
        self.loop = Reconciler(
            engine=engine,
            desired=self.desired,
            world=self.world,
            locks=locks,
            store=store,
            failures=self.failures,
            journal=self.journal,
            options=LoopOptions(),
        )
        self.apps = Apps(
            engine=engine,
            desired=self.desired,
            world=self.world,
            failures=self.failures,
            journal=self.journal,
            loop=self.loop,
        )

    async def apply(self, *documents: dict[str, Any]) -> None:
        """Apply, and return when nothing is left to do."""
        await self.apps.apply(documents)
        await self.until(self.is_done)

    def is_done(self) -> bool:
        """Whether all Apps are ready and nothing is under way."""
        return self.loop.idle() and all(
            app.status and app.status.state == "Ready" for app in self.apps.apps()
        )

    async def until(self, so: Callable[[], Any]) -> None:
        """Return when that is so."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while not so():
                await self.loop.looked(within_seconds=0.02)

    async def observed(self) -> Observed:
        """The world as the engine has it."""
        return await self.simulated.observe(frozenset())

    async def containers(self, app: str) -> list[Container]:
        """Containers of an App."""
        return [one for one in (await self.observed()).containers if one.app == app]

    def reasons(self) -> list[str]:
        """Reasons of all events so far."""
        return [event.reason for event in self.bus.recent(after=0)]


@asynccontextmanager
async def running(data: Path, store: Store) -> AsyncIterator[Inside]:
    """The parts with their loop running."""
    inside = Inside(data, store)
    task = asyncio.create_task(inside.loop.run())
    try:
        yield inside
    finally:
        inside.loop.stop()
        await asyncio.wait_for(task, LONGEST_SECONDS)
        await inside.simulated.close()


def app(name: str, *services: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """An App document; without services one `web` of web:1. Its updates are done when it is ready."""
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {
            "services": list(services) or [{"name": "web", "image": "web:1"}],
            "update": {"minReadySeconds": 0},
        }
        | spec,
    }


def model(*arguments: Any, **spec: Any) -> App:
    """The same as a model."""
    return App.model_validate(app(*arguments, **spec))


def start_step(app: str, service: str) -> Step:
    """A step that makes a service's container."""
    return Step(action=Action.START, subject=f"{app}/{service}", app=app, service=service)
