"""Looks at the engine, and only at what has changed since the last look.

Events and our own steps say what has changed. While nobody listens to events, everything may have.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import docker.errors

from iotistic.api.image import parse_image
from iotistic.engines.docker.adoption import Adoption
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.images import Held, find, foreign_containers, held, ids_of, observed_images
from iotistic.engines.docker.labels import SPEC, Owner, ours_filter, owner_of, read_spec
from iotistic.engines.docker.observe import Surroundings, container_of
from iotistic.planning.normal import network_config, volume_config
from iotistic.planning.originals import Kind
from iotistic.planning.values import Container, Image, Network, Observed, Volume


@dataclass(slots=True)
class _Stale:
    """What has to be looked at again."""

    all: bool = True
    containers: set[str] = field(default_factory=set)
    networks: bool = False
    volumes: bool = False
    images: bool = False
    foreign: bool = False


@dataclass(slots=True)
class _Seen:
    """What the last looks have found."""

    containers: dict[str, Container] = field(default_factory=dict)
    image_ids: dict[str, str] = field(default_factory=dict)
    """Image of each of our containers, by container id."""
    networks: tuple[Network, ...] = ()
    network_ids: dict[str, str] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    held: list[Held] = field(default_factory=list)
    images: tuple[Image, ...] = ()
    foreign: list[Container] = field(default_factory=list)


class Observer:
    """The observed world of one install."""

    def __init__(self, client: Client, install: str) -> None:
        self._client = client
        self._install = install
        self.adoption = Adoption(install)
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._stale = _Stale()
        self._seen = _Seen()
        self.listening = False
        """Whether events tell what changes."""
        self.taking_over: set[str] = set()
        """Ids of containers that a hand-over under way has made and that do not serve yet."""

    async def look(self, images: frozenset[str], *, full: bool) -> Observed:
        """The world now. Raises EngineError; then the next look is at everything."""
        if full or not self.listening:
            self.mark(everything=True)
        return await self._client.ask("Docker engine", lambda api: self._look(api, images))

    def mark(
        self,
        *,
        container: str = "",
        networks: bool = False,
        volumes: bool = False,
        images: bool = False,
        foreign: bool = False,
        everything: bool = False,
    ) -> None:
        """Something has changed: look at it again."""
        with self._lock:
            stale = self._stale
            stale.all = stale.all or everything
            stale.networks = stale.networks or networks
            stale.volumes = stale.volumes or volumes
            stale.images = stale.images or images
            stale.foreign = stale.foreign or foreign
            if container:
                stale.containers.add(container)

    def knows(self, container: str) -> bool:
        """Whether a container of ours had that id at the last look."""
        return container in self._seen.containers

    def knows_network(self, id: str) -> bool:
        """Whether a network of ours had that id at the last look."""
        return id in self._seen.network_ids.values()

    def image(self, text: str) -> Held | None:
        """The image that a name meant here at the last look."""
        return find(self._seen.held, parse_image(text))

    def _look(self, api: Any, images: frozenset[str]) -> Observed:
        with self._looking:  # the thread of a look that was cancelled may still be at it
            with self._lock:
                stale, self._stale = self._stale, _Stale(all=False)
            try:
                return self._update(api, images, stale)
            except BaseException:
                self.mark(everything=True)
                raise

    def _update(self, api: Any, images: frozenset[str], stale: _Stale) -> Observed:
        seen = self._seen
        if stale.all or stale.networks:
            rows = api.networks(filters=ours_filter(self._install))
            if names := self.adoption.ids(Kind.NETWORK):
                rows += self.adoption.rows(Kind.NETWORK, api.networks(names=names))
            seen.networks = tuple(_networks(rows, self._install))
            seen.network_ids = {row["Name"]: row["Id"] for row in rows}
        if stale.all or stale.volumes:
            rows = api.volumes(filters=ours_filter(self._install)).get("Volumes") or []
            if names := self.adoption.ids(Kind.VOLUME):
                listed = api.volumes(filters={"name": names}).get("Volumes") or []
                rows += self.adoption.rows(Kind.VOLUME, listed)
            seen.volumes = tuple(_volumes(rows, self._install))
        if stale.all or stale.images:
            seen.held = held(api.images())
        rows = api.containers(all=True, filters=ours_filter(self._install))
        if ids := self.adoption.ids(Kind.CONTAINER):
            listed = api.containers(all=True, filters={"id": ids})
            rows += self.adoption.rows(Kind.CONTAINER, listed)
            self.adoption.forget_gone({row["Id"] for row in listed})
        self._update_containers(api, rows, stale)
        before = seen.images
        wanted = {parse_image(name) for name in images}
        wanted |= {container.spec.image for container in seen.containers.values()}
        seen.images = observed_images(seen.held, wanted, set(seen.image_ids.values()))
        if stale.all or stale.images or stale.foreign or seen.images != before:
            self._update_foreign(api)
        ours = sorted(seen.containers.values(), key=lambda one: (one.created, one.id))
        return Observed(
            containers=(*ours, *seen.foreign),
            images=seen.images,
            networks=seen.networks,
            volumes=seen.volumes,
        )

    def _update_containers(self, api: Any, rows: Sequence[Mapping[str, Any]], stale: _Stale) -> None:
        seen = self._seen
        there = {row["Id"]: owner for row in rows if (owner := owner_of(row["Labels"], self._install))}
        counts = Counter(there.values())
        gone = [id for id in seen.containers if id not in there]
        left_alone = {Owner(app=c.app, name=c.service) for c in (seen.containers[id] for id in gone)}
        for id in gone:
            del seen.containers[id]
            seen.image_ids.pop(id, None)
        around = Surroundings(
            install=self._install,
            facts=self._client.known_facts(),
            network_ids=seen.network_ids,
            digests={image.id: image.digest for image in seen.held},
            taking_over=frozenset(self.taking_over),
        )
        states = {row["Id"]: row["State"] for row in rows}
        for id, owner in there.items():
            known = seen.containers.get(id)
            if (
                known is None
                or stale.all
                or stale.images  # an image's digest may be another one now
                or stale.networks  # and a network's id
                or id in stale.containers
                or owner in left_alone
                or known.status != states[id]
            ):
                self._inspect(api, id, around, alone=counts[owner] == 1)

    def _inspect(self, api: Any, id: str, around: Surroundings, *, alone: bool) -> None:
        seen = self._seen
        try:
            inspected = api.inspect_container(id)
        except docker.errors.NotFound:
            inspected = None
        ours = self.adoption.as_ours(inspected) if inspected else None
        container = container_of(ours, around, alone=alone) if ours else None
        if inspected is None or container is None:
            seen.containers.pop(id, None)
            seen.image_ids.pop(id, None)
            return
        seen.containers[id] = container
        seen.image_ids[id] = inspected["Image"]

    def _update_foreign(self, api: Any) -> None:
        """Who else uses our images: an engine may run hundreds of containers that don't."""
        seen = self._seen
        known = ids_of(seen.held, seen.images)
        rows = api.containers(all=True, filters={"ancestor": sorted(known)}) if known else []
        seen.foreign = foreign_containers(rows, seen.containers, known)


