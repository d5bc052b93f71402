"""What makes the operator unwell, in words."""

from __future__ import annotations

from typing import Protocol

from iotistic.engines.kubernetes.writes import Writes
from iotistic.handlers.watching import Watching
from iotistic.health.figures import Figures, Snapshot
from iotistic.health.lag import Beat

LAG_SECONDS = 10.0
"""A loop that has not run for so long hangs; a slow board with a full queue stays far below."""


class Turns(Protocol):
    """What is told of the queue."""

    turns: int
    failed_turns: int

    def depth(self) -> int: ...

    def idle(self) -> bool: ...


class Health:
    """Is asked from another thread: reads only, and only what is replaced or counted as a whole."""

    def __init__(
        self, watching: Watching, writes: Writes, beat: Beat, queue: Turns, figures: Figures, version: str
    ) -> None:
        self._watching = watching
        self._writes = writes
        self._beat = beat
        self._queue = queue
        self._figures = figures
        self._version = version

    def ailments(self) -> list[str]:
        """What a restart cures; empty when all is well."""
        found = [
            f"the watch of {watch} left untold what a listing shows"
            for watch in sorted(list(self._watching.checks.deaf))
        ]
        if (behind := self._beat.behind()) > LAG_SECONDS:
            found.append(f"the event loop has not run for {behind:.0f} s")
        return found

    def hindrances(self) -> list[str]:
        """Why Apps can't be looked after at the moment; empty when they are."""
        watching = self._watching
        found = [watching.problem or watching.checks.problem, watching.rivals.problem()]
        found += [
            f"namespace {namespace} can't be watched: {problem} (give it back its Role, or take it out of "
            "watchNamespaces)"
            for namespace, problem in watching.checks.closed.items()
        ]
        if not watching.checks.synced.is_set():
            found.append("the first listing is not complete")
        return [reason for reason in [*found, *self._writes.hindrances()] if reason]

    def page(self) -> str:
        """Figures for Prometheus."""
        watching = self._watching
        return self._figures.page(
            Snapshot(
                version=self._version,
                synced=watching.checks.synced.is_set(),
                queued=self._queue.depth(),
                busy=not self._queue.idle(),
                turns=self._queue.turns,
                failed_turns=self._queue.failed_turns,
                lag_seconds=self._beat.worst(),
                objects=watching.objects(),
                heard=dict(watching.heard()),
                deaf=list(watching.checks.deaf),
                checks=watching.checks.checks,
            )
        )
