"""One agent per data directory: the kernel holds the lock and lets go when the process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from iotistic.api.errors import LockedError, StoreError
from iotistic.store.read_only import hint_where_read_only

LOCK_FILE = "agent.pid"


@contextmanager
def only_agent(directory: Path, *, since: str) -> Iterator[None]:
    """Be the only agent on this data directory (made when absent) until the block ends.

    The file stays when the block ends: removing it would let two processes lock two files.

    Args:
        directory: CONFIG_DIR.
        since: when this agent started, RFC 3339; told to whoever comes second.

    Raises: LockedError naming the first agent, StoreError when the directory can't be used.
    """
    path = directory / LOCK_FILE
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        _lock(descriptor, path, since)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, since: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(
            f"another agent{_first(descriptor)} has the data directory {path.parent}",
            hint="stop that one, or give this one a directory of its own: CONFIG_DIR=DIRECTORY",
        ) from None
    except OSError as error:
        raise _unusable(path, error) from error
    with suppress(OSError):  # a full disk: only what the second agent is told gets lost
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {since}\n".encode(), 0)


def _first(descriptor: int) -> str:
    """` (pid 12, since ...)`; empty in the moment before the first agent has written that."""
    with suppress(OSError, ValueError):
        pid, since = os.pread(descriptor, 200, 0).decode().split()
        return f" (pid {pid}, since {since})"
    return ""


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} can't be locked: {error.strerror}",
        hint=hint_where_read_only(path.parent, error)
        or f"let the agent's user write to {path.parent}, or choose another one: CONFIG_DIR=DIRECTORY",
    )
