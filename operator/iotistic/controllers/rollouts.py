"""Which release of each App may run: asks the pure rollout at every turn, and makes its state durable before
anybody acts on it."""

from __future__ import annotations

import asyncio

from iotistic.api.appservice import RunState
from iotistic.api.image import ImageRef
from iotistic.api.service import Strategy
from iotistic.controllers.clock import boot_id, monotonic, now_text
from iotistic.controllers.desired import Desired
from iotistic.controllers.facts import Facts
from iotistic.controllers.failures import Failures
from iotistic.controllers.journal import Journal
from iotistic.planning.values import AppTarget
from iotistic.rollout.history import needed, too_old
from iotistic.rollout.record import from_text, to_text
from iotistic.rollout.release import forget_last_good, retry, step
from iotistic.rollout.status import readiness_of
from iotistic.rollout.values import Decision, Now, RolloutState, Wanted
from iotistic.store.base import AppRecord, Store


class Rollouts:
    """The rollouts of all Apps."""

    def __init__(
        self, store: Store, desired: Desired, facts: Facts, failures: Failures, journal: Journal
    ) -> None:
        self._store = store
        self._desired = desired
        self._facts = facts
        self._failures = failures
        self._journal = journal
        self._states: dict[str, RolloutState] = {}
        self._decisions: dict[str, Decision] = {}
        for name, text in store.rollouts().items():
            self._states[name] = self._read(name, text)

    def decision(self, name: str) -> Decision | None:
        """What the last turn decided on an App; None before its first turn."""
        return self._decisions.get(name)

    def state(self, name: str) -> RolloutState:
        """Where an App's rollout is."""
        return self._states.get(name, RolloutState())

    async def turn(self) -> None:
        """Decide on every App; the chosen releases are durable and known to `Desired` when it returns."""
        for name in [name for name in self._states if name not in self._desired.records]:
            self._states.pop(name)
            self._decisions.pop(name, None)
        for record in list(self._desired.records.values()):
            if record.name not in self._desired.purging and not self._is_settled(record):
                await self._decide(record)

    def keep(self) -> tuple[ImageRef, ...]:
        """Images that stay on the device although no target names them: an undo needs them."""
        kept = {ref for target in self.last_good() for ref in _kept_images(target)}
        return tuple(sorted(kept, key=lambda ref: ref.full))

    def last_good(self) -> list[AppTarget]:
        """The targets that Apps would have at their last good releases."""
        found = []
        for name, state in self._states.items():
            record, good = self._desired.records.get(name), state.last_good
            revision = self._desired.revisions.get(name, {}).get(good.digest) if good else None
            if record is not None and revision is not None:
                found.append(self._desired.target_of(record, revision))
        return found

    def next_moment(self) -> float | None:
        """Seconds until a turn is due although nothing happens; None when none is."""
        waits = [
            decision.wake_in_seconds
            for name, decision in self._decisions.items()
            if name not in self._desired.purging
        ]
        return min((seconds for seconds in waits if seconds is not None), default=None)

    async def retry(self, name: str) -> None:
        """Try the wanted release again."""
        state = self.state(name)
        again = retry(state)
        if again != state:
            await self._persist(name, again)

    def _is_settled(self, record: AppRecord) -> bool:
        """The wanted release is good, and nothing is under way: another turn would change nothing."""
        state = self._states.get(record.name)
        if state is None or state.last_good is None or record.app.spec.suspend:
            return False
        if state.attempt or state.failure or state.wait:
            return False
        decision = self._decisions.get(record.name)
        same = state.last_good.digest == record.digest and state.last_good.name == record.release
        return same and decision is not None and not decision.hold and decision.wanted == record.digest

    async def _decide(self, record: AppRecord) -> None:
        state = self._without_lost(record.name, self.state(record.name))
        wanted = _wanted(record, self._images(record.name, record.digest))
        target = self._desired.target(record.name)
        facts = self._facts.app(record, target)
        readiness = readiness_of(
            facts,
            digest=self._desired.chosen(record.name),
            missing=self._facts.missing(target, facts),
            fetching=self._facts.fetching(target),
        )
        now = Now(wall=now_text(), monotonic=monotonic(), boot=boot_id())
        decision = step(wanted, state, readiness, now)
        if decision.persist:
            await self._persist(record.name, decision.state)
        self._states[record.name] = decision.state
        self._decisions[record.name] = decision
        if self._desired.choose(record.name, decision.effective):
            # What kept the other release from running says nothing of this one.
            self._failures.forget_app(record.name)
        for event in decision.events:
            self._journal.say_rollout(
                event.reason, f"App {record.name}: {event.message}", record.name, warning=event.warning
            )
        if decision.persist:
            await self._forget_old(record, decision.state)

    async def _persist(self, name: str, state: RolloutState) -> None:
        await asyncio.to_thread(self._store.put_rollout, name, to_text(state))
        self._states[name] = state

    async def _forget_old(self, record: AppRecord, state: RolloutState) -> None:
        known = list(self._desired.revisions.get(record.name, {}).values())
        old = too_old(known, limit=record.app.spec.history_limit, keep=needed(record.digest, state))
        if old:
            await self._desired.forget_revisions(record.name, old)

    def _without_lost(self, name: str, state: RolloutState) -> RolloutState:
        """The state, when the spec of the last good release is no longer there."""
        good = state.last_good
        record = self._desired.records[name]
        if good is None or good.digest == record.digest:
            return state
        if good.digest in self._desired.revisions.get(name, {}):
            return state
        return forget_last_good(state)

    def _images(self, name: str, digest: str) -> set[ImageRef]:
        """Images of a release, without those of services that give the old image up first."""
        record = self._desired.records.get(name)
        revision = self._desired.revisions.get(name, {}).get(digest)
        if record is None or revision is None:
            return set()
        return _kept_images(self._desired.target_of(record, revision))

    def _read(self, name: str, text: str) -> RolloutState:
        try:
            return from_text(text)
        except ValueError as error:
            self._journal.say(
                "RolloutLost", f"App {name}: where its rollout was can't be read: {error}", warning=True
            )
            return RolloutState()


def _kept_images(target: AppTarget) -> set[ImageRef]:
    return {
        service.spec.image
        for service in target.services
        if service.strategy is not Strategy.DELETE_THEN_DOWNLOAD
    }


def _wanted(record: AppRecord, images: set[ImageRef]) -> Wanted:
    update = record.app.spec.update
    return Wanted(
        digest=record.digest,
        release=record.release,
        images=tuple(sorted(ref.short for ref in images)),
        deadline_seconds=update.progress_deadline_seconds,
        min_ready_seconds=update.min_ready_seconds,
        auto_undo=update.auto_undo,
        suspend=record.app.spec.suspend,
        stopped=tuple(
            sorted(name for name, state in record.run_states.items() if state is not RunState.RUNNING)
        ),
    )
