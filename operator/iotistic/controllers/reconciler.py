"""The loop: look, plan one round, begin its steps, sleep until something happens.

It wakes on a changed target, an event of the engine, the end of a step, a changed health, and timers
that the pure core asked for; else once a minute, to look at everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace

from iotistic.api.errors import EdgeError, EngineError
from iotistic.controllers.clock import monotonic
from iotistic.controllers.desired import Desired
from iotistic.controllers.facts import Facts
from iotistic.controllers.failures import Failures
from iotistic.controllers.journal import Journal
from iotistic.controllers.lines import LastLines
from iotistic.controllers.rollouts import Rollouts
from iotistic.controllers.steps import Steps
from iotistic.controllers.world import World
from iotistic.engines.base import Engine, EngineEvent
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import (
    Action,
    Container,
    Health,
    Observed,
    Options,
    Status,
    Step,
)
from iotistic.store.base import Locks, Store

COALESCE_SECONDS = 0.05
LOCK_POLL_SECONDS = 5.0
ENGINE_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
QUIET_EVENTS = frozenset({"exec_create", "exec_start", "exec_die", "top", "attach", "resize"})
DEFECT_RETRY_SECONDS = 5.0
STEADY_SECONDS = 1.0
"""A new container without probes must run this long before a hand-over trusts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopOptions:
    """Settings of the loop."""

    resync_seconds: float = 60.0
    keep_images: bool = False


