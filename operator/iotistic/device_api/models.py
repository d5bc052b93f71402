"""What the Device API answers, beside resources: for OpenAPI, and for the names on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from iotistic.api.app import App
from iotistic.api.appservice import AppService
from iotistic.api.base import Model


class Answer(Model):
    """Base of all: what describes the API need not be built before somebody asks."""

    model_config = ConfigDict(defer_build=True)


class AppliedDocument(Answer):
    """What became of one document."""

    kind: str
    name: str
    result: Literal["created", "configured", "unchanged"]
    release: str
    """Of an App: the release that is wanted now."""
    generation: int


class ApplyAnswer(Answer):
    """What became of all documents: all were taken."""

    applied: list[AppliedDocument]
    warnings: list[str]


class PlannedStep(Answer):
    """One step of a plan."""

    action: str
    subject: str
    app: str = ""
    service: str = ""
    cause: str = ""
    """The difference that made it."""
    changes: Any = None


class PlanAnswer(Answer):
    """What applying would do."""

    text: str
    """As people read it."""
    rounds: list[list[PlannedStep]]
    converged: bool
    """False: the rounds end in waiting for something."""
    warnings: list[str]
    stalled: dict[str, str]
    """Apps that can't go on, and why."""


class Apps(Answer):
    """All Apps."""

    items: list[App]


class AppServices(Answer):
    """Services with their status."""

    items: list[AppService]


class Volume(Answer):
    """One volume of an App on the engine."""

    app: str
    name: str
    kept: bool
    """Its App is gone; it stayed with what is in it. DELETE of that App with `purge=true` removes it."""


class Volumes(Answer):
    """Volumes of Apps, those of deleted ones too."""

    items: list[Volume]


class OriginalService(Answer):
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


class DeleteAnswer(Answer):
    """The App is going."""

    name: str
    purge: bool
    """Its volumes go too."""


class AppAction(Answer):
    """What was asked of all services of an App."""

    app: str
    services: list[str]
    status: Literal["started", "stopped", "restarting"]
    container_id: str
    """Container of the first service."""
    waits: str = ""
    """The user's lock that this waits for, and how to take it away; empty when it waits for none."""


class ServiceAction(Answer):
    """What was asked of one service."""

    app: str
    service: str
    status: Literal["started", "stopped", "restarting", "paused", "unpaused"]
    waits: str = ""
    """As in AppAction."""


class Line(Answer):
    """One line of a log; stream `error`: it ended early, and why."""

    service: str
    time: str
    stream: Literal["stdout", "stderr", "error"]
    text: str


class EventBody(Answer):
    """One thing that happened."""

    seq: int
    time: str
    type: Literal["Normal", "Warning", "Progress"]
    reason: str
    message: str
    app: str
    service: str
    data: dict[str, Any]


class Events(Answer):
    """Events that are still kept."""

    items: list[EventBody]


class CoreDocuments(Answer):
    """Secrets (values hidden) or ConfigMaps."""

    items: list[dict[str, Any]]


class DeletedDocument(Answer):
    """A document that is forgotten."""

    kind: str
    name: str


class RevisionBody(Answer):
    """One release of an App that is remembered."""

    release: str
    digest: str
    created: str
    """When it was wanted first."""
    state: str
    """serving, updating, failed, good, quarantined or superseded."""
    why: str
    """Of a quarantined one: what was wrong with it."""
    images: list[str]


class History(Answer):
    """Remembered releases, newest first."""

    items: list[RevisionBody]


class ExplanationBody(Answer):
    """Why an App is not as it should be, and what helps."""

    app: str
    state: str
    sentence: str
    since: str
    commands: list[str]
    """What to type to clear it."""


class RetryAnswer(Answer):
    """It is tried again now."""

    app: str
    service: str
    """Empty: all of the App."""
    status: Literal["retrying"]


class LockAnswer(Answer):
    """A user's lock was set or taken away."""

    app: str
    service: str
    """Empty: the whole App."""
    status: Literal["locked", "unlocked"]


class ExecAnswer(Answer):
    """What the command did."""

    app: str
    service: str
    exit_code: int
    output: str
    """Standard output and error, at most 4 kB."""


class UsageBody(Answer):
    """What one running container uses now."""

    app: str
    service: str
    cpu_percent: float
    """Of one core."""
    memory_bytes: int
    memory_limit_bytes: int
    """0: none."""


class UsageAnswer(Answer):
    """What containers of ours use now."""

    items: list[UsageBody]


class ImageBody(Answer):
    """One image of ours."""

    ref: str
    digest: str
    size_bytes: int
    users: list[str]
    """`app/service` of those that use it; none: nothing needs it."""


class Images(Answer):
    """Images of ours."""

    items: list[ImageBody]


class PrunedImages(Answer):
    """What went."""

    removed: list[str]


class LoadedImages(Answer):
    """What the archive held."""

    loaded: list[str]


class ProblemItem(Answer):
    """One thing that is wrong with one document."""

    resource: str
    path: str
    message: str
    hint: str
    source: str
    line: int


class ProblemBody(Answer):
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
