"""What every engine can do. Engines act and observe; they decide nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from iotistic.planning.values import AppTarget, Observed, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Which engine this is."""

    kind: str
    """docker or simulated."""
    version: str = ""
    """As the engine says it: 20.10.24."""
    address: str = ""
    """Where it was reached."""
    details: Mapping[str, str] = field(default_factory=dict)
    """For diagnostics: storage driver, root directory, architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEvent:
    """Something happened on the engine: a reason to observe again."""

    kind: str
    """container, network, volume or image; engine: it is listened to from now on."""
    action: str
    """start, die, oom, stop, destroy, update, connect, disconnect, ...: the engine's own word."""
    container: str = ""
    app: str = ""
    service: str = ""
    exit_code: int | None = None
    time: float = 0.0
    """Seconds since 1970, as the engine says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a container wrote."""

    time: str
    """RFC 3339."""
    stream: str
    """stdout or stderr."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step is."""

    message: str
    """pulling, extracting, waiting until ready, ..."""
    current: int = 0
    """Bytes so far; 0 with `total` 0 when there is nothing to count."""
    total: int = 0


class Contents(Protocol):
    """Secrets and ConfigMaps that Apps refer to."""

    def contents(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        """The values of `Secret` or `ConfigMap` `name`; None when there is none."""
        ...

    def secret_type(self, name: str) -> str:
        """Type of a Secret; empty when there is none."""
        ...


class NoContents:
    """There are none: for an App that is gone."""

    def contents(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        """None."""
        return None

    def secret_type(self, name: str) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step needs beside itself."""

    target: AppTarget | None
    """The App's target in the round that made the step; None for an App that is gone."""
    service_ids: Mapping[str, int] = field(default_factory=dict)
    """Numbers of the services: part of container names."""
    app_id: int = 0
    contents: Contents = field(default_factory=NoContents)
    """What the target's Secrets and ConfigMaps hold, as they were for its release."""
    progress: Callable[[Progress], None] = lambda _: None
    await_ready: Callable[[str], Awaitable[None]] | None = None
    """Returns when the container of that id is ready by its probes; raises EngineError when it will
    not be (it exited, or the deadline passed). Hand-over waits by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """An App as its objects on the engine tell it: `planning.normal.describe` of each."""

    services: Mapping[str, Mapping[str, Any]]
    """Of the container that was made last, by service."""
    networks: Mapping[str, Mapping[str, Any]]
    volumes: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a running container uses now."""

    cpu_percent: float
    """Of one core."""
    memory_bytes: int
    memory_limit_bytes: int = 0
    """0: none of its own."""


class Engine(Protocol):
    """One engine. Every method raises EngineError or a kind of it, nothing else."""

    async def info(self) -> EngineInfo:
        """Which engine it is. Raises EngineUnreachableError."""
        ...

    async def observe(self, images: frozenset[str], *, full: bool = False) -> Observed:
        """The world now, without locks and downloads, which the controller knows.

        Args:
            images: `ImageRef.full` of the images that something of ours names; others are left out.
            full: look at everything again, not only at what events said has changed.
        """
        ...

    async def execute(self, step: Step, context: StepContext) -> None:
        """Carry out one step; cancelling it leaves a world that can be planned from again."""
        ...

    def events(self) -> AsyncIterator[EngineEvent]:
        """Events from now on; raises EngineUnreachableError when the engine goes away."""
        ...

    def logs(self, container: str, *, follow: bool, tail: int | None) -> AsyncIterator[LogLine]:
        """Lines of a container, the last `tail` first; with `follow` until it is gone."""
        ...

    async def run(self, container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
        """Run a command inside a container: exit code and at most 4 kB of its output.

        Raises: TimeoutError after `timeout_seconds`.
        """
        ...

    async def records(self, app: str) -> Records:
        """What the objects of an App say that it is; empty for one that is not there."""
        ...

    async def usage(self, containers: Sequence[str]) -> Mapping[str, Load]:
        """What these use now, by id; those that don't run are left out."""
        ...

    async def image_sizes(self) -> Mapping[str, int]:
        """Bytes of each image on the engine, by `ImageRef.full` of each of its names."""
        ...

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        """Load an archive of `docker save`; the names in it, as written there."""
        ...

    async def close(self) -> None:
        """Let go of connections; containers stay."""
        ...
