"""Status of Apps and services, made when somebody asks. Nothing of it is stored."""

from __future__ import annotations

from dataclasses import replace

from iotistic.api.app import App, AppMeta, AppSpec
from iotistic.api.appservice import AppService, AppServiceSpec, RunState
from iotistic.api.base import ObjectMeta
from iotistic.api.conditions import StatusCondition
from iotistic.api.service import Service
from iotistic.controllers.clock import now_text
from iotistic.controllers.desired import Desired
from iotistic.controllers.facts import with_container
from iotistic.controllers.reconciler import Reconciler
from iotistic.controllers.world import World
from iotistic.rollout.status import AppFacts, ServiceFacts, app_status
from iotistic.store.base import AppRecord

ORPHANED = (
    "orphaned: its containers are here, but this agent never held it; apply its file to take it over, "
    "or delete it"
)


class Reporter:
    """Tells what Apps are doing."""

    def __init__(self, desired: Desired, world: World, loop: Reconciler) -> None:
        self._desired = desired
        self._world = world
        self._loop = loop
        self._conditions: dict[str, dict[str, StatusCondition]] = {}

    def apps(self) -> list[App]:
        """All Apps: wanted, going, and orphaned ones, by name."""
        wanted = [self.wanted(record) for record in self._desired.records.values()]
        return sorted(wanted + self._strays(), key=lambda app: app.name)

    def find(self, name: str) -> App:
        """One of `apps` by name or number. Raises NotFoundError naming those that there are."""
        return self.with_facts(name)[0]

    def with_facts(self, name: str) -> tuple[App, AppFacts]:
        """One of `apps`, and what its status was made from. Raises NotFoundError."""
        if name not in self._desired.records and self._is_here(name):
            return self._stray(name, deleting=name in self._desired.deletions)
        return self._wanted(self._desired.find(name))

    def wanted(self, record: AppRecord) -> App:
        """An App of the target with its status."""
        return self._wanted(record)[0]

    def _wanted(self, record: AppRecord) -> tuple[App, AppFacts]:
        facts = replace(
            self._loop.facts.app(record, self._desired.target(record.name)),
            rollout=self._loop.rollouts.decision(record.name),
        )
        metadata = record.app.metadata.model_copy(
            update={"generation": record.generation, "creation_timestamp": record.created}
        )
        spec = record.app.spec.model_copy(update={"app_id": record.app_id})
        app = record.app.model_copy(update={"metadata": metadata, "spec": spec})
        return self._with_status(app, facts), facts

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
        facts = replace(facts, previous=self._conditions.get(app.name, {}))
        status = app_status(facts, now=now_text())
        self._conditions[app.name] = {condition.type: condition for condition in status.conditions}
        return app.model_copy(update={"status": status})

    def _strays(self) -> list[App]:
        """Apps that are on the engine but not in the target, as far as they can be told from it."""
        seen = self._world.observed
        orphans = self._loop.orphans()
        going = {name for name in self._desired.deletions if self._is_here(name)}
        going -= self._desired.records.keys()
        return [
            self._stray(name, deleting=name in going)[0]
            for name in sorted(going | orphans)
            if name in going or any(c.app == name for c in seen.containers)
        ]

    def _is_here(self, name: str) -> bool:
        """Whether something of it runs or has to go; until the engine was seen, that is what the store says:
        a deletion is forgotten only when all that has to go is gone."""
        if not self._world.seen:
            return name in self._desired.deletions
        seen, deletions = self._world.observed, self._desired.deletions
        if any(container.app == name for container in seen.containers):
            return True
        if name in deletions and any(network.app == name for network in seen.networks):
            return True
        return deletions.get(name, False) and any(volume.app == name for volume in seen.volumes)

    def _stray(self, name: str, *, deleting: bool) -> tuple[App, AppFacts]:
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
                with_container(
                    ServiceFacts(name=c.service, restart=c.spec.restart.value, image=c.spec.image.short),
                    c,
                    unchanged=True,
                    message="",
                )
                for c in newest.values()
            ],
            hold="" if deleting else ORPHANED,
            deleting=deleting,
            failure=self._loop.facts.own_failure(name),
            failure_hint=self._loop.facts.own_hint(name),
            locked=self._loop.facts.lock(name),
        )
        return self._with_status(app, facts), facts
