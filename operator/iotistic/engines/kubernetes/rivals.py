"""Whether another operator keeps the same Apps, and wants them otherwise: then each undoes the other's work.

The API server marks what is written with who wrote it and when. A change of a Deployment that was made under
this operator's name, and that no answer to a write of its own has shown, is another's. Nothing is written
or asked for this, so a second operator that wants the same goes unseen, and does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

log = structlog.get_logger()

ANSWERING_SECONDS = 5.0
"""A watch may tell of a write before its answer is here."""
REMEMBERED_SECONDS = 300.0
ENOUGH = 3
"""Of one object: one may be a write whose answer was lost."""


class Rivals:
    """Changes that others made under this operator's name. Problems are asked for from another thread."""

    def __init__(self, manager: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._manager = manager
        self._clock = clock
        self._known: dict[str, int] = {}
        """By uid of a Deployment the last generation that is accounted for."""
        self._strange: tuple[tuple[float, str, int, str], ...] = ()
        """When (monotonic) something was seen, of which uid, its generation and name."""
        self._told = False

    def wrote(self, answer: Mapping[str, Any]) -> None:
        """What this process has written, as the API server answered."""
        if answer.get("kind") != "Deployment":
            return
        uid, generation = answer["metadata"].get("uid", ""), int(answer["metadata"].get("generation", 0))
        self._known[uid] = max(generation, self._known.get(uid, 0))
        self._strange = tuple(one for one in self._strange if one[1:3] != (uid, generation))

    def saw(self, delivered: Mapping[str, Any]) -> None:
        """What a watch has told."""
        if delivered.get("kind") != "Deployment":
            return
        metadata, now = delivered["metadata"], self._clock()
        uid, generation = metadata.get("uid", ""), int(metadata.get("generation", 0))
        if generation > self._known.setdefault(uid, generation):
            self._known[uid] = generation
            recent = [one for one in self._strange if now - one[0] < REMEMBERED_SECONDS]
            if self._is_last(metadata.get("managedFields") or ()):
                recent.append((now, uid, generation, f"{metadata.get('namespace', '')}/{metadata['name']}"))
            self._strange = tuple(recent)
        problem = self.problem()
        if problem and not self._told:
            log.warning("another_operator", problem=problem)
        self._told = bool(problem)

    def gone(self, deleted: Mapping[str, Any]) -> None:
        """It was removed."""
        self._known.pop(deleted["metadata"].get("uid", ""), None)

    def problem(self) -> str:
        """In words; empty when nobody else is to be seen."""
        now, counts = self._clock(), dict[str, int]()
        for when, _, _, name in self._strange:
            if ANSWERING_SECONDS < now - when < REMEMBERED_SECONDS:
                counts[name] = counts.get(name, 0) + 1
                if counts[name] >= ENOUGH:
                    return f"another operator changes Deployment {name} as well: end one of the two"
        return ""

    def _is_last(self, marks: Any) -> bool:
        """Whether the last change of a spec was made under this operator's name."""
        times = {one.get("manager"): str(one.get("time", "")) for one in marks if not one.get("subresource")}
        return bool(times) and times.get(self._manager, "") == max(times.values())
