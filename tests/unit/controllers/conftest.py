"""Stores and controllers for tests of the controllers."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.store import SqliteStore
from tests.unit.controllers.inside import Inside, running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of today's schema: each migration is a child process."""
    path = tmp_path_factory.mktemp("empty") / "device.sqlite"
    open_store(path).close()
    return path


@pytest.fixture
def store(data: Path, empty: Path) -> Iterator[SqliteStore]:
    data.mkdir(mode=0o750)
    shutil.copyfile(empty, data / "device.sqlite")
    opened = open_store(data / "device.sqlite")
    yield opened
    opened.close()


@pytest.fixture
async def inside(data: Path, store: SqliteStore) -> AsyncIterator[Inside]:
    async with running(data, store) as parts:
        yield parts
