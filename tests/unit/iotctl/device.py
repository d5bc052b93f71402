"""A device for iotctl to speak with: the real Device API around Apps whose states a test writes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iotistic.api.app import App, ServiceStatus
from iotistic.api.conditions import StatusCondition
from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.bus import Bus
from iotistic.controllers.base import ApplyResult, Explanation, Plan
from iotistic.device_api.app import create_app
from iotistic.device_api.server import Listening, serve
from tests.unit.device_api.memory import Memory
from tests.unit.device_api.memory_more import MemoryDevice, MemoryInside, MemoryReleases

KEY = "a-key-of-the-tests"
CREATED = "2026-01-01T00:00:00Z"


class Device(Memory):
    """Apps whose services are in the states that a test says; Running and ready otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[tuple[str, str], dict[str, Any]] = {}
        """Fields of ServiceStatus of single services."""
        self.why: dict[str, tuple[str, str, str]] = {}
        """State, reason of Stalled (empty: not stalled) and why of single Apps."""
        self.generations: dict[str, int] = {}
        self.unseen: set[str] = set()
        """Apps whose status still speaks of the generation before."""
        self.warnings: tuple[str, ...] = ()
        self.planned: Plan | None = None
        self.asked: list[Sequence[Mapping[str, Any]]] = []
        self.script: list[dict[tuple[str, str], dict[str, Any]]] = []
        """Changes of `states`, one before each question for an App."""

    async def apply(self, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> ApplyResult:
        self.asked.append(documents)
        result = await super().apply(documents, dry_run=dry_run)
        if not dry_run:
            for one in result.applied:
                if one.result != "unchanged":
                    self.generations[one.name] = self.generations.get(one.name, 0) + 1
        applied = tuple(
            replace(
                one,
                generation=self.generations.get(one.name, 1),
                release=one.release if one.kind == "App" else "",
            )
            for one in result.applied
        )
        return ApplyResult(applied=applied, warnings=self.warnings)

    async def plan(self, documents: Sequence[Mapping[str, Any]]) -> Plan:
        self.asked.append(documents)
        return self.planned or await super().plan(documents)

    def app(self, name: str) -> App:
        if self.script:
            self.states |= self.script.pop(0)
        return super().app(name)

    def _with_status(self, app: App) -> App:
        app = super()._with_status(app)
        assert app.status is not None
        services = [self._service(app, service) for service in app.status.services]
        ready = sum(1 for service in services if service.ready)
        generation = self.generations.get(app.name, 1)
        observed = generation - 1 if app.name in self.unseen else generation
        state, stalled, why = self.why.get(
            app.name, ("Ready" if ready == len(services) else "Updating", "", "")
        )
        conditions = [
            _condition("Ready", ready == len(services) and not stalled, why),
            _condition("Stalled", bool(stalled), why, stalled),
        ]
        status = app.status.model_copy(
            update={
                "services": services,
                "ready": f"{ready}/{len(services)}",
                "release": "1",
                "state": state,
                "why": why,
                "observed_generation": observed,
                "conditions": conditions,
            }
        )
        labels = {"iotistic.io/app-id": str(self.numbers[app.name])}
        metadata = app.metadata.model_copy(
            update={"generation": generation, "creation_timestamp": CREATED, "labels": labels}
        )
        return app.model_copy(update={"metadata": metadata, "status": status})

    def _service(self, app: App, service: ServiceStatus) -> ServiceStatus:
        wanted = self._run_state(app.name, service.name)
        update = {"state": str(wanted), "run_state": str(wanted), "release": "1"}
        return service.model_copy(update=update | self.states.get((app.name, service.name), {}))


class Releases(MemoryReleases):
    """Releases whose explanation a test may write."""

    explanation: Explanation | None = None

    def explain(self, app: str) -> Explanation:
        return self.explanation or super().explain(app)


class Itself(MemoryDevice):
    """The device itself: it counts how long it has been up, and has a setting that is a text."""

    def __init__(self) -> None:
        super().__init__()
        self.settings |= {"deviceName": "line-3", "cloudApiEndpoint": ""}
        self.up_since = time.monotonic() - 10_800
        self.checks: list[Mapping[str, str]] | None = None
        """What diagnostics find, when it is not what memory has."""
        self.rebooted = threading.Event()

    def device(self) -> Mapping[str, Any]:
        return {**super().device(), "uptimeSeconds": time.monotonic() - self.up_since}

    async def set_config(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        own = {name: value for name, value in values.items() if name in ("deviceName", "cloudApiEndpoint")}
        if any(not isinstance(value, str) for value in own.values()):
            bad = [Problem(resource="config", path=name, message="expected text") for name in own]
            raise InvalidResourceError(bad)
        self.settings |= own
        return await super().set_config({name: values[name] for name in values.keys() - own.keys()})

    def agent_logs(self, *, tail: int | None) -> list[str]:
        # A copy, as of the real one: who follows compares two looks.
        return list(super().agent_logs(tail=tail))

    async def diagnose(self) -> list[Mapping[str, str]]:
        return await super().diagnose() if self.checks is None else self.checks

    async def reboot(self) -> None:
        await super().reboot()
        self.rebooted.set()


@dataclass(frozen=True, kw_only=True)
class Served:
    """A device whose API answers in a thread of its own."""

    device: Device
    releases: Releases
    inside: MemoryInside
    itself: Itself
    bus: Bus
    listening: Listening
    loop: asyncio.AbstractEventLoop

    def say(self, reason: str, message: str, *, app: str = "", type: str = "Normal", **data: Any) -> None:
        """Something happens on the device."""
        done = threading.Event()

        def publish() -> None:
            self.bus.publish(time=CREATED, type=type, reason=reason, message=message, app=app, **data)
            done.set()

        self.loop.call_soon_threadsafe(publish)
        assert done.wait(5)

    def write_line(self, service: str, text: str) -> None:
        """A container writes a line."""
        asyncio.run_coroutine_threadsafe(self.device.write_line(service, text), self.loop).result(5)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A device whose data directory is `folder`."""
    device, itself, bus = Device(), Itself(), Bus()
    releases, inside = Releases(device), MemoryInside(device)
    ready: threading.Event = threading.Event()
    box: list[tuple[Listening, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        app = create_app(
            control=device,
            releases=releases,
            inside=inside,
            device=itself,
            bus=bus,
            version="1.2.3",
            install="abc",
        )
        stop = asyncio.Event()
        async with serve(app, socket_path=folder / "agent.sock", port=0, key=KEY) as listening:
            box.append((listening, asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(10)
    listening, loop, stop = box[0]
    try:
        yield Served(
            device=device,
            releases=releases,
            inside=inside,
            itself=itself,
            bus=bus,
            listening=listening,
            loop=loop,
        )
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _condition(type: str, holds: bool, message: str, reason: str = "") -> StatusCondition:
    return StatusCondition(
        type=type,
        status="True" if holds else "False",
        reason=reason or "Because",
        message="" if type == "Ready" and holds else message,
        last_transition_time=CREATED,
    )
