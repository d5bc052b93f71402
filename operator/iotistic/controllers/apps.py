"""What people and programs ask of Apps: checked, made durable, handed to the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from iotistic.api.app import App
from iotistic.api.appservice import AppService, RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.documents import check_documents, check_together, warnings_of
from iotistic.api.errors import EngineUnreachableError, LockedError, NotFoundError
from iotistic.controllers.base import Applied, ApplyResult, Health, Plan, VolumeInfo
from iotistic.controllers.desired import Desired
from iotistic.controllers.facts import lock_text, unlocking
from iotistic.controllers.failures import Failures
from iotistic.controllers.following import Logs
from iotistic.controllers.journal import Journal
from iotistic.controllers.reconciler import Reconciler
from iotistic.controllers.reporting import Reporter
from iotistic.controllers.world import World
from iotistic.engines.base import Engine, EngineInfo, LogLine
from iotistic.planning.preview import preview
from iotistic.planning.text import plan_text
from iotistic.planning.values import Action, AppTarget, Options, Status, Step
from iotistic.store.base import AppRecord

_STARTED_BY_HAND = frozenset({Status.RUNNING, Status.PAUSED, Status.RESTARTING})


class Apps:
    """See `controllers.base.AppsControl`."""

    def __init__(
        self,
        *,
        engine: Engine,
        desired: Desired,
        world: World,
        failures: Failures,
        journal: Journal,
        loop: Reconciler,
    ) -> None:
        self._engine = engine
        self._desired = desired
        self._world = world
        self._failures = failures
        self._journal = journal
        self._loop = loop
        self.reporter = Reporter(desired, world, loop)
        self._logs = Logs(engine, loop)
        self._changing = asyncio.Lock()
        """Changes of the target come one after the other."""
        self._restarts: set[asyncio.Task[None]] = set()

    async def apply(self, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> ApplyResult:
        """Take documents, all or nothing."""
        async with self._changing:
            apps, core = check_documents(documents)
            records, _, applied = self._proposed(apps, core)
            result = ApplyResult(
                applied=tuple(applied), warnings=tuple(w for app in apps for w in warnings_of(app))
            )
            if dry_run:
                return result
            before = {record.name: self._desired.records.get(record.name) for record in records}
            await self._desired.take(records, core)
        for record in records:
            self._forget_failures(before[record.name], record)
            self._journal.say("Applied", f"App {record.name}: {_wanted(record)}", app=record.name)
        for name in {app.name for app in apps} | {record.name for record in records}:
            self._failures.forget([(name, "")])
        self._loop.wake()
        return result

    async def plan(self, documents: Sequence[Mapping[str, Any]]) -> Plan:
        """What applying these would do now."""
        if not self._world.seen:
            raise EngineUnreachableError(
                "the engine has not been seen yet, so there is nothing to plan from",
                hint=self._loop.engine_error or "try again in a second",
            )
        apps, core = check_documents(documents)
        records, merged, _ = self._proposed(apps, core)
        changed = {record.name: self._desired.target_for(record, merged) for record in records}
        present = {name: self._desired.target(name) for name in self._desired.records}
        targets = [target for _, target in sorted((present | changed).items())]
        named = {app.name for app in apps} | changed.keys()
        options = self._loop.planning_options(quiet=False)
        if documents:
            options = _only(options, named, {target.name for target in targets})
        observed = await self._world.seen_for(targets)
        found = preview(observed, targets, options)
        warnings = [warning for app in apps for warning in warnings_of(app)]
        shown = [target for target in targets if not documents or target.name in named]
        return Plan(
            text=plan_text(found, observed, shown),
            rounds=tuple(tuple(step.wire() for step in steps) for steps in found.rounds),
            converged=found.converged,
            warnings=tuple(warnings),
            stalled={stall.app: stall.reason for stall in found.stalled},
        )

    async def delete(self, app: str, *, purge: bool | None = None) -> None:
        """Take an App out of the target, or let an orphaned one go."""
        async with self._changing:
            purged = await self._desired.delete(app, purge=purge)
        self._failures.forget_app(app)
        what = "with its volumes" if purged else "its volumes stay"
        self._journal.say("Deleting", f"App {app} is being removed ({what})", app=app)
        self._loop.wake()

    def apps(self) -> list[App]:
        """All Apps with status."""
        return self.reporter.apps()

    def app(self, name: str) -> App:
        """One App by name or number, with status."""
        return self.reporter.find(name)

    def services(self, app: str | None = None) -> list[AppService]:
        """Services of one App or of all, with status."""
        apps = [self.app(app)] if app is not None else self.apps()
        return [service for one in apps for service in self.reporter.services(one)]

    def volumes(self) -> list[VolumeInfo]:
        """Volumes of Apps, those of deleted ones too."""
        seen = self._world.observed
        here = self._desired.records.keys() | {container.app for container in seen.containers}
        ours = sorted((one.app, one.name) for one in seen.volumes if one.app)
        return [VolumeInfo(app=app, name=name, kept=app not in here) for app, name in ours]

    async def set_run_state(self, app: str, service: str | None, state: RunState) -> str:
        """Start, stop or pause one service, or all of the App."""
        record = self._desired.find(app)
        names = [service] if service else [one.name for one in record.app.spec.services]
        async with self._changing:
            await self._desired.set_run_states(record.name, dict.fromkeys(names, state))
        self._failures.forget_app(record.name, names)
        what = f"{record.name}/{service}" if service else f"all services of App {record.name}"
        self._journal.say(
            "RunState", f"{what}: {state.value} is wanted", app=record.name, service=service or ""
        )
        self._loop.wake()
        if state is RunState.RUNNING or not self._runs(record.name, names):
            return ""
        lock = await asyncio.to_thread(self._world.user_lock, record.name)
        return f"{lock_text(lock)} ({unlocking(lock)})" if lock else ""

    async def restart(self, app: str, service: str | None) -> None:
        """Restart running containers; what was stopped by hand is started."""
        record = self._desired.find(app)
        wanted = [service] if service else [one.name for one in record.app.spec.services]
        stopped = [name for name in wanted if record.run_states.get(name) is RunState.STOPPED]
        await self._check_may_restart(record.name, set(wanted) - set(stopped))
        for name in stopped:
            await self.set_run_state(record.name, name, RunState.RUNNING)
        self._failures.forget_app(record.name, wanted)
        steps = self._restart_steps(self._desired.target(record.name), set(wanted) - set(stopped))
        if not steps:
            self._loop.wake()
            return
        task = asyncio.ensure_future(self._loop.steps.exclusively(record.name, steps))
        self._restarts.add(task)
        task.add_done_callback(self._restarted)

    def logs(
        self, app: str, service: str | None, *, follow: bool, tail: int | None
    ) -> AsyncIterator[tuple[str, LogLine]]:
        """Lines with the name of their service."""
        found = self.app(app)
        names = [one.name for one in found.spec.services]
        if service is not None and service not in names:
            raise NotFoundError(
                f"App {found.name} has no service {service!r}", hint=f"services: {', '.join(names)}"
            )
        wanted = [service] if service else names
        return self._logs.read(found.name, wanted, follow=follow, tail=tail)

    def documents(self) -> list[Mapping[str, Any]]:
        """Secrets (names of keys only) and ConfigMaps."""
        return [_shown(document) for _, document in sorted(self._desired.documents.items())]

    async def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap."""
        async with self._changing:
            await self._desired.delete_document(kind, name)
        self._journal.say("Forgotten", f"{kind} {name} was deleted")

    async def engine(self) -> EngineInfo:
        """The engine."""
        return await self._engine.info()

    def health(self) -> Health:
        """Whether the loop runs and the engine answers."""
        reasons = [] if self._loop.alive() else ["the loop has not looked at the engine for too long"]
        if self._loop.engine_error:
            reasons.append(self._loop.engine_error)
        return Health(ok=not reasons, reasons=tuple(reasons))

    def _proposed(
        self, apps: Sequence[App], core: Sequence[Secret | ConfigMap]
    ) -> tuple[list[AppRecord], Mapping[tuple[str, str], Secret | ConfigMap], list[Applied]]:
        """What would change. Raises InvalidResourceError for what can't be beside the rest."""
        records, merged, applied = self._desired.propose(apps, core)
        others = [record.app for name, record in self._desired.records.items()]
        check_together(apps, others, merged.keys())
        return records, merged, applied

    def _forget_failures(self, before: AppRecord | None, after: AppRecord) -> None:
        """Services whose spec has changed are tried at once."""
        if before is None:
            self._failures.forget_app(after.name)
            return
        changed = [one.name for one in after.app.spec.services if before.app.service(one.name) != one]
        if not changed and before.digest != after.digest:
            changed = [one.name for one in after.app.spec.services]
        self._failures.forget_app(after.name, changed)

    def _runs(self, app: str, services: Collection[str]) -> bool:
        """Whether one of these services has something that a stop would interrupt."""
        seen = self._world.observed.containers
        return any(c.app == app and c.service in services and c.status in _STARTED_BY_HAND for c in seen)

    async def _check_may_restart(self, app: str, services: Collection[str]) -> None:
        lock = await asyncio.to_thread(self._world.user_lock, app)
        if lock is not None and self._runs(app, services):
            raise LockedError(
                f"{lock_text(lock)}; nothing was restarted",
                hint=f"Ask again when it is unlocked, or unlock it: {unlocking(lock)}",
            )

    def _restart_steps(self, target: AppTarget, wanted: set[str]) -> list[Step]:
        steps = []
        for name in _in_start_order(target):
            container = self._loop.facts.counting(target.name, name)
            if name not in wanted or container is None or container.status not in _STARTED_BY_HAND:
                continue
            steps.append(
                Step(
                    action=Action.RESTART,
                    subject=f"{target.name}/{name}",
                    app=target.name,
                    service=name,
                    container=container.id,
                    cause="asked for by hand",
                )
            )
        return steps

    def _restarted(self, task: asyncio.Task[None]) -> None:
        """Failures were told and counted where they happened."""
        self._restarts.discard(task)
        if not task.cancelled():
            task.exception()


def _only(options: Options, named: set[str], wanted: set[str]) -> Options:
    """The options for a plan of these Apps alone: the others stay as they are."""
    return replace(
        options,
        hold=frozenset(wanted - named) | (options.hold - named),
        purge=options.purge - named,
        backoff=frozenset(key for key in options.backoff if key.split("/")[0] not in named),
    )


def _in_start_order(target: AppTarget) -> list[str]:
    """Services with dependencies before dependents."""
    waiting = {service.name: {name for name, _ in service.spec.depends_on} for service in target.services}
    order: list[str] = []
    while waiting:
        free = [name for name, needs in waiting.items() if not needs & waiting.keys()] or list(waiting)
        order += free
        for name in free:
            del waiting[name]
    return order


def _shown(document: Secret | ConfigMap) -> dict[str, Any]:
    """As written, but of a Secret the names of its keys only."""
    shown = {"apiVersion": document.api_version, "kind": document.kind, **document.wire()}
    if isinstance(document, Secret):
        shown.pop("stringData", None)
        shown["data"] = dict.fromkeys(sorted(document.contents()), "")
    return shown


def _wanted(record: AppRecord) -> str:
    return f"release {record.release} is wanted"
