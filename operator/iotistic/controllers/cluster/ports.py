"""What the controllers of the cluster need of the API server; `engines.kubernetes` provides it.

An object is what the API server sends, as plain JSON values. Kinds are singular, as in `kind:`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An App on the cluster: what one queue entry stands for."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One object of the cluster."""

    kind: str
    namespace: str
    name: str


class Reason(StrEnum):
    """Why something is written; the label of the metric that counts all writes."""

    CHANGED = "changed"
    """The App's spec, a run state or a referenced Secret or ConfigMap differs."""
    DRIFT = "drift"
    """Somebody else changed or removed a child."""
    PRUNE = "prune"
    """A child is rendered no longer."""
    PULL = "pull"
    """An image is fetched before it is needed."""
    REVISION = "revision"
    """A release is recorded, or an old one forgotten."""
    STATUS = "status"
    EVENT = "event"
    NAMES = "names"
    """Addresses behind the names inside an App."""
    LINES = "lines"
    """The last lines of a release that is undone."""


class RefusedError(Exception):
    """The API server said no (4xx but 404, 409 and 429): pod security, quota, admission, rights, schema."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        """Its word for programs: `Forbidden`, `Invalid`."""
        self.message = message
        """Its own words for people."""


class ConflictError(Exception):
    """409: it is there already, or somebody else wrote it first; look again."""


class UnreachableError(Exception):
    """The API server did not answer, or answered 429 or 5xx; try again later."""


class Api(Protocol):
    """Writes to the API server, and the few reads that no watch covers. Each write names its reason."""

    async def apply(self, wanted: Object, *, reason: Reason) -> Object:
        """Server-side apply as the field manager `iotistic-edge`, with force; the object as it is now.

        Raises: RefusedError, ConflictError, UnreachableError (so do all methods).
        """
        ...

    async def replace(self, wanted: Object, *, reason: Reason) -> Object:
        """Put this in its place; ConflictError when its resourceVersion is no longer the newest."""
        ...

    async def create(self, wanted: Object, *, reason: Reason) -> Object:
        """Create it; ConflictError when the name is taken."""
        ...

    async def apply_status(self, wanted: Object, *, reason: Reason = Reason.STATUS) -> Object:
        """Server-side apply of `status` alone, as the field manager `iotistic-edge-status`."""
        ...

    async def delete(self, ref: Ref, *, reason: Reason, uid: str = "") -> None:
        """Delete it in the background, only if it still has this uid; one that is gone already is fine."""
        ...

    async def get(self, ref: Ref) -> Object | None:
        """It as it is now; None when there is none."""
        ...

    async def get_all(self, refs: Sequence[Ref]) -> Sequence[Object | None]:
        """Several as they are now, in this order; quick where most of them are not there."""
        ...

    async def logs(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """Its last lines; empty when there are none to be had."""
        ...

    async def event(self, about: Object, *, reason: str, message: str, warning: bool) -> None:
        """Tell it as an Event of this object. A refusal is logged, never raised."""
        ...


class Cache(Protocol):
    """What the watches have delivered. Reading it costs no request."""

    def get(self, ref: Ref) -> Object | None: ...

    def apps(self) -> Collection[Object]: ...

    def children(self, app: Key) -> Collection[Object]:
        """All objects in the App's namespace that carry its label `iotistic.io/app`, of all watched kinds
        (AppService, Deployment, Job, Pod, Service, EndpointSlice, PersistentVolumeClaim, ConfigMap, Secret,
        NetworkPolicy, ServiceAccount, ControllerRevision). Secrets' data may be left out."""
        ...

    def put(self, written: Object) -> None:
        """Take over what a write answered, unless the watches have delivered something newer."""
        ...


class Queue(Protocol):
    """Where Apps wait for their turn; one App is never worked on twice at once."""

    def add(self, key: Key, *, after_seconds: float = 0.0) -> None:
        """Ask for a turn. Several askings before it comes are one; an earlier moment wins."""
        ...
