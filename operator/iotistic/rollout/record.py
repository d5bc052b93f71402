"""The stored form of a rollout's state: one small JSON object per App.

What a newer version has added is skipped, what an older one did not know gets its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from iotistic.rollout.values import Failure, Mark, Release, RolloutState

Part = TypeVar("Part", bound=Release | Failure | Mark)
_PARTS: Mapping[str, type[Release | Failure | Mark]] = {
    "attempt": Release,
    "last_good": Release,
    "failure": Failure,
    "clock": Mark,
}


def to_text(state: RolloutState) -> str:
    """What has to be stored, as JSON; fields that say nothing are left out. Equal states, equal texts."""
    empty = RolloutState()
    record = asdict(state)
    said = {key: value for key, value in record.items() if key != "watch" and value != getattr(empty, key)}
    return json.dumps(said)


def from_text(text: str) -> RolloutState:
    """The state that was stored, with an empty watch.

    Raises: ValueError for anything that `to_text` never writes.
    """
    try:
        return _state(json.loads(text))
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"not the state of a rollout: {error}") from error


def _state(record: Mapping[str, Any]) -> RolloutState:
    known = {one.name for one in fields(RolloutState)} - {"watch"}
    values = {key: value for key, value in record.items() if key in known}
    for key, part in _PARTS.items():
        if values.get(key) is not None:
            values[key] = _known(part, values[key])
    values["failed"] = tuple(_known(Failure, failure) for failure in values.get("failed", ()))
    for key in ("once_good", "stopped"):
        values[key] = tuple(values.get(key, ()))
    return RolloutState(**values)


def _known(part: type[Part], record: Mapping[str, Any]) -> Part:
    names = {one.name for one in fields(part)}
    return part(**{name: value for name, value in record.items() if name in names})
