"""What becomes of an event of a watch: the cache takes it over, and the Apps that it concerns get a turn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from iotistic.controllers.cluster.ports import Key, Ref
from iotistic.engines.kubernetes.cache import WatchedCache, identity
from iotistic.engines.kubernetes.kinds import CONTENTS
from iotistic.engines.kubernetes.rivals import Rivals

ContentChanged = Callable[[str, str, str], Iterable[Key]]
"""From the kind, namespace and name of a Secret or ConfigMap to the Apps that refer to it."""


class Delivery:
    """Implements `handlers.registry.Delivered`."""

    def __init__(
        self,
        cache: WatchedCache,
        turn: Callable[[Key], None],
        content_changed: ContentChanged,
        rivals: Rivals,
    ) -> None:
        self.heard: dict[str, float] = {}
        """By kind, when (monotonic) the last event came."""
        self._counts: Counter[tuple[str, str]] = Counter()
        self._cache = cache
        self._turn = turn
        self._rivals = rivals
        self._content_changed = content_changed

    def __call__(self, kind: str, change: str | None, delivered: dict[str, Any]) -> None:
        ref, _, _ = identity(delivered)
        self.heard[kind] = time.monotonic()
        self._counts[kind, ""] += 1
        self._counts[kind, ref.namespace] += 1
        if change == "DELETED":
            self._rivals.gone(delivered)
            keys = self._cache.remove(delivered)
        else:
            self._rivals.saw(delivered)
            keys = self._cache.deliver(delivered)
        self._give_turns(keys)
        if kind in CONTENTS:  # one that carries an App's label may be referred to all the same
            self.content_changed(kind, ref.namespace, ref.name)

    def count(self, kind: str, namespace: str) -> int:
        """Events of a kind so far, in a namespace or (empty) in all."""
        return self._counts[kind, namespace]

    def missing(self, kind: str, name: tuple[str, str], version: int) -> None:
        """A listing has it no more, and no watch has said so."""
        self._give_turns(self._cache.forget(Ref(kind, *name), version))

    def content_changed(self, kind: str, namespace: str, name: str) -> None:
        """A Secret or ConfigMap is not what it was."""
        self._give_turns(self._content_changed(kind, namespace, name))

    def _give_turns(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._turn(key)
