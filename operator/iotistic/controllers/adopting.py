"""Taking over what an original agent left in the same database: once, and without touching it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from iotistic.api.app import App
from iotistic.cloud.wire import read_target
from iotistic.controllers.clock import now_text
from iotistic.controllers.desired import Desired
from iotistic.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was taken over."""

    identity: Mapping[str, Any] = field(repr=False)
    """Who the device is to the cloud (`Original.identity`); holds keys and passwords."""
    apps: tuple[App, ...]
    """The Apps that are in the target now."""
    queue_rows: int
    """Reports that wait for the cloud, in the original's table."""
    warnings: tuple[str, ...]
    """What could not be taken over, each with its place; without values."""


def adopt(store: Store, desired: Desired) -> Adopted | None:
    """Make the original's target this device's. None: there is nothing of an original, or it was done.

    Apps that are here already stay as they are. A cut at any moment is made good by calling it again. Blocks
    on the disk. Raises: StoreError.
    """
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
    desired.take_at_start(records)
    store.set_adopted(now_text())
    return Adopted(
        identity=original.identity,
        apps=tuple(record.app for record in records),
        queue_rows=original.queue_rows,
        warnings=original.warnings + wanted.warnings,
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
