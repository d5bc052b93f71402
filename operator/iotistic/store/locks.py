"""Update locks as files: `<app>/<service>/update.lock`, in a directory that the container sees.

What is not ours is a user's: a program's in the container, or a person's through the API. Users' files
are read with care: whoever is in the container can put anything there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iotistic.api.errors import ConflictError, NotFoundError, StoreError
from iotistic.durable import write_durably
from iotistic.planning.values import UserLock

LOCK_FILE = "update.lock"
OPEN_TO_ALL = 0o1777
"""Mode of a lock directory: the container's user, whoever that is, writes its own lock there."""
MOST_BYTES = 65536
MOST_CHARACTERS = 200
UNREADABLE = "unreadable lock file"
FIRST_SANE_YEAR = 2020
"""A clock before this has not been set yet: it says nothing about what has expired."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lock:
    """What one lock file says."""

    path: Path
    app: str
    service: str
    reason: str = ""
    owner: str = ""
    until: str = ""
    services: tuple[str, ...] = ()
    """Of one of ours: all that were to be taken together."""


class FileLocks:
    """`Locks` in a directory. Methods may be called from any thread; they raise StoreError."""

    def __init__(self, directory: Path, *, install: str, now: Callable[[], datetime]) -> None:
        """Locks that an earlier run of this install took are ours again; where it was cut off before it
        had all of an App, the others are given back.

        Args:
            directory: CONFIG_DIR/locks; made when absent.
            install: id of this install: how our own locks are told from others.
            now: wall time, with a time zone.
        """
        self._directory = directory
        self._owner = f"iotistic-edge {install}"
        self._now = now
        self._lock = threading.Lock()
        with self._mapped(directory):
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
            for app in _folders(directory):
                ours = [lock for lock in self._of(app) if lock.owner == self._owner]
                if {lock.service for lock in ours} < {name for lock in ours for name in lock.services}:
                    self._give_back(app)

    def held(self) -> frozenset[str]:
        """Apps whose lock is ours."""
        with self._mapped(self._directory):
            return frozenset(lock.app for lock in self._all() if lock.owner == self._owner)

    def user_locks(self) -> tuple[UserLock, ...]:
        """Locks of others that have not expired."""
        with self._mapped(self._directory):
            found = [lock for lock in self._all() if self._is_users(lock)]
        return tuple(
            UserLock(
                app=lock.app, service=lock.service, reason=lock.reason, owner=lock.owner, until=lock.until
            )
            for lock in found
        )

    def take(self, app: str, services: Sequence[str]) -> bool:
        """Take the lock of all these services or of none; False when a user has one."""
        with self._mapped(self._directory / app):
            if any(self._is_users(lock) for lock in self._of(app)):
                return False
            content = {"reason": "update", "owner": self._owner, "services": list(services)}
            all_taken = False
            try:
                all_taken = all(self._create(app, service, content) for service in services)
            finally:
                if not all_taken:
                    self._give_back(app)
            return all_taken

    def release(self, app: str) -> None:
        """Give ours back."""
        with self._mapped(self._directory / app):
            self._give_back(app)

    def lock(self, app: str, *, service: str = "", reason: str, owner: str, until: str = "") -> None:
        """Set a user's lock on a service, or on the whole App; the same owner may change its own.

        Raises: ConflictError when the App is being updated or somebody else has the lock, StoreError.
        """
        path = self._path(app, service)
        with self._mapped(path):
            if any(lock.owner == self._owner for lock in self._of(app)):
                raise ConflictError(
                    f"App {app} is being updated now", hint="ask again when the update is through"
                )
            before = self._read(path, app, service)
            if before is not None and self._is_users(before) and before.owner != owner:
                by = f" by {before.owner}" if before.owner else ""
                raise ConflictError(
                    f"{_subject(app, service)} is locked already{by}: {before.reason}",
                    hint="unlock it first",
                )
            if before is not None:
                path.unlink(missing_ok=True)
            content = {"reason": reason, "owner": owner} | ({"until": until} if until else {})
            if not self._create(app, service, content):
                raise ConflictError(
                    f"{_subject(app, service)} was locked by somebody else just now", hint="unlock it first"
                )

    def unlock(self, app: str, service: str = "") -> None:
        """Take a user's lock away: that of a service, or the one on the whole App.

        Raises: NotFoundError when there is none, StoreError.
        """
        path = self._path(app, service)
        with self._mapped(path):
            lock = self._read(path, app, service)
            if lock is None or lock.owner == self._owner:
                raise NotFoundError(f"no user's lock on {_subject(app, service)}")
            path.unlink(missing_ok=True)

    def _all(self) -> list[_Lock]:
        return [lock for app in _folders(self._directory) for lock in self._of(app)]

    def _of(self, app: str) -> list[_Lock]:
        services = ["", *_folders(self._directory / app)]
        found = (self._read(self._path(app, service), app, service) for service in services)
        return [lock for lock in found if lock is not None]

    def _give_back(self, app: str) -> None:
        for lock in self._of(app):
            if lock.owner == self._owner:
                lock.path.unlink(missing_ok=True)

    def _is_users(self, lock: _Lock) -> bool:
        return lock.owner != self._owner and not self._expired(lock.until)

    def _expired(self, until: str) -> bool:
        now = self._now()
        if not until or now.year < FIRST_SANE_YEAR:
            return False
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            return False
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now

    def _path(self, app: str, service: str) -> Path:
        if not _NAME.fullmatch(app) or (service and not _NAME.fullmatch(service)):
            raise NotFoundError(f"{_subject(app, service)} can't exist: that is no name of one")
        return self._directory / app / service / LOCK_FILE

    def _create(self, app: str, service: str, content: Mapping[str, object]) -> bool:
        """Make a lock file, whole or not at all; False when a user has one there."""
        path = self._path(app, service)
        (self._directory / app).mkdir(mode=0o755, exist_ok=True)
        if not path.parent.is_dir():
            path.parent.mkdir()
            path.parent.chmod(OPEN_TO_ALL)
        before = self._read(path, app, service)
        if before is not None and not self._is_users(before):
            path.unlink(missing_ok=True)
        fresh = self._directory / ".fresh"
        write_durably(fresh, json.dumps(content).encode(), mode=0o644)
        try:
            os.link(fresh, path)
        except FileExistsError:
            return False
        finally:
            fresh.unlink(missing_ok=True)
        return True

    def _read(self, path: Path, app: str, service: str) -> _Lock | None:
        """What a lock file says; None when there is none."""
        lock = _Lock(path=path, app=app, service=service)
        try:
            text = _text(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError):
            return replace(lock, reason=UNREADABLE)
        if not text.strip():
            return replace(lock, reason="a lock file that gives no reason")
        try:
            return replace(lock, **_fields(json.loads(text)))
        except (ValueError, RecursionError):
            return replace(lock, reason=UNREADABLE)

    @contextlib.contextmanager
    def _mapped(self, path: Path) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except OSError as error:
            raise StoreError(
                f"the lock files in {path} can't be read or written: {error.strerror}",
                hint=f"let the agent's user own {self._directory}, and look for free space there",
            ) from error


def _subject(app: str, service: str) -> str:
    return f"App {app}, service {service}" if service else f"App {app}"


def _folders(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if _NAME.fullmatch(name))


def _fields(content: Any) -> dict[str, Any]:
    """The fields of a lock file, fit to be shown. Raises ValueError for anything else than an object."""
    if not isinstance(content, dict):
        raise ValueError("not an object")
    texts = {key: content.get(key) or "" for key in ("reason", "owner", "until")}
    services = content.get("services") or []
    if not isinstance(services, list) or not all(isinstance(v, str) for v in [*texts.values(), *services]):
        raise ValueError("not text")
    return {key: " ".join(value.split())[:MOST_CHARACTERS] for key, value in texts.items()} | {
        "services": tuple(services)
    }


def _text(path: Path) -> str:
    """Content of a user's file, which may be a pipe, a link to a secret, or endless."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a file")
        return os.read(descriptor, MOST_BYTES).decode()
    finally:
        os.close(descriptor)
