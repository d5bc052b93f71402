"""The file itself: opening it, its pragmas, its schema, and what its errors mean for people."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from iotistic.api.errors import StoreError
from iotistic.durable import sync_directory
from iotistic.store.sqlite.schema import HEAD, VERSION_TABLE

BUSY_SECONDS = 5.0
"""How long a write waits for another program that writes to the file."""
MIGRATION_SECONDS = 300.0
TOLD = 3
"""Exit code of the child whose last line is its StoreError as JSON."""


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """The one door: whatever the database raises inside comes out as StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise _in_words(path, error.orig or error) from error
    except (SQLAlchemyError, sqlite3.Error, OverflowError, UnicodeError, OSError) as error:
        raise _in_words(path, error) from error


def connect(path: Path) -> Connection:
    """The one connection of this process to the file, usable from any thread (one at a time).

    Raises: what `errors_of` maps.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine.connect()


def disconnect(connection: Connection) -> None:
    """Close a connection of `connect`."""
    engine: Engine = connection.engine
    connection.close()
    engine.dispose()


def prepare(path: Path) -> Connection:
    """Open the file with the schema of today, made or migrated where needed.

    Raises: StoreError.
    """
    with errors_of(path):
        _make_file(path)
        connection = connect(path)
        revision = revision_of(connection)
        if revision == HEAD:
            return connection
        disconnect(connection)
    if revision is not None and (not re.fullmatch(r"\d{4}", revision) or revision > HEAD):
        raise StoreError(
            f"{path} has schema {revision}, made by a newer version; this one knows {HEAD} at most",
            hint="install that version again, or start with another file: DATABASE_PATH=FILE",
        )
    _migrate_in_child(path)
    with errors_of(path):
        return connect(path)


def revision_of(connection: Connection) -> str | None:
    """Revision of the schema; None in a file that never had ours."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    found = connection.exec_driver_sql(query, (VERSION_TABLE,)).scalar_one()
    revision = (
        connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() if found else None
    )
    connection.rollback()
    return None if revision is None else str(revision)


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _make_file(path: Path) -> None:
    """The file holds Secrets: nobody else may read it, nor the -wal and -shm that take its mode."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    existed = path.exists()
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if not existed:
        sync_directory(path.parent)
    elif path.stat().st_mode & 0o077:
        with suppress(OSError):  # a file system without modes can't do better
            path.chmod(0o600)


def _migrate_in_child(path: Path) -> None:
    """Alembic would stay resident for good; a child gives the memory back."""
    command = [sys.executable, "-m", "iotistic.store.sqlite.migrate", str(path)]
    try:
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=MIGRATION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"the schema of {path} can't be brought to {HEAD}: {error}") from error
    if ended.returncode == 0:
        return
    last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
    if ended.returncode == TOLD:
        raise StoreError(**json.loads(last))
    raise StoreError(
        f"the schema of {path} can't be brought to {HEAD}: {last}",
        hint="the file is as it was; report this, or start with another file: DATABASE_PATH=FILE",
    )


def _in_words(path: Path, error: BaseException) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    kind = "_".join(name.split("_")[:2])
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreError(f"{path}: {text}", hint=_HINTS.get(kind, _OTHERWISE).format(path=path, at=path.parent))


_RIGHTS = "let the agent's user write to {at} and the files there"
_OTHERWISE = "see that {at} is there, writable for the agent's user and not full"
_BROKEN = (
    "move {path} away (with {path}-wal and {path}-shm, if there) and start again: what runs goes on, and is "
    "left alone until it is applied again"
)
_HINTS = {
    "SQLITE_FULL": "free some space on the file system of {at}",
    "SQLITE_CORRUPT": _BROKEN,
    "SQLITE_NOTADB": _BROKEN,
    "SQLITE_READONLY": _RIGHTS,
    "SQLITE_CANTOPEN": _RIGHTS,
    "SQLITE_PERM": _RIGHTS,
    "SQLITE_BUSY": "another program writes to {path}: end it",
    "SQLITE_LOCKED": "another program writes to {path}: end it",
    "SQLITE_IOERR": "look at the disk: dmesg, and the free space of {at}",
}
