"""What callers send with the routes that do something: checked here, with all problems at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict, StringConstraints, WithJsonSchema

from iotistic.api.base import DnsLabel, Model

MOST_SECONDS = 300.0
"""Longest that a command inside a container may take."""


def _moment(text: str) -> str:
    """The same text, if it is a moment with its time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time zone is missing: end it with Z or +01:00")
    return text


Moment = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""RFC 3339, with its time zone."""
OneLine = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$",
    ),
]
"""A short text for people, without what would move their cursor or turn their line around."""
Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""What may be handed to a program."""


class Documents(Model):
    """Resources as they are written in files."""

    documents: list[dict[str, Any]]
    """App, Secret and ConfigMap documents."""


class MaybeDocuments(Model):
    """Resources as they are written in files, or none."""

    documents: list[dict[str, Any]] = Field(default_factory=list)
    """App, Secret and ConfigMap documents; none: what is wanted already."""


class AppReference(Model):
    """An App as the original's clients name it."""

    app_id: Annotated[int, Strict()] | Annotated[str, StringConstraints(min_length=1, max_length=63)]
    """Its number, or its name."""
    force: bool = False
    """Taken from the original's clients, and does nothing: a user's lock has to be taken away first."""


class RollbackBody(Model):
    """Which release to go back to."""

    release: str | None = None
    """One of the history; absent: the last good one that is not wanted now."""


class RetryBody(Model):
    """What to try again."""

    service: DnsLabel | None = None
    """Only this service; absent: the whole App, and its quarantined release."""


class LockBody(Model):
    """Holds back what would interrupt the App."""

    service: DnsLabel | None = None
    """Only this service; absent: the whole App."""
    reason: OneLine
    """Why; shown to whoever wonders."""
    owner: OneLine
    """Who; only the owner may change a lock, everybody may take it away."""
    until: Moment | None = None
    """When it ends by itself; absent: it is kept until it is taken away."""


class ExecBody(Model):
    """A command to run inside a container, without a shell."""

    command: list[Argument] = Field(min_length=1, max_length=1000)
    """Program and arguments."""
    timeout_seconds: float = Field(default=30.0, gt=0, le=MOST_SECONDS)
    """How long it may take."""
