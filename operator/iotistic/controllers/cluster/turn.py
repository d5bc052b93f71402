"""One turn of one App: what is wanted, what may run, what is so; then what has to be written.

The order matters: the decision is stored before anything is done about it, so that a cut at any moment is
taken up where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from iotistic.api.app import App
from iotistic.controllers.clock import monotonic
from iotistic.controllers.cluster import acting, telling
from iotistic.controllers.cluster.applying import Applier, GoingError, TakenError
from iotistic.controllers.cluster.children import ref_of
from iotistic.controllers.cluster.contents import Found, look_at, used
from iotistic.controllers.cluster.effective import ClusterOptions, Effective, effective, run_states
from iotistic.controllers.cluster.fetching_again import logins
from iotistic.controllers.cluster.keys import digest_key
from iotistic.controllers.cluster.last_lines import keep_last_lines
from iotistic.controllers.cluster.looking import Look, look
from iotistic.controllers.cluster.memory import Memory
from iotistic.controllers.cluster.ports import (
    Api,
    Cache,
    ConflictError,
    Key,
    Object,
    Ref,
    RefusedError,
)
from iotistic.controllers.cluster.pulling import Pulls, pulls
from iotistic.controllers.cluster.reading import ContradictionError, UnreadableError, read, told
from iotistic.controllers.cluster.remembering import remember
from iotistic.controllers.cluster.revisions import Revision, next_revision, revisions
from iotistic.controllers.cluster.volumes import keep_claims
from iotistic.engines.kubernetes.locks import Lock, lock_of
from iotistic.engines.kubernetes.names import names_object
from iotistic.engines.kubernetes.networking import makes_slice
from iotistic.engines.kubernetes.refusals import refused
from iotistic.engines.kubernetes.values import RETRY_ANNOTATION
from iotistic.planning.release import release_digest
from iotistic.rollout.release import forget_last_good, retry, step
from iotistic.rollout.status import AppFacts, readiness_of
from iotistic.rollout.values import Decision, Now, Phase, RolloutState, Wanted

STALLED_LOOK_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 1.0
MOST_LOOKS = 5
"""Times that contents are read in one turn while somebody changes them."""
BOOT = "cluster"
"""A restart of a node is no reason to doubt a release: its pods come back on their own."""


class StalledError(Exception):
    """Only a person can get the App any further; until then its last good release is looked after."""

    def __init__(self, reason: str, why: str, *, again_in: float | None = None) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why
        self.again_in = again_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What is wanted of an App."""

    app: App
    digest: str
    revision: Revision
    known: Sequence[Revision]
    """Remembered releases, with the wanted one, oldest first."""
    lock: Lock | None


