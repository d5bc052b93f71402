"""The file itself: opening it, its pragmas, its schema, and what its errors mean for people."""

from __future__ import annotations

import errno
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

from iotistic.api.errors import StoreDamagedError, StoreError
from iotistic.durable import sync_directory
from iotistic.store.read_only import hint_where_read_only
from iotistic.store.sqlite.damage import NO_ROOM_BESIDE, damage, keep_copy, suspicious
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
        raise in_words(path, error.orig or error) from error
    except (SQLAlchemyError, sqlite3.Error, OverflowError, UnicodeError, OSError) as error:
        raise in_words(path, error) from error


def connect(path: Path, *, shared: bool = True) -> Connection:
    """The one connection of this process to the file, usable from any thread (one at a time).

    Args:
        shared: other programs may read the file meanwhile. Not shared it needs no memory file beside it
            (-shm), for which a full disk has no room.

    Raises: what `errors_of` maps.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    mode = "NORMAL" if shared else "EXCLUSIVE"
    event.listen(engine, "connect", lambda connection, _record: _set_pragmas(connection, mode))
    return engine.connect()


def disconnect(connection: Connection) -> None:
    """Close a connection of `connect`."""
    engine: Engine = connection.engine
    connection.close()
    engine.dispose()


def prepare(path: Path) -> Connection:
    """Open the file with the schema of today, made or migrated where needed.

    Raises: StoreError; StoreDamagedError when the file is damaged: it stays as it is, a copy is kept.
    """
    with errors_of(path):
        _make_file(path)
        if suspicious(path) and (what := damage(path)):
            raise damaged(path, what)
        connection = _connect_anyhow(path)
        revision = revision_of(connection)
        if revision == HEAD:
            return connection
        disconnect(connection)
    refuse_unknown(path, revision)
    _migrate_in_child(path)
    with errors_of(path):
        return _connect_anyhow(path)


def refuse_unknown(path: Path, revision: str | None) -> None:
    """Raise StoreError for a schema that a newer version made."""
    if revision is not None and (not re.fullmatch(r"\d{4}", revision) or revision > HEAD):
        raise StoreError(
            f"{path} has schema {revision}, made by a newer version; this one knows {HEAD} at most",
            hint="install that version again, or start with another file: DATABASE_PATH=FILE",
        )


def revision_of(connection: Connection) -> str | None:
    """Revision of the schema; None in a file that never had ours."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    found = connection.exec_driver_sql(query, (VERSION_TABLE,)).scalar_one()
    revision = (
        connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() if found else None
    )
    connection.rollback()
    return None if revision is None else str(revision)


def _connect_anyhow(path: Path) -> Connection:
    """On a full disk as well: what is wanted can be read then, and images that nobody needs can go."""
    try:
        connection = connect(path)
        revision_of(connection)
        return connection
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorname", "") not in NO_ROOM_BESIDE:
            raise
    return connect(path, shared=False)


def _set_pragmas(connection: sqlite3.Connection, locking_mode: str) -> None:
    for pragma in (f"locking_mode={locking_mode}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
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
        told = json.loads(last)
        kind = StoreDamagedError if told.pop("reason") == StoreDamagedError.reason else StoreError
        raise kind(**told)
    raise StoreError(
        f"the schema of {path} can't be brought to {HEAD}: {last}",
        hint="the file is as it was; report this, or start with another file: DATABASE_PATH=FILE",
    )


def in_words(path: Path, error: BaseException) -> StoreError:
    """What an error of the database means for people."""
    name = getattr(error, "sqlite_errorname", "")
    kind = "_".join(name.split("_")[:2])
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if kind in _DAMAGED:
        return damaged(path, text)
    hint = (
        _HINTS.get(name)
        or _HINTS.get(kind)
        or _HINTS_OF_SYSTEM.get(getattr(error, "errno", None) or 0)
        or _OTHERWISE
    )
    return StoreError(
        f"{path}: {text}",
        hint=hint_where_read_only(path.parent, error) or hint.format(path=path, at=path.parent),
    )


def damaged(path: Path, what: str) -> StoreDamagedError:
    """The error for a damaged file; a copy is kept beside it first, where there is room."""
    try:
        copy = keep_copy(path)
        kept = (
            f"a copy is kept: {copy}"
            if copy
            else f"no copy was made: see the space and copies in {path.parent}"
        )
    except OSError as error:
        kept = f"no copy could be made: {error.strerror}"
    return StoreDamagedError(
        f"{path} is damaged: {what}; {kept}",
        hint=f"what runs goes on. `iotistic-edge recover` takes what can be read "
        f"into a new file. Or move {path} away, with {path}-wal and {path}-shm, and start again: what runs "
        "is left alone until it is applied again",
    )


_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_RIGHTS = "let the agent's user write to {at} and the files there"
_FULL = "free some space on the file system of {at}"
_OTHERWISE = "see that {at} is there, writable for the agent's user and not full"
_HINTS = {
    **dict.fromkeys(NO_ROOM_BESIDE, _FULL),
    "SQLITE_READONLY": _RIGHTS,
    "SQLITE_CANTOPEN": _RIGHTS,
    "SQLITE_PERM": _RIGHTS,
    "SQLITE_BUSY": "another program writes to {path}: end it",
    "SQLITE_LOCKED": "another program writes to {path}: end it",
    "SQLITE_IOERR": "look at the disk: dmesg, and the free space of {at}",
}
_HINTS_OF_SYSTEM = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL}
