"""`Store` in a SQLite file: one connection behind a lock, every change one transaction."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, literal, or_, select
from sqlalchemy.dialects.sqlite import insert

from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import StoreDamagedError, StoreError
from iotistic.planning.originals import AdoptedThing
from iotistic.store.base import AppRecord, Backoff, Deletion, Original, RevisionRecord, SavedLines
from iotistic.store.identity import Identity, load_identity
from iotistic.store.sqlite import schema
from iotistic.store.sqlite.database import disconnect, errors_of, prepare
from iotistic.store.sqlite.original import read_original
from iotistic.store.sqlite.records import (
    adopted_row,
    adopted_thing,
    app_record,
    app_row,
    body,
    core_document,
    revision_record,
    revision_row,
    run_state,
    saved_lines,
    saved_lines_row,
)

FIRST_APP_ID = 1001
_APP_ID = "app_id"
_REVISION = ("app", "digest")


def open_store(path: Path) -> SqliteStore:
    """Open the database, made (0600) or migrated where needed, with the identity beside it.

    Raises: StoreError.
    """
    connection = prepare(path)
    try:
        return SqliteStore(path, connection, load_identity(path.parent))
    except StoreError:
        disconnect(connection)
        raise


class SqliteStore:
    """The database of one install; see `store.base.Store`."""

    def __init__(self, path: Path, connection: Connection, identity: Identity) -> None:
        self._path = path
        self._connection: Connection | None = connection
        self._identity = identity
        self._lock = threading.Lock()
        self._damage: StoreDamagedError | None = None

    @property
    def install(self) -> str:
        """Id of this install."""
        return self._identity.install

    @property
    def digest_key(self) -> bytes:
        """Key for digests of secret values."""
        return self._identity.digest_key

    def apps(self) -> list[AppRecord]:
        """The target, by name."""
        with self._transaction() as connection:
            rows = _rows(connection, schema.app, by="name")
            states: dict[str, dict[str, RunState]] = defaultdict(dict)
            for row in _rows(connection, schema.run_state, by="service"):
                states[row["app"]][row["service"]] = run_state(row, self._path)
        return [app_record(row, states.get(row["name"], {}), self._path) for row in rows]

    def put(
        self,
        *,
        apps: Sequence[AppRecord] = (),
        documents: Sequence[Secret | ConfigMap] = (),
        revisions: Sequence[RevisionRecord] = (),
    ) -> None:
        """Write these, all or nothing. Cancels the Apps' deletions."""
        with self._transaction() as connection:
            for document in documents:
                row = {"kind": document.kind, "name": document.metadata.name, "body": body(document)}
                _upsert(connection, schema.document, row)
            for record in apps:
                _put_app(connection, record)
            for revision in revisions:
                _upsert(connection, schema.revision, revision_row(revision), key=_REVISION, keep={"created"})

    def delete_app(self, name: str, *, purge: bool) -> None:
        """Take an App out of the target and record its deletion."""
        with self._transaction() as connection:
            connection.execute(delete(schema.app).where(schema.app.c.name == name))
            connection.execute(delete(schema.purging).where(schema.purging.c.app == name))
            _upsert(connection, schema.deletion, {"app": name, "purge": purge})

    def deletions(self) -> list[Deletion]:
        """Recorded deletions."""
        with self._transaction() as connection:
            return [Deletion(**row) for row in _rows(connection, schema.deletion, by="app")]

    def forget_deletion(self, name: str) -> None:
        """Nothing of that App is left."""
        with self._transaction() as connection:
            for table in (schema.deletion, schema.saved_lines):
                connection.execute(delete(table).where(table.c.app == name))

    def set_run_states(self, app: str, states: Mapping[str, RunState]) -> None:
        """Set the run state of these services; Running forgets."""
        with self._transaction() as connection:
            _set_run_states(connection, app, states)

    def documents(self) -> list[Secret | ConfigMap]:
        """Secrets and ConfigMaps."""
        with self._transaction() as connection:
            rows = _rows(connection, schema.document, by="name")
        return [core_document(row, self._path) for row in rows]

    def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap."""
        table = schema.document
        with self._transaction() as connection:
            connection.execute(delete(table).where(table.c.kind == kind, table.c.name == name))

    def next_app_id(self) -> int:
        """A number no App has had: from 1001."""
        query = select(schema.counter.c.value).where(schema.counter.c.name == _APP_ID)
        with self._transaction() as connection:
            highest = connection.execute(query).scalar()
        return max(FIRST_APP_ID, (highest or 0) + 1)

    def releases(self) -> dict[str, str]:
        """Release recorded for a container since it was made, by container id."""
        with self._transaction() as connection:
            rows = _rows(connection, schema.container_release, by="container")
        return {row["container"]: row["release"] for row in rows}

    def set_release(self, container: str, release: str) -> None:
        """Record that a container belongs to another release now."""
        with self._transaction() as connection:
            _upsert(connection, schema.container_release, {"container": container, "release": release})

    def forget_releases(self, containers: Sequence[str]) -> None:
        """These containers are gone."""
        table = schema.container_release
        with self._transaction() as connection:
            for container in containers:
                connection.execute(delete(table).where(table.c.container == container))

    def images(self) -> set[str]:
        """Images fetched for us, as `ImageRef.full`."""
        with self._transaction() as connection:
            return set(connection.execute(select(schema.image.c.ref)).scalars())

    def add_image(self, ref: str) -> None:
        """An image was fetched for us."""
        with self._transaction() as connection:
            connection.execute(insert(schema.image).values(ref=ref).on_conflict_do_nothing())

    def remove_image(self, ref: str) -> None:
        """An image of ours is gone."""
        with self._transaction() as connection:
            connection.execute(delete(schema.image).where(schema.image.c.ref == ref))

    def backoffs(self) -> list[Backoff]:
        """Back-offs as they were last written."""
        with self._transaction() as connection:
            return [Backoff(**row) for row in _rows(connection, schema.backoff, by="app")]

    def put_backoff(self, backoff: Backoff) -> None:
        """Write one."""
        with self._transaction() as connection:
            _upsert(connection, schema.backoff, asdict(backoff))

    def forget_backoff(self, app: str, service: str) -> None:
        """It runs again."""
        table = schema.backoff
        with self._transaction() as connection:
            connection.execute(delete(table).where(table.c.app == app, table.c.service == service))

    def revisions(self, app: str | None = None) -> list[RevisionRecord]:
        """Remembered releases of one App or of all, in the order in which they were wanted first."""
        with self._transaction() as connection:
            rows = _rows(connection, schema.revision, by="number")
        return [revision_record(row, self._path) for row in rows if app in {None, row["app"]}]

    def forget_revisions(self, app: str, digests: Sequence[str]) -> None:
        """These releases are too old to remember."""
        table = schema.revision
        with self._transaction() as connection:
            for digest in digests:
                connection.execute(delete(table).where(table.c.app == app, table.c.digest == digest))

    def rollouts(self) -> dict[str, str]:
        """State of each App's rollout."""
        with self._transaction() as connection:
            return {row["app"]: row["state"] for row in _rows(connection, schema.rollout, by="app")}

    def put_rollout(self, app: str, text: str) -> None:
        """Write the state of a rollout. Does nothing for an App that has left the target meanwhile."""
        wanted = select(schema.app.c.name).where(schema.app.c.name == app)
        with self._transaction() as connection:
            if connection.execute(wanted).scalar() is not None:
                _upsert(connection, schema.rollout, {"app": app, "state": text})

    def settings(self) -> dict[str, str]:
        """What a person has set at run time, by name."""
        with self._transaction() as connection:
            return {row["name"]: row["value"] for row in _rows(connection, schema.setting, by="name")}

    def put_settings(self, values: Mapping[str, str | None]) -> None:
        """Set these, all or nothing; None forgets one."""
        table = schema.setting
        with self._transaction() as connection:
            for name, value in values.items():
                if value is None:
                    connection.execute(delete(table).where(table.c.name == name))
                else:
                    _upsert(connection, table, {"name": name, "value": value})

    def saved_lines(self, app: str, service: str) -> SavedLines | None:
        """The lines kept of a service; None when there are none."""
        table = schema.saved_lines
        query = select(table).where(table.c.app == app, table.c.service == service)
        with self._transaction() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else saved_lines(dict(row), self._path)

    def save_lines(self, app: str, service: str, saved: SavedLines) -> None:
        """Keep these instead of the service's former ones."""
        with self._transaction() as connection:
            _upsert(connection, schema.saved_lines, saved_lines_row(app, service, saved))

    def purging(self) -> set[str]:
        """Apps whose volumes somebody asked to empty, and are not yet."""
        with self._transaction() as connection:
            return set(connection.execute(select(schema.purging.c.app)).scalars())

    def set_purging(self, app: str, asked: bool) -> None:
        """Record that the volumes of an App are to be emptied, or that they have been."""
        table = schema.purging
        with self._transaction() as connection:
            if asked:
                connection.execute(insert(table).values(app=app).on_conflict_do_nothing())
            else:
                connection.execute(delete(table).where(table.c.app == app))

    def original(self) -> Original | None:
        """What an original agent left in this file; None when none has had it."""
        with self._transaction() as connection:
            return read_original(connection)

    def adopted(self) -> str:
        """When that was taken over; empty: not yet."""
        with self._transaction() as connection:
            return connection.execute(select(schema.adoption.c.time)).scalar() or ""

    def set_adopted(self, time: str) -> None:
        """Record that it has been; the first time stays."""
        first = select(literal(time)).where(~select(schema.adoption).exists())
        with self._transaction() as connection:
            connection.execute(insert(schema.adoption).from_select(["time"], first))

    def adopted_things(self) -> list[AdoptedThing]:
        """What an original has made on the engine and is this install's now."""
        with self._transaction() as connection:
            rows = _rows(connection, schema.adopted, by="id")
        return [adopted_thing(row, self._path) for row in rows]

    def put_adopted_things(self, things: Sequence[AdoptedThing]) -> None:
        """Record these, all or nothing."""
        with self._transaction() as connection:
            for thing in things:
                _upsert(connection, schema.adopted, adopted_row(thing))

    def forget_adopted_thing(self, thing: AdoptedThing) -> None:
        """It is gone, or not this install's any more."""
        table = schema.adopted
        this = table.c.kind == thing.kind.value, table.c.id == thing.id, table.c.app == thing.app
        with self._transaction() as connection:
            connection.execute(delete(table).where(*this))

    def close(self) -> None:
        """Close the database; twice does no harm."""
        with self._lock, errors_of(self._path):
            connection, self._connection = self._connection, None
            if connection is not None:
                disconnect(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """The connection for one thread; what was written is on the disk when the block has ended.

        Once the file is known to be damaged nothing is read or written any more: writing on makes it worse.
        """
        with self._lock:
            if self._damage is not None:
                raise StoreDamagedError(self._damage.message, hint=self._damage.hint)
            if self._connection is None:
                raise StoreError(f"{self._path} is closed", hint="the agent is stopping: start it again")
            try:
                with errors_of(self._path), self._connection.begin():
                    yield self._connection
            except StoreDamagedError as error:
                self._damage = error
                raise


def _rows(connection: Connection, table: Table, *, by: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).order_by(table.c[by])).mappings()]


