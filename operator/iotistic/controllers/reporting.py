"""Status of Apps and services, made when somebody asks: from the target, the world as last seen, and what
the loop waits for. Nothing of it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iotistic.api.app import App, AppMeta, AppSpec
from iotistic.api.appservice import AppService, AppServiceSpec, RunState
from iotistic.api.base import ObjectMeta
from iotistic.api.conditions import StatusCondition
from iotistic.api.service import Service
from iotistic.controllers.clock import now_text
from iotistic.controllers.desired import Desired
from iotistic.controllers.failures import Failures
from iotistic.controllers.reconciler import Reconciler
from iotistic.controllers.world import World
from iotistic.engines.base import Progress
from iotistic.planning.compare import differences
from iotistic.planning.values import Action, AppTarget, Container, ServiceTarget, Status, UserLock
from iotistic.rollout.status import AppFacts, ServiceFacts, app_status
from iotistic.store.base import AppRecord

ORPHANED = (
    "orphaned: its containers are here, but this agent never held it; apply its file to take it over, "
    "or delete it"
)


class Reporter:
    """Tells what Apps are doing."""

    def __init__(self, desired: Desired, world: World, failures: Failures, loop: Reconciler) -> None:
        self._desired = desired
        self._world = world
        self._failures = failures
        self._loop = loop
        self._conditions: dict[str, dict[str, StatusCondition]] = {}

    def apps(self) -> list[App]:
        """All Apps: wanted, going, and orphaned ones, by name."""
        wanted = [self.wanted(record) for record in self._desired.records.values()]
        return sorted(wanted + self._strays(), key=lambda app: app.name)

    def find(self, name: str) -> App:
        """One of `apps` by name or number. Raises NotFoundError naming those that there are."""
        stray = next((app for app in self._strays() if app.name == name), None)
        return stray or self.wanted(self._desired.find(name))

    def wanted(self, record: AppRecord) -> App:
        """An App of the target with its status."""
        target = self._desired.target(record.name)
        facts = AppFacts(
            name=record.name,
            generation=record.generation,
            release=record.release,
            services=[self._service(record, target, service) for service in target.services],
            stalled=next((s.reason for s in self._loop.round.stalled if s.app == record.name), ""),
            hold="suspended: spec.suspend is true" if record.app.spec.suspend else "",
            busy=self._is_busy(record.name),
            failure=self._own_failure(record.name),
            locked=self._lock(record.name),
            previous=self._conditions.get(record.name, {}),
        )
        metadata = record.app.metadata.model_copy(
            update={"generation": record.generation, "creation_timestamp": record.created}
        )
        spec = record.app.spec.model_copy(update={"app_id": record.app_id})
        return self._with_status(record.app.model_copy(update={"metadata": metadata, "spec": spec}), facts)

    def services(self, app: App) -> list[AppService]:
        """The services of an App that one of the above returned."""
        listed = []
        for status in app.status.services if app.status else []:
            metadata = app.metadata
            listed.append(
                AppService(
                    metadata=ObjectMeta(
                        name=f"{app.name}-{status.name}"[:63].rstrip("-"),
                        creation_timestamp=metadata.creation_timestamp,
                    ),
                    spec=AppServiceSpec(
                        app=app.name, service=status.name, run_state=RunState(status.run_state)
                    ),
                    status=status,
                )
            )
        return listed

    def _with_status(self, app: App, facts: AppFacts) -> App:
        status = app_status(facts, now=now_text())
        self._conditions[app.name] = {condition.type: condition for condition in status.conditions}
        return app.model_copy(update={"status": status})

    def _service(self, record: AppRecord, target: AppTarget, service: ServiceTarget) -> ServiceFacts:
        container = counting(self._world.observed.containers, target.name, service.name)
        failing = self._failures.get((target.name, service.name))
        facts = ServiceFacts(
            name=service.name,
            service_id=record.service_ids.get(service.name),
            run_state=service.run_state.value,
            restart=service.spec.restart.value,
            image=service.spec.image.short,
            downloading=_progress_text(self._loop.steps.fetch_progress.get(service.spec.image.full)),
            failure_reason=failing.reason if failing else "",
            failure=failing.message if failing else "",
            retry_seconds=self._failures.retry_seconds((target.name, service.name)),
            waits_for=self._waits_for(target.name, service.name),
        )
        if container is None:
            return facts
        same = not differences(container, service, target, self._world.observed)
        return _with_container(
            facts, container, unchanged=same, message=self._world.health_message(container.id)
        )

    def _waits_for(self, app: str, service: str) -> str:
        """What the planner said of a service that is not done."""
        for step in self._loop.round.steps:
            if step.app == app and step.service == service and step.action is Action.WAIT:
                return step.cause
        return ""

    def _is_busy(self, app: str) -> bool:
        planned = any(s.app == app and s.action is not Action.WAIT for s in self._loop.round.steps)
        return planned or app in self._loop.steps.busy_apps()

    def _own_failure(self, app: str) -> str:
        failing = self._failures.get((app, ""))
        return failing.message if failing else ""

    def _lock(self, app: str) -> str:
        """In words, the user's lock that the App waits for; empty when it waits for none."""
        waits = any(
            step.action is Action.WAIT and step.app == app and not step.service
            for step in self._loop.round.steps
        )
        locks = [lock for lock in self._world.observed.user_locks if lock.app == app]
        return _lock_text(locks[0]) if waits and locks else ""

    def _strays(self) -> list[App]:
        """Apps that are on the engine but not in the target, as far as they can be told from it."""
        seen = self._world.observed
        orphans = self._loop.orphans()
        leaving = {c.app for c in seen.containers} | {n.app for n in seen.networks}
        going = (leaving & self._desired.deletions.keys()) - self._desired.records.keys()
        return [
            self._stray(name, deleting=name in going)
            for name in sorted(going | orphans)
            if name in going or any(c.app == name for c in seen.containers)
        ]

    def _stray(self, name: str, *, deleting: bool) -> App:
        containers = [c for c in self._world.observed.containers if c.app == name]
        newest = {c.service: c for c in sorted(containers, key=lambda c: c.created)}
        services = [
            Service.model_construct(name=c.service, image=c.spec.image.short) for c in newest.values()
        ]
        app = App.model_construct(
            metadata=AppMeta.model_construct(name=name), spec=AppSpec.model_construct(services=services)
        )
        facts = AppFacts(
            name=name,
            generation=0,
            release=max((c.release for c in containers), default=""),
            services=[
                _with_container(
                    ServiceFacts(name=c.service, restart=c.spec.restart.value, image=c.spec.image.short),
                    c,
                    unchanged=True,
                    message="",
                )
                for c in newest.values()
            ],
            hold="" if deleting else ORPHANED,
            deleting=deleting,
            failure=self._own_failure(name),
            locked=self._lock(name),
            previous=self._conditions.get(name, {}),
        )
        return self._with_status(app, facts)