class Turn:
    """One turn; made for it and thrown away."""

    def __init__(
        self,
        api: Api,
        cache: Cache,
        options: ClusterOptions,
        key: Key,
        live: Object,
        memory: Memory,
        *,
        now: datetime,
    ) -> None:
        self.api = api
        self.cache = cache
        self.options = options
        self.key = key
        self.live = live
        self.memory = memory
        self.now = now
        self.applier = Applier(api, cache, key, memory)
        self.retried = memory.retried
        """The last `RETRY_ANNOTATION` that was heeded, this turn's included."""
        self.behind = False
        """Somebody has changed what people may ask while this turn went on."""
        self._app: App | None = None
        """The App as it is wanted, once it could be read."""
        self._children: list[Object] = []
        self._read_after = -1

    async def take(self) -> float | None:
        """Take it. Returns and raises as `Controller.reconcile`."""
        await keep_claims(self)
        try:
            again = await self._go_on(await self._want())
        except StalledError as stall:
            facts, cared_in = await self._look_after_the_good()
            soon = await telling.stalled(self, stall.reason, stall.why, facts)
            again = telling.soonest(soon, stall.again_in, cared_in)
        # What a write answered is in the cache, so the watches tell nothing of it: it is looked at again.
        written = LOOK_AGAIN_SECONDS if self.applier.writes else None
        return telling.soonest(again, written, 0.0 if self.behind else None, self.applier.retry_in())

    def children(self) -> list[Object]:
        """All objects with the App's label, as known after this turn's last write."""
        if self._read_after != self.applier.writes:
            self._children, self._read_after = list(self.cache.children(self.key)), self.applier.writes
        return self._children

    async def _want(self) -> Want:
        """What is wanted, remembered on the cluster. Raises StalledError."""
        children = self.children()
        app, found = await self._possible(children)
        digest = release_digest(app, found.digests)
        known = revisions(children)
        revision = next_revision(known, app, digest, found.copies(app.name))
        try:
            await remember(self, revision, known)
        except RefusedError as error:
            raise _unrecorded(error) from error
        known = [one for one in known if one.name != revision.name] + [revision]
        annotations = self.live["metadata"].get("annotations") or {}
        lock = lock_of(annotations, now=self.now)
        return Want(app=app, digest=digest, revision=revision, known=known, lock=lock)

    async def _possible(self, children: Sequence[Object]) -> tuple[App, Found]:
        """The App and what it refers to. Raises StalledError with all that stands against it at once."""
        wrong: dict[str, str] = {}
        try:
            app = read(self.live)
        except UnreadableError as error:
            raise StalledError("Unreadable", f"this App can't be read: {error}") from error
        except ContradictionError as error:
            app = error.app
            wrong["Invalid"] = str(error)
        self._app = app
        self.memory.uses = logins(app).union(used(app))
        findings = refused(app, run_states(child for child in children if child["kind"] == "AppService"))
        if findings:
            wrong["NotOnKubernetes"] = "; ".join(told(one.path, one.message, one.hint) for one in findings)
        try:
            found = await self._contents(app)
        except (TakenError, GoingError) as error:
            raise _in_the_way(error) from error
        except RefusedError as error:
            raise _unrecorded(error) from error
        if found.missing:
            there = "there is no " + ", no ".join(found.missing) + f" in namespace {self.key.namespace}"
            wrong["MissingReference"] = there
        if not wrong:
            return app, found
        again = STALLED_LOOK_SECONDS if found.missing else None
        raise StalledError(next(iter(wrong)), "; ".join(wrong.values()), again_in=again)

    async def _contents(self, app: App) -> Found:
        """What is in the Secrets and ConfigMaps that it refers to: read when they have changed."""
        memory, names = self.memory, used(app)
        if not names:
            memory.found = None
            return Found()
        key = await digest_key(self)
        if memory.found is not None and memory.found_for == names and not memory.found.missing:
            return memory.found
        for _ in range(MOST_LOOKS):
            changes = memory.content_changes
            found = await look_at(self.api, self.key, app, key)
            if memory.content_changes == changes:
                memory.found, memory.found_for = found, names
                return found
        raise ConflictError("what it refers to changes all the time")

    async def _go_on(self, want: Want) -> float | None:
        state = self._begin(want)
        may_run = self._effective(want, state.effective or want.digest)
        try:
            await self.applier.check_names(all_names(may_run))
            if may_run.digest != want.digest:
                await self.applier.check_names(all_names(self._effective(want, want.digest)))
        except (TakenError, GoingError) as error:
            raise _in_the_way(error) from error
        seen, fetches = self._look(want, may_run)
        facts = self._facts(want, may_run, seen, fetches)
        slow = fetches.slow or seen.slow
        readiness = readiness_of(facts, digest=may_run.digest, missing=fetches.missing, fetching=slow)
        moment = Now(wall=telling.wall(self.now), monotonic=monotonic(), boot=BOOT)
        decision = step(_wanted(want, may_run), state, readiness, moment)
        moved = decision.effective != may_run.digest
        if moved:
            may_run = self._effective(want, decision.effective)
            seen, fetches = self._look(want, may_run)
            facts = self._facts(want, may_run, seen, fetches)
        stood = self.memory.decision is not None and self.memory.decision.phase is Phase.FAILED
        await self._store(facts, decision)
        if decision.phase is Phase.UNDOING and (state.failure is None or stood):
            await keep_last_lines(self, want.revision.release)
        again = None
        try:
            if decision.hold:
                await acting.keep_names(self, may_run)
            else:
                again = await acting.act(self, want, may_run, seen, fetches, decision)
        finally:
            await telling.events(self, decision)
        if self.applier.writes or self.applier.refused:
            seen, fetches = self._look(want, may_run)
        facts = replace(self._facts(want, may_run, seen, fetches), rollout=decision)
        told = await telling.tell(self, facts, decision)
        lock = want.lock.seconds_left if want.lock and facts.locked else None
        return telling.soonest(
            decision.wake_in_seconds,
            again,
            told,
            lock,
            seen.settled_in,
            fetches.look_in,
            LOOK_AGAIN_SECONDS if moved and may_run.digest == decision.effective else None,
        )

    async def _look_after_the_good(self) -> tuple[AppFacts | None, float | None]:
        """Keep the last good release as it is while the App is stalled: what serves must not fall with what
        can't be had.

        Returns: what is so of it, and seconds until more can be done; None twice when there is none, or when
            something else runs.
        """
        app, good = self._app, self.memory.state.last_good
        if app is None or good is None or app.spec.suspend or good.digest != self.memory.state.effective:
            return None, None
        known = revisions(self.children())
        revision = next((one for one in known if one.digest == good.digest), None)
        if revision is None or revision.app(app) is None:
            return None, None
        lock = lock_of(self.live["metadata"].get("annotations") or {}, now=self.now)
        want = Want(app=app, digest="", revision=revision, known=known, lock=lock)
        may_run = self._effective(want, good.digest)
        try:
            await self.applier.check_names(all_names(may_run))
            seen, fetches = self._look(want, may_run)
            again = await acting.look_after(self, want, may_run, seen, fetches)
        except (TakenError, GoingError):
            return None, None
        if self.applier.writes or self.applier.refused:
            seen, fetches = self._look(want, may_run)
        moments = (again, seen.settled_in, fetches.look_in)
        return self._facts(want, may_run, seen, fetches), telling.soonest(*moments)

    def _begin(self, want: Want) -> RolloutState:
        """The state to go on with: a lost release forgotten, somebody's asking for a retry heeded."""
        state = self.memory.state
        good = state.last_good
        if good is not None and good.digest != want.digest:
            revision = next((one for one in want.known if one.digest == good.digest), None)
            if revision is None or revision.app(want.app) is None:
                state = forget_last_good(state)
        asked = str((self.live["metadata"].get("annotations") or {}).get(RETRY_ANNOTATION) or "")
        if not asked or asked == self.retried:
            return state
        self.retried = asked
        if asked != self.memory.heeded:
            self.memory.heeded, self.memory.try_again = asked, True
            self.memory.refusals.clear()
            self.memory.overruled.clear()
        return retry(state)

    def _effective(self, want: Want, digest: str) -> Effective:
        """The App at a remembered release; at the wanted one where that is not known any more."""
        services = [child for child in self.children() if child["kind"] == "AppService"]
        revision = next((one for one in want.known if one.digest == digest), want.revision)
        for one in (revision, want.revision):
            found = effective(
                want.app,
                one,
                services,
                key=self.key,
                uid=self.memory.uid,
                wanted_digest=want.digest,
                options=self.options,
            )
            if found is not None:
                return found
        raise AssertionError("what is wanted can always be rendered")

    def _look(self, want: Want, may_run: Effective) -> tuple[Look, Pulls]:
        self._forget_refusals(may_run)
        children, lock = self.children(), want.lock.text(want.app.name) if want.lock else ""
        seen = look(
            may_run,
            children,
            self.memory.refusals,
            self.memory.waits,
            now=self.now,
            lock=lock,
            overruled=self.memory.overruled,
        )
        images = acting.asked_names(may_run)
        return seen, pulls(seen.pulls, children, self.memory, now=self.now, registry_names=images)

    def _forget_refusals(self, may_run: Effective) -> None:
        """What is not wanted any more stands in nobody's way."""
        slice_ref = Ref("EndpointSlice", self.key.namespace, names_object(self.key.name))
        wanted = {slice_ref, *map(ref_of, may_run.rendered.objects)}
        refusals = self.memory.refusals
        self.memory.refusals = {
            ref: one for ref, one in refusals.items() if ref in wanted or self.applier.still_refused(ref)
        }

    def _facts(self, want: Want, may_run: Effective, seen: Look, fetches: Pulls) -> AppFacts:
        locked = want.lock.text(want.app.name) if want.lock and seen.interrupting else ""
        services = [
            replace(facts, failure_reason="ImagePullFailed", failure=failure)
            if (failure := _pull_failure(may_run.app, facts.name, fetches))
            else facts
            for facts in seen.services
        ]
        return AppFacts(
            name=want.app.name,
            generation=int(self.live["metadata"].get("generation") or 0),
            release=may_run.release,
            services=services,
            hold="suspended: spec.suspend is true" if want.app.spec.suspend else "",
            failure=seen.refused,
            left=seen.left,
            locked=locked,
            digest=want.digest,
        )

    async def _store(self, facts: AppFacts, decision: Decision) -> None:
        """Store what was decided, then make it what is gone on from."""
        if decision.persist or self.retried != self.memory.retried:
            stored = replace(facts, rollout=decision)
            await telling.store(self, stored, decision)
        attempt = decision.state.attempt
        before = self.memory.state.attempt
        if attempt is not None and (before is None or before.digest != attempt.digest):
            self.memory.spent.clear()
            self.memory.spent[""] = 1
        self.memory.state = decision.state
        self.memory.retried = self.retried
        self.memory.decision = decision


