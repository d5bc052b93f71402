"""A damaged file: how it is noticed, and the copy that is kept of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import struct
from datetime import UTC, datetime
from filecmp import cmp
from pathlib import Path
from urllib.parse import quote

from iotistic.durable import sync_directory

NO_ROOM_BESIDE = {"SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMOPEN", "SQLITE_FULL"}
"""Errors of a full disk that has no room for the -shm file beside the database."""
MAGIC = b"SQLite format 3\0"
MOST_COPIES = 3
"""Of one database; none is ever removed, so there must be an end to them."""
_ABOUT_ROWS = ("NULL value in ", "CHECK constraint failed in ")
"""What the check says of single rows: no damage, and the table may be an original agent's."""


def suspicious(path: Path) -> bool:
    """Whether the file should be checked before it is used: the last stop was not clean, its size is not
    what its first page says, or it was found damaged before. Reads 100 bytes. Raises OSError.
    """
    return bool(copies(path)) or _has_wal(path) or _wrong_size(path) != ""


def damage(path: Path) -> str:
    """The first thing that is wrong with the file; empty when it is sound.

    The file is only read, so that it stays as it was found. Raises: sqlite3.Error when it is too damaged
    even for that, OSError.
    """
    alone = not _has_wal(path)
    with contextlib.closing(open_to_read(path)) as connection:
        try:
            lines = [str(line) for (line,) in connection.execute("PRAGMA quick_check")]
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "") in NO_ROOM_BESIDE:
                return ""  # a full disk is no damage; what is wrong would be told on reading
            raise
    wrong = [line for line in lines if line != "ok" and not line.startswith(_ABOUT_ROWS)]
    if wrong:
        return " ".join(wrong[0].split())
    return _wrong_size(path) if alone else ""


def _wrong_size(path: Path) -> str:
    """What is wrong with the size of the file; empty when it is as its first page says."""
    size = path.stat().st_size
    if size == 0:
        return ""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(MAGIC):
        return "file is not a database"
    page, pages = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
    wanted = (65536 if page == 1 else page) * pages
    return f"{wanted - size} bytes of {wanted} are missing" if size < wanted else ""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing in the file nor in its -wal. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def keep_copy(path: Path) -> Path | None:
    """A copy beside the file, `NAME.broken-TIME`, with its -wal: made, or the one that is there already.

    Returns: None when the disk has no room for one, or holds MOST_COPIES. Raises OSError.
    """
    made = copies(path)
    for copy in made:
        if same(path, copy):
            return copy
    parts = [path, *([beside(path, "-wal")] if _has_wal(path) else [])]
    size = sum(part.stat().st_size for part in parts)
    if len(made) >= MOST_COPIES or shutil.disk_usage(path.parent).free < 2 * size:
        return None
    copy = name_of_copy(path)
    for part in reversed(parts):  # the database last: with it the copy is whole
        target = copy if part == path else beside(copy, "-wal")
        _copy(part, target)
    sync_directory(path.parent)
    return copy


def copies(path: Path) -> list[Path]:
    """The copies of damaged states that lie beside the file, oldest first."""
    found = path.parent.glob(f"{path.name}.broken-*")
    return sorted(copy for copy in found if not copy.name.endswith(("-wal", "-shm", ".new")))


def name_of_copy(path: Path) -> Path:
    """A name for a copy that none has yet."""
    stem = f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = [stem, *(f"{stem}.{number}" for number in range(2, 1000))]
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def beside(path: Path, suffix: str) -> Path:
    """SQLite's own file beside a database: `-wal` or `-shm`."""
    return path.with_name(path.name + suffix)


def same(path: Path, copy: Path) -> bool:
    """Whether a copy holds what the file and its -wal hold now. Raises OSError."""
    if _has_wal(path) != _has_wal(copy) or not cmp(path, copy, shallow=False):
        return False
    return not _has_wal(path) or cmp(beside(path, "-wal"), beside(copy, "-wal"), shallow=False)


def _has_wal(path: Path) -> bool:
    """Whether the -wal holds anything: a reader leaves an empty one."""
    wal = beside(path, "-wal")
    return wal.exists() and wal.stat().st_size > 0


def _copy(source: Path, target: Path) -> None:
    new = target.with_name(f"{target.name}.new")
    try:
        with source.open("rb") as reading, open(new, "wb", opener=_private) as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())
        new.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
