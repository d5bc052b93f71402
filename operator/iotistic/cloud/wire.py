"""Target state as the original's cloud writes it <-> App documents. Pure: no clock, no network, no disk.

Whatever JSON can say is read without an error. What has no counterpart here is a warning that names the
field, never a silent loss; the state itself stays with whoever called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.checks import check_app
from iotistic.api.image import parse_image
from iotistic.cloud.names import free_name, valid_name
from iotistic.cloud.notes import Notes
from iotistic.cloud.reading import CONFIG_FIELDS, AppParts, read_config
from iotistic.cloud.values import each, members, number_of, text_of, writable

ORIGINAL = "iotistic.io/original"
"""Annotation of an App that came from such a state: JSON with what its names were (`OriginalNames`)."""
_SERVICE = {"serviceId", "serviceName", "imageName", "state", "config"}
_OBSERVED = {"appId", "appName", "containerId", "status", "serviceStatus", "error"}
"""Fields of a service that say what is, not what should be: no loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalNames:
    """Names as the cloud writes them, by those here; where both are the same there is no entry."""

    app: str
    """The App's, always."""
    uuid: str = ""
    """The App's uuid, part of network names."""
    services: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Named volumes: the original's name is that of the engine's volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a target state means here."""

    apps: tuple[App, ...]
    """By number."""
    run_states: Mapping[str, Mapping[str, RunState]]
    """By App and service; only Stopped and Paused."""
    warnings: tuple[str, ...]
    """What is not taken over, each with its place."""


def read_target(state: Any, known: Mapping[int, str] | None = None) -> Wanted:
    """The Apps of a target state.

    Args:
        state: `{"apps": {...}}`, or that under the device's uuid. `config` is not about Apps: not read.
        known: names of Apps that are here already, by number: they keep theirs.
    """
    notes = Notes("")
    names = dict(known or {})
    apps: list[App] = []
    run_states: dict[str, dict[str, RunState]] = {}
    numbers: set[int] = set()
    for key, written in sorted(_apps_of(writable(state), notes), key=_number_first):
        title = text_of(written.get("appName")) or ""
        here = notes.of(f"App {key}" + (f" ({title})" if title else ""))
        number = number_of(written.get("appId")) or number_of(key)
        if number is None:
            here.at("appId").say("not taken over: expected a number from 1; it gets one here")
        elif number in numbers:
            here.at("appId").say("the App is not taken over: another one has this number")
            continue
        else:
            numbers.add(number)
        plain = valid_name(title, fallback=f"app-{number}" if number else "app", starts_with="app")
        taken = {*names.values(), *(app.name for app in apps)}
        name = names.get(number or 0) or free_name(plain, taken, number=number)
        app, states = _read_app(written, number, name, here)
        if app is not None:
            apps.append(app)
            run_states |= {name: states} if states else {}
    _warn_of_shared_volumes(apps, notes)
    return Wanted(apps=tuple(apps), run_states=run_states, warnings=tuple(notes.warnings))


def original_names(app: App) -> OriginalNames:
    """What the names of an App are in the cloud; those of one that never was there are its own."""
    try:
        kept = json.loads(app.metadata.annotations.get(ORIGINAL, "{}"))
    except ValueError:
        kept = {}
    kept = kept if isinstance(kept, dict) else {}

    def texts(key: str) -> dict[str, str]:
        given = kept.get(key)
        pairs = given.items() if isinstance(given, dict) else ()
        return {name: written for name, written in pairs if isinstance(written, str)}

    return OriginalNames(
        app=text_of(kept.get("app")) or app.name,
        uuid=text_of(kept.get("uuid")) or "",
        services=texts("services"),
        networks=texts("networks"),
        volumes=texts("volumes"),
    )


def _apps_of(state: Any, notes: Notes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Key and content of each App: of an object by number, or of a list."""
    if isinstance(state, Mapping) and "apps" not in state and len(state) == 1:
        state = next(iter(state.values()))
    apps = state.get("apps") if isinstance(state, Mapping) else None
    if apps is None:
        notes.at("apps").say("there are none: expected an object with Apps by number")
        return
    found: list[tuple[str, Any]]
    if isinstance(apps, list):
        found = [(text_of(_field(one, "appId")) or f"[{n}]", one) for n, one in enumerate(apps)]
    else:
        found = members(apps, notes.at("apps"))
    for key, app in found:
        if isinstance(app, Mapping):
            yield key, app
        else:
            notes.of(f"App {key}").say("not taken over: expected an object")


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _number_first(item: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    key, app = item
    return number_of(app.get("appId")) or number_of(key) or 2**63, key


def _read_app(
    written: Mapping[str, Any], number: int | None, name: str, notes: Notes
) -> tuple[App | None, dict[str, RunState]]:
    """The App and the run states of its services; None, with a warning, when there is nothing to run."""
    for key in written.keys() - {"appId", "appName", "appUuid", "services"}:
        notes.at(str(key)).say("not taken over: nothing here does that")
    parts = AppParts()
    services: list[dict[str, Any]] = []
    titles: dict[str, str] = {}
    states: dict[str, RunState] = {}
    for place, one in each(written.get("services") or [], notes.at("services")):
        if not isinstance(one, Mapping):
            place.say("not taken over: expected an object")
            continue
        title = text_of(one.get("serviceName")) or ""
        here = notes.of(f"{notes.title}, service {title or len(services) + 1}")
        service = _read_service(one, {other.get("serviceId") for other in services}, parts, here)
        if service is None:
            continue
        number_here = service.get("serviceId")
        plain = valid_name(title, fallback=f"service-{number_here}" if number_here else "service")
        service["name"] = free_name(plain, titles, number=number_here)
        titles[service["name"]] = title
        state = _run_state(one.get("state"), here.at("state"))
        if state is not RunState.RUNNING:
            states[service["name"]] = state
        services.append(service)
    if not services:
        notes.at("services").say("the App is not taken over: no service of it can run")
        return None, {}
    spec = {"services": services, "networks": _networks(parts), "volumes": _volumes(parts)}
    document = {
        "metadata": {"name": name, "annotations": {ORIGINAL: _names_text(written, titles, parts)}},
        "spec": {
            **({"appId": number} if number else {}),
            **{key: part for key, part in spec.items() if part},
        },
    }
    return _checked(document, notes), states


def _read_service(
    written: Mapping[str, Any], taken: set[Any], parts: AppParts, notes: Notes
) -> dict[str, Any] | None:
    """The fields of a Service without its name; None, with a warning, when no image is named."""
    config = dict(members(written.get("config") or {}, notes.at("config")))
    flat = {key: value for key, value in written.items() if key in CONFIG_FIELDS and key not in config}
    for key in written.keys() - flat.keys() - _SERVICE - _OBSERVED - CONFIG_FIELDS:
        notes.at(str(key)).say("not taken over: nothing here does that")
    image = text_of(config.get("image") or flat.get("image") or written.get("imageName")) or ""
    try:
        parse_image(image)
    except ValueError as error:
        notes.at("config").at("image").say(f"the service is not taken over: {error}")
        return None
    service: dict[str, Any] = {"image": image}
    number = number_of(written.get("serviceId"))
    if number is None or number in taken:
        notes.at("serviceId").say("not taken over: expected a number of its own, from 1; it gets one here")
    else:
        service["serviceId"] = number
    return service | read_config(flat | config, parts, notes.at("config"))


def _run_state(written: Any, notes: Notes) -> RunState:
    if written in (None, "running", ""):
        return RunState.RUNNING
    if written in ("stopped", "paused"):
        return RunState(written.title())
    notes.say("not taken over: expected running, stopped or paused; it is running now")
    return RunState.RUNNING


def _networks(parts: AppParts) -> list[dict[str, Any]]:
    return [{"name": here} for here in parts.networks.here.values() if here != "default"]


def _volumes(parts: AppParts) -> list[dict[str, Any]]:
    return [
        {"name": here, **({"hostPath": {"path": written}} if written.startswith("/") else {})}
        for written, here in parts.volumes.here.items()
    ]


def _names_text(written: Mapping[str, Any], titles: Mapping[str, str], parts: AppParts) -> str:
    kept: dict[str, Any] = {
        "app": text_of(written.get("appName")),
        "uuid": text_of(written.get("appUuid")),
        "services": {here: title for here, title in titles.items() if title and here != title},
        "networks": parts.networks.changed,
        "volumes": {h: name for h, name in parts.volumes.changed.items() if not name.startswith("/")},
    }
    return json.dumps({key: value for key, value in kept.items() if value}, sort_keys=True)


def _checked(document: Mapping[str, Any], notes: Notes) -> App | None:
    """The App; what its fields mean together is told, but does not keep out what runs already."""
    try:
        app = App.model_validate(document)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_context=False, include_url=False):
            where = ".".join(str(part) for part in detail["loc"])
            notes.say(f"the App is not taken over: {where}: {detail['msg']}")
        return None
    for finding in check_app(app.wire()):
        notes.say(f"as App {app.name}, {finding.path}: {finding.message}")
    return app


def _warn_of_shared_volumes(apps: Sequence[App], notes: Notes) -> None:
    """An original has one volume for all Apps that write the same name; here only those share it that ran."""
    users: dict[str, list[str]] = {}
    for app in apps:
        names = original_names(app).volumes
        for volume in app.spec.volumes:
            if volume.named:
                users.setdefault(names.get(volume.name, volume.name), []).append(app.name)
    for written, sharing in users.items():
        if len(sharing) > 1:
            notes.say(
                f"volume {written} was one for the Apps {', '.join(sharing)}; later Apps have their own"
            )
