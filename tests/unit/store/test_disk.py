"""A data directory that can't be written: no rights, no space, a file system gone read-only."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotistic.api.errors import StoreError
from iotistic.device_api.key import load_or_make_key
from iotistic.store.process_lock import only_agent
from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.migrate import migrate
from iotistic.store.sqlite.recover import recover
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import record, revision


def mount(*arguments: str | Path) -> None:
    """Skips where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    mounted = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no mount here: {mounted.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount("-t", "tmpfs", "-o", "size=600k", "tmpfs", directory)
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 in a file: it can be made to go read-only as after a write error."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is needed")
    image, directory = tmp_path / "image", tmp_path / "failing"
    with image.open("wb") as file:
        file.truncate(8_000_000)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    directory.mkdir()
    mount("-o", "loop", image, directory)
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def fill_up(directory: Path) -> Path:
    """A file that takes all the space that is left."""
    ballast = directory / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(b"x" * 1_000_000)
    return ballast


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert str(path.parent) in caught.value.message
    assert caught.value.hint
    return caught.value


AS_NOBODY = """
import os, sys
from pathlib import Path
from iotistic.api.appservice import RunState
from iotistic.api.errors import StoreError
from iotistic.store.base import SavedLines
from iotistic.store.sqlite import SqliteStore, open_store
open_store(Path(sys.argv[1])).close()  # what is imported late must be in before the rights go
os.getuid() or os.setuid(65534)
try:
    open_store(Path(sys.argv[2]))
except StoreError as error:
    print(error.message, "|", error.hint)
"""


def test_a_directory_that_may_not_be_written(path: Path) -> None:
    """In a child that is not root: root may write everywhere."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.chmod(0o555)
        target = directory / "device.sqlite"

        seen = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(path), str(target)],
            capture_output=True,
            text=True,
            check=True,
        )

    assert f"{target}: Permission denied" in seen.stdout
    assert "writable for the agent's user" in seen.stdout


def test_a_full_disk_keeps_what_was_there_and_works_again_with_space(
    small_disk: Path, open_new: OpenNew
) -> None:
    store = open_new(small_disk / "device.sqlite")
    store.put(apps=[record()])
    ballast = fill_up(small_disk)
    many = [record(f"app{number}", app_id=number) for number in range(1, 2000)]

    with pytest.raises(StoreError, match="full") as caught:
        store.put(apps=many)

    assert str(small_disk) in caught.value.message
    assert "free some space" in caught.value.hint
    assert store.apps() == [record()]
    ballast.unlink()
    store.put(apps=[record(release="2")])
    store.close()
    again = open_store(small_disk / "device.sqlite")
    assert again.apps() == [record(release="2")]
    again.close()


def test_no_space_for_a_new_database(small_disk: Path) -> None:
    fill_up(small_disk)

    error = refused(small_disk / "device.sqlite")

    assert "free some space" in error.hint


def test_an_agent_that_starts_on_a_full_disk_can_read_what_is_wanted(
    small_disk: Path, open_new: OpenNew
) -> None:
    """It must: images that nobody needs are perhaps what fills the disk, and the agent removes them."""
    path = small_disk / "device.sqlite"
    store = open_new(path)
    store.put(apps=[record()])
    store.close()
    ballast = fill_up(small_disk)

    with only_agent(small_disk, since="now"):
        store = open_store(path)
        assert store.apps() == [record()]
        with pytest.raises(StoreError, match="full") as caught:
            store.set_release("c1", "1")
        assert "free some space" in caught.value.hint
        assert store.releases() == {}
        ballast.unlink()
        store.set_release("c1", "2")
        store.close()

    again = open_store(path)
    assert again.releases() == {"c1": "2"}
    again.close()


def test_a_full_disk_after_a_power_cut(small_disk: Path, open_new: OpenNew) -> None:
    """The -wal holds what was written last; there is no room for the -shm that goes with it."""
    path = small_disk / "device.sqlite"
    writing = open_new(path)
    writing.put(apps=[record()])
    cut = small_disk / "cut"
    cut.mkdir()
    for name in ("device.sqlite", "device.sqlite-wal", "install-id", "digest-key"):
        shutil.copyfile(small_disk / name, cut / name)
    writing.close()
    fill_up(small_disk)

    store = open_store(cut / "device.sqlite")

    assert store.apps() == [record()]
    store.close()


def test_a_schema_that_can_t_be_brought_up_to_date_for_want_of_space_stays_as_it_was(
    small_disk: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.sqlite"
    migrate(old, "0001")
    path = small_disk / "device.sqlite"
    shutil.copyfile(old, path)
    ballast = fill_up(small_disk)

    error = refused(path)

    assert "free some space" in error.hint
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    assert connection.execute("SELECT version_num FROM iotistic_schema").fetchall() == [("0001",)]
    connection.close()
    ballast.unlink()
    store = open_store(path)
    store.put(apps=[record()], revisions=[revision()])
    store.close()


def test_a_recovery_without_space_leaves_the_damaged_file_in_its_place(
    small_disk: Path, open_new: OpenNew
) -> None:
    path = small_disk / "device.sqlite"
    store = open_new(path)
    store.put(apps=[record()])
    store.close()
    os.truncate(path, path.stat().st_size - 100)
    damaged = path.read_bytes()
    ballast = fill_up(small_disk)

    with pytest.raises(StoreError) as caught:
        recover(path)

    assert "space" in caught.value.hint
    assert path.read_bytes() == damaged
    ballast.unlink()
    assert recover(path).apps == ("shop",)


def test_a_disk_that_goes_read_only_under_a_running_agent(failing_disk: Path, open_new: OpenNew) -> None:
    """As the kernel does it after a write error: what was read before can still be read."""
    store = open_new(failing_disk / "device.sqlite")
    store.put(apps=[record()])

    subprocess.run(["mount", "-o", "remount,abort", failing_disk], check=True)

    with pytest.raises(StoreError) as caught:
        store.put(apps=[record(release="2"), record("till", app_id=7)])
    assert str(failing_disk) in caught.value.message
    assert "dmesg" in caught.value.hint
    assert store.apps() == [record()]
    with pytest.raises(StoreError):
        store.delete_app("shop", purge=True)
    assert store.deletions() == []


def test_a_directory_that_is_mounted_read_only(failing_disk: Path, open_new: OpenNew) -> None:
    path = failing_disk / "device.sqlite"
    store = open_new(path)
    store.put(apps=[record()])
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", failing_disk], check=True)

    error = refused(path)
    with (
        pytest.raises(StoreError, match="Read-only file system") as locked,
        only_agent(failing_disk / "made" / "here", since="now"),
    ):
        pytest.fail("nothing can be locked there")
    with pytest.raises(StoreError) as key:
        load_or_make_key(failing_disk)

    assert "Read-only file system" in error.message
    for hint in (error.hint, locked.value.hint, key.value.hint):
        assert "is read-only: look at dmesg" in hint
        assert f"mount -o remount,rw {failing_disk} " in hint
        assert "user" not in hint, "rights are not what is missing"
    subprocess.run(["mount", "-o", "remount,rw", failing_disk], check=True)
    again = open_store(path)
    assert again.apps() == [record()]
    again.close()
