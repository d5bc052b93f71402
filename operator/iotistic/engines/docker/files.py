"""Secrets and ConfigMaps as files that containers mount.

Each set of files has a directory of its own, named after a digest: a container that is replaced keeps
its old files, and a set is there whole or not at all. The parent is 0700: on the host nobody else
passes it. Inside a container everybody may read them, as its user may be any.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from iotistic.api.app import Volume
from iotistic.api.errors import EngineError, NoSpaceError
from iotistic.engines.base import Contents
from iotistic.engines.docker.environment import referred

FOLDER = "mounts"
OPEN_TO_ALL = 0o1777
"""Mode of a lock directory: the container's user, whoever that is, writes its own lock there."""


class Files:
    """The directories that containers mount from CONFIG_DIR."""

    def __init__(self, config_dir: Path) -> None:
        self._root = config_dir / FOLDER
        self._locks = config_dir / "locks"

    def lock_directory(self, app: str, service: str) -> Path:
        """The directory in which a service may lock its updates; made when absent. Raises EngineError."""
        directory = self._locks / app / service
        with _named(directory):
            if not directory.is_dir():
                directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                directory.mkdir(exist_ok=True)
                directory.chmod(OPEN_TO_ALL)
        return directory

    def written(self, app: str, service: str, volume: Volume, digest: str, contents: Contents) -> Path:
        """The directory with the files of a Secret's or ConfigMap's volume, written when absent.

        Args:
            app: name of the App.
            service: name of the service.
            volume: a volume with a secret or configMap source.
            digest: keyed digest of the contents; empty for an optional one that is missing.
            contents: Secrets and ConfigMaps.

        Raises: EngineError naming what is missing, NoSpaceError.
        """
        source = volume.secret or volume.config_map
        assert source is not None, "asked for volumes with such a source only"
        stamp = json.dumps([source.wire(), digest], sort_keys=True)
        name = f"{volume.name}-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
        directory = self._root / app / service / name
        if directory.is_dir():
            return directory
        content = _content(f"App {app}, service {service}, volume {volume.name}", volume, contents)
        with _named(directory):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._root.chmod(0o700)
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(directory, content)
        return directory

    def tidy(self, app: str, service: str, used: Collection[str]) -> None:
        """Remove the sets of a service that no container mounts any more, by their names."""
        folder = self._root / app / service
        with contextlib.suppress(OSError):
            for directory in folder.iterdir():
                if directory.name not in used:
                    shutil.rmtree(directory, ignore_errors=True)
            for empty in (folder, folder.parent):
                empty.rmdir()

    def has_any(self, app: str, service: str) -> bool:
        """Whether files were written for a service."""
        return (self._root / app / service).is_dir()


def _content(subject: str, volume: Volume, contents: Contents) -> dict[str, bytes]:
    if volume.secret is not None:
        kind, name, items, optional = (
            "Secret", volume.secret.secret_name, volume.secret.items, volume.secret.optional,
        )  # fmt: skip
    else:
        assert volume.config_map is not None, "asked for volumes with such a source only"
        kind, name, items, optional = (
            "ConfigMap", volume.config_map.name, volume.config_map.items, volume.config_map.optional,
        )  # fmt: skip
    values = referred(subject, kind, name, contents, optional=optional) or {}
    if not items:
        return {_inside(subject, key): value for key, value in values.items()}
    missing = [item.key for item in items if item.key not in values]
    if missing and not optional:
        raise EngineError(
            f"{subject}: {kind} {name} has no key {missing[0]}",
            hint=f"add the key to the {kind}, or mark the volume optional",
        )
    return {_inside(subject, item.path): values[item.key] for item in items if item.key in values}


def _inside(subject: str, path: str) -> str:
    """A relative path that stays below its directory. Raises EngineError for another."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise EngineError(f"{subject}: {path!r} is no path of a file inside the volume")
    return str(PurePosixPath(path))


def _write(directory: Path, content: Mapping[str, bytes]) -> None:
    """Make a directory with these files, whole or not at all."""
    fresh = Path(tempfile.mkdtemp(prefix=".fresh-", dir=directory.parent))
    try:
        for path, value in content.items():
            file = fresh / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(value)
            file.chmod(0o444)
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        for folder in [fresh, *(path for path in fresh.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
        fresh.rename(directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpaceError(f"{path}: no space left to write it", hint="free space there") from error
        raise EngineError(
            f"{path} can't be written: {error.strerror}",
            hint=f"let the agent's user own the directory {path.parent}",
        ) from error
