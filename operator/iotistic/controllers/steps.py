"""Carries out steps: fetches in the background, an App's steps together, failures with back-off.

An App whose steps are under way is busy: the planner leaves it alone until they have ended.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence

from iotistic.api.errors import EdgeError, EngineUnreachableError, NoSpaceError
from iotistic.controllers.clock import monotonic
from iotistic.controllers.desired import Desired
from iotistic.controllers.failures import Failures, Key
from iotistic.controllers.journal import Journal
from iotistic.controllers.lines import LastLines
from iotistic.controllers.world import World
from iotistic.engines.base import Engine, NoContents, Progress, StepContext
from iotistic.planning.values import Action, AppTarget, Step
from iotistic.store.base import Locks

PROGRESS_SECONDS = 0.25
FETCH_STALLS_SECONDS = 30.0
"""A fetch that has not got further for so long has stalled: the deadline of its release runs again."""
INTERRUPTING = frozenset(
    {Action.STOP, Action.KILL, Action.REMOVE, Action.RESTART, Action.HANDOVER, Action.PAUSE}
)

AwaitReady = Callable[[str, str], Awaitable[None]]
"""(app, container id): returns when it is ready, raises EngineError when it will not be."""


class Steps:
    """Executes what was planned."""

    def __init__(
        self,
        *,
        engine: Engine,
        world: World,
        desired: Desired,
        locks: Locks,
        failures: Failures,
        journal: Journal,
        lines: LastLines,
        await_ready: AwaitReady,
        wake: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._world = world
        self._desired = desired
        self._locks = locks
        self._failures = failures
        self._journal = journal
        self._lines = lines
        self._await_ready = await_ready
        self._wake = wake
        self._app_locks: dict[str, asyncio.Lock] = {}
        self._begun: set[str] = set()
        """Apps with steps that were dispatched and have not ended; their task may not have run yet."""
        self._rounds: Counter[str] = Counter()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._removals: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fetch_progress: dict[str, Progress] = {}
        """By `ImageRef.full`, of fetches under way."""
        self._moved: dict[str, float] = {}
        """When they last got further."""
        self._stalled: set[str] = set()
        """Those that have not for a while, and whoever waits for them knows."""
        self.touched: set[str] = set()
        """Ids of containers that a step stops or replaces now: their exits are no failures."""
        self.reclaim = False
        """The disk was full, and no fetch has succeeded since."""
        self.unreachable: EngineUnreachableError | None = None

    @property
    def downloading(self) -> frozenset[str]:
        """Images that are being fetched."""
        return frozenset(self._fetches)

    def busy_apps(self) -> set[str]:
        """Apps whose steps are under way."""
        return self._begun | {app for app, lock in self._app_locks.items() if lock.locked()}

    def rounds(self) -> dict[str, int]:
        """How often steps of each App have ended: who has looked before that saw a world that is gone."""
        return dict(self._rounds)

    def dispatch(self, steps: Iterable[Step], targets: dict[str, AppTarget]) -> None:
        """Begin these steps; returns at once."""
        by_app: dict[str, list[Step]] = {}
        for step in steps:
            match step.action:
                case Action.WAIT:
                    continue
                case Action.FETCH:
                    self._begin_fetch(step, targets)
                case Action.REMOVE_IMAGE:
                    self._begin_image_removal(step)
                case _:
                    by_app.setdefault(step.app, []).append(step)
        for app, own in by_app.items():
            lock = self._app_locks.setdefault(app, asyncio.Lock())
            if app not in self._begun and not lock.locked():
                self._begun.add(app)
                self._spawn(self._together(app, lock, own, targets.get(app)))

    def fetch_moves(self, ref: str) -> bool:
        """Whether an image is being fetched and gets further."""
        return ref in self._moved and ref not in self._stalled

    def cancel_fetches(self, wanted: Iterable[str]) -> None:
        """Abort fetches that nobody wants any more."""
        for ref in self._fetches.keys() - set(wanted):
            self._fetches[ref].cancel()

    async def exclusively(self, app: str, steps: Sequence[Step]) -> None:
        """Carry out steps that were asked for by hand or by a probe, one after the other, when the App
        is not busy. Raises the first EdgeError, which counts as a failure of the service as well."""
        async with self._app_locks.setdefault(app, asyncio.Lock()):
            target = self._desired.target(app) if app in self._desired.records else None
            for step in steps:
                error = await self._one(step, target)
                self._rounds[app] += 1
                if error is not None:
                    raise error
        self._wake()

    async def remove_images(self, steps: Sequence[Step]) -> None:
        """Remove images that somebody asked for; what can't be removed is told and stays."""
        for step in steps:
            if step.name not in self._removals:
                self._removals.add(step.name)
                await self._remove_image(step)

    async def stop(self) -> None:
        """Abort what can be aborted and wait for the rest to let go."""
        tasks = [*self._tasks, *self._fetches.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _together(
        self, app: str, lock: asyncio.Lock, steps: list[Step], target: AppTarget | None
    ) -> None:
        try:
            async with lock:
                await asyncio.gather(*(self._one(step, target) for step in steps))
                self._rounds[app] += 1
        finally:
            self._begun.discard(app)
        self._wake()

    async def _one(self, step: Step, target: AppTarget | None) -> EdgeError | None:
        began = monotonic()
        interrupts = step.action in INTERRUPTING and step.container
        if interrupts:
            self.touched.add(step.container)
        try:
            await self._lines.keep(step)
            await self._act(step, target)
        except EdgeError as error:
            self._failed(step, error, [(step.app, step.service)])
            return error
        except Exception as error:  # noqa: BLE001  a defect in one step must not stop the others
            wrapped = self._journal.defect(step, error)
            self._failed(step, wrapped, [(step.app, step.service)])
            return wrapped
        finally:
            if interrupts:
                asyncio.get_running_loop().call_later(2.0, self.touched.discard, step.container)
        self._succeeded(step)
        self._journal.done(step, monotonic() - began)
        return None

    async def _act(self, step: Step, target: AppTarget | None) -> None:
        match step.action:
            case Action.TAKE_LOCK:
                services = {service.name for service in target.services} if target else set()
                services |= {c.service for c in self._world.observed.containers if c.app == step.app}
                self._locks.take(step.app, sorted(services))
            case Action.RELEASE_LOCK:
                self._locks.release(step.app)
            case Action.UPDATE_METADATA:
                await asyncio.to_thread(
                    self._world.record_release, step.container, target.release if target else ""
                )
            case _:
                await self._engine.execute(step, self._context(step, target))

    def _context(self, step: Step, target: AppTarget | None) -> StepContext:
        record = self._desired.records.get(step.app)

        async def ready(container: str) -> None:
            await self._await_ready(step.app, container)

        return StepContext(
            target=target,
            service_ids=record.service_ids if record else {},
            app_id=record.app_id if record else 0,
            contents=self._desired.contents_of(target.name) if target else NoContents(),
            progress=self._progress_of(step),
            await_ready=ready,
        )

    def _progress_of(self, step: Step) -> Callable[[Progress], None]:
        last = 0.0

        def tell(progress: Progress) -> None:
            nonlocal last
            if step.action is Action.FETCH and step.name in self._fetches:
                before = self.fetch_progress.get(step.name)
                if before is None or (before.current, before.message) != (progress.current, progress.message):
                    self._got_further(step.name)
                self.fetch_progress[step.name] = progress
            now = monotonic()
            if now - last >= PROGRESS_SECONDS:
                last = now
                self._journal.progress(step, progress)

        return tell

    def _got_further(self, ref: str) -> None:
        self._moved[ref] = monotonic()
        if ref in self._stalled:
            self._stalled.discard(ref)
            self._watch_fetch(ref)
            self._wake()

    def _watch_fetch(self, ref: str) -> None:
        """Wake when a fetch stalls: on a quiet device nothing else does, and its deadline would wait too."""
        moved = self._moved.get(ref)
        if moved is None or ref in self._stalled:
            return
        left = moved + FETCH_STALLS_SECONDS - monotonic()
        if left > 0:
            asyncio.get_running_loop().call_later(left, self._watch_fetch, ref)
            return
        self._stalled.add(ref)
        self._wake()

    def _succeeded(self, step: Step) -> None:
        if step.action in {Action.CREATE_NETWORK, Action.CREATE_VOLUME}:
            self._failures.forget([(step.app, "")])

    def _failed(self, step: Step, error: EdgeError, keys: list[Key]) -> None:
        if isinstance(error, EngineUnreachableError):
            self.unreachable = error
            self._journal.failed(step, error, None)
            return
        if isinstance(error, NoSpaceError):
            self.reclaim = True
        retry = None
        for key in keys:
            failing = self._failures.fail(key, error.reason, error.message, error.hint)
            retry = failing.retry_at - monotonic()
        self._journal.failed(step, error, retry)

    def _begin_fetch(self, step: Step, targets: dict[str, AppTarget]) -> None:
        if step.name in self._fetches:
            return
        target = next(
            (t for t in targets.values() for s in t.services if s.spec.image.full == step.name), None
        )
        self._moved[step.name] = monotonic()
        self._watch_fetch(step.name)
        self._fetches[step.name] = asyncio.ensure_future(self._fetch(step, target))
        self._wake()  # it moves: the deadline's clock stands from now on

    async def _fetch(self, step: Step, target: AppTarget | None) -> None:
        began = monotonic()
        try:
            await self._engine.execute(step, self._context(step, target))
            self.reclaim = False
            self._failures.forget_reason(NoSpaceError.reason)
            await asyncio.to_thread(self._world.image_fetched, step.name)
            self._journal.done(step, monotonic() - began)
        except EdgeError as error:
            self._failed(step, error, self._users_of(step.name))
        except Exception as error:  # noqa: BLE001  a defect in one step must not stop the others
            self._failed(step, self._journal.defect(step, error), self._users_of(step.name))
        finally:
            self._fetches.pop(step.name, None)
            self.fetch_progress.pop(step.name, None)
            self._moved.pop(step.name, None)
            self._stalled.discard(step.name)
            self._wake()

    def _users_of(self, ref: str) -> list[Key]:
        return [
            (target.name, service.name)
            for target in self._desired.targets()
            for service in target.services
            if service.spec.image.full == ref
        ]

    def _begin_image_removal(self, step: Step) -> None:
        if step.name in self._removals or ("", step.name) in self._failures.waiting():
            return
        self._removals.add(step.name)
        self._spawn(self._remove_image(step))

    async def _remove_image(self, step: Step) -> None:
        began = monotonic()
        try:
            await self._engine.execute(step, self._context(step, None))
            await asyncio.to_thread(self._world.image_removed, step.name)
            self._failures.forget_reason(NoSpaceError.reason)
            self._journal.done(step, monotonic() - began)
        except EdgeError as error:
            self._failed(step, error, [("", step.name)])
        except Exception as error:  # noqa: BLE001  a defect in one step must not stop the others
            self._failed(step, self._journal.defect(step, error), [("", step.name)])
        finally:
            self._removals.discard(step.name)
            self._wake()
