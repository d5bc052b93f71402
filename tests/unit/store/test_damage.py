"""Damaged files: noticed, told, copied, and left as they are."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from iotistic.api.errors import StoreDamagedError, StoreError
from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.damage import MOST_COPIES, copies, suspicious
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import record

PAGE = 4096


def filled(path: Path, open_new: OpenNew) -> None:
    """A database of many pages, closed."""
    store = open_new(path)
    store.put(apps=[record(f"app{number}", app_id=number) for number in range(1, 300)])
    store.close()


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * length)


def is_a_letter(path: Path) -> None:
    path.write_text("hello, this is a letter and not a database\n" * 100)


def lost_its_first_page(path: Path) -> None:
    overwrite(path, 0, PAGE)


def lost_all_but_its_first_page(path: Path) -> None:
    overwrite(path, PAGE, path.stat().st_size - PAGE)


def lost_a_page_of_apps(path: Path) -> None:
    overwrite(path, path.read_bytes().index(b'"name":"app150"') // PAGE * PAGE, PAGE)


def is_cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def is_cut_off_inside_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def is_only_a_few_bytes(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


AT_ONCE = [
    is_a_letter,
    lost_its_first_page,
    lost_all_but_its_first_page,
    is_cut_off,
    is_cut_off_inside_a_page,
    is_only_a_few_bytes,
]


@pytest.mark.parametrize("harm", AT_ONCE)
def test_it_is_refused_at_start_with_a_copy_and_stays_as_it_is(
    path: Path, open_new: OpenNew, harm: Callable[[Path], None]
) -> None:
    filled(path, open_new)
    harm(path)
    before = path.read_bytes()

    with pytest.raises(StoreDamagedError) as caught:
        open_store(path)

    (copy,) = copies(path)
    assert path.read_bytes() == copy.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert str(path) in caught.value.message
    assert str(copy) in caught.value.message
    assert "iotistic-edge recover" in caught.value.hint
    assert f"move {path} away" in caught.value.hint


def test_a_start_again_and_again_makes_one_copy(path: Path, open_new: OpenNew) -> None:
    """As a supervisor does it: the disk must not fill up."""
    filled(path, open_new)
    is_cut_off(path)

    for _ in range(5):
        with pytest.raises(StoreDamagedError) as caught:
            open_store(path)

    (copy,) = copies(path)
    assert str(copy) in caught.value.message


def test_copies_come_to_an_end(path: Path, open_new: OpenNew) -> None:
    filled(path, open_new)
    for _ in range(MOST_COPIES + 2):
        os.truncate(path, path.stat().st_size - PAGE)
        with pytest.raises(StoreDamagedError):
            open_store(path)

    assert len(copies(path)) == MOST_COPIES


def test_damage_that_is_met_later_ends_all_use_of_the_file(path: Path, open_new: OpenNew) -> None:
    """Writing on would make it worse; the first page says nothing of it."""
    filled(path, open_new)
    lost_a_page_of_apps(path)
    assert not suspicious(path)
    store = open_store(path)

    with pytest.raises(StoreDamagedError) as caught:
        store.apps()

    before = path.read_bytes()
    for use in (lambda: store.put_settings({"a": "1"}), store.settings, store.deletions):
        with pytest.raises(StoreDamagedError) as again:
            use()
        assert again.value.message == caught.value.message
        assert again.value.hint == caught.value.hint
    store.close()
    (copy,) = copies(path)
    assert copy.read_bytes() == before == path.read_bytes()


def test_what_was_damaged_once_is_checked_at_the_next_start(path: Path, open_new: OpenNew) -> None:
    filled(path, open_new)
    lost_a_page_of_apps(path)
    store = open_store(path)
    with pytest.raises(StoreDamagedError):
        store.apps()
    store.close()

    with pytest.raises(StoreDamagedError):
        open_store(path)


def test_damage_after_a_power_cut_is_found_before_anything_is_read(path: Path, open_new: OpenNew) -> None:
    """A -wal that is left says that the stop was not clean."""
    filled(path, open_new)
    running = open_store(path)
    running.put(apps=[record("last", app_id=1000)])
    cut = path.parent / "cut.sqlite"
    cut.write_bytes(path.read_bytes())
    (path.parent / "cut.sqlite-wal").write_bytes((path.parent / "device.sqlite-wal").read_bytes())
    running.close()
    lost_all_but_its_first_page(cut)
    wal = (path.parent / "cut.sqlite-wal").read_bytes()

    with pytest.raises(StoreDamagedError):
        open_store(cut)

    (copy,) = copies(cut)
    assert copy.with_name(f"{copy.name}-wal").read_bytes() == wal
    assert (path.parent / "cut.sqlite-wal").read_bytes() == wal


def test_a_power_cut_alone_is_no_damage(path: Path, open_new: OpenNew) -> None:
    store = open_new(path)
    store.put(apps=[record()])
    cut = path.parent / "cut.sqlite"
    cut.write_bytes(path.read_bytes())
    (path.parent / "cut.sqlite-wal").write_bytes((path.parent / "device.sqlite-wal").read_bytes())
    store.close()
    assert suspicious(cut)

    again = open_store(cut)

    assert again.apps() == [record()]
    assert copies(cut) == []
    again.close()


def test_a_clean_stop_needs_no_check(path: Path, open_new: OpenNew) -> None:
    filled(path, open_new)

    assert not suspicious(path)


def test_a_row_that_breaks_a_rule_of_an_originals_table_is_no_damage(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    connection.execute("CREATE TABLE stateSnapshot (type TEXT CHECK (type IN ('target', 'current')))")
    connection.execute("INSERT INTO stateSnapshot VALUES ('other')")
    connection.commit()
    connection.close()
    path.with_name("device.sqlite-wal").write_bytes(b"")

    store = open_store(path)

    assert store.apps() == []
    store.close()


def test_no_room_for_a_copy_is_told(path: Path, open_new: OpenNew) -> None:
    filled(path, open_new)
    is_cut_off(path)
    path.with_name("device.sqlite.broken-1").write_bytes(b"")
    path.with_name("device.sqlite.broken-2").write_bytes(b"")
    path.with_name("device.sqlite.broken-3").write_bytes(b"")

    with pytest.raises(StoreDamagedError, match="no copy was made") as caught:
        open_store(path)

    assert isinstance(caught.value, StoreError)
    assert caught.value.reason == "StoreDamaged"


def test_damage_that_the_migrating_child_meets_is_told_as_damage(path: Path) -> None:
    """Its error crosses the process boundary as what it is."""
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size=4096")
    connection.execute("CREATE TABLE iotistic_schema (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.execute("CREATE TABLE device (uuid TEXT)")
    connection.executemany("INSERT INTO device VALUES (?)", [("u" * 100,)] * 2000)
    connection.execute("DELETE FROM device")
    connection.commit()
    connection.close()
    free = next(page for page in range(3, 30) if path.read_bytes()[page * PAGE : page * PAGE + 4] != b"\x0d")
    overwrite(path, free * PAGE, path.stat().st_size - free * PAGE)

    with pytest.raises(StoreDamagedError):
        open_store(path)

    assert len(copies(path)) == 1
