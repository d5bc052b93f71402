"""ReleasesControl, InsideControl and DeviceControl in memory, beside the Apps of `memory.Memory`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from iotistic.api.errors import ConflictError, InvalidResourceError, NotFoundError, Problem
from iotistic.controllers.base import Applied, Explanation, ImageInfo, Readiness, Revision, Usage
from iotistic.engines.base import LogLine
from tests.unit.device_api.memory import Memory

DEFAULTS: Mapping[str, Any] = {"logLevel": "info", "resyncSeconds": 60}


class MemoryReleases:
    """Two releases of every App: 2 was undone, 1 serves."""

    def __init__(self, apps: Memory) -> None:
        self.apps = apps
        self.locks: dict[tuple[str, str], dict[str, str]] = {}
        self.asked: list[tuple[str, ...]] = []

    def history(self, app: str) -> list[Revision]:
        self.apps._fail()
        return [
            Revision(
                release="2",
                digest="d2",
                created="2026-01-02T00:00:00Z",
                state="quarantined",
                why="web: never ready",
                images=("web:2",),
            ),
            Revision(release="1", digest="d1", created="2026-01-01T00:00:00Z", state="serving"),
        ]

    async def rollback(self, app: str, release: str | None) -> Applied:
        if release not in (None, "1", "2"):
            raise NotFoundError(f"App {app} has no release {release!r}", hint="there are: 1, 2")
        self.asked.append(("rollback", app, release or ""))
        return Applied(kind="App", name=app, result="configured", release=release or "1", generation=2)

    async def retry(self, app: str, service: str | None = None) -> None:
        self.asked.append(("retry", app, service or ""))

    async def lock(self, app: str, service: str, *, reason: str, owner: str, until: str) -> None:
        before = self.locks.get((app, service))
        if before and before["owner"] != owner:
            raise ConflictError(f"App {app} is locked already by {before['owner']}", hint="unlock it first")
        self.locks[app, service] = {"reason": reason, "owner": owner, "until": until}

    async def unlock(self, app: str, service: str) -> None:
        if (app, service) not in self.locks:
            raise NotFoundError(f"no user's lock on App {app}")
        del self.locks[app, service]

    async def purge_volumes(self, app: str) -> None:
        self.asked.append(("purge", app))

    async def recover(self, app: str) -> Applied:
        if app != "lost":
            raise ConflictError(f"App {app} is not orphaned")
        return Applied(kind="App", name=app, result="created", release="1", generation=1)

    def explain(self, app: str) -> Explanation:
        self.apps._fail()
        return Explanation(
            app=app,
            state="Undone",
            sentence=f"{app} serves release 1; release 2 was undone",
            since="2026-01-02T00:00:00Z",
            commands=(f"iotctl retry {app}",),
        )


class MemoryInside:
    """Containers that answer a few commands, and two images."""

    def __init__(self, apps: Memory) -> None:
        self.apps = apps
        self.all_images = [
            ImageInfo(ref="web:1", digest="sha256:aa", size_bytes=2_000_000, users=("shop/web",)),
            ImageInfo(ref="old:1", digest="sha256:bb", size_bytes=1_000_000, users=()),
        ]
        self.received = 0
        self.biggest_piece = 0
        self.room = 1_000_000_000

    def previous_logs(self, app: str, service: str) -> list[LogLine]:
        if service != "web":
            raise NotFoundError(f"no lines of an earlier container of {app}/{service} are kept")
        return [
            LogLine(time="2026-01-01T00:00:00Z", stream="stderr", text=text) for text in ("dying", "dead")
        ]

    async def run(
        self, app: str, service: str, command: Sequence[str], timeout_seconds: float
    ) -> tuple[int, str]:
        self.apps._fail()
        if command[0] == "sleep":
            raise TimeoutError
        return (0, " ".join(command[1:])) if command[0] == "echo" else (127, f"{command[0]}: not found")

    async def usage(self) -> list[Usage]:
        self.apps._fail()
        return [
            Usage(app=app.name, service=one.name, cpu_percent=1.5, memory_bytes=2**20, memory_limit_bytes=0)
            for app in self.apps.apps()
            for one in app.spec.services
        ]

    async def images(self) -> list[ImageInfo]:
        self.apps._fail()
        return self.all_images

    async def prune_images(self) -> list[str]:
        gone = [image.ref for image in self.all_images if not image.users]
        self.all_images = [image for image in self.all_images if image.users]
        return gone

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        from iotistic.api.errors import NoSpaceError

        first = b""
        async for piece in archive:
            first = first or piece[:3]
            self.received += len(piece)
            self.biggest_piece = max(self.biggest_piece, len(piece))
            if self.received > self.room:
                raise NoSpaceError("the engine's disk is full", hint="iotctl images prune")
        if first != b"tar":
            problem = Problem(resource="image archive", path="", message="is no archive of images")
            raise InvalidResourceError([problem])
        return ["web:2"]


class MemoryDevice:
    """A device with two settings that notes what was asked of it."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = dict(DEFAULTS)
        self.asked: list[str] = []
        self.lines = ["agent_started version=1.2.3", "step_done step=start"]
        self.reasons: tuple[str, ...] = ()

    def device(self) -> Mapping[str, Any]:
        return {
            "uuid": "0f6d5b0e-8c0f-4f7e-9a5e-0f8c6f0a1b2c",
            "deviceName": "line-3",
            "provisioned": False,
            "agentVersion": "1.2.3",
            "deviceApiKey": "slipped",
            "mqttPassword": "slipped",
        }

    def config(self) -> Mapping[str, Any]:
        return self.settings

    async def set_config(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        bad = [
            Problem(resource="settings", path=name, message="there is no such setting")
            for name in values
            if name not in DEFAULTS
        ]
        if bad:
            raise InvalidResourceError(bad)
        self.settings |= values
        return self.settings

    async def reset_config(self) -> None:
        self.settings = dict(DEFAULTS)

    def readiness(self) -> Readiness:
        state = "ERROR" if self.reasons else "RUNNING"
        return Readiness(ready=not self.reasons, state=state, reasons=self.reasons)

    async def diagnose(self) -> list[Mapping[str, str]]:
        return [
            {"name": "Store", "status": "OK", "text": "integrity ok", "advice": ""},
            {"name": "Disk", "status": "WARN", "text": "91 % used", "advice": "iotctl images prune"},
        ]

    def agent_logs(self, *, tail: int | None) -> list[str]:
        return self.lines if tail is None else self.lines[len(self.lines) - min(tail, len(self.lines)) :]

    def metrics(self) -> str:
        return "# TYPE iotistic_apps gauge\niotistic_apps 1\n"

    async def reboot(self) -> None:
        self.asked.append("reboot")

    async def shutdown(self) -> None:
        self.asked.append("shutdown")

    async def factory_reset(self) -> None:
        self.asked.append("factory-reset")
