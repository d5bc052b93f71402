"""The values that planning works on: the observed world, the targets, the options, the steps.

Engines make `Observed`, controllers make `AppTarget`; nothing here talks to anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.image import ImageRef
from iotistic.api.service import RestartPolicy, Service, Strategy


class Action(StrEnum):
    """What a step does; the words of the conformance cases."""

    FETCH = "fetch"
    START = "start"
    STOP = "stop"
    KILL = "kill"
    REMOVE = "remove"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    RESTART = "restart"
    HANDOVER = "handover"
    UPDATE_METADATA = "updateMetadata"
    CREATE_NETWORK = "createNetwork"
    REMOVE_NETWORK = "removeNetwork"
    CREATE_VOLUME = "createVolume"
    REMOVE_VOLUME = "removeVolume"
    REMOVE_IMAGE = "removeImage"
    TAKE_LOCK = "takeLock"
    RELEASE_LOCK = "releaseLock"
    WAIT = "wait"


class Status(StrEnum):
    """What the engine says of a container."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    EXITED = "exited"
    DEAD = "dead"
    STOPPING = "stopping"


class Health(StrEnum):
    """What its probes say of a container; NONE without a probe."""

    NONE = ""
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalSpec:
    """A service's specification in the one form in which equal means equal (R2, R20)."""

    image: ImageRef
    config: str
    """Canonical JSON of every compared field but the image."""
    networks: frozenset[str]
    """Networks of the App that it joins; empty with a networkMode."""
    volumes: frozenset[str]
    """Volumes of the App's own that it mounts."""
    depends_on: tuple[tuple[str, str], ...]
    """(service, started | healthy | completed), sorted."""
    restart: RestartPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container on the engine. Without `app` it is foreign."""

    id: str
    app: str = ""
    service: str = ""
    release: str = ""
    status: Status = Status.RUNNING
    created: str = ""
    """RFC 3339, UTC: sorts by time."""
    health: Health = Health.NONE
    exit_code: int = 0
    spec: NormalSpec
    name: str = ""
    image_digest: str = ""
    started: str = ""
    finished: str = ""
    restarts: int = 0
    oom_killed: bool = False
    error: str = ""
    address: str = ""
    """Where probes reach it; 127.0.0.1 on the host's network."""
    ports: tuple[str, ...] = ()
    """Published ports, as 8080->80/tcp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image on the engine that was pulled for us or that something of ours names."""

    ref: ImageRef
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network on the engine. Without `app` it is foreign."""

    app: str = ""
    name: str
    config: str = ""
    """Canonical JSON; empty for one of defaults only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume on the engine. Without `app` it is foreign."""

    app: str = ""
    name: str
    config: str = ""
    """Canonical JSON; empty for one of defaults only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLock:
    """A lock on updates that is not ours."""

    app: str
    service: str = ""
    reason: str = ""
    owner: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The world, seen at one moment."""

    containers: tuple[Container, ...] = ()
    images: tuple[Image, ...] = ()
    downloading: frozenset[str] = frozenset()
    """Images that are being fetched, as `ImageRef.full`."""
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    held: frozenset[str] = frozenset()
    """Apps whose lock is ours."""
    user_locks: tuple[UserLock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTarget:
    """One service as it should be now, run state overlaid."""

    name: str
    spec: NormalSpec
    strategy: Strategy = Strategy.DOWNLOAD_THEN_KILL
    run_state: RunState = RunState.RUNNING
    service: Service | None = field(default=None, compare=False, repr=False)
    """Where it came from: engines make containers from it."""
    record: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """`normal.describe` of it: what a container's label keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTarget:
    """One App as it should be now."""

    name: str
    release: str = ""
    services: tuple[ServiceTarget, ...]
    networks: Mapping[str, str]
    """Wanted networks -> canonical config; `default` is always among them."""
    volumes: Mapping[str, str]
    """Wanted volumes of its own -> canonical config."""
    strategy: Strategy = Strategy.DOWNLOAD_THEN_KILL
    app: App | None = field(default=None, compare=False, repr=False)

    def service(self, name: str) -> ServiceTarget | None:
        """The service of that name."""
        return next((service for service in self.services if service.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller knows beside the world (design: the core loop)."""

    keep_images: bool = False
    force: bool = False
    reclaim: bool = False
    purge: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()
    keep: tuple[ImageRef, ...] = ()
    backoff: frozenset[str] = frozenset()
    """`app/service`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do now, and why."""

    action: Action
    subject: str
    """What the conformance cases print: `web:1`, `shop`, `shop/web`, `shop/web#c1`."""
    app: str = ""
    """App that it belongs to; empty for images, which may serve several."""
    service: str = ""
    name: str = ""
    """Of a network or volume its name in the App; of an image `ImageRef.full`."""
    container: str = ""
    """Id of the container acted on; empty for a service that has none yet."""
    cause: str = ""
    """Which differences made it: `image web:1 -> web:2`, `network back missing`; the first three of many."""
    changes: tuple[str, ...] = ()
    """All differences, one each; never a value that may be secret."""

    @property
    def text(self) -> str:
        """`<action> <subject>`."""
        return f"{self.action} {self.subject}"

    def wire(self) -> dict[str, Any]:
        """What programs are told of it."""
        return {
            "action": self.action.value,
            "subject": self.subject,
            "app": self.app,
            "service": self.service,
            "cause": self.cause,
            "changes": list(self.changes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """An App that is left alone because going on would lose data."""

    app: str
    reason: str
    """One sentence: what, and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to do now, for all Apps."""

    steps: tuple[Step, ...] = ()
    stalled: tuple[Stall, ...] = ()
