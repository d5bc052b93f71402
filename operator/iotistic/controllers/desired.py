"""What is wanted: Apps, run states, Secrets and ConfigMaps; kept in the store, mirrored here.

Every change is durable before anybody acts on it; the disk is waited for in a thread, but what is mirrored
changes on the loop alone, between two of its turns. Of an App whose wanted release may not run, the target
is that of the release which was chosen instead (see `rollouts`), with the contents of its day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from iotistic.api.app import App, DeletionPolicy
from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.controllers.base import Applied
from iotistic.controllers.clock import now_text
from iotistic.planning.normal import references, target_of
from iotistic.planning.release import digest_contents, release_digest
from iotistic.planning.values import AppTarget
from iotistic.store.base import AppRecord, RevisionRecord, Store

Documents = Mapping[tuple[str, str], Secret | ConfigMap]


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """Values of Secrets and ConfigMaps (engines.base.Contents)."""

    documents: Documents

    def contents(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        """The values of `Secret` or `ConfigMap` `name`; None when there is none."""
        document = self.documents.get((kind, name))
        return document.contents() if document else None

    def secret_type(self, name: str) -> str:
        """Type of a Secret; empty when there is none."""
        document = self.documents.get(("Secret", name))
        return document.type if isinstance(document, Secret) else ""


class Desired:
    """The target of this device."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.records: dict[str, AppRecord] = {record.name: record for record in store.apps()}
        self.deletions: dict[str, bool] = {gone.app: gone.purge for gone in store.deletions()}
        self.documents: dict[tuple[str, str], Secret | ConfigMap] = {
            (doc.kind, doc.metadata.name): doc for doc in store.documents()
        }
        self.revisions: dict[str, dict[str, RevisionRecord]] = {}
        """Remembered releases by App and digest, oldest first."""
        for revision in store.revisions():
            self.revisions.setdefault(revision.app, {})[revision.digest] = revision
        self.purging: set[str] = store.purging()
        """Apps whose volumes are being emptied: until that is done nothing of them is wanted."""
        self._chosen: dict[str, str] = {}
        self._targets: dict[str, AppTarget] = {}

    def contents_of(self, app: str) -> DocumentContents:
        """What an App's services get from Secrets and ConfigMaps: of the release that may run."""
        chosen = self._chosen_revision(app)
        if chosen is None:
            return DocumentContents(self.documents)
        return DocumentContents({**self.documents, **_by_name(chosen.contents)})

    def choose(self, name: str, digest: str) -> bool:
        """Say which release of an App may run; True when it is another one than before."""
        before = self.chosen(name)
        self._chosen[name] = digest
        if digest == before:
            return False
        self._targets.pop(name, None)
        return True

    def chosen(self, name: str) -> str:
        """Digest of the release that may run; of the wanted one where nothing else was said."""
        record = self.records.get(name)
        return self._chosen.get(name) or (record.digest if record else "")

    def app(self, name: str) -> App | None:
        """The App as it may run now; None when it is not wanted."""
        target = self.target(name) if name in self.records else None
        return target.app if target else None

    def target(self, name: str) -> AppTarget:
        """The effective target of an App: run states and contents laid over the release that may run."""
        if name not in self._targets:
            chosen = self._chosen_revision(name)
            record = self.records[name]
            self._targets[name] = (
                self.target_for(record, self.documents) if chosen is None else self.target_of(record, chosen)
            )
        return self._targets[name]

    def target_of(self, record: AppRecord, revision: RevisionRecord) -> AppTarget:
        """The target of an App at one of its remembered releases."""
        past = replace(record, app=revision.document, release=revision.release)
        return self.target_for(past, _by_name(revision.contents))

    def targets(self) -> list[AppTarget]:
        """The effective targets of all Apps that should be there."""
        return [self.target(name) for name in sorted(self.records) if name not in self.purging]

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
        merged = self.documents | _by_name(documents)
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

    def take_at_start(self, records: Sequence[AppRecord]) -> None:
        """As `take`, while nothing else goes on. Blocks on the disk."""
        revisions = self._revisions_of(records, ())
        self._store.put(apps=records, revisions=revisions)
        self._mirror(records, (), revisions)

    async def take(self, records: Sequence[AppRecord], documents: Sequence[Secret | ConfigMap]) -> None:
        """Write these and make them the target, all or nothing."""
        revisions = self._revisions_of(records, documents)
        await asyncio.to_thread(self._store.put, apps=records, documents=documents, revisions=revisions)
        self._mirror(records, documents, revisions)

    def _revisions_of(
        self, records: Sequence[AppRecord], documents: Sequence[Secret | ConfigMap]
    ) -> list[RevisionRecord]:
        merged = {**self.documents, **_by_name(documents)}
        return [self._revision(record, merged) for record in records]

    def _mirror(
        self,
        records: Sequence[AppRecord],
        documents: Sequence[Secret | ConfigMap],
        revisions: Sequence[RevisionRecord],
    ) -> None:
        self.documents.update(_by_name(documents))
        for record in records:
            self.records[record.name] = record
            self.deletions.pop(record.name, None)
        for revision in revisions:
            known = self.revisions.setdefault(revision.app, {})
            before = known.get(revision.digest)
            known[revision.digest] = replace(revision, created=before.created) if before else revision
        self._targets.clear()

    async def delete(self, name: str, *, purge: bool | None) -> bool:
        """Take an App out of the target, durably; says whether its volumes go too."""
        record = self.records.get(name)
        policy = record.app.spec.deletion_policy if record else DeletionPolicy.RETAIN
        effective = policy is DeletionPolicy.DELETE if purge is None else purge
        await asyncio.to_thread(self._store.delete_app, name, purge=effective)
        for known in (self.records, self._targets, self.revisions, self._chosen):
            known.pop(name, None)
        self.purging.discard(name)
        self.deletions[name] = effective
        return effective

    def deleted_for_good(self, name: str) -> None:
        """Nothing of a deleted App is left."""
        self._store.forget_deletion(name)
        self.deletions.pop(name, None)

    async def forget_revisions(self, name: str, digests: Sequence[str]) -> None:
        """Remember these releases no longer."""
        await asyncio.to_thread(self._store.forget_revisions, name, digests)
        for digest in digests:
            self.revisions.get(name, {}).pop(digest, None)

    async def purge(self, name: str) -> None:
        """Record that an App's volumes are to be emptied."""
        await asyncio.to_thread(self._store.set_purging, name, True)
        self.purging.add(name)

    def purged(self, name: str) -> None:
        """An App's volumes are empty."""
        self._store.set_purging(name, False)
        self.purging.discard(name)

    async def set_run_states(self, name: str, states: Mapping[str, RunState]) -> None:
        """Lay run states over an App, durably."""
        await asyncio.to_thread(self._store.set_run_states, name, states)
        record = self.records[name]
        merged = {**record.run_states, **states}
        kept = {service: state for service, state in merged.items() if state is not RunState.RUNNING}
        self.records[name] = replace(record, run_states=kept)
        self._targets.pop(name, None)

    async def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap. Raises ConflictError while an App refers to it."""
        if (kind, name) not in self.documents:
            raise NotFoundError(f"no {kind} {name!r} on this device")
        for record in self.records.values():
            if f"{kind}/{name}" in app_references(record.app):
                raise ConflictError(
                    f"{kind} {name} is used by App {record.name}",
                    hint="delete the App first, or change its spec",
                )
        await asyncio.to_thread(self._store.delete_document, kind, name)
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

    def _chosen_revision(self, name: str) -> RevisionRecord | None:
        """The remembered release that may run instead of the wanted one, if that is so."""
        digest = self._chosen.get(name)
        if digest is None or digest == self.records[name].digest:
            return None
        return self.revisions.get(name, {}).get(digest)

    def _revision(self, record: AppRecord, documents: Documents) -> RevisionRecord:
        used = (reference.split("/", 1) for reference in sorted(_content_references(record.app)))
        found = (documents.get((kind, name)) for kind, name in used)
        return RevisionRecord(
            app=record.name,
            digest=record.digest,
            release=record.release,
            created=now_text(),
            document=record.app,
            contents=tuple(document for document in found if document is not None),
        )

    def _digests(self, app: App, documents: Documents) -> dict[str, str]:
        digests = {}
        for reference in _content_references(app):
            kind, _, name = reference.partition("/")
            document = documents.get((kind, name))
            if document is not None:
                digests[reference] = digest_contents(self._store.digest_key, kind, name, document.contents())
        return digests


def _by_name(documents: Sequence[Secret | ConfigMap]) -> dict[tuple[str, str], Secret | ConfigMap]:
    return {(document.kind, document.metadata.name): document for document in documents}


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
