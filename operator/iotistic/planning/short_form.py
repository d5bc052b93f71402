"""The short form of Apps, worlds and options in conformance cases, and of `iotctl plan --observed`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from iotistic.api.app import App, Network, Volume
from iotistic.api.appservice import RunState
from iotistic.api.base import Model
from iotistic.api.image import ImageRef, parse_image
from iotistic.api.service import Service
from iotistic.planning import values
from iotistic.planning.normal import describe, network_config, normalise, target_of, volume_config
from iotistic.planning.values import AppTarget, Health, Observed, Options, Status

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_NO_SERVICE = {"name": "none", "image": "none"}


class CaseError(ValueError):
    """What can't be read, and where."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place
        """As observed.containers[0].status; empty for the whole."""


def at(place: str, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `read` returns. Raises: CaseError with the place in front of what was wrong."""
    try:
        return read(*args, **kwargs)
    except CaseError as error:
        dot = "." if place and error.place and not error.place.startswith("[") else ""
        raise CaseError(error.message, f"{place}{dot}{error.place}") from None
    except ValueError as error:
        raise CaseError(str(error), place) from None


def validated(model: type[M], value: Any, drop: tuple[str, ...] = ()) -> M:
    """The value as a model.

    Args:
        model: what it should be.
        value: as read.
        drop: parts of a place that the short form does not have.

    Raises: CaseError with the first thing that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        parts = [part for part in first["loc"] if part not in drop]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
        raise CaseError(first["msg"].removeprefix("Value error, "), place.lstrip(".")) from None


def read_apps(apps: Sequence[Any]) -> list[AppTarget]:
    """Effective targets from the short form: the fields of App.spec beside the name, and `runState` in
    services.

    Raises: CaseError.
    """
    return [at(f"apps[{index}]", _target, app) for index, app in enumerate(apps)]


def read_observed(observed: Mapping[str, Any], apps: Sequence[AppTarget] = ()) -> Observed:
    """A world from the short form.

    Args:
        observed: containers, images, downloading, networks, volumes, locks; what is left out is empty.
        apps: Apps whose volumes say which mounts are no volumes of their own: a container's spec does not.

    Raises: CaseError.
    """
    return at("observed", _observed, observed, apps)


def read_options(options: Mapping[str, Any]) -> Options:
    """Options from the short form. Raises: CaseError."""
    return at("options", _options, options)


def _text(value: Any) -> Any:
    """YAML makes times and numbers of what is written without quotes."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class _Container(Model):
    id: Text = ""
    app: str = ""
    service: str = ""
    release: Text = ""
    status: Status = Status.RUNNING
    created: Text = ""
    health: Health = Health.NONE
    exit_code: int = 0
    name: str = ""
    image_digest: str = ""
    started: Text = ""
    finished: Text = ""
    restarts: int = 0
    oom_killed: bool = False
    error: str = ""
    address: str = ""
    ports: tuple[str, ...] = ()
    spec: dict[str, Any]


class _Image(Model):
    ref: str
    digest: str = ""


class _Thing(Model):
    app: str = ""
    name: str
    spec: dict[str, Any] = Field(default_factory=dict)


class _UserLock(Model):
    app: str
    service: str = ""
    reason: str = ""
    owner: str = ""
    until: Text = ""


class _Locks(Model):
    held: list[str] = Field(default_factory=list)
    user: list[_UserLock] = Field(default_factory=list)


class _World(Model):
    containers: list[_Container] = Field(default_factory=list)
    images: list[str | _Image] = Field(default_factory=list)
    downloading: list[str] = Field(default_factory=list)
    networks: list[_Thing] = Field(default_factory=list)
    volumes: list[_Thing] = Field(default_factory=list)
    locks: _Locks = _Locks()


class _Options(Model):
    keep_images: bool = False
    force: bool = False
    reclaim: bool = False
    purge: list[str] = Field(default_factory=list)
    hold: list[str] = Field(default_factory=list)
    keep: list[str] = Field(default_factory=list)
    backoff: list[str] = Field(default_factory=list)


def _target(short: Any) -> AppTarget:
    if not isinstance(short, Mapping):
        raise CaseError("an App is a mapping with name and services")
    services = list(short.get("services") or ())
    written = [at(f"services[{index}]", _without_run_state, one) for index, one in enumerate(services)]
    # everything left out is empty: of services too, which a resource must have
    spec = {k: v for k, v in short.items() if k != "name"} | {"services": written or [_NO_SERVICE]}
    app = validated(App, {"metadata": {"name": short.get("name")}, "spec": spec}, drop=("spec", "metadata"))
    states = {
        one["name"]: at(f"services[{index}].runState", RunState, one["runState"])
        for index, one in enumerate(services)
        if one.get("runState") is not None
    }
    release = "" if app.spec.release is None else str(app.spec.release)
    target = target_of(app, release=release, run_states=states)
    return target if services else replace(target, services=())


def _without_run_state(service: Any) -> dict[str, Any]:
    if not isinstance(service, Mapping):
        raise CaseError("a service is a mapping with name and image")
    return {key: value for key, value in service.items() if key != "runState"}


def _observed(observed: Mapping[str, Any], apps: Sequence[AppTarget]) -> Observed:
    world = validated(_World, observed)
    volumes = {app.name: {volume.name: volume for volume in app.app.spec.volumes} for app in apps if app.app}
    ids = _ids(world.containers)
    return Observed(
        containers=tuple(
            at(f"containers[{index}]", _container, one, ids[index], volumes.get(one.app, {}))
            for index, one in enumerate(world.containers)
        ),
        images=tuple(at(f"images[{index}]", _image, one) for index, one in enumerate(world.images)),
        downloading=frozenset(ref.full for ref in _refs("downloading", world.downloading)),
        networks=tuple(at(f"networks[{index}]", _network, one) for index, one in enumerate(world.networks)),
        volumes=tuple(at(f"volumes[{index}]", _volume, one) for index, one in enumerate(world.volumes)),
        held=frozenset(world.locks.held),
        user_locks=tuple(values.UserLock(**lock.model_dump()) for lock in world.locks.user),
    )


def _options(written: Mapping[str, Any]) -> Options:
    options = validated(_Options, written)
    return Options(
        keep_images=options.keep_images,
        force=options.force,
        reclaim=options.reclaim,
        purge=frozenset(options.purge),
        hold=frozenset(options.hold),
        keep=tuple(_refs("keep", options.keep)),
        backoff=frozenset(options.backoff),
    )


def _ids(containers: Sequence[_Container]) -> list[str]:
    """As written; where none is, one that no other has."""
    taken = {container.id for container in containers if container.id}
    ids = []
    for number, container in enumerate(containers, 1):
        id = container.id or f"c{number}"
        while not container.id and id in taken:
            id += "x"
        ids.append(id)
    return ids


def _container(container: _Container, id: str, volumes: Mapping[str, Volume]) -> values.Container:
    fields = {name: getattr(container, name) for name in _Container.model_fields}
    service = at("spec", written_service, container.spec)
    return values.Container(**fields | {"id": id, "spec": normalise(describe(service, volumes, {}))})


def written_service(spec: Mapping[str, Any]) -> Service:
    """A service as the short form writes a container's spec, where its name and run state don't matter.

    Raises: CaseError.
    """
    return validated(Service, _without_run_state(spec) | {"name": "any"})


def _image(image: str | _Image) -> values.Image:
    ref = parse_image(image if isinstance(image, str) else image.ref)
    digest = "" if isinstance(image, str) else image.digest
    return values.Image(ref=ref, digest=digest or ref.digest)


def _network(thing: _Thing) -> values.Network:
    config = network_config(at("spec", validated, Network, thing.spec | {"name": "any"}))
    return values.Network(app=thing.app, name=thing.name, config=config)


def _volume(thing: _Thing) -> values.Volume:
    config = volume_config(at("spec", validated, Volume, thing.spec | {"name": "any"}))
    return values.Volume(app=thing.app, name=thing.name, config=config)


def _refs(place: str, names: Sequence[str]) -> list[ImageRef]:
    return [at(f"{place}[{index}]", parse_image, name) for index, name in enumerate(names)]
