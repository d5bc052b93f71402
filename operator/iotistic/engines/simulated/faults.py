"""What goes wrong on request: a YAML or JSON file beside the world, or values from a test.

A service is named `shop/web`, or `web` for those of all Apps; names may hold `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from iotistic.api.base import Model
from iotistic.api.errors import EngineError
from iotistic.api.image import ImageRef


class SlowPull(Model):
    """Pulls that take long."""

    image: str = "*"
    """As people write it: `web:1`."""
    seconds: Annotated[float, Field(ge=0)]
    """Time that one takes."""


class FailingStart(Model):
    """Starts that fail."""

    service: str
    """Which."""
    message: str = "the simulated start failed"
    """What the engine says."""
    times: Annotated[int, Field(ge=1)] | None = None
    """So often for each service, then it starts; always when absent."""


class CrashLoop(Model):
    """Containers that end by themselves."""

    service: str
    """Which."""
    exit_code: int = 1
    """How they end."""
    after_seconds: Annotated[float, Field(ge=0)] = 1.0
    """How long they live."""


class Faults(Model):
    """All faults; none unless asked for."""

    slow_pull: list[SlowPull] = Field(default_factory=list)
    """Pulls that take long."""
    failing_start: list[FailingStart] = Field(default_factory=list)
    """Starts that fail."""
    unhealthy: list[str] = Field(default_factory=list)
    """Services whose probes fail."""
    crash_loop: list[CrashLoop] = Field(default_factory=list)
    """Containers that end by themselves."""
    no_space: bool = False
    """The disk is full: pulls fail until an image has been removed."""
    unreachable: bool = False
    """The engine does not answer."""

    def pull_seconds(self, image: ImageRef) -> float | None:
        """How long the pull of an image takes; None when nothing was asked for."""
        return next(
            (
                fault.seconds
                for fault in self.slow_pull
                if fnmatchcase(image.short, fault.image) or fnmatchcase(image.full, fault.image)
            ),
            None,
        )

    def start_failure(self, app: str, service: str, failed: int) -> str:
        """What a start says that fails, when so many have failed before; empty when it goes well."""
        return next(
            (
                fault.message
                for fault in self.failing_start
                if names(fault.service, app, service) and (fault.times is None or failed < fault.times)
            ),
            "",
        )

    def is_unhealthy(self, app: str, service: str) -> bool:
        """Whether a service's probes fail."""
        return any(names(pattern, app, service) for pattern in self.unhealthy)

    def crash(self, app: str, service: str) -> CrashLoop | None:
        """How a service's containers end by themselves; None when they don't."""
        return next((fault for fault in self.crash_loop if names(fault.service, app, service)), None)


def names(pattern: str, app: str, service: str) -> bool:
    """Whether a pattern means this service."""
    return fnmatchcase(f"{app}/{service}" if "/" in pattern else service, pattern)


def read_faults(path: Path) -> Faults:
    """The faults that a file asks for; none when there is no file.

    Raises: EngineError naming the file and what is wrong in it.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Faults()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    import yaml

    try:
        asked = yaml.safe_load(text)
        return Faults.model_validate({} if asked is None else asked)
    except yaml.YAMLError as error:
        raise _damaged(path, " ".join(str(error).split())) from None
    except ValidationError as error:
        raise _damaged(
            path, "; ".join(_problem(found) for found in error.errors(include_url=False))
        ) from None


def _problem(found: Mapping[str, object]) -> str:
    location = found["loc"]
    assert isinstance(location, tuple)
    return f"{'.'.join(str(part) for part in location)}: {found['msg']}".removeprefix(": ")


def _damaged(path: Path, what: str) -> EngineError:
    known = ", ".join(field.alias or name for name, field in Faults.model_fields.items())
    return EngineError(
        f"{path} asks for no faults of the simulated engine: {what}",
        hint=f"correct it or remove it; there are {known}",
    )
