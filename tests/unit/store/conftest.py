"""A database of today's schema, made once: each migration is a child process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iotistic.store.sqlite import SqliteStore, open_store

OpenNew = Callable[[Path], SqliteStore]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "device.sqlite"
    open_store(path).close()
    return path


@pytest.fixture
def open_new(empty: Path) -> OpenNew:
    """Opens a store that is empty and has its schema already; its identity is its own."""

    def opened(path: Path) -> SqliteStore:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        shutil.copyfile(empty, path)
        return open_store(path)

    return opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "device.sqlite"


@pytest.fixture
def store(path: Path, open_new: OpenNew) -> Iterator[SqliteStore]:
    opened = open_new(path)
    yield opened
    opened.close()
