"""Writes an App's children: only what differs, never what is somebody else's.

What the API server refuses is remembered with its words, and asked for again after a growing while: a quota
may be raised, an admission rule changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Collection, Iterable, Sequence

import structlog

from iotistic.controllers.clock import monotonic
from iotistic.controllers.cluster.children import WORKLOADS, Whose, controller_of, ref_of, whose
from iotistic.controllers.cluster.memory import Memory, Refusal
from iotistic.controllers.cluster.overruling import overruled_by, to_write
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
from iotistic.controllers.cluster.volumes import CLAIM
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.comparing import differences, repaired
from iotistic.engines.kubernetes.storage import never_less
from iotistic.rollout.backoff import delay_seconds

log = structlog.get_logger()

GOING_SECONDS = 2.0
INVALID = 422
MISSING = "missing"
POD = "Pod"
"""The only pods that the operator makes itself fetch images."""
HOUSEKEEPING = frozenset({Reason.PULL, Reason.REVISION})
"""What goes for these reasons is in nobody's way when it stays."""


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
        """Writes of this turn, of children; and what was taken over, or turned out well, without one."""
        self._asked: set[Ref] = set()
        """What was to be written in this turn. What waits for something else is asked for when that comes."""
        self.refused = 0
        """What the API server has refused in this turn."""
        self._again_in: list[float] = []

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
                case Whose.GOING if self._is_claim_in_use(found):
                    pass  # it stays for as long as a pod has it, and a stop is what frees it
                case Whose.GOING if ref.kind not in {"Deployment", "Job", "Pod"}:
                    raise GoingError(f"{ref.kind} {ref.name} of before is being removed")
                case Whose.GOING if not self._is_of_this_app(found):
                    raise GoingError(f"{ref.kind} {ref.name} of before is being removed")
                case _:
                    if known[ref] is None:  # the watches are behind
                        self._cache.put(found)
                        self.writes += 1

    def differs(self, wanted: Object) -> list[str]:
        """Where a child is not as wanted; one line that says so when there is none. What the cluster makes
        of it whenever it is written is left out."""
        live = self._cache.get(ref_of(wanted))
        return [MISSING] if live is None else to_write(wanted, live, self._memory.overruled)

    async def apply_all(self, objects: Iterable[Object], reason: Reason) -> None:
        """Write those that differ."""
        await all_of(self.apply(wanted, reason) for wanted in objects)

    async def apply(self, wanted: Object, reason: Reason) -> None:
        """Write it if it differs; a refusal is remembered, not raised."""
        ref = ref_of(wanted)
        differing = self.differs(wanted)
        if not differing:
            self.forget(ref)
            return
        digest = _digest(wanted)
        if self._asks_later(ref, digest):
            return
        if self._memory.applied.get(ref) == digest:
            reason = Reason.DRIFT
        try:
            await self._write(wanted, reason, differing)
        except RefusedError as error:
            self._refuse(ref, digest, error)
            return
        self._memory.refusals.pop(ref, None)
        self._memory.applied[ref] = digest

    async def make(self, wanted: Object, reason: Reason) -> None:
        """Make what is not there; a refusal is remembered, not raised. Raises: ConflictError when it is."""
        ref, digest = ref_of(wanted), _digest(wanted)
        if self._asks_later(ref, digest):
            return
        try:
            self._cache.put(await self._api.create(wanted, reason=reason))
        except RefusedError as error:
            self._refuse(ref, digest, error)
            return
        self._memory.refusals.pop(ref, None)
        self.writes += 1

    def forget_pods(self, *, but: Collection[Ref]) -> None:
        """Of pods that were refused and are needed no longer, nothing is to be told."""
        for ref, refusal in list(self._memory.refusals.items()):
            if ref.kind == POD and not refusal.removal and ref not in but:
                self.forget(ref)

    def forget_removals(self) -> None:
        """Of what was not to go and is not asked to any more; to be called when all that goes was asked."""
        for ref, refusal in list(self._memory.refusals.items()):
            if refusal.removal and ref not in self._asked:
                self.forget(ref)

    async def may_stay(self, wanted: Object) -> bool:
        """Whether a Job that differs is what the cluster makes of the wanted one: ours in its place is the
        same to the API server, which refuses any real change."""
        before = self._memory.refusals.get(ref_of(wanted))
        if before is not None and before.removal:
            return False  # that was asked, and its removal waits to be asked for again
        if self._asks_later(ref_of(wanted), _digest(wanted)):
            return True  # what would be written instead waits too
        found = await self._api.get(ref_of(wanted))
        if found is None:
            return True
        try:
            written = await self._api.replace(repaired(wanted, found), reason=Reason.DRIFT)
        except RefusedError as error:
            return error.status != INVALID
        self._cache.put(written)
        self.writes += 1
        self._remember(wanted, written, differences(wanted, written))
        return True

    async def record(self, wanted: Object, reason: Reason) -> None:
        """Write something that has to be there before anything else is done. Raises RefusedError too."""
        self._cache.put(await self._api.apply(wanted, reason=reason))
        self.writes += 1

    async def set_owner(self, child: Object, reason: Reason, *, owned: bool) -> None:
        """Set or take away our owner reference, and leave all else as it is. Raises RefusedError too."""
        found = await self._api.get(ref_of(child))
        if found is None:
            return
        uid = self._memory.uid
        owners = [one for one in found["metadata"].get("ownerReferences") or () if one.get("uid") != uid]
        owners += names.owners(self._key.name, uid) if owned else []
        metadata = {**found["metadata"], "ownerReferences": owners}
        self._cache.put(await self._api.replace({**found, "metadata": metadata}, reason=reason))
        self.writes += 1

    async def delete(self, found: Object, reason: Reason, cause: str) -> None:
        """Remove a child; a refusal is remembered, not raised."""
        ref, uid = ref_of(found), str(found["metadata"].get("uid") or "")
        if found["metadata"].get("deletionTimestamp"):
            return
        digest = f"removal of {uid}"
        if self._asks_later(ref, digest):
            return
        try:
            await self._api.delete(ref, reason=reason, uid=uid)
        except RefusedError as error:
            self._refuse(ref, digest, error, removal=True, stands=reason not in HOUSEKEEPING)
            return
        self.writes += 1
        self._memory.refusals.pop(ref, None)
        self._memory.applied.pop(ref, None)
        self._memory.overruled.pop(ref, None)
        log.info("child_removed", **self._where(ref), cause=cause)

    def ask_again(self, seconds: float) -> None:
        """Something was refused that no refusal is remembered of: another turn has to come."""
        self._again_in.append(seconds)

    def retry_in(self) -> float | None:
        """Seconds until something that was refused is asked for again."""
        now, refusals = monotonic(), self._memory.refusals
        left = [refusal.retry_at - now for ref, refusal in refusals.items() if ref in self._asked]
        return max(0.05, min(moments)) if (moments := left + self._again_in) else None

    def still_refused(self, ref: Ref) -> bool:
        """Whether what was refused of an object that is not rendered is wanted still, as far as is known."""
        refusal = self._memory.refusals[ref]
        return self._cache.get(ref) is not None if refusal.removal else ref.kind == POD

    def _asks_later(self, ref: Ref, digest: str) -> bool:
        """Whether just this was refused a short while ago."""
        self._asked.add(ref)
        before = self._memory.refusals.get(ref)
        return before is not None and before.digest == digest and monotonic() < before.retry_at

    def _refuse(
        self, ref: Ref, digest: str, error: RefusedError, *, removal: bool = False, stands: bool = True
    ) -> None:
        """Remember what was refused, and when to ask again."""
        before = self._memory.refusals.get(ref)
        tries = before.tries + 1 if before is not None and before.digest == digest else 1
        delay = delay_seconds(tries, 0.0)
        self._memory.refusals[ref] = Refusal(
            message=error.message,
            digest=digest,
            tries=tries,
            retry_at=monotonic() + delay,
            removal=removal,
            stands=stands,
        )
        self.refused += 1
        where = self._where(ref)
        if removal:
            log.warning("removal_refused", **where, problem=error.message, next_try_seconds=delay)
        else:
            log.warning("child_refused", **where, problem=error.message, next_try_seconds=delay)

    def forget(self, ref: Ref) -> None:
        """Nothing of it is refused any more. What was seen before says so still: it is looked at again."""
        if self._memory.refusals.pop(ref, None) is not None:
            self.writes += 1

    async def _write(self, wanted: Object, reason: Reason, differing: Sequence[str]) -> None:
        ref = ref_of(wanted)
        made = differing == [MISSING]
        asked = never_less(wanted, self._cache.get(ref) or {})
        try:
            written = await self._api.apply(asked, reason=reason)
        except RefusedError as error:
            # What somebody has set stays beside what is applied, and may not be there with it: a variable
            # with `value` and `valueFrom`.
            found = await self._api.get(ref) if error.status == INVALID and not made else None
            if found is None or whose(found, self._key.name, self._memory.uid) is not Whose.OURS:
                raise
            if not differences(wanted, found):
                raise
            written = found
        left = differences(wanted, written)
        try:
            if left and not made:  # of what was made just now, nobody else but the cluster has a part
                written = await self._api.replace(repaired(wanted, written), reason=Reason.DRIFT)
                left = differences(wanted, written)
            self._remember(wanted, written, left)
        except ConflictError:
            log.info("child_changed_meanwhile", **self._where(ref))
        self._cache.put(written)
        self.writes += 1
        log.info("child_applied", **self._where(ref), reason=reason.value, cause=_cause(differing))

    def _remember(self, wanted: Object, written: Object, left: Sequence[str]) -> None:
        """What the cluster has made of what was written, admission webhooks: it would do so again."""
        ref, before = ref_of(wanted), self._memory.overruled.pop(ref_of(wanted), None)
        if not left:
            return
        now = self._memory.overruled[ref] = overruled_by(wanted, written, left)
        if before is None or before.lines != now.lines:
            log.warning("child_overruled", **self._where(ref), cause=_cause(left))

    def _must_wait(self, ref: Ref) -> bool:
        refusal = self._memory.refusals.get(ref)
        return refusal is not None and monotonic() < refusal.retry_at

    def _is_claim_in_use(self, found: Object) -> bool:
        """Somebody has deleted a volume of this App, not of one before it, and its pods still have it."""
        owner = controller_of(found)
        if found["kind"] != CLAIM or not (owner is None or owner.get("uid") == self._memory.uid):
            return False
        children = self._cache.children(self._key)
        return any(child["kind"] in WORKLOADS and self._is_of_this_app(child) for child in children)

    def _is_of_this_app(self, found: Object) -> bool:
        owners = found["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == self._memory.uid for owner in owners)

    def _where(self, ref: Ref) -> dict[str, str]:
        return {"namespace": ref.namespace, "app": self._key.name, "kind": ref.kind, "name": ref.name}


async def all_of(writes: Iterable[Awaitable[None]]) -> None:
    """Do several at once. The first error is raised when all have ended: none goes on into the next turn."""
    for ended in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


def _cause(lines: Sequence[str]) -> str:
    return "; ".join(lines[:3])[:300]


def _digest(wanted: Object) -> str:
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