def _upsert(
    connection: Connection,
    table: Table,
    row: Mapping[str, Any],
    *,
    key: Collection[str] = (),
    keep: Collection[str] = (),
) -> None:
    """Insert the row, or change what differs in the one with its key; an equal one is not written again.

    Args:
        key: columns that make the row unique; those of the primary key when empty.
        keep: columns that stay as they were in a row that is there.
    """
    key = key or [column.name for column in table.primary_key]
    statement = insert(table).values(**row)
    rest = {name: statement.excluded[name] for name in row if name not in {*key, *keep}}
    differs = or_(*(table.c[name].is_distinct_from(new) for name, new in rest.items()))
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest, where=differs))


def _put_app(connection: Connection, record: AppRecord) -> None:
    _upsert(connection, schema.app, app_row(record))
    table = schema.run_state
    gone = table.c.app == record.name, table.c.service.not_in(list(record.run_states))
    connection.execute(delete(table).where(*gone))
    _set_run_states(connection, record.name, record.run_states)
    connection.execute(delete(schema.deletion).where(schema.deletion.c.app == record.name))
    count = insert(schema.counter).values(name=_APP_ID, value=record.app_id)
    higher = count.excluded.value
    connection.execute(
        count.on_conflict_do_update(
            index_elements=["name"], set_={"value": higher}, where=schema.counter.c.value < higher
        )
    )


def _set_run_states(connection: Connection, app: str, states: Mapping[str, RunState]) -> None:
    table = schema.run_state
    for service, state in states.items():
        if state is RunState.RUNNING:
            connection.execute(delete(table).where(table.c.app == app, table.c.service == service))
        else:
            _upsert(connection, table, {"app": app, "service": service, "state": state.value})
