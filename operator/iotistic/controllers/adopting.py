"""Taking over what an original agent left: its target in the same database, and what it made on the engine.
Once, and without touching either: containers run on, and are this agent's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import structlog

from iotistic.api.app import App
from iotistic.api.errors import EngineError
from iotistic.cloud.names import (
    APP_ID,
    MANAGED,
    SERVICE_ID,
    original_network_names,
    original_volume_name,
)
from iotistic.cloud.wire import original_names, read_target
from iotistic.controllers.clock import now_text
from iotistic.controllers.desired import Desired
from iotistic.planning.originals import AdoptedThing, OriginalApp
from iotistic.store.base import AppRecord, Original, Store

RETRY_SECONDS = 2.0
"""Between two tries while the engine does not answer."""
log = structlog.get_logger()


@runtime_checkable
class TakesOver(Protocol):
    """An engine on which an original may have made something."""

    def know_adopted(self, things: Iterable[AdoptedThing], forget: Callable[[AdoptedThing], None]) -> None:
        """Say what is taken over; `forget` keeps for good that one is gone."""
        ...

    async def find_originals(self, apps: Sequence[OriginalApp]) -> tuple[AdoptedThing, ...]:
        """What an original has made for these Apps. Changes nothing. Raises EngineError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was taken over."""

    identity: Mapping[str, Any] = field(repr=False)
    """Who the device is to the cloud (`Original.identity`); holds keys and passwords."""
    apps: tuple[App, ...]
    """The Apps that are in the target now."""
    things: tuple[AdoptedThing, ...] = ()
    """Containers, networks and volumes of these Apps."""
    queue_rows: int
    """Reports that wait for the cloud, in the original's table."""
    warnings: tuple[str, ...]
    """What could not be taken over, each with its place; without values."""


def adopt(store: Store, desired: Desired) -> Adopted | None:
    """Make the original's target this device's. None: there is nothing of an original, or it was done.

    Apps that are here already stay as they are. A cut at any moment is made good by calling it again. Blocks
    on the disk. Raises: StoreError.
    """
    found = _proposed(store, desired)
    return _taken(store, desired, *found, things=()) if found else None


async def adopt_with_engine(store: Store, desired: Desired, engine: object) -> Adopted | None:
    """As `adopt`, with what runs: what the original made for its Apps is this install's from now on.

    Before anything is planned: an App without its containers would be started a second time. Waits for the
    engine. Raises: StoreError.
    """
    if not isinstance(engine, TakesOver):
        return adopt(store, desired)
    engine.know_adopted(store.adopted_things(), store.forget_adopted_thing)
    found = _proposed(store, desired)
    if found is None:
        return None
    things = await _found_on(engine, [_original_app(desired, record) for record in found[1]])
    found = _proposed(store, desired)  # somebody may have applied an App while the engine was waited for
    if found is None:
        return None
    names = {record.name for record in found[1]}
    things = tuple(thing for thing in things if thing.app in names)
    store.put_adopted_things(things)
    adopted = _taken(store, desired, *found, things=things)
    engine.know_adopted(store.adopted_things(), store.forget_adopted_thing)
    log.info(
        "original_adopted",
        apps=sorted(names),
        things=[f"{thing.kind} {thing.id[:40]} -> {thing.app}/{thing.name}" for thing in things],
        queue_rows=adopted.queue_rows,
        warnings=list(adopted.warnings),
    )
    return adopted


async def _found_on(engine: TakesOver, apps: Sequence[OriginalApp]) -> tuple[AdoptedThing, ...]:
    told = False
    while True:
        try:
            return await engine.find_originals(apps)
        except EngineError as error:
            if not told:
                log.warning("adoption_waits", reason=error.reason, message=error.message, hint=error.hint)
            told = True
        await asyncio.sleep(RETRY_SECONDS)


def _proposed(store: Store, desired: Desired) -> tuple[Original, list[AppRecord], tuple[str, ...]] | None:
    """What there is of an original, the Apps that it would add, and what is lost of them."""
    original = store.original()
    if original is None or store.adopted():
        return None
    here = {record.app_id: record.name for record in desired.records.values()}
    wanted = read_target(original.target or {"apps": {}}, here)
    new = [app for app in wanted.apps if app.name not in desired.records]
    proposed, _, _ = desired.propose(list(_numbered(new, store.next_app_id())), ())
    records = [
        replace(record, run_states=wanted.run_states.get(record.name, {}))
        for record in proposed
        if record.name not in desired.records
    ]
    return original, records, original.warnings + wanted.warnings


def _taken(
    store: Store,
    desired: Desired,
    original: Original,
    records: Sequence[AppRecord],
    warnings: tuple[str, ...],
    *,
    things: tuple[AdoptedThing, ...],
) -> Adopted:
    desired.take_at_start(records)
    store.set_adopted(now_text())
    return Adopted(
        identity=original.identity,
        apps=tuple(record.app for record in records),
        things=things,
        queue_rows=original.queue_rows,
        warnings=warnings,
    )


def _original_app(desired: Desired, record: AppRecord) -> OriginalApp:
    """The App under the names and labels that the original gave what it made for it."""
    names, number = original_names(record.app), record.app_id
    networks = {name for service in record.app.spec.services for name in service.networks}
    return OriginalApp(
        target=desired.target_for(record, desired.documents),
        services={
            name: {APP_ID: str(number), SERVICE_ID: str(id)} for name, id in record.service_ids.items()
        },
        networks={
            name: tuple(reversed(original_network_names(number, names.uuid, names.networks.get(name, name))))
            for name in networks
        },
        made={MANAGED: "true", APP_ID: str(number)},
        volumes={
            volume.name: original_volume_name(names.volumes.get(volume.name, volume.name))
            for volume in record.app.spec.volumes
            if volume.named
        },
    )


def _numbered(apps: Iterable[App], free: int) -> Iterator[App]:
    """Apps that the cloud gave no number get one that none of the others has."""
    known = list(apps)
    free = max([free, *((app.spec.app_id or 0) + 1 for app in known)])
    for app in known:
        if app.spec.app_id is None:
            yield app.model_copy(update={"spec": app.spec.model_copy(update={"app_id": free})})
            free += 1
        else:
            yield app
