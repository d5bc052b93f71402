"""What an original agent has made and this install has taken over.

The engine can't change labels, so what these would carry is kept beside them and laid over whatever the
engine shows: to everything else they look as if they had been made here. Their names stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from iotistic.api.errors import StoreError
from iotistic.engines.docker.labels import (
    PREFIX,
    SPEC,
    Owner,
    network_name,
    owner_of,
    read_spec,
    volume_name,
)
from iotistic.planning.originals import AdoptedThing, Kind

BRIDGE = "bridge"
"""The engine's own network: an original's containers are on it, and join their App's later, if at all."""
NAMES = PREFIX + "names"
"""Beside an adopted network: names of the containers that were on it, by service (JSON). Others reach them by
these, so that who comes after them is called so as well."""
NOT_OWN = PREFIX + "not-own"
"""Beside an adopted volume whose data never goes with the App."""
Seen = Mapping[str, Any]
"""An object as the engine shows it."""
Value = TypeVar("Value")


class Adoption:
    """Adopted things of one install; any thread may ask."""

    def __init__(self, install: str) -> None:
        self._install = install
        self._things: tuple[AdoptedThing, ...] = ()
        self._forget: Callable[[AdoptedThing], None] = lambda _: None

    def know(self, things: Iterable[AdoptedThing], forget: Callable[[AdoptedThing], None]) -> None:
        """Say what there is; `forget` keeps for good that one is gone."""
        self._things = tuple(things)
        self._forget = forget

    def forget(self, thing: AdoptedThing) -> None:
        """It is gone, or not this install's any more. Raises StoreError."""
        self._forget(thing)
        self._things = tuple(one for one in self._things if one is not thing)

    def forget_gone(self, containers: Collection[str]) -> None:
        """Of containers only these are there. Where that can't be kept now, it is tried at the next look."""
        for thing in self._of(Kind.CONTAINER):
            if thing.id not in containers:
                with suppress(StoreError):
                    self.forget(thing)

    def ids(self, kind: Kind) -> list[str]:
        """Ids of containers, names of networks or volumes."""
        return sorted({thing.id for thing in self._things if thing.kind is kind})

    def thing(self, kind: Kind, app: str, name: str) -> AdoptedThing | None:
        """The adopted network or volume that an App calls so."""
        return next((one for one in self._of(kind) if (one.app, one.name) == (app, name)), None)

    def owner(self, id: str, labels: Mapping[str, str] | None) -> Owner | None:
        """Whose a container is, by its labels or by what is kept beside it; None for a foreign one."""
        return owner_of(self._labels(id, labels), self._install)

    def rows(self, kind: Kind, listed: Iterable[Seen]) -> list[dict[str, Any]]:
        """The adopted ones of a list of the engine, as if they had been made here: one for each App that
        has it."""
        key = "Id" if kind is Kind.CONTAINER else "Name"
        rows = []
        for row in listed:
            if owner_of(row.get("Labels"), self._install) is not None:
                continue
            for thing in self._of(kind):
                if thing.id == row[key]:
                    name = {"Name": network_name(thing.app, thing.name)} if kind is Kind.NETWORK else {}
                    rows.append({**row, **name, "Labels": {**(row.get("Labels") or {}), **thing.labels}})
        return rows

    def as_ours(self, seen: Seen) -> Seen:
        """A container as it would look if it, and the networks it is on, had been made here."""
        labels = self._labels(seen["Id"], seen["Config"].get("Labels"))
        networks = self._renamed(seen["NetworkSettings"].get("Networks") or {})
        if labels is not seen["Config"].get("Labels"):
            owner = owner_of(labels, self._install)
            record = read_spec(labels.get(SPEC))
            if owner is not None and record is not None:
                networks |= _joined(owner, record, networks)
        return {
            **seen,
            "Config": {**seen["Config"], "Labels": labels},
            "NetworkSettings": {**seen["NetworkSettings"], "Networks": networks},
        }

    def volume_name(self, app: str, name: str) -> str:
        """What a volume of an App is called on the engine."""
        thing = self.thing(Kind.VOLUME, app, name)
        return thing.id if thing else volume_name(app, name)

    def network_name(self, app: str, name: str) -> str:
        """What a network of an App is called on the engine."""
        thing = self.thing(Kind.NETWORK, app, name)
        return thing.id if thing else network_name(app, name)

    def container_name(self, app: str, service: str) -> str:
        """What a service's container has been called since before; empty: as any other."""
        for thing in self._of(Kind.NETWORK):
            if thing.app == app and NAMES in thing.labels:
                return str(json.loads(thing.labels[NAMES]).get(service, ""))
        return ""

    def networks_of(self, app: str, names: Collection[str]) -> list[str]:
        """Those of these networks, by their names on the engine, that are the App's."""
        adopted = {thing.id for thing in self._of(Kind.NETWORK) if thing.app == app}
        return [name for name in names if name in adopted or name.startswith(network_name(app, ""))]

    def on_engine(self, networks: Mapping[str, Value]) -> dict[str, Value]:
        """The same under the names that the networks have on the engine."""
        names = {network_name(one.app, one.name): one.id for one in self._of(Kind.NETWORK)}
        return {names.get(name, name): value for name, value in networks.items()}

    def placed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of `POST /containers/create` with the networks' names on the engine."""
        host = body["HostConfig"]
        mode = next(iter(self.on_engine({host["NetworkMode"]: None})))
        content = {**body, "HostConfig": {**host, "NetworkMode": mode}}
        if "NetworkingConfig" in body:
            configs = self.on_engine(body["NetworkingConfig"]["EndpointsConfig"])
            content["NetworkingConfig"] = {"EndpointsConfig": configs}
        return content

    def is_own(self, thing: AdoptedThing, labels: Mapping[str, str] | None) -> bool:
        """Whether a volume is one App's alone and nobody's else: then its data may go with the App."""
        users = [one for one in self._of(thing.kind) if one.id == thing.id]
        alone = len(users) == 1 and NOT_OWN not in thing.labels
        return alone and (not labels or owner_of(labels, self._install) is not None)

    def _of(self, kind: Kind) -> list[AdoptedThing]:
        return [thing for thing in self._things if thing.kind is kind]

    def _labels(self, id: str, labels: Mapping[str, str] | None) -> Mapping[str, str]:
        thing = next((one for one in self._of(Kind.CONTAINER) if one.id == id), None)
        return {**(labels or {}), **thing.labels} if thing else labels or {}

    def _renamed(self, networks: Mapping[str, Any]) -> dict[str, Any]:
        names = {one.id: network_name(one.app, one.name) for one in self._of(Kind.NETWORK)}
        return {names.get(name, name): endpoint for name, endpoint in networks.items()}


def _joined(owner: Owner, record: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
    """The networks of an adopted container as it would be on them: an original joins late and without names,
    and leaves a container on the engine's bridge where it can't. What it made runs on as it is."""
    found = {}
    for name, attachment in (record.get("networks") or {"default": {}}).items():
        key = network_name(owner.app, name)
        endpoint = networks.get(key) or networks.get(BRIDGE)
        if endpoint is not None and not record.get("networkMode"):
            aliases = [owner.name, *((attachment or {}).get("aliases") or ())]
            found[key] = {**endpoint, "Aliases": aliases, "NetworkID": ""}
    return found
