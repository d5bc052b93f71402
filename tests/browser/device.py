"""A device whose Apps are in any state that a test wants, served by the real server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iotistic.api.app import App, AppStatus, ServiceStatus
from iotistic.bus import Bus
from iotistic.controllers.base import Explanation, Revision
from iotistic.device_api.app import create_app
from iotistic.device_api.server import Listening, serve
from tests.unit.device_api.memory import Memory
from tests.unit.device_api.memory_more import MemoryDevice, MemoryInside, MemoryReleases

KEY = "a-key-of-the-tests"


class Scripted(Memory):
    """Apps in memory whose status a test writes."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, dict[str, Any]] = {}

    def put(self, name: str, services: Mapping[str, Mapping[str, Any]], **status: Any) -> None:
        """An App with these services; of each its status, and under `spec` what its spec has beside that.

        Says nothing: what the page shows before it looks again is the state before.
        """
        specs = []
        for service, script in services.items():
            image = script.get("spec", {}).get("image", f"{service}:1")
            specs.append({"name": service, "image": image, **script.get("spec", {})})
        spec = {"services": specs} | status.pop("spec", {})
        created = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.stored[name] = App.model_validate({"metadata": created, "spec": spec})
        self.numbers.setdefault(name, 1001 + len(self.numbers))
        self.scripts[name] = {
            **status,
            "services": {key: {k: v for k, v in one.items() if k != "spec"} for key, one in services.items()},
        }

    def drop(self, name: str) -> None:
        """The App is gone."""
        del self.stored[name]

    def _with_status(self, app: App) -> App:
        if app.name not in self.scripts:
            return super()._with_status(app)
        script = self.scripts[app.name]
        release = str(script.get("release", "1"))
        services = [
            self._service(app, one.name, one.image, script["services"][one.name], release)
            for one in app.spec.services
        ]
        ready = sum(one.ready for one in services)
        status = AppStatus(
            release=release,
            state=script.get("state", "Ready"),
            why=script.get("why", ""),
            ready=f"{ready}/{len(services)}",
            services=services,
        )
        return app.model_copy(update={"status": status})

    def _service(
        self, app: App, name: str, image: str, script: Mapping[str, Any], release: str
    ) -> ServiceStatus:
        run_state = self._run_state(app.name, name).value
        stopped = {"state": run_state, "ready": True} if run_state != "Running" else {}
        told = {
            "state": "Running",
            "ready": True,
            "image": image,
            "release": release,
            "since": "2026-01-01T00:00:00Z",
        }
        values = {**told, **script, "name": name, "run_state": run_state, **stopped}
        return ServiceStatus(**values)


class Releases(MemoryReleases):
    """Releases whose history and explanation a test writes."""

    def __init__(self, apps: Memory) -> None:
        super().__init__(apps)
        self.revisions: list[Revision] | None = None
        self.explanation: Explanation | None = None

    def history(self, app: str) -> list[Revision]:
        return super().history(app) if self.revisions is None else self.revisions

    def explain(self, app: str) -> Explanation:
        return self.explanation or super().explain(app)


@dataclass(kw_only=True)
class Device:
    """A served device."""

    control: Scripted
    releases: Releases
    facts: MemoryDevice
    bus: Bus
    listening: Listening

    @property
    def url(self) -> str:
        """Where its page is."""
        return self.listening.url

    def say(self, reason: str, message: str, *, app: str = "", **more: Any) -> None:
        """Something happens."""
        time = more.pop("time", datetime.now(UTC).isoformat())
        kind = more.pop("type", "Normal")
        self.bus.publish(time=time, type=kind, reason=reason, message=message, app=app, **more)


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, port: int = 0, control: Scripted | None = None, bus: Bus | None = None, **options: Any
) -> AsyncIterator[Device]:
    """Serve a device below `folder`; without `control` it has no App."""
    control, bus, facts = control or Scripted(), bus or Bus(), MemoryDevice()
    releases = Releases(control)
    app = create_app(
        control=control,
        bus=bus,
        version="1.2.3",
        install="abc",
        releases=releases,
        inside=MemoryInside(control),
        device=facts,
        keep_alive_seconds=options.pop("keep_alive_seconds", 0.5),
    )
    options = {"key": KEY, **options}
    async with serve(app, socket_path=folder / "agent.sock", port=port, **options) as listening:
        yield Device(control=control, releases=releases, facts=facts, bus=bus, listening=listening)
