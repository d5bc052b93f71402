"""What goes wrong with files: StoreError, naming the file and what to do, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from iotistic.api.appservice import RunState
from iotistic.api.errors import StoreError
from iotistic.store.base import SavedLines
from iotistic.store.sqlite import SqliteStore, open_store
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import record, revision, secret

Read = Callable[[SqliteStore], object]


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert str(path.parent) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_directory_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)

    refused(path)


def test_a_file_where_its_directory_should_be(path: Path) -> None:
    path.parent.write_text("")

    refused(path)


@pytest.mark.parametrize(
    ("table", "column", "value", "read", "named"),
    [
        ("app", "document", '{"spec": {"x": "hunter2"}}', lambda store: store.apps(), "App shop"),
        ("app", "document", "hunter2", lambda store: store.apps(), "App shop"),
        ("app", "document", b"\xff", lambda store: store.apps(), "App shop"),
        ("app", "service_ids", '{"web": "hunter2"}', lambda store: store.apps(), "App shop"),
        ("run_state", "state", "hunter2", lambda store: store.apps(), "the run state of web of App shop"),
        ("document", "body", '{"data": "hunter2"}', lambda store: store.documents(), "Secret login"),
        ("revision", "document", "hunter2", lambda store: store.revisions(), "a release of App shop"),
        ("revision", "contents", '["hunter2"]', lambda store: store.revisions(), "a release of App shop"),
        (
            "saved_lines",
            "lines",
            "hunter2",
            lambda store: store.saved_lines("shop", "web"),
            "the last lines of web of App shop",
        ),
    ],
)
def test_a_record_that_this_version_can_t_read_is_named_without_its_values(
    store: SqliteStore, path: Path, table: str, column: str, value: object, read: Read, named: str
) -> None:
    store.put(
        apps=[record(run_states={"web": RunState.STOPPED})],
        documents=[secret("login", password="x")],
        revisions=[revision()],
    )
    store.save_lines("shop", "web", SavedLines(time="t", reason="r", lines=("one",)))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE iotistic_{table} SET {column} = ?", (value,))
    connection.commit()
    connection.close()
    again = open_store(path)

    with pytest.raises(StoreError, match=f"{named} is kept in a form that this version can't read") as caught:
        read(again)

    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert f"table iotistic_{table}" in caught.value.hint
    again.close()


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
