"""Users' locks of Apps on the cluster: the annotation `iotistic.io/lock`, JSON with reason, owner, until."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from iotistic.engines.kubernetes.values import LOCK_ANNOTATION

LONGEST_SLEEP_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Somebody holds an App back."""

    reason: str = ""
    owner: str = ""
    until: str = ""
    """RFC 3339; empty: until it is taken away."""
    seconds_left: float | None = None
    """Until it expires, at most an hour; None: never."""

    def text(self, app: str) -> str:
        """In words: who holds it, why, until when."""
        who = f" by {self.owner}" if self.owner else ""
        why = f": {self.reason}" if self.reason else ""
        until = f", until {self.until}" if self.until else ""
        return f"{app} is locked{who}{why}{until}"


def lock_of(annotations: Mapping[str, str], *, now: datetime) -> Lock | None:
    """The lock in force, if there is one.

    Text that is no JSON object is a lock with that text as its reason: whoever wrote it wanted to hold the
    App. An `until` that can't be read is shown and never comes; one that has passed ends the lock.
    """
    text = annotations.get(LOCK_ANNOTATION, "").strip()
    if not text:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return Lock(reason=text[:200])
    if not isinstance(said, dict):
        return Lock(reason=text[:200])
    until = _word(said.get("until"))
    left = _seconds_until(until, now) if until else None
    if left is not None and left <= 0:
        return None
    return Lock(
        reason=_word(said.get("reason")),
        owner=_word(said.get("owner")),
        until=until,
        seconds_left=None if left is None else min(left, LONGEST_SLEEP_SECONDS),
    )


def _word(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _seconds_until(until: str, now: datetime) -> float | None:
    try:
        moment = datetime.fromisoformat(until)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - now).total_seconds()
    except (ValueError, OverflowError):
        return None
