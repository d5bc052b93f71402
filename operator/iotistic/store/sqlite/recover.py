"""What can be read of a damaged file, taken into a new one: `iotistic-edge recover`.

Row by row, so that one bad page costs its own rows and no others. What is lost of the target is not lost on
the device: what runs stays, and is found by its labels.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table

from iotistic.api.errors import EdgeError, StoreError
from iotistic.durable import sync_directory
from iotistic.store.process_lock import only_agent
from iotistic.store.sqlite import schema
from iotistic.store.sqlite.damage import beside, copies, name_of_copy, open_to_read, same
from iotistic.store.sqlite.database import disconnect, errors_of, prepare, refuse_unknown
from iotistic.store.sqlite.records import (
    Row,
    adopted_thing,
    app_record,
    core_document,
    revision_record,
    run_state,
    saved_lines,
)

MOST_PROBES = 100_000
"""Row ids that are tried one by one between the two ends of a damaged table."""
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of a damaged file."""

    copy: Path
    """The damaged file, as it was found."""
    apps: tuple[str, ...]
    """Apps of the target that could be read."""
    deletions: tuple[str, ...]
    """Apps that somebody has deleted and that may not be gone yet."""
    documents: tuple[str, ...]
    """Secrets and ConfigMaps, as `Secret login`."""
    lost: tuple[str, ...]
    """What could not be read, in words; empty when nothing is known to be lost."""


def recover(path: Path) -> Recovered:
    """Put a new file in the place of a damaged one, with all that can be read of it.

    Nobody may have the file open. A cut at any moment leaves the damaged file or the new one in its place.
    Tables of others (an original agent's) are taken over as they are.

    Raises: StoreError; the damaged file is in its place then.
    """
    with errors_of(path):
        if not path.exists():
            raise StoreError(f"{path} is not there", hint="without a database the agent just starts anew")
        copy = _kept(path)
        new = path.with_name(f"{path.name}.recovering")
        _unlink(new)
        disconnect(prepare(new))
        lost = _salvage(path, new)
        lost += _leave_out_unreadable(new)
        recovered = _summary(new, copy, lost)
        _replace(path, new)
    return recovered


def _kept(path: Path) -> Path:
    """The copy of this state. A second name is enough where the file system knows such: the file itself is
    only read from here on, and then its first name goes to the new one."""
    for made in copies(path):
        if same(path, made):
            return made
    copy = name_of_copy(path)
    for suffix in ("-wal", ""):
        source, target = beside(path, suffix), beside(copy, suffix)
        if not source.exists():
            continue
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
            target.chmod(0o600)
    sync_directory(path.parent)
    return copy


def _salvage(path: Path, new: Path) -> list[str]:
    """Copy all rows that can be read; says which tables have some that can't."""
    lost: list[str] = []
    with contextlib.closing(open_to_read(path)) as source, contextlib.closing(sqlite3.connect(new)) as target:
        try:
            described = _descriptions(source)
        except sqlite3.Error as error:
            return [f"everything: {error}"]
        refuse_unknown(path, _revision(source))
        target.execute("PRAGMA foreign_keys=ON")
        known = [table.name for table in schema.metadata.sorted_tables]  # those that others refer to first
        tables = [name for kind, name, _ in described if kind == "table" and name != schema.VERSION_TABLE]
        others = [name for name in tables if name not in known]
        with target:
            lost += _make(target, [part for part in described if part[0] == "table" and part[1] in others])
            for name in [*others, *(name for name in known if name in tables)]:
                if not _copy_rows(source, target, name):
                    lost.append(f"rows of table {name}")
            lost += _make(target, [part for part in described if part[0] != "table"])
    return lost


