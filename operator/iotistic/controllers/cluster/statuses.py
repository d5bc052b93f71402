"""Whether a status is worth a write now. Pure.

A datastore on an SD card dies of writes: a change may cost two status writes of its App and two of each
AppService, an undo two more. So what only passes by is not written, and counts alone hardly ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

Content = Mapping[str, Any]
_NUMBER = re.compile(r"\d+")


class Urgency(IntEnum):
    """How soon a difference has to be seen."""

    NOW = 0
    """It has to be stored before anything is done, or it is an end."""
    SOON = 1
    """Things are as they will stay for a while, if they don't change at once."""
    PASSING = 2
    """An attempt is under way and its end will be written anyway."""


SOON_SECONDS = 2.0
FAILING_SECONDS = 30.0
LONG_SECONDS = 60.0
MOST_PASSING = 2
"""Writes of one attempt after which nothing that passes by is written any more."""
WORDS_SECONDS = 30.0
COUNTS_SECONDS = 300.0
COUNTS = frozenset({"restarts", "containerId", "since", "exitCode"})
"""What changes with each start of a container, and tells little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Whether to write, or when to look again."""

    write: bool = False
    in_seconds: float | None = None
    """Look again after so long; None: nothing waits to be written."""
    since: float | None = None
    """Since when it has differed, to be handed in the next time; None: it does not."""
    form: str = ""
    """What it would look like, to be handed in the next time."""


def urgency_of(
    shown: Content,
    content: Content,
    *,
    under_way: bool,
    refusals: Collection[str] = (),
    once: Collection[str] = (),
) -> Urgency:
    """How soon a difference of an App's status has to be seen.

    Args:
        shown: what was written last.
        content: what would be written.
        under_way: an attempt goes on, and its end will be written.
        refusals: what the API server has said no with.
        once: what it said no with before.
    """
    if not under_way or _stops(shown) != _stops(content):
        return Urgency.SOON
    was, why = str(shown.get("why") or ""), str(content.get("why") or "")
    news = any(one and one in why and _words(one) not in _words(was) for one in refusals)
    now = {_words(one) for one in refusals}
    over = any(one and one in was and _words(one) not in now for one in once)
    return Urgency.SOON if news or over else Urgency.PASSING


def due(
    shown: Content,
    content: Content,
    urgency: Urgency,
    now: float,
    *,
    before: Due | None = None,
    counts: bool = True,
    spent: int = 0,
) -> Due:
    """Whether a status is worth a write.

    Args:
        shown: what was written last.
        content: what would be written.
        urgency: of a difference that is more than words and counts.
        now: seconds of a clock that never jumps.
        before: the last answer for the same object.
        counts: whether restart counts alone may ever be a reason; not during an attempt.
        spent: writes that the attempt under way has cost so far.
    """
    if shown == content:
        return Due()
    if urgency is Urgency.NOW:
        return Due(write=True)
    # While it is down it may be in one state now and in another soon: crashing, starting.
    down = urgency is Urgency.PASSING and _falls(shown, content)
    form = "down" if down else repr(_essence(content))
    same = before is not None and before.since is not None and before.form == form
    since = before.since if same and before and before.since is not None else now
    wait = (
        None
        if urgency is Urgency.PASSING and spent >= MOST_PASSING
        else _patience(shown, content, urgency, counts=counts)
    )
    if wait is None:
        return Due(since=since, form=form)
    left = since + wait - now
    if left <= 0:
        return Due(write=True)
    return Due(in_seconds=left, since=since, form=form)


def _patience(shown: Content, content: Content, urgency: Urgency, *, counts: bool) -> float | None:
    """Seconds that a difference must last; None: for ever."""
    if _essence(shown) != _essence(content):
        if urgency is Urgency.SOON:
            return SOON_SECONDS
        return FAILING_SECONDS if _fails(content) or _falls(shown, content) else LONG_SECONDS
    if urgency is Urgency.PASSING:
        return None
    if _without_counts(shown) != _without_counts(content):
        return WORDS_SECONDS
    return COUNTS_SECONDS if counts else None


def _essence(content: Content) -> Any:
    """What a person looks at first: states and truths, without sentences."""
    if "observedGeneration" in content or "conditions" in content:
        return (
            content.get("state"),
            content.get("release"),
            content.get("ready"),
            content.get("observedGeneration"),
            # Of a stall the words are what a person goes by: what is missing now may be something else.
            _words(str(content.get("why") or "")) if content.get("state") == "Stalled" else "",
            [(c.get("type"), c.get("status"), c.get("reason")) for c in content.get("conditions") or ()],
            [_essence(service) for service in content.get("services") or ()],
        )
    return (
        content.get("name"),
        content.get("state"),
        content.get("ready"),
        content.get("runState"),
        content.get("image"),
        content.get("release"),
    )


def _falls(shown: Content, content: Content) -> bool:
    """It served when that was written, and serves no more."""
    return _serves(shown) and not _serves(content)


def _serves(content: Content) -> bool:
    available = (
        one.get("status") for one in content.get("conditions") or () if one.get("type") == "Available"
    )
    return next(available, None) == "True" if "conditions" in content else bool(content.get("ready"))


def _words(text: str) -> str:
    """Without its numbers: a quota tells how much is used at the moment."""
    return _NUMBER.sub("", text)


def _stops(content: Content) -> list[tuple[Any, Any]]:
    """How far the stops are that somebody has asked for by hand."""
    services = content.get("services") or ()
    return [(one.get("name"), one.get("state")) for one in services if one.get("runState") == "Stopped"]


FAILING = frozenset({"CrashLoop", "Failed", "Unhealthy", "Degraded", "Stalled"})


def _fails(content: Content) -> bool:
    states = {content.get("state"), *(service.get("state") for service in content.get("services") or ())}
    return bool(states & FAILING)


def _without_counts(content: Content) -> Any:
    plain = {key: value for key, value in content.items() if key not in COUNTS}
    if "services" in plain:
        plain["services"] = [_without_counts(service) for service in plain["services"]]
    return plain
