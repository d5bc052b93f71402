"""The world as a file: read whole, replaced whole, so that it survives the agent at any moment.

A container keeps the record of its service, as a Docker container's label does; its normal form is
made from it anew each time, by today's rules.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from iotistic.api.base import Model
from iotistic.api.errors import EngineError
from iotistic.api.image import parse_image
from iotistic.durable import write_durably
from iotistic.planning.normal import canonical_json, normalise_text
from iotistic.planning.values import Container, Health, Image, Network, Observed, Status, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is there."""

    observed: Observed = field(default_factory=Observed)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The record of each container's service, by container id."""
    made: int = 0
    """Containers made so far: the next id comes from it."""


class _Container(Model):
    id: str
    app: str = ""
    service: str = ""
    release: str = ""
    status: Status = Status.RUNNING
    created: str = ""
    health: Health = Health.NONE
    exit_code: int = 0
    name: str = ""
    image_digest: str = ""
    started: str = ""
    finished: str = ""
    restarts: int = 0
    oom_killed: bool = False
    error: str = ""
    address: str = ""
    ports: tuple[str, ...] = ()
    record: dict[str, Any]


class _Image(Model):
    ref: str
    digest: str = ""


class _Named(Model):
    app: str = ""
    name: str
    config: dict[str, Any] = {}


class _File(Model):
    version: Literal[1]
    made: int = 0
    containers: tuple[_Container, ...] = ()
    images: tuple[_Image, ...] = ()
    networks: tuple[_Named, ...] = ()
    volumes: tuple[_Named, ...] = ()


def read_world(path: Path) -> World:
    """The world in a file; an empty one when there is no file.

    Raises: EngineError naming the file and what is wrong in it.
    """
    try:
        return _world(_File.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        return World()
    except OSError as error:
        raise _unusable(path, error) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{where}: {first['msg']}" if where else first["msg"]) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"a record can't be read, {type(error).__name__}: {error}") from None


def write_world(path: Path, world: World) -> None:
    """Replace the file. Raises EngineError; then the file is as it was."""
    text = _file(world).model_dump_json(by_alias=True, exclude_defaults=True, indent=1)
    try:
        write_durably(path, text.encode() + b"\n", mode=0o644)
    except OSError as error:
        raise _unusable(path, error) from error


def change(path: Path, change: Callable[[World], World]) -> World:
    """Read, change and replace the world in one go: by hand (then the engine notices at its next look)
    as well as by the engine itself. Raises EngineError.

    Returns: the new world.
    """
    with alone(path):
        before = read_world(path)
        after = change(before)
        if after != before:
            write_world(path, after)
        return after


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One change at a time, also of several processes."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _world(file: _File) -> World:
    containers: list[Container] = []
    for row in file.containers:
        if any(container.id == row.id for container in containers):
            raise ValueError(f"two containers with id {row.id}")
        fields = {name: getattr(row, name) for name in _Container.model_fields if name != "record"}
        spec = normalise_text(json.dumps(row.record, sort_keys=True))
        containers.append(Container(spec=spec, **fields))
    return World(
        observed=Observed(
            containers=tuple(containers),
            images=tuple(Image(ref=parse_image(row.ref), digest=row.digest) for row in file.images),
            networks=tuple(
                Network(app=row.app, name=row.name, config=canonical_json(row.config))
                for row in file.networks
            ),
            volumes=tuple(
                Volume(app=row.app, name=row.name, config=canonical_json(row.config)) for row in file.volumes
            ),
        ),
        records={row.id: row.record for row in file.containers},
        made=file.made,
    )


def _file(world: World) -> _File:
    seen = world.observed
    names = [name for name in _Container.model_fields if name != "record"]
    return _File(
        version=1,
        made=world.made,
        containers=tuple(
            _Container(
                record=dict(world.records[container.id]),
                **{name: getattr(container, name) for name in names},
            )
            for container in seen.containers
        ),
        images=tuple(_Image(ref=image.ref.full, digest=image.digest) for image in seen.images),
        networks=tuple(_named(network) for network in seen.networks),
        volumes=tuple(_named(volume) for volume in seen.volumes),
    )


def _named(thing: Network | Volume) -> _Named:
    return _Named(app=thing.app, name=thing.name, config=json.loads(thing.config or "{}"))


def _damaged(path: Path, what: str) -> EngineError:
    return EngineError(
        f"{path} is no world of the simulated engine: {what}",
        hint=f"correct it, or remove it to begin with an empty world: rm {path}",
    )


def _unusable(path: Path, error: OSError) -> EngineError:
    return EngineError(
        f"the world of the simulated engine, {path}, can't be used: {error.strerror}",
        hint=f"let the agent's user write to {path.parent}, and look for free space there",
    )
