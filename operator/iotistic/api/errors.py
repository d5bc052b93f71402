"""The one tree of exceptions; edges map their library's errors onto it at their door.

EdgeError
├── InvalidResourceError      bad input: every problem at once; never retried
├── NotFoundError             no such App, service, container
├── ConflictError             refused in the present state (held by a lock, taken by another)
├── LockedError               a second process has the data directory, or a user holds the App
├── StoreError                the database can't be read or written
│   └── StoreDamagedError         its file is damaged; a copy is kept, nothing is removed
└── EngineError               one step failed
    ├── EngineUnreachableError    retried without counting against the service
    ├── NoSpaceError              starts reclaiming (R16)
    ├── ImageNotFoundError        no such image, or no right to it
    └── RegistryError             the registry's answer, certificate or proxy
"""

from __future__ import annotations

from dataclasses import dataclass


class EdgeError(Exception):
    """Base of all; `reason` is the one word that conditions, logs and REST share."""

    reason = "Failed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to do now, in one sentence; empty when the message already says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one document."""

    resource: str
    """Kind and name, e.g. `App shop`."""
    path: str
    """Where in the document, e.g. `spec.services[1].image`; empty for the document as a whole."""
    message: str
    hint: str = ""
    source: str = ""
    """File the document came from, empty for REST bodies."""
    line: int = 0
    """Line in `source`, from 1; 0 when unknown."""

    def text(self) -> str:
        """One line, as a person reads it."""
        where = (
            f"{self.source}:{self.line}  "
            if self.source and self.line
            else f"{self.source}  "
            if self.source
            else ""
        )
        path = f"  {self.path}" if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.resource}{path}: {self.message}{hint}"


class InvalidResourceError(EdgeError):
    """Bad input. Nothing was changed."""

    reason = "Invalid"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(problem.text() for problem in problems))
        self.problems = problems


class NotFoundError(EdgeError):
    """The thing that was named does not exist."""

    reason = "NotFound"


class ConflictError(EdgeError):
    """Not possible in the present state."""

    reason = "Conflict"


class LockedError(EdgeError):
    """Somebody else holds what is needed."""

    reason = "Locked"


class StoreError(EdgeError):
    """The database can't be read or written."""

    reason = "StoreFailed"


class StoreDamagedError(StoreError):
    """The database's file is damaged. It stays as it is, and so does everything that runs."""

    reason = "StoreDamaged"


class EngineError(EdgeError):
    """A step failed on the engine."""

    reason = "EngineFailed"


class EngineUnreachableError(EngineError):
    """The engine does not answer; nothing is known about its containers."""

    reason = "EngineUnreachable"


class NoSpaceError(EngineError):
    """The engine's disk is full."""

    reason = "NoSpace"


class ImageNotFoundError(EngineError):
    """The registry has no such image, or does not show it to us."""

    reason = "ImageNotFound"


class RegistryError(EngineError):
    """The registry can't be used: certificate, proxy, login, network."""

    reason = "RegistryFailed"