def all_names(may_run: Effective) -> list[Object]:
    """All that it makes, with the slice of names, whose contents nobody knows before there are addresses."""
    metadata = {"namespace": may_run.context.namespace, "name": names_object(may_run.app.name)}
    slices: list[Object] = [{"kind": "EndpointSlice", "metadata": metadata}]
    return [*may_run.rendered.objects, *(slices if makes_slice(may_run.app) else ())]


def _in_the_way(error: TakenError | GoingError) -> StalledError:
    if isinstance(error, TakenError):
        return StalledError("NameTaken", str(error), again_in=STALLED_LOOK_SECONDS / 4)
    return StalledError("Waiting", str(error), again_in=2.0)


def _unrecorded(error: RefusedError) -> StalledError:
    why = f"the release can't be recorded: {error.message}"
    return StalledError("Refused", why, again_in=STALLED_LOOK_SECONDS / 2)


def _pull_failure(app: App, service: str, fetches: Pulls) -> str:
    found = app.service(service)
    return (fetches.failures or {}).get(found.image, "") if found else ""


def _wanted(want: Want, may_run: Effective) -> Wanted:
    update = want.app.spec.update
    return Wanted(
        digest=want.digest,
        release=want.revision.release,
        images=tuple(sorted({service.image for service in want.app.spec.services})),
        deadline_seconds=update.progress_deadline_seconds,
        min_ready_seconds=update.min_ready_seconds,
        auto_undo=update.auto_undo,
        suspend=want.app.spec.suspend,
        stopped=tuple(sorted(may_run.context.run_states)),
    )
