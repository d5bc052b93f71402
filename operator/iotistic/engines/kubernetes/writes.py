"""How many writes there were, and whether the last ones came through: what the metrics and readiness tell."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

REMEMBERED_SECONDS = 180.0
"""Twice the longest pause between two turns of an App that fail."""


class Write(NamedTuple):
    """What is counted."""

    verb: str
    """apply, create, replace, status, delete or event."""
    kind: str
    reason: str


class Failure(NamedTuple):
    """A write that the API server did not take, by what the server (or the network) called it."""

    verb: str
    kind: str
    error: str


@dataclass(slots=True)
class Writes:
    """Counters since the start."""

    done: Counter[Write] = field(default_factory=Counter)
    failed: Counter[Failure] = field(default_factory=Counter)
    _hindered: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """By verb and kind, why the last write of this sort failed, and when (monotonic)."""

    def hindrances(self) -> list[str]:
        """Why writes fail at the moment for reasons that concern all of a sort: no rights, or no answer.

        What is refused for what is in it concerns nobody else. What was not tried again for some minutes is
        over: nobody wants it any more.
        """
        oldest = time.monotonic() - REMEMBERED_SECONDS
        return [
            f"{verb} {kind}: {message}"
            for (verb, kind), (message, when) in sorted(list(self._hindered.items()))
            if when > oldest
        ]

    def succeeded(self, write: Write) -> None:
        self.done[write] += 1
        self._hindered.pop((write.verb, write.kind), None)

    def refused(self, verb: str, kind: str, error: str, message: str, *, concerns_all: bool) -> None:
        self.failed[Failure(verb, kind, error)] += 1
        if concerns_all:
            self._hindered[verb, kind] = (message, time.monotonic())
