"""What the Device API may ask of the controllers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from iotistic.api.app import App
from iotistic.api.appservice import AppService, RunState
from iotistic.engines.base import EngineInfo, LogLine
from iotistic.rollout.explaining import Explanation

__all__ = ["Explanation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one document."""

    kind: str
    name: str
    result: str
    """created, configured or unchanged."""
    release: str = ""
    """Of an App: the release that is wanted now."""
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What became of all documents: all were taken."""

    applied: tuple[Applied, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What applying would do, round by round, and as text for people."""

    text: str
    rounds: tuple[tuple[Mapping[str, Any], ...], ...]
    """Per round its steps: action, subject, app, service, cause, changes."""
    converged: bool
    """False: the rounds end in waiting for something (a lock, a back-off, a dependency)."""
    warnings: tuple[str, ...] = ()
    stalled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the agent does its job."""

    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One release of an App that is remembered."""

    release: str
    digest: str
    created: str
    """RFC 3339: when it was wanted first."""
    state: str
    """serving, updating, failed, good, quarantined, or superseded."""
    why: str = ""
    """Of one that has failed: what was wrong with it."""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one running container uses now."""

    app: str
    service: str
    cpu_percent: float
    """Of one core."""
    memory_bytes: int
    memory_limit_bytes: int
    """0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """One image on the engine that was fetched for us or that something of ours names."""

    ref: str
    digest: str
    size_bytes: int
    users: tuple[str, ...]
    """`app/service` of those that use it; empty: nothing needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeInfo:
    """One volume of ours on the engine."""

    app: str
    name: str
    """As its App calls it."""
    kept: bool
    """Its App is gone; it stayed with what is in it."""


class ReleasesControl(Protocol):
    """Releases of Apps and what holds them back. Raises kinds of EdgeError only."""

    def history(self, app: str) -> list[Revision]:
        """Remembered releases, newest first."""
        ...

    async def rollback(self, app: str, release: str | None) -> Applied:
        """Want an earlier release again (None: the last good one that is not wanted now)."""
        ...

    async def retry(self, app: str, service: str | None = None) -> None:
        """Forget back-offs and quarantine: try again now."""
        ...

    async def lock(self, app: str, service: str, *, reason: str, owner: str, until: str) -> None:
        """Hold back what would interrupt (R8). Empty service: the whole App; empty `until`: for good."""
        ...

    async def unlock(self, app: str, service: str) -> None:
        """Take such a lock away."""
        ...

    async def purge_volumes(self, app: str) -> None:
        """Empty the App's volumes and start it again; recorded before anything is removed."""
        ...

    async def recover(self, app: str) -> Applied:
        """Take an orphaned App over as it runs: its target is read off its containers."""
        ...

    def explain(self, app: str) -> Explanation:
        """Why it is not done, and what unblocks it."""
        ...


class InsideControl(Protocol):
    """A look inside containers and at images. Raises kinds of EdgeError only."""

    def previous_logs(self, app: str, service: str) -> list[LogLine]:
        """The last lines of the container before this one. Raises NotFoundError when none are kept."""
        ...

    async def run(
        self, app: str, service: str, command: Sequence[str], timeout_seconds: float
    ) -> tuple[int, str]:
        """Run a command inside a service's container: exit code, output. Raises TimeoutError."""
        ...

    async def usage(self) -> list[Usage]:
        """What all running containers of ours use now."""
        ...

    async def images(self) -> list[ImageInfo]:
        """Images of ours."""
        ...

    async def prune_images(self) -> list[str]:
        """Remove what nothing needs now; returns what went. Current and last-good images stay."""
        ...

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        """Load a `docker save` archive; returns the names in it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the agent is there for its Apps."""

    ready: bool
    state: str
    """INIT, READY, RUNNING, STOPPING or ERROR (the original's words)."""
    reasons: tuple[str, ...] = ()


class DeviceControl(Protocol):
    """The device itself. Raises kinds of EdgeError only."""

    def device(self) -> Mapping[str, Any]:
        """Fields of the device under the original's names, without secrets."""
        ...

    def config(self) -> Mapping[str, Any]:
        """Settings that a person may change at run time, with their values."""
        ...

    async def set_config(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change some, all or nothing; durable. Raises InvalidResourceError naming each bad one."""
        ...

    async def reset_config(self) -> None:
        """Back to the defaults."""
        ...

    def readiness(self) -> Readiness:
        """Whether it is ready, and why not."""
        ...

    async def diagnose(self) -> list[Mapping[str, str]]:
        """Checks of store, engine, disk, clock: name, status (OK, WARN, FAIL, SKIP), text, advice."""
        ...

    def agent_logs(self, *, tail: int | None) -> list[str]:
        """The agent's own last log lines."""
        ...

    def metrics(self) -> str:
        """Prometheus text."""
        ...

    async def reboot(self) -> None:
        """End this process with exit code 0 soon: whoever supervises it starts it again."""
        ...

    async def shutdown(self) -> None:
        """End this process for good where the supervisor allows it; containers stay."""
        ...

    async def factory_reset(self) -> None:
        """Remove all Apps with their volumes, Secrets, settings and identity."""
        ...


class AppsControl(Protocol):
    """Apps of this device. Raises kinds of EdgeError only."""

    async def apply(self, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> ApplyResult:
        """Take documents (App, Secret, ConfigMap), all or nothing; durable when it returns."""
        ...

    async def plan(self, documents: Sequence[Mapping[str, Any]]) -> Plan:
        """What applying these (none: what is wanted already) would do now. Changes nothing."""
        ...

    async def delete(self, app: str, *, purge: bool | None = None) -> None:
        """Take an App out of the target. `purge` None: as its deletionPolicy says."""
        ...

    def apps(self) -> list[App]:
        """All Apps with status: wanted, going, and orphaned ones."""
        ...

    def app(self, name: str) -> App:
        """One App by name or by the number of the cloud, with status. Raises NotFoundError."""
        ...

    def services(self, app: str | None = None) -> list[AppService]:
        """Services of one App or of all, with status."""
        ...

    def volumes(self) -> list[VolumeInfo]:
        """Volumes of Apps, those of deleted ones too, as last seen."""
        ...

    async def set_run_state(self, app: str, service: str | None, state: RunState) -> str:
        """Start, stop or pause one service, or all of the App; holds over reboots.

        Returns: the user's lock that it has to wait for, in words; empty when it waits for none.
        """
        ...

    async def restart(self, app: str, service: str | None) -> None:
        """Restart one service, or all of the App in the order of dependsOn; returns when begun.
        Raises LockedError while a user holds the App."""
        ...

    def logs(
        self, app: str, service: str | None, *, follow: bool, tail: int | None
    ) -> AsyncIterator[tuple[str, LogLine]]:
        """Lines with the name of their service. Raises NotFoundError before the first line."""
        ...

    def documents(self) -> list[Mapping[str, Any]]:
        """Secrets (names of keys only) and ConfigMaps."""
        ...

    async def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap. Raises ConflictError while an App refers to it."""
        ...

    async def engine(self) -> EngineInfo:
        """The engine. Raises EngineUnreachableError."""
        ...

    def health(self) -> Health:
        """Whether the loop runs and the engine answers."""
        ...
