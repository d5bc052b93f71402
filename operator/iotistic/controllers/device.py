"""The device itself: what it is, how it is set up, whether it is well (`controllers.base.DeviceControl`)."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from iotistic.api.errors import EdgeError, InvalidResourceError, Problem
from iotistic.bus import Bus
from iotistic.controllers.apps import Apps
from iotistic.controllers.base import Readiness
from iotistic.controllers.clock import monotonic
from iotistic.controllers.journal import Journal
from iotistic.controllers.reconciler import Reconciler
from iotistic.engines.base import Engine
from iotistic.store.base import Store

STOP_SECONDS = 1.0
"""Between the answer and the end of the process: the original's second."""
FIRST_SANE_YEAR = 2024
LOW_PERCENT = 10


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected text")
    return value.strip()


def _address(value: Any) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address like https://cloud.example.com")
    return _text(value).rstrip("/")


CONFIG: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "cloudApiEndpoint": ("", _address),
    "deviceName": ("", _text),
    "deviceType": ("", _text),
}
"""Settings that a person may change at run time: default, and what makes a value of it."""


class LogLines(Protocol):
    """The agent's own log lines."""

    def __call__(self, tail: int | None = None) -> list[str]:
        """The last ones, oldest first."""
        ...


class Device:
    """Answers for the device."""

    def __init__(
        self,
        *,
        store: Store,
        engine: Engine,
        apps: Apps,
        loop: Reconciler,
        bus: Bus,
        journal: Journal,
        version: str,
        data: Path,
        log_lines: LogLines,
    ) -> None:
        self._store = store
        self._engine = engine
        self._apps = apps
        self._loop = loop
        self._bus = bus
        self._journal = journal
        self._version = version
        self._data = data
        self._log_lines = log_lines
        self._started = monotonic()
        self._stopping = False

    def device(self) -> Mapping[str, Any]:
        """Fields of the device under the original's names, without secrets."""
        config = self.config()
        return {
            "uuid": self._store.install,
            "deviceId": None,
            "deviceName": config["deviceName"] or platform.node(),
            "deviceType": config["deviceType"] or platform.machine(),
            "apiEndpoint": config["cloudApiEndpoint"],
            "provisioned": False,
            "osVersion": _os_version(),
            "agentVersion": self._version,
            "apps": len(self._apps.apps()),
            "runningServices": sum(
                service.status is not None and service.status.state == "Running"
                for service in self._apps.services()
            ),
            "status": "Idle" if self._loop.idle() else "Busy",
            "uptimeSeconds": round(monotonic() - self._started),
        }

    def config(self) -> Mapping[str, Any]:
        """Settings that a person may change, with their values."""
        stored = self._store.settings()
        return {
            name: json.loads(stored[name]) if name in stored else default
            for name, (default, _) in CONFIG.items()
        }

    async def set_config(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change some, all or nothing."""
        accepted: dict[str, str | None] = {}
        problems = []
        for name, value in values.items():
            try:
                if name not in CONFIG:
                    raise ValueError(f"unknown setting; known: {', '.join(sorted(CONFIG))}")
                accepted[name] = json.dumps(CONFIG[name][1](value))
            except ValueError as error:
                problems.append(Problem(resource="config", path=name, message=str(error)))
        if problems:
            raise InvalidResourceError(problems)
        await asyncio.to_thread(self._store.put_settings, accepted)
        self._journal.say("Configured", f"changed: {', '.join(sorted(accepted)) or 'nothing'}")
        return self.config()

    async def reset_config(self) -> None:
        """Back to the defaults."""
        await asyncio.to_thread(self._store.put_settings, dict.fromkeys(CONFIG))
        self._journal.say("Configured", "all settings are back to their defaults")

    def readiness(self) -> Readiness:
        """Whether it is ready, and why not."""
        if self._stopping:
            return Readiness(ready=False, state="STOPPING", reasons=("the agent is stopping",))
        reasons = self._apps.health().reasons
        if reasons:
            return Readiness(ready=False, state="ERROR", reasons=reasons)
        if not self._loop.world.seen:
            return Readiness(ready=False, state="INIT", reasons=("the engine has not been seen yet",))
        return Readiness(ready=True, state="RUNNING")

    async def diagnose(self) -> list[Mapping[str, str]]:
        """Checks of store, engine, disk and clock."""
        checks = [
            await asyncio.to_thread(self._check_store),
            await self._check_engine(),
            await asyncio.to_thread(self._check_disk),
            _check_clock(),
        ]
        return [
            *checks,
            self._check_apps(),
            *self._check_volumes(),
            _check("Cloud", "SKIP", "not provisioned"),
        ]

    def agent_logs(self, *, tail: int | None) -> list[str]:
        """The agent's own last log lines."""
        return self._log_lines(tail)

    def metrics(self) -> str:
        """Prometheus text."""
        from iotistic.controllers.metrics import render

        return render(
            self._apps.apps(),
            version=self._version,
            engine_answers=not self._loop.engine_error,
            events=self._bus.last_seq,
            uptime=monotonic() - self._started,
        )

    async def reboot(self) -> None:
        """End this process soon, with exit code 0."""
        self._stop("Restarting", "the agent restarts, as somebody asked; containers stay up")

    async def shutdown(self) -> None:
        """The same: whether somebody starts it again is the supervisor's business."""
        self._stop("ShuttingDown", "the agent ends, as somebody asked; containers stay up")

    async def factory_reset(self) -> None:
        """Let everything go: Apps with their volumes first, then what they referred to, then settings."""
        self._journal.say("FactoryReset", "all Apps, their volumes, Secrets and settings go", warning=True)
        for app in self._apps.apps():
            await self._apps.delete(app.name, purge=True)
        for document in self._apps.documents():
            await self._apps.delete_document(str(document["kind"]), str(document["metadata"]["name"]))
        await self.reset_config()

    def _stop(self, reason: str, message: str) -> None:
        self._stopping = True
        self._journal.say(reason, message)
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._loop.stop)

    def _check_store(self) -> Mapping[str, str]:
        try:
            apps = len(self._store.apps())
        except EdgeError as error:
            return _check("Store", "FAIL", error.message, error.hint)
        size = sum(path.stat().st_size for path in self._data.glob("device.sqlite*"))
        return _check("Store", "OK", f"{self._data}: {size / 1000:.0f} kB, {_count(apps, 'App')}")

    async def _check_engine(self) -> Mapping[str, str]:
        try:
            info = await self._engine.info()
        except EdgeError as error:
            return _check("Engine", "FAIL", error.message, error.hint)
        containers = self._loop.world.observed.containers
        ours = sum(bool(container.app) for container in containers)
        details = ", ".join(info.details[key] for key in ("driver", "root") if info.details.get(key))
        text = f"{info.kind} {info.version}, {_count(ours, 'container')} of ours"
        return _check("Engine", "OK", f"{text}, {details}" if details else text)

    def _check_disk(self) -> Mapping[str, str]:
        usage = shutil.disk_usage(self._data)
        percent = 100 * usage.free / usage.total
        text = f"{self._data}: {usage.free / 1e9:.1f} GB free ({percent:.0f} %)"
        if self._loop.steps.reclaim:
            return _check("Disk", "FAIL", "the engine's disk is full", "iotctl images prune")
        if percent < LOW_PERCENT:
            return _check("Disk", "WARN", text, "iotctl images prune")
        return _check("Disk", "OK", text)

    def _check_apps(self) -> Mapping[str, str]:
        apps = [app for app in self._apps.apps() if app.status is not None]
        bad = [app.name for app in apps if app.status and app.status.state not in {"Ready", "Stopped"}]
        if not bad:
            return _check("Apps", "OK", f"{_count(len(apps), 'App')}, all as wanted")
        return _check("Apps", "WARN", f"not as wanted: {', '.join(bad)}", f"iotctl explain app {bad[0]}")

    def _check_volumes(self) -> list[Mapping[str, str]]:
        """What deleted Apps have left; nothing to tell where there is none."""
        kept = [volume for volume in self._apps.volumes() if volume.kept]
        if not kept:
            return []
        names = ", ".join(f"{volume.app}/{volume.name}" for volume in kept)
        how = f"iotctl apps purge {kept[0].app} removes what is in them"
        return [_check("Volumes", "OK", f"kept of deleted Apps: {names} ({how})")]


def _check(name: str, status: str, text: str, advice: str = "") -> Mapping[str, str]:
    return {"name": name, "status": status, "text": text, "advice": advice}


def _check_clock() -> Mapping[str, str]:
    now = datetime.now(UTC)
    if now.year < FIRST_SANE_YEAR:
        return _check("Clock", "WARN", f"says {now:%Y-%m-%d %H:%M} UTC", "timedatectl set-ntp true")
    return _check("Clock", "OK", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _os_version() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}"