def counting(containers: Sequence[Container], app: str, service: str) -> Container | None:
    """The container of a service that people mean: the newest that lives, else the newest (R14)."""
    own = [c for c in containers if c.app == app and c.service == service]
    alive = [c for c in own if c.status not in {Status.DEAD, Status.STOPPING}]
    return max(alive or own, key=lambda c: c.created, default=None)


def _with_container(
    facts: ServiceFacts, container: Container, *, unchanged: bool, message: str
) -> ServiceFacts:
    ended = container.status in {Status.EXITED, Status.DEAD, Status.RESTARTING}
    return replace(
        facts,
        container_status=container.status.value,
        unchanged=unchanged,
        health=container.health.value,
        health_message=message,
        exit_code=container.exit_code if ended else None,
        oom_killed=container.oom_killed,
        container_id=container.id,
        container_image=container.spec.image.short,
        image_digest=container.image_digest,
        release=container.release,
        restarts=container.restarts,
        ports=container.ports,
        since=(container.finished if ended else container.started) or container.created,
    )


def _lock_text(lock: UserLock) -> str:
    who = f" by {lock.owner}" if lock.owner else ""
    why = f": {lock.reason}" if lock.reason else ""
    until = f", until {lock.until}" if lock.until else ""
    what = f"{lock.app}/{lock.service}" if lock.service else lock.app
    return f"{what} is locked{who}{why}{until}"


def _progress_text(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if not progress.total:
        return progress.message or "..."
    return f"{progress.current / 1e6:.1f} of {progress.total / 1e6:.1f} MB"
