"""Releases of Apps and what holds them back, as people ask for it; see `controllers.base.ReleasesControl`."""

from __future__ import annotations

import asyncio

from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.controllers.apps import Apps
from iotistic.controllers.base import Applied, Explanation, Revision
from iotistic.controllers.desired import Desired, app_references
from iotistic.controllers.failures import Failures
from iotistic.controllers.journal import Journal
from iotistic.controllers.reconciler import Reconciler
from iotistic.engines.base import Engine
from iotistic.planning.recovery import app_document
from iotistic.rollout.explaining import explain
from iotistic.rollout.history import rollback_to, standing, why_failed
from iotistic.store.base import Locks, RevisionRecord


class Releases:
    """Answers for all Apps."""

    def __init__(
        self,
        *,
        apps: Apps,
        engine: Engine,
        desired: Desired,
        failures: Failures,
        locks: Locks,
        loop: Reconciler,
        journal: Journal,
    ) -> None:
        self._apps = apps
        self._engine = engine
        self._desired = desired
        self._failures = failures
        self._locks = locks
        self._loop = loop
        self._journal = journal

    def history(self, app: str) -> list[Revision]:
        """Remembered releases, newest first."""
        record = self._desired.find(app)
        state = self._loop.rollouts.state(record.name)
        return [
            Revision(
                release=revision.release,
                digest=revision.digest,
                created=revision.created,
                state=standing(revision.digest, state, wanted=record.digest),
                why=why_failed(revision.digest, state),
                images=tuple(service.image for service in revision.document.spec.services),
            )
            for revision in sorted(self._desired.revisions.get(record.name, {}).values(), key=_age)
        ]

    async def rollback(self, app: str, release: str | None) -> Applied:
        """Want an earlier release again: as if its files had been applied once more."""
        record = self._desired.find(app)
        found: RevisionRecord = rollback_to(
            list(self._desired.revisions.get(record.name, {}).values()),
            self._loop.rollouts.state(record.name),
            app=record.name,
            wanted=record.digest,
            release=release,
        )
        changed = [document for document in found.contents if self._differs(document)]
        for document in changed:
            self._check_alone(document, record.name)
        documents = [found.document, *changed]
        bodies = [{"apiVersion": d.api_version, "kind": d.kind, **d.wire()} for d in documents]
        result = await self._apps.apply(bodies)
        self._journal.say(
            "RolledBack", f"App {record.name}: release {found.release} is wanted again", app=record.name
        )
        return next(one for one in result.applied if one.kind == "App")

    async def retry(self, app: str, service: str | None = None) -> None:
        """Try again now what failed and waits."""
        record = self._desired.find(app)
        if service is not None and record.app.service(service) is None:
            raise NotFoundError(f"App {record.name} has no service {service!r}")
        self._failures.forget_app(record.name, [service] if service else None)
        if service is None:
            await self._loop.rollouts.retry(record.name)
        what = f"{record.name}/{service}" if service else f"App {record.name}"
        self._journal.say("Retry", f"{what} is tried again, as somebody asked", app=record.name)
        self._loop.wake()

    async def lock(self, app: str, service: str, *, reason: str, owner: str, until: str) -> None:
        """Hold back what would interrupt."""
        record = self._desired.find(app)
        if service and record.app.service(service) is None:
            raise NotFoundError(f"App {record.name} has no service {service!r}")
        await asyncio.to_thread(
            self._locks.lock, record.name, service=service, reason=reason, owner=owner, until=until
        )
        self._journal.say(
            "UserLocked", f"App {record.name} is locked: {reason or 'no reason'}", app=record.name
        )
        self._loop.wake()

    async def unlock(self, app: str, service: str) -> None:
        """Take such a lock away, also of an App that is going."""
        name = app if app in self._desired.deletions else self._desired.find(app).name
        await asyncio.to_thread(self._locks.unlock, name, service)
        self._journal.say("UserUnlocked", f"App {name} is no longer locked", app=name)
        self._loop.wake()

    async def purge_volumes(self, app: str) -> None:
        """Empty the App's volumes and start it again; recorded before anything is removed."""
        record = self._desired.find(app)
        await self._desired.purge(record.name)
        self._journal.say("Purging", f"the volumes of App {record.name} are being emptied", app=record.name)
        self._loop.wake()

    async def recover(self, app: str) -> Applied:
        """Take an orphaned App over as it runs."""
        if app not in self._loop.orphans():
            raise ConflictError(f"App {app} is not orphaned: this agent has its target already")
        found = await self._engine.records(app)
        releases = {c.release for c in self._loop.world.observed.containers if c.app == app}
        document = app_document(
            app,
            services=found.services,
            networks=found.networks,
            volumes=found.volumes,
            release=releases.pop() if len(releases) == 1 else "",
        )
        result = await self._apps.apply([document])
        return result.applied[0]

    def explain(self, app: str) -> Explanation:
        """Why it is not done, and what unblocks it."""
        found, facts = self._apps.reporter.with_facts(app)
        assert found.status is not None
        return explain(facts, found.status, engine_error=self._loop.engine_error)

    def _differs(self, document: Secret | ConfigMap) -> bool:
        now = self._desired.documents.get((document.kind, document.metadata.name))
        return now is None or now.contents() != document.contents()

    def _check_alone(self, document: Secret | ConfigMap, app: str) -> None:
        """A rollback must not change what another App gets."""
        reference = f"{document.kind}/{document.metadata.name}"
        others = [
            name
            for name, record in self._desired.records.items()
            if name != app and reference in app_references(record.app)
        ]
        if others:
            raise ConflictError(
                f"that release of App {app} had other contents of {document.kind} {document.metadata.name}, "
                f"which App {others[0]} uses as well",
                hint="apply the files that you want by hand",
            )


def _age(revision: RevisionRecord) -> tuple[int, str]:
    """Sorts the newest first: one that is wanted again has a new number, but keeps its first moment."""
    return -int(revision.release) if revision.release.isdigit() else 0, revision.created
