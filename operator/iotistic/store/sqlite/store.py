"""`Store` in a SQLite file: one connection behind a lock, every change one transaction."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import StoreError
from iotistic.store.base import AppRecord, Backoff, Deletion
from iotistic.store.identity import Identity, load_identity
from iotistic.store.sqlite import schema
from iotistic.store.sqlite.database import disconnect, errors_of, prepare
from iotistic.store.sqlite.records import app_record, app_row, body, core_document

FIRST_APP_ID = 1001
_APP_ID = "app_id"


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
                states[row["app"]][row["service"]] = RunState(row["state"])
        return [app_record(row, states.get(row["name"], {}), self._path) for row in rows]

    def put(self, *, apps: Sequence[AppRecord] = (), documents: Sequence[Secret | ConfigMap] = ()) -> None:
        """Write these, all or nothing. Cancels the Apps' deletions."""
        with self._transaction() as connection:
            for document in documents:
                row = {"kind": document.kind, "name": document.metadata.name, "body": body(document)}
                _upsert(connection, schema.document, row)
            for record in apps:
                _put_app(connection, record)

    def delete_app(self, name: str, *, purge: bool) -> None:
        """Take an App out of the target and record its deletion."""
        with self._transaction() as connection:
            connection.execute(delete(schema.app).where(schema.app.c.name == name))
            _upsert(connection, schema.deletion, {"app": name, "purge": purge})

    def deletions(self) -> list[Deletion]:
        """Recorded deletions."""
        with self._transaction() as connection:
            return [Deletion(**row) for row in _rows(connection, schema.deletion, by="app")]

    def forget_deletion(self, name: str) -> None:
        """Nothing of that App is left."""
        with self._transaction() as connection:
            connection.execute(delete(schema.deletion).where(schema.deletion.c.app == name))

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

    def close(self) -> None:
        """Close the database; twice does no harm."""
        with self._lock, errors_of(self._path):
            connection, self._connection = self._connection, None
            if connection is not None:
                disconnect(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """The connection for one thread; what was written is on the disk when the block has ended."""
        with self._lock, errors_of(self._path):
            if self._connection is None:
                raise StoreError(f"{self._path} is closed", hint="the agent is stopping: start it again")
            with self._connection.begin():
                yield self._connection


def _rows(connection: Connection, table: Table, *, by: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).order_by(table.c[by])).mappings()]


def _upsert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    statement = insert(table).values(**row)
    rest = {name: statement.excluded[name] for name in row if not table.c[name].primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest))


def _put_app(connection: Connection, record: AppRecord) -> None:
    _upsert(connection, schema.app, app_row(record))
    connection.execute(delete(schema.run_state).where(schema.run_state.c.app == record.name))
    _set_run_states(connection, record.name, record.run_states)
    connection.execute(delete(schema.deletion).where(schema.deletion.c.app == record.name))
    count = insert(schema.counter).values(name=_APP_ID, value=record.app_id)
    highest = func.max(schema.counter.c.value, count.excluded.value)
    connection.execute(count.on_conflict_do_update(index_elements=["name"], set_={"value": highest}))


def _set_run_states(connection: Connection, app: str, states: Mapping[str, RunState]) -> None:
    table = schema.run_state
    for service, state in states.items():
        if state is RunState.RUNNING:
            connection.execute(delete(table).where(table.c.app == app, table.c.service == service))
        else:
            _upsert(connection, table, {"app": app, "service": service, "state": state.value})