class Reconciler:
    """Brings the engine to what is wanted, and keeps it there."""

    def __init__(
        self,
        *,
        engine: Engine,
        desired: Desired,
        world: World,
        locks: Locks,
        store: Store,
        failures: Failures,
        journal: Journal,
        options: LoopOptions,
    ) -> None:
        self._engine = engine
        self._desired = desired
        self.world = world
        self.failures = failures
        self._journal = journal
        self._options = options
        self._wake = asyncio.Event()
        self._looked = asyncio.Condition()
        self._full = True
        self._stopping = False
        self._last_look = 0.0
        self._oom: set[str] = set()
        self.steps = Steps(
            engine=engine,
            world=world,
            desired=desired,
            locks=locks,
            failures=failures,
            journal=journal,
            lines=LastLines(engine, store, journal),
            await_ready=self._await_ready,
            wake=self.wake,
        )
        world.tell_health(on_change=self.wake, on_failed=self.probe_failed)
        self.facts = Facts(desired, world, failures, self.steps)
        self.rollouts = Rollouts(store, desired, self.facts, failures, journal)
        self.engine_error = ""
        """Why the engine does not answer; empty when it does."""

    def wake(self) -> None:
        """Look and plan again soon."""
        self._wake.set()

    def look_at_everything(self) -> None:
        """Wake, and trust nothing that was seen before."""
        self._full = True
        self.wake()

    def probe_failed(self, container: Container, reason: str) -> None:
        """A liveness or startup probe has failed: restart that container."""
        step = Step(
            action=Action.RESTART,
            subject=f"{container.app}/{container.service}",
            app=container.app,
            service=container.service,
            container=container.id,
            cause=reason,
        )
        task = asyncio.ensure_future(self._restart_unhealthy(step))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def known_apps(self) -> set[str]:
        """Apps that are wanted, or of which something is left on the engine."""
        return {container.app for container in self.world.observed.containers} | self._desired.records.keys()

    async def looked(self, *, within_seconds: float) -> None:
        """Return when the loop has looked at the engine again, or when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds), self._looked:
                await self._looked.wait()

    async def run(self) -> None:
        """Until cancelled or stopped."""
        listener = asyncio.create_task(self._listen())
        try:
            while not self._stopping:
                await self._turn_safely()
                await self._sleep()
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            self.world.stop_probes()
            await self.steps.stop()

    def stop(self) -> None:
        """End the loop after this turn; containers stay as they are."""
        self._stopping = True
        self.wake()

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked it to end."""
        return self._stopping

    def alive(self) -> bool:
        """Whether the loop has looked lately."""
        return not self._last_look or monotonic() - self._last_look < 3 * self._options.resync_seconds + 60

    def idle(self) -> bool:
        """Whether nothing is under way or planned."""
        return not self.facts.round.steps and not self.steps.busy_apps() and not self.steps.downloading

    def planning_options(self, *, quiet: bool = True) -> Options:
        """What the planner has to know beside the world.

        Args:
            quiet: leave Apps alone whose steps are under way; a preview looks beyond them.
        """
        waiting = self.failures.waiting()
        held = self.orphans() | {app for app, service in waiting if app and not service}
        if quiet:
            held |= self.steps.busy_apps()
        held |= {name for name, record in self._desired.records.items() if record.app.spec.suspend}
        purge = {app for app, purge in self._desired.deletions.items() if purge}
        return Options(
            keep_images=self._options.keep_images,
            reclaim=self.steps.reclaim,
            purge=frozenset(purge | self._desired.purging),
            hold=frozenset(held),
            keep=self.rollouts.keep(),
            backoff=frozenset(f"{app}/{service}" for app, service in waiting if app and service),
        )

    def orphans(self) -> set[str]:
        """Apps that are on the engine but were neither wanted nor deleted, as far as the store knows. Volumes
        alone are what a deleted one has left."""
        seen = self.world.observed
        found = {c.app for c in seen.containers} | {n.app for n in seen.networks}
        return found - {""} - self._desired.records.keys() - self._desired.deletions.keys()

    async def _turn_safely(self) -> None:
        """A turn; what fails in it is told and tried again: nobody is there to start a dead loop."""
        try:
            await self._turn()
        except EdgeError as error:
            self._journal.say(error.reason, f"{error.message} {error.hint}".strip(), warning=True)
        except Exception as error:  # noqa: BLE001  a defect in one turn must not end all that follow
            self._journal.loop_defect(error)
        else:
            return
        self._full = True
        asyncio.get_running_loop().call_later(DEFECT_RETRY_SECONDS, self.wake)

    async def _turn(self) -> None:
        self._wake.clear()
        full, self._full = self._full, False
        rounds = self.steps.rounds()
        try:
            observed = await self.world.look(self.steps.downloading, full=full)
        except EngineError as error:
            self._engine_is_gone(error)
            self._full = True
            return
        if self.engine_error:
            self._journal.say("EngineBack", "the engine answers again")
        self.engine_error = ""
        self._last_look = monotonic()
        self.failures.running(_steady(observed))
        await self.rollouts.turn()
        if not self.world.covers(self._desired.targets()):
            self.wake()  # another release was applied or chosen meanwhile: its images were not looked for
            self._full = full
            return
        targets = {target.name: target for target in self._desired.targets()}
        self.steps.cancel_fetches({s.spec.image.full for t in targets.values() for s in t.services})
        options = self.planning_options()
        ended = {app for app, count in self.steps.rounds().items() if rounds.get(app, 0) != count}
        if ended:  # their steps ended while this was being seen: it may be the world before them
            options = replace(options, hold=options.hold | ended)
        round = next_steps(observed, list(targets.values()), options)
        self.facts.take(round)
        self.steps.dispatch(round.steps, targets)
        if full:
            self.world.forget_gone()
        self._finish_deletions(observed, busy=ended | self.steps.busy_apps())
        async with self._looked:
            self._looked.notify_all()

    async def _sleep(self) -> None:
        timeout = self._options.resync_seconds
        # Without the engine no turn of a rollout is taken: its next moment would only wake for nothing.
        rollouts = None if self.engine_error else self.rollouts.next_moment()
        for moment in (self.failures.next_moment(), rollouts):
            if moment is not None:
                timeout = min(timeout, moment + 0.01)
        if any(step.action is Action.WAIT and not step.service for step in self.facts.round.steps):
            timeout = min(timeout, LOCK_POLL_SECONDS)
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            self._full = self._full or timeout == self._options.resync_seconds

    async def _listen(self) -> None:
        """Follow the engine's events; when it goes away, ask again with growing pauses."""
        tries = 0
        while True:
            try:
                async for event in self._engine.events():
                    tries = 0
                    self._note(event)
            except EngineError as error:
                self._engine_is_gone(error)
            await asyncio.sleep(ENGINE_RETRY_SECONDS[min(tries, len(ENGINE_RETRY_SECONDS) - 1)])
            tries += 1
            self.look_at_everything()

    def _engine_is_gone(self, error: EngineError) -> None:
        if not self.engine_error:
            self._journal.say(error.reason, f"{error.message} {error.hint}".strip(), warning=True)
        self.engine_error = error.message

    def _note(self, event: EngineEvent) -> None:
        if event.action.split(":")[0] in QUIET_EVENTS:
            return
        asyncio.get_running_loop().call_later(COALESCE_SECONDS, self.wake)
        if event.kind != "container" or not event.app:
            return
        if event.action == "oom":
            self._oom.add(event.container)
        if event.action == "die":
            self._note_exit(event)

    def _note_exit(self, event: EngineEvent) -> None:
        oom = event.container in self._oom
        self._oom.discard(event.container)
        app = self._desired.app(event.app)
        service = app.service(event.service) if app else None
        if service is None or event.container in self.steps.touched or service.restart_policy != "Always":
            return
        how = f"exit {event.exit_code}" + (" (OOMKilled)" if oom else "")
        self._journal.say(
            "Exited", f"{event.app}/{event.service}: {how}", app=event.app, service=event.service
        )
        if self.failures.note_exit((event.app, event.service)):
            failing = self.failures.fail((event.app, event.service), "CrashLoop", how)
            retry = failing.retry_at - monotonic()
            self._journal.say(
                "CrashLoop",
                f"{event.app}/{event.service} exits again and again ({how}); next try in {retry:.0f} s",
                app=event.app,
                service=event.service,
                warning=True,
            )
            self._stop_looping(event)

    def _stop_looping(self, event: EngineEvent) -> None:
        step = Step(
            action=Action.STOP,
            subject=f"{event.app}/{event.service}",
            app=event.app,
            service=event.service,
            container=event.container,
            cause="crash loop",
        )
        task = asyncio.ensure_future(self.steps.exclusively(event.app, [step]))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _restart_unhealthy(self, step: Step) -> None:
        self._journal.say(
            "Unhealthy", f"{step.subject}: {step.cause}", app=step.app, service=step.service, warning=True
        )
        with contextlib.suppress(EdgeError):  # told and counted where it happened
            if self.failures.note_exit((step.app, step.service)):
                self.failures.fail((step.app, step.service), "CrashLoop", step.cause)
                await self.steps.exclusively(step.app, [replace(step, action=Action.STOP)])
                return
            await self.steps.exclusively(step.app, [step])

    async def _await_ready(self, app: str, id: str) -> None:
        """Return when the container is ready by its probes (without any: runs for a second)."""
        record = self._desired.records.get(app)
        seconds = record.app.spec.update.progress_deadline_seconds if record else 300
        began, chosen = monotonic(), self._desired.chosen(app)
        self.wake()
        while True:
            if self._desired.chosen(app) != chosen:
                raise EngineError("another release is wanted now")
            container = self.world.container(id)
            if container is not None and container.status in {Status.EXITED, Status.DEAD}:
                raise EngineError(
                    f"the new container of {app}/{container.service} exited with {container.exit_code}"
                )
            if container is not None and self._is_ready(container, monotonic() - began):
                return
            left = seconds - (monotonic() - began)
            if left <= 0:
                message = self.world.health_message(id)
                raise EngineError(
                    f"the new container was not ready in {seconds} s" + (f": {message}" if message else "")
                )
            await self.looked(within_seconds=min(left, STEADY_SECONDS))

    def _is_ready(self, container: Container, age: float) -> bool:
        if container.status is not Status.RUNNING:
            return False
        health = self.world.health(container)
        return health is Health.HEALTHY or (health is Health.NONE and age >= STEADY_SECONDS)

    def _finish_deletions(self, observed: Observed, *, busy: set[str]) -> None:
        """Forget what is done, so that a recorded deletion means that something still has to go.

        Args:
            observed: the world now.
            busy: Apps of which a step may have made something since.
        """
        volumes = {volume.app for volume in observed.volumes}
        left = {c.app for c in observed.containers} | {n.app for n in observed.networks}
        left |= observed.held | busy
        for app in self._desired.purging - left - volumes:
            self._desired.purged(app)
            self._journal.say("Purged", f"the volumes of App {app} are empty; it starts again", app=app)
            self.wake()
        for app, purge in list(self._desired.deletions.items()):
            if app in left or (purge and app in volumes):
                continue
            self._desired.deleted_for_good(app)
            self.failures.forget_app(app)
            stay = "; its volumes stay" if app in volumes else ""
            self._journal.say("Deleted", f"App {app} is gone{stay}", app=app)


def _steady(observed: Observed) -> dict[tuple[str, str], str]:
    return {
        (container.app, container.service): container.started
        for container in observed.containers
        if container.app
        and container.status is Status.RUNNING
        and container.health in {Health.NONE, Health.HEALTHY}
    }
