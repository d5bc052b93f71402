"""What goes wrong with files: StoreError, naming the file and what to do, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotistic.api.errors import StoreError
from iotistic.store.sqlite import open_store
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import record


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert str(path.parent) in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", directory], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no mount here: {mounted.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("hello, this is a letter and not a database\n" * 100)

    error = refused(path)

    assert "not a database" in error.message
    assert f"move {path} away" in error.hint
    assert path.read_text().startswith("hello")


def test_a_file_damaged_in_the_middle(path: Path, open_new: OpenNew) -> None:
    store = open_new(path)
    store.put(apps=[record(f"app{number}", app_id=number) for number in range(1, 300)])
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))

    with pytest.raises(StoreError) as caught:
        open_store(path).apps()

    assert str(path) in caught.value.message
    assert "move" in caught.value.hint


def test_a_cut_off_file(path: Path, open_new: OpenNew) -> None:
    store = open_new(path)
    store.put(apps=[record()])
    store.close()
    os.truncate(path, path.stat().st_size // 2)

    with pytest.raises(StoreError, match="malformed"):
        open_store(path).apps()


def test_a_directory_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)

    refused(path)


def test_a_file_where_its_directory_should_be(path: Path) -> None:
    path.parent.write_text("")

    refused(path)


AS_NOBODY = """
import os, sys
from pathlib import Path
from iotistic.api.errors import StoreError
from iotistic.store.sqlite import open_store
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
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(b"x" * 1_000_000)
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
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(b"x" * 1_000_000)

    error = refused(small_disk / "device.sqlite")

    assert error.hint


def test_a_record_that_this_version_can_t_read_is_named_without_its_values(
    path: Path, open_new: OpenNew
) -> None:
    store = open_new(path)
    store.put(apps=[record()])
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(
        """UPDATE iotistic_app SET document = '{"metadata": {"name": "shop"}, "spec": {"x": "hunter2"}}'"""
    )
    connection.commit()
    connection.close()

    with pytest.raises(StoreError, match="App shop is kept in a form that this version can't read") as caught:
        open_store(path).apps()

    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "table iotistic_app" in caught.value.hint


def test_a_lost_database_keeps_who_we_are(path: Path, open_new: OpenNew) -> None:
    first = open_new(path)
    first.put(apps=[record()])
    install, key = first.install, first.digest_key
    first.close()
    for file in path.parent.glob("device.sqlite*"):
        file.unlink()

    again = open_store(path)

    assert (again.install, again.digest_key) == (install, key)
    assert again.apps() == []
    again.close()


def test_two_installs_are_not_the_same(tmp_path: Path, open_new: OpenNew) -> None:
    a, b = open_new(tmp_path / "a" / "device.sqlite"), open_new(tmp_path / "b" / "device.sqlite")

    assert a.install != b.install
    assert a.digest_key != b.digest_key
    assert len(a.digest_key) == 32
    a.close()
    b.close()


@pytest.mark.parametrize("name", ["install-id", "digest-key"])
@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"X!", b"\xff\xfe"])
def test_a_damaged_identity_is_not_replaced(path: Path, open_new: OpenNew, name: str, content: bytes) -> None:
    open_new(path).close()
    (path.parent / name).write_bytes(content)

    with pytest.raises(StoreError, match=name) as caught:
        open_store(path)

    assert "restore it from a backup" in caught.value.hint
    assert (path.parent / name).read_bytes() == content


def test_an_identity_that_others_could_read_is_closed_to_them(path: Path, open_new: OpenNew) -> None:
    open_new(path).close()
    (path.parent / "digest-key").chmod(0o644)

    open_store(path).close()

    assert (path.parent / "digest-key").stat().st_mode & 0o777 == 0o600
