"""Bodies of the Device API that are not resources: for validation on the way in, OpenAPI on both."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from iotistic.api.app import App
from iotistic.api.appservice import AppService
from iotistic.api.base import Model


class Documents(Model):
    """Resources as they are written in files."""

    documents: list[dict[str, Any]]
    """App, Secret and ConfigMap documents."""


class MaybeDocuments(Model):
    """Resources as they are written in files, or none."""

    documents: list[dict[str, Any]] = Field(default_factory=list)
    """App, Secret and ConfigMap documents; none: what is wanted already."""


class AppliedDocument(Model):
    """What became of one document."""

    kind: str
    name: str
    result: Literal["created", "configured", "unchanged"]
    release: str
    """Of an App: the release that is wanted now."""
    generation: int


class ApplyAnswer(Model):
    """What became of all documents: all were taken."""

    applied: list[AppliedDocument]
    warnings: list[str]


class PlannedStep(Model):
    """One step of a plan."""

    action: str
    subject: str
    app: str = ""
    service: str = ""
    cause: str = ""
    """The difference that made it."""
    changes: Any = None


class PlanAnswer(Model):
    """What applying would do."""

    text: str
    """As people read it."""
    rounds: list[list[PlannedStep]]
    converged: bool
    """False: the rounds end in waiting for something."""
    warnings: list[str]
    stalled: dict[str, str]
    """Apps that can't go on, and why."""


class Apps(Model):
    """All Apps."""

    items: list[App]


class AppServices(Model):
    """Services with their status."""

    items: list[AppService]


class OriginalService(Model):
    """One service with the field names of the first agent."""

    app_id: int
    app_name: str
    container_id: str
    service_id: int | None
    service_name: str
    image_name: str
    status: str
    config: dict[str, Any]


class OriginalApp(OriginalService):
    """The first service, and all of them."""

    services: list[OriginalService]


class DeleteAnswer(Model):
    """The App is going."""

    name: str
    purge: bool
    """Its volumes go too."""


class AppAction(Model):
    """What was asked of all services of an App."""

    app: str
    services: list[str]
    status: Literal["started", "stopped", "restarting"]
    container_id: str
    """Container of the first service."""


class ServiceAction(Model):
    """What was asked of one service."""

    app: str
    service: str
    status: Literal["started", "stopped", "restarting", "paused", "unpaused"]


class Line(Model):
    """One line of a log; stream `error`: it ended early, and why."""

    service: str
    time: str
    stream: Literal["stdout", "stderr", "error"]
    text: str


class EventBody(Model):
    """One thing that happened."""

    seq: int
    time: str
    type: Literal["Normal", "Warning", "Progress"]
    reason: str
    message: str
    app: str
    service: str
    data: dict[str, Any]


class Events(Model):
    """Events that are still kept."""

    items: list[EventBody]


class CoreDocuments(Model):
    """Secrets (values hidden) or ConfigMaps."""

    items: list[dict[str, Any]]


class DeletedDocument(Model):
    """A document that is forgotten."""

    kind: str
    name: str


class EngineBody(Model):
    """The engine that runs the containers."""

    kind: str
    version: str
    address: str
    details: dict[str, str]
    error: str | None = None
    """Why the engine does not answer."""


class VersionAnswer(Model):
    """What answers here."""

    version: str
    engine: EngineBody
    api_version: str
    install_id: str


class ProblemItem(Model):
    """One thing that is wrong with one document."""

    resource: str
    path: str
    message: str
    hint: str
    source: str
    line: int


class ProblemBody(Model):
    """What went wrong and what to do now (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    """One word, the same in conditions, events and logs."""
    hint: str
    """What to do now."""
    error: str
    message: str
    problems: list[ProblemItem] | None = None
