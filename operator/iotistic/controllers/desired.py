"""What is wanted: Apps, run states, Secrets and ConfigMaps; kept in the store, mirrored here.

Every change is durable before anybody acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from iotistic.api.app import App, DeletionPolicy
from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.controllers.base import Applied
from iotistic.controllers.clock import now_text
from iotistic.planning.normal import references, target_of
from iotistic.planning.release import digest_contents, release_digest
from iotistic.planning.values import AppTarget
from iotistic.store.base import AppRecord, Store

Documents = Mapping[tuple[str, str], Secret | ConfigMap]


class Desired:
    """The target of this device."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.records: dict[str, AppRecord] = {record.name: record for record in store.apps()}
        self.deletions: dict[str, bool] = {gone.app: gone.purge for gone in store.deletions()}
        self.documents: dict[tuple[str, str], Secret | ConfigMap] = {
            (doc.kind, doc.metadata.name): doc for doc in store.documents()
        }
        self._targets: dict[str, AppTarget] = {}

    def contents(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        """Values of a Secret or ConfigMap; None when there is none (Contents)."""
        document = self.documents.get((kind, name))
        return document.contents() if document else None

    def secret_type(self, name: str) -> str:
        """Type of a Secret; empty when there is none (Contents)."""
        document = self.documents.get(("Secret", name))
        return document.type if isinstance(document, Secret) else ""

    def target(self, name: str) -> AppTarget:
        """The effective target of an App: run states and contents laid over it."""
        if name not in self._targets:
            self._targets[name] = self.target_for(self.records[name], self.documents)
        return self._targets[name]

    def targets(self) -> list[AppTarget]:
        """The effective targets of all Apps."""
        return [self.target(name) for name in sorted(self.records)]

    def target_for(self, record: AppRecord, documents: Documents) -> AppTarget:
        """The effective target that a record would have with these documents."""
        return target_of(
            record.app,
            release=record.release,
            run_states=record.run_states,
            contents=self._digests(record.app, documents),
        )

    def find(self, name: str) -> AppRecord:
        """An App by name or number. Raises NotFoundError naming the Apps that there are."""
        record = self.records.get(name) or next(
            (record for record in self.records.values() if name.isdigit() and record.app_id == int(name)),
            None,
        )
        if record is None:
            known = ", ".join(sorted(self.records)) or "none"
            raise NotFoundError(f"no App {name!r} on this device", hint=f"Apps here: {known}")
        return record

    def propose(
        self, apps: Sequence[App], documents: Sequence[Secret | ConfigMap]
    ) -> tuple[list[AppRecord], Documents, list[Applied]]:
        """What applying these would make of the target, without doing it.

        Returns: records that change, all documents as they would be, and a line for each document.
        """
        merged = self.documents | {(doc.kind, doc.metadata.name): doc for doc in documents}
        applied: list[Applied] = []
        for document in documents:
            before = self.documents.get((document.kind, document.metadata.name))
            same = before is not None and before.contents() == document.contents()
            result = "created" if before is None else "unchanged" if same else "configured"
            applied.append(Applied(kind=document.kind, name=document.metadata.name, result=result))
        named = {app.name: app for app in apps}
        changed: list[AppRecord] = []
        next_id = self._store.next_app_id()
        for name in sorted(self.records.keys() | named.keys()):
            before_app = self.records.get(name)
            record = self._next_record(before_app, named.get(name), merged, next_id)
            if before_app is None:
                next_id = max(next_id, record.app_id) + 1
            if record != before_app:
                changed.append(record)
            if name in named:
                result = (
                    "created" if before_app is None else "unchanged" if record == before_app else "configured"
                )
                applied.append(
                    Applied(
                        kind="App",
                        name=name,
                        result=result,
                        release=record.release,
                        generation=record.generation,
                    )
                )
        return changed, merged, applied

    def take(self, records: Sequence[AppRecord], documents: Sequence[Secret | ConfigMap]) -> None:
        """Write these and make them the target, all or nothing. Blocks on the disk."""
        self._store.put(apps=records, documents=documents)
        for document in documents:
            self.documents[document.kind, document.metadata.name] = document
        for record in records:
            self.records[record.name] = record
            self.deletions.pop(record.name, None)
        self._targets.clear()

    def delete(self, name: str, *, purge: bool | None) -> bool:
        """Take an App out of the target, durably; says whether its volumes go too."""
        record = self.records.get(name)
        policy = record.app.spec.deletion_policy if record else DeletionPolicy.RETAIN
        effective = policy is DeletionPolicy.DELETE if purge is None else purge
        self._store.delete_app(name, purge=effective)
        self.records.pop(name, None)
        self._targets.pop(name, None)
        self.deletions[name] = effective
        return effective

    def deleted_for_good(self, name: str) -> None:
        """Nothing of a deleted App is left."""
        self._store.forget_deletion(name)
        self.deletions.pop(name, None)

    def set_run_states(self, name: str, states: Mapping[str, RunState]) -> None:
        """Lay run states over an App, durably."""
        record = self.records[name]
        self._store.set_run_states(name, states)
        merged = {**record.run_states, **states}
        kept = {service: state for service, state in merged.items() if state is not RunState.RUNNING}
        self.records[name] = replace(record, run_states=kept)
        self._targets.pop(name, None)

    def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap. Raises ConflictError while an App refers to it."""
        if (kind, name) not in self.documents:
            raise NotFoundError(f"no {kind} {name!r} on this device")
        for record in self.records.values():
            if f"{kind}/{name}" in app_references(record.app):
                raise ConflictError(
                    f"{kind} {name} is used by App {record.name}",
                    hint="delete the App first, or change its spec",
                )
        self._store.delete_document(kind, name)
        del self.documents[kind, name]

    def _next_record(
        self, before: AppRecord | None, app: App | None, documents: Documents, next_id: int
    ) -> AppRecord:
        wanted = app or (before.app if before else None)
        assert wanted is not None
        wanted = wanted.model_copy(update={"status": None})
        digest = release_digest(wanted, self._digests(wanted, documents))
        service_ids = _service_ids(wanted, before)
        if before is None:
            return AppRecord(
                app=wanted,
                app_id=wanted.spec.app_id or next_id,
                release=str(wanted.spec.release or 1),
                generation=1,
                digest=digest,
                created=now_text(),
                service_ids=service_ids,
            )
        same_spec = before.app.spec == wanted.spec
        return replace(
            before,
            app=wanted,
            app_id=wanted.spec.app_id or before.app_id,
            release=_next_release(before, wanted, digest),
            generation=before.generation if same_spec else before.generation + 1,
            digest=digest,
            service_ids=service_ids,
            run_states={name: state for name, state in before.run_states.items() if wanted.service(name)},
        )

    def _digests(self, app: App, documents: Documents) -> dict[str, str]:
        digests = {}
        for reference in _content_references(app):
            kind, _, name = reference.partition("/")
            document = documents.get((kind, name))
            if document is not None:
                digests[reference] = digest_contents(self._store.digest_key, kind, name, document.contents())
        return digests


def app_references(app: App) -> set[str]:
    """All Secrets and ConfigMaps that an App refers to, as `Kind/name`."""
    logins = {
        f"Secret/{secret.name}" for service in app.spec.services for secret in service.image_pull_secrets
    }
    return _content_references(app) | logins


def _content_references(app: App) -> set[str]:
    """Those whose contents end in a container: a registry's new password makes no new release."""
    volumes = {volume.name: volume for volume in app.spec.volumes}
    return {reference for service in app.spec.services for reference in references(service, volumes)}


def _next_release(before: AppRecord, app: App, digest: str) -> str:
    if app.spec.release is not None:
        return str(app.spec.release)
    if before.digest == digest and before.app.spec.release is None:
        return before.release
    return str(int(before.release) + 1) if before.release.isdigit() else "1"


def _service_ids(app: App, before: AppRecord | None) -> dict[str, int]:
    """Numbers of the services: as written, as before, else the next ones. Those of dropped services stay
    theirs: a service that comes back keeps its number."""
    ids = dict(before.service_ids) if before else {}
    for service in app.spec.services:
        if service.service_id is not None:
            ids[service.name] = service.service_id
    written = {service.name for service in app.spec.services if service.service_id is not None}
    taken = {ids[name] for name in written}
    for service in app.spec.services:
        if service.name in written:
            continue
        if ids.get(service.name) in taken or service.name not in ids:
            ids[service.name] = max([0, *ids.values(), *taken]) + 1
        taken.add(ids[service.name])
    return ids