def _networks(rows: Iterable[Mapping[str, Any]], install: str) -> Iterable[Network]:
    for row in rows:
        owner = owner_of(row.get("Labels"), install)
        if owner is not None:
            shown = {k: row.get(v) for k, v in _NETWORK_FIELDS.items()}
            yield Network(
                app=owner.app, name=owner.name, config=_config(network_config, row["Labels"], shown)
            )


def _volumes(rows: Iterable[Mapping[str, Any]], install: str) -> Iterable[Volume]:
    for row in rows:
        owner = owner_of(row.get("Labels"), install)
        if owner is not None:
            shown = {k: row.get(v) for k, v in _VOLUME_FIELDS.items()}
            yield Volume(app=owner.app, name=owner.name, config=_config(volume_config, row["Labels"], shown))


_NETWORK_FIELDS = {"driver": "Driver", "driverOpts": "Options", "internal": "Internal"}
_VOLUME_FIELDS = {"driver": "Driver", "driverOpts": "Options"}


def _config(normalise: Any, labels: Mapping[str, str], shown: Mapping[str, Any]) -> str:
    """The definition in a label; what the engine shows where that can't be read."""
    try:
        record = read_spec(labels.get(SPEC))
        if record is not None:
            return str(normalise(record))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return str(normalise({key: value for key, value in shown.items() if value}))
