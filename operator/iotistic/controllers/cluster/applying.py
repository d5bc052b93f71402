"""Writes an App's children: only what differs, never what is somebody else's.

What the API server refuses is remembered with its words, and asked for again after a growing while: a quota
may be raised, an admission rule changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence

import structlog

from iotistic.controllers.clock import monotonic
from iotistic.controllers.cluster.children import Whose, ref_of, whose
from iotistic.controllers.cluster.memory import Memory, Refusal
from iotistic.controllers.cluster.ports import (
    Api,
    Cache,
    ConflictError,
    Key,
    Object,
    Reason,
    Ref,
    RefusedError,
)
from iotistic.engines.kubernetes.comparing import differences, repaired
from iotistic.rollout.backoff import delay_seconds

log = structlog.get_logger()

GOING_SECONDS = 2.0


class TakenError(Exception):
    """A child's name is somebody else's."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(
            f"{ref.kind} {ref.name} is there already and is not of this App: remove or rename it, or rename "
            "the App or its service"
        )


class GoingError(Exception):
    """An object of a former App of this name is being removed still."""


class Applier:
    """Writes children of one App."""

    def __init__(self, api: Api, cache: Cache, key: Key, memory: Memory) -> None:
        self._api = api
        self._cache = cache
        self._key = key
        self._memory = memory
        self.writes = 0
        """Writes of this turn, of children; and what was taken over without one."""
        self.refused = 0
        """What the API server has refused in this turn."""

    async def check_names(self, objects: Sequence[Object]) -> None:
        """Raises TakenError or GoingError when something that is not ours has the name of one of these."""
        known = {ref: self._cache.get(ref) for ref in map(ref_of, objects)}
        absent = [ref for ref, found in known.items() if found is None and not self._must_wait(ref)]
        asked = await self._api.get_all(absent)
        for ref, found in [*known.items(), *zip(absent, asked, strict=True)]:
            if found is None:
                continue
            match whose(found, self._key.name, self._memory.uid):
                case Whose.FOREIGN:
                    raise TakenError(ref)
                case Whose.GOING if ref.kind not in {"Deployment", "Job", "Pod"}:
                    raise GoingError(f"{ref.kind} {ref.name} of before is being removed")
                case Whose.GOING if not self._is_of_this_app(found):
                    raise GoingError(f"{ref.kind} {ref.name} of before is being removed")
                case _:
                    if known[ref] is None:  # the watches are behind
                        self._cache.put(found)
                        self.writes += 1

    def differs(self, wanted: Object) -> list[str]:
        """Where a child is not as wanted; one line that says so when there is none."""
        live = self._cache.get(ref_of(wanted))
        return ["missing"] if live is None else differences(wanted, live)

    async def apply_all(self, objects: Iterable[Object], reason: Reason) -> None:
        """Write those that differ."""
        await asyncio.gather(*(self.apply(wanted, reason) for wanted in objects))

    async def apply(self, wanted: Object, reason: Reason) -> None:
        """Write it if it differs; a refusal is remembered, not raised."""
        ref = ref_of(wanted)
        differing = self.differs(wanted)
        if not differing:
            self._memory.refusals.pop(ref, None)
            return
        digest = _digest(wanted)
        before = self._memory.refusals.get(ref)
        if before is not None and before.digest == digest and monotonic() < before.retry_at:
            return
        if self._memory.applied.get(ref) == digest:
            reason = Reason.DRIFT
        try:
            await self._write(wanted, reason, differing)
        except RefusedError as error:
            tries = before.tries + 1 if before is not None and before.digest == digest else 1
            delay = delay_seconds(tries, 0.0)
            self._memory.refusals[ref] = Refusal(
                message=error.message, digest=digest, tries=tries, retry_at=monotonic() + delay
            )
            self.refused += 1
            log.warning("child_refused", **self._where(ref), problem=error.message, next_try_seconds=delay)
            return
        self._memory.refusals.pop(ref, None)
        self._memory.applied[ref] = digest

    async def record(self, wanted: Object, reason: Reason) -> None:
        """Write something that has to be there before anything else is done. Raises RefusedError too."""
        self._cache.put(await self._api.apply(wanted, reason=reason))
        self.writes += 1

    async def delete(self, found: Object, reason: Reason, cause: str) -> None:
        """Remove a child."""
        ref = ref_of(found)
        if found["metadata"].get("deletionTimestamp"):
            return
        try:
            await self._api.delete(ref, reason=reason, uid=found["metadata"].get("uid", ""))
        except RefusedError as error:
            log.warning("removal_refused", **self._where(ref), problem=error.message)
            return
        self.writes += 1
        self._memory.applied.pop(ref, None)
        log.info("child_removed", **self._where(ref), cause=cause)

    def retry_in(self) -> float | None:
        """Seconds until something that was refused is asked for again."""
        moments = [refusal.retry_at for refusal in self._memory.refusals.values()]
        return max(0.05, min(moments) - monotonic()) if moments else None

    async def _write(self, wanted: Object, reason: Reason, differing: Sequence[str]) -> None:
        ref = ref_of(wanted)
        written = await self._api.apply(wanted, reason=reason)
        left = differences(wanted, written)
        if left:
            try:
                written = await self._api.replace(repaired(wanted, written), reason=Reason.DRIFT)
            except ConflictError:
                log.info("child_changed_meanwhile", **self._where(ref))
        self._cache.put(written)
        self.writes += 1
        log.info(
            "child_applied", **self._where(ref), reason=reason.value, cause="; ".join(differing[:3])[:300]
        )

    def _must_wait(self, ref: Ref) -> bool:
        refusal = self._memory.refusals.get(ref)
        return refusal is not None and monotonic() < refusal.retry_at

    def _is_of_this_app(self, found: Object) -> bool:
        owners = found["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == self._memory.uid for owner in owners)

    def _where(self, ref: Ref) -> dict[str, str]:
        return {"namespace": ref.namespace, "app": self._key.name, "kind": ref.kind, "name": ref.name}


def _digest(wanted: Object) -> str:
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
