"""Finds what an original agent has made on the engine. Only looks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import docker.errors

from iotistic.engines.docker.adoption import NAMES, NOT_OWN
from iotistic.engines.docker.adoption_record import record_of
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.labels import INSTALL, service_labels, thing_labels
from iotistic.planning.originals import AdoptedThing, Kind, OriginalApp
from iotistic.planning.values import ServiceTarget


async def find_originals(
    client: Client, install: str, apps: Sequence[OriginalApp]
) -> tuple[AdoptedThing, ...]:
    """Containers, networks and volumes of these Apps. Raises EngineError."""

    def look(api: Any) -> tuple[AdoptedThing, ...]:
        rows = [row for row in api.containers(all=True) if INSTALL not in (row.get("Labels") or {})]
        networks = api.networks()
        volumes = {row["Name"] for row in api.volumes().get("Volumes") or ()}
        found: list[AdoptedThing] = []
        for app in apps:
            found += _containers(api, install, app, rows)
            made = {row["Name"] for row in networks if app.made.items() <= (row.get("Labels") or {}).items()}
            joined = {
                name: next((one for one in names if one in made), "") for name, names in app.networks.items()
            }
            names = {NAMES: json.dumps(_names(app, rows), sort_keys=True)}
            found += [
                replace(thing, labels={**thing.labels, **names})
                for thing in _things(install, app, Kind.NETWORK, joined, app.target.networks)
            ]
            kept = {name: one for name, one in app.volumes.items() if one in volumes}
            found += _not_own(
                _things(install, app, Kind.VOLUME, kept, app.target.volumes), _mounted(app, rows)
            )
        return tuple(found)

    return await client.ask("Docker engine", look)


def _containers(
    api: Any, install: str, app: OriginalApp, rows: Sequence[Mapping[str, Any]]
) -> Iterator[AdoptedThing]:
    for service in app.target.services:
        for row in _rows_of(app, service.name, rows):
            with contextlib.suppress(docker.errors.NotFound):  # it went while we looked
                seen = api.inspect_container(row["Id"])
                labels = service_labels(
                    app=app.target.name,
                    service=service.name,
                    install=install,
                    release=app.target.release,
                    record=_record(api, seen, service, app),
                    users={},
                )
                yield AdoptedThing(
                    kind=Kind.CONTAINER, id=seen["Id"], app=app.target.name, name=service.name, labels=labels
                )


def _record(api: Any, seen: Mapping[str, Any], service: ServiceTarget, app: OriginalApp) -> Mapping[str, Any]:
    """What a container is; of one that can't be understood nothing, which is like no target."""
    assert app.target.app is not None, "an App that was read has its document"
    try:
        return record_of(seen, _image(api, seen["Image"]), service, app.target.app, app.volumes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _things(
    install: str, app: OriginalApp, kind: Kind, found: Mapping[str, str], configs: Mapping[str, str]
) -> Iterator[AdoptedThing]:
    """They count as they are wanted now: an original made them without any options."""
    for name, id in found.items():
        if id:
            record = json.loads(configs.get(name) or "{}")
            labels = thing_labels(app=app.target.name, name=name, install=install, record=record, users={})
            yield AdoptedThing(kind=kind, id=id, app=app.target.name, name=name, labels=labels)


def _rows_of(app: OriginalApp, service: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The containers of a service."""
    wanted = app.services.get(service) or {}
    return [row for row in rows if wanted and wanted.items() <= (row.get("Labels") or {}).items()]


def _names(app: OriginalApp, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Names of the App's containers, by service."""
    return {
        service: str(name).removeprefix("/")
        for service in app.services
        for row in _rows_of(app, service, rows)
        for name in row.get("Names") or ()
        if name.count("/") == 1  # the others are links
    }


def _mounted(app: OriginalApp, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Volumes that the App's containers have mounted."""
    own = [row for service in app.services for row in _rows_of(app, service, rows)]
    return {mount.get("Name") or "" for row in own for mount in row.get("Mounts") or ()}


def _not_own(things: Iterator[AdoptedThing], mounted: Collection[str]) -> Iterator[AdoptedThing]:
    """Those of a fitting name that nothing of the App has ever had are used, and never removed."""
    for thing in things:
        yield thing if thing.id in mounted else replace(thing, labels={**thing.labels, NOT_OWN: "true"})


def _image(api: Any, id: str) -> Mapping[str, Any]:
    try:
        config: Mapping[str, Any] = api.inspect_image(id).get("Config") or {}
    except docker.errors.NotFound:
        return {}
    return config
