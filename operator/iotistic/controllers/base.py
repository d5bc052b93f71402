"""What the Device API may ask of the controllers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from iotistic.api.app import App
from iotistic.api.appservice import AppService, RunState
from iotistic.engines.base import EngineInfo, LogLine


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

    async def set_run_state(self, app: str, service: str | None, state: RunState) -> None:
        """Start, stop or pause one service, or all of the App; holds over reboots."""
        ...

    async def restart(self, app: str, service: str | None) -> None:
        """Restart one service, or all of the App in the order of dependsOn; returns when begun."""
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