def _descriptions(source: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and SQL of all that is in the file, also where the SQL of some is damaged, which would bar
    the way to all others."""
    source.execute("PRAGMA writable_schema=ON")
    source.text_factory = lambda text: text.decode("utf-8", "replace")
    found = source.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    source.text_factory = str
    whole = [part for part in found if all(isinstance(text, str) for text in part)]
    return [part for part in whole if not part[1].startswith("sqlite_")]


def _make(target: sqlite3.Connection, described: Sequence[tuple[str, str, str]]) -> list[str]:
    """Make these tables, indexes, ... of others; says which can't be made."""
    lost = []
    for kind, name, sql in described:
        if not sql.startswith("CREATE "):
            lost.append(f"{kind} {name}: its description is damaged")
            continue
        try:
            target.execute(sql)
        except sqlite3.Error as error:
            lost.append(f"{kind} {name}: {error}")
    return lost


def _revision(source: sqlite3.Connection) -> str | None:
    try:
        row = source.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None


def _copy_rows(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy one table; False when some rows could not be read, or not be written."""
    quoted = _quoted(table)
    known = {row[1] for row in target.execute(f"PRAGMA table_info({quoted})")}
    try:
        names = [row[1] for row in source.execute(f"PRAGMA table_info({quoted})") if row[1] in known]
    except sqlite3.Error:
        names = []
    if not names:
        return False
    columns = ", ".join(_quoted(name) for name in names)
    insert = f"INSERT INTO {quoted} ({columns}) VALUES ({', '.join('?' * len(names))})"
    whole, ids = _row_ids(source, quoted)
    for number in ids:
        try:
            row = source.execute(f"SELECT {columns} FROM {quoted} WHERE rowid = ?", (number,)).fetchone()
            if row is not None:
                target.execute(insert, row)
        except sqlite3.Error:
            whole = False
    return whole


def _row_ids(source: sqlite3.Connection, table: str) -> tuple[bool, list[int]]:
    """Row ids of a table, from both ends; between the ends, all numbers that may be one."""
    up, whole = _read_ids(source, f"SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid")
    if whole:
        return True, up
    down, _ = _read_ids(source, f"SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid DESC")
    first, last = (up[-1] + 1 if up else 1), (down[-1] - 1 if down else MOST_PROBES)
    return False, [*up, *range(first, min(last, first + MOST_PROBES) + 1), *reversed(down)]


def _read_ids(source: sqlite3.Connection, query: str) -> tuple[list[int], bool]:
    ids: list[int] = []
    try:
        for (number,) in source.execute(query):
            ids.append(number)
    except sqlite3.Error:
        return ids, False
    return ids, True


def _leave_out_unreadable(new: Path) -> list[str]:
    """Remove rows that the store could not make sense of; says which."""
    lost = []
    with contextlib.closing(sqlite3.connect(new)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.row_factory = sqlite3.Row
        with connection:
            for table, row, what in _unreadable(connection, new):
                connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
                lost.append(what)
            _settle_adoption(connection)
            (highest,) = connection.execute("SELECT max(app_id) FROM iotistic_app").fetchone()
            if highest is not None:
                connection.execute(
                    "INSERT INTO iotistic_counter VALUES ('app_id', ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
                    (highest,),
                )
    return lost


def _settle_adoption(connection: sqlite3.Connection) -> None:
    """Where the record of the adoption is lost, the original's target is history all the same: taken over
    again, it would bring back what has been deleted since."""
    query = "SELECT count(*) FROM sqlite_master WHERE name IN ('device', 'stateSnapshot')"
    (originals,) = connection.execute(query).fetchone()
    (recorded,) = connection.execute("SELECT count(*) FROM iotistic_adoption").fetchone()
    if originals and not recorded:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        connection.execute("INSERT INTO iotistic_adoption VALUES (?)", (now,))


def _unreadable(connection: sqlite3.Connection, path: Path) -> Iterator[tuple[str, int, str]]:
    """Rows that can't be read: table, row id, and what they were."""
    readers: dict[Table, Callable[[Row], object]] = {
        schema.app: lambda row: app_record(row, {}, path),
        schema.run_state: lambda row: run_state(row, path),
        schema.document: lambda row: core_document(row, path),
        schema.revision: lambda row: revision_record(row, path),
        schema.saved_lines: lambda row: saved_lines(row, path),
        schema.adopted: lambda row: adopted_thing(row, path),
    }
    for table, read in readers.items():
        for row in connection.execute(f"SELECT rowid AS row, * FROM {table.name}").fetchall():
            try:
                read(dict(row))
            except StoreError as error:
                yield table.name, row["row"], error.message.removeprefix(f"{path}: ")
    wanted = {name for (name,) in connection.execute("SELECT name FROM iotistic_app")}
    for row in connection.execute("SELECT rowid AS row, * FROM iotistic_deletion").fetchall():
        # A deletion removes; with a doubt about it nothing may go.
        name = row["app"]
        if name in wanted or row["purge"] not in (0, 1) or not _NAME.fullmatch(str(name)):
            yield "iotistic_deletion", row["row"], f"the deletion of App {name}"


def _summary(new: Path, copy: Path, lost: Sequence[str]) -> Recovered:
    with contextlib.closing(sqlite3.connect(new)) as connection:

        def texts(query: str) -> tuple[str, ...]:
            return tuple(text for (text,) in connection.execute(query))

        return Recovered(
            copy=copy,
            apps=texts("SELECT name FROM iotistic_app ORDER BY name"),
            deletions=texts("SELECT app FROM iotistic_deletion ORDER BY app"),
            documents=texts("SELECT kind || ' ' || name FROM iotistic_document ORDER BY kind, name"),
            lost=tuple(lost),
        )


def _replace(path: Path, new: Path) -> None:
    """The new file in the place of the damaged one. Its -wal goes first: SQLite would play it into any."""
    with new.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):
        beside(path, suffix).unlink(missing_ok=True)
    new.replace(path)
    sync_directory(path.parent)


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        beside(path, suffix).unlink(missing_ok=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def main(arguments: Sequence[str]) -> int:
    """Recover the file named by the only argument, and say what became of it."""
    if len(arguments) != 1:
        sys.stderr.write("usage: iotistic-edge recover\n")
        return 2
    path = Path(arguments[0])
    try:
        with only_agent(path.parent, since=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"):
            recovered = recover(path)
    except EdgeError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    sys.stdout.write(_text(path, recovered))
    return 0


def _text(path: Path, recovered: Recovered) -> str:
    lines = [f"{path} is new; the damaged file is kept as {recovered.copy}"]
    for title, names in (
        ("Apps", recovered.apps),
        ("deleted Apps", recovered.deletions),
        ("documents", recovered.documents),
        ("lost", recovered.lost),
    ):
        lines.append(f"{title}: {', '.join(names) or 'none'}")
    lines.append("What runs and is not among the Apps is left alone and shown as Orphaned.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
