"""What is saved from a damaged file, and that nothing is made up."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from iotistic.api.appservice import RunState
from iotistic.api.errors import StoreError
from iotistic.store.base import Backoff, Deletion, SavedLines
from iotistic.store.process_lock import only_agent
from iotistic.store.sqlite import SqliteStore, open_store
from iotistic.store.sqlite.damage import copies
from iotistic.store.sqlite.recover import recover
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import app, config_map, record, revision, secret
from tests.unit.store.test_damage import PAGE, overwrite

NAMES = [f"app{number:03}" for number in range(1, 201)]
RECORDS = {
    name: record(name, app_id=1000 + number, run_states={"web": RunState.STOPPED})
    for number, name in enumerate(NAMES, 1)
}
DOCUMENTS = [secret("login", password="hunter2"), config_map("site", city="north")]
ORIGINALS = "CREATE TABLE device (id integer not null primary key autoincrement, uuid varchar(255) not null)"


@pytest.fixture
def filled(path: Path, open_new: OpenNew) -> Path:
    """Many pages of Apps, something of every other kind, and a table of an original agent; closed."""
    store = open_new(path)
    store.put(
        apps=list(RECORDS.values()),
        documents=DOCUMENTS,
        revisions=[revision(name, contents=tuple(DOCUMENTS)) for name in NAMES[:100]],
    )
    for name in NAMES[:50]:
        store.put_rollout(name, f"state of {name}")
        store.set_release(f"container-of-{name}", "1")
    store.put_settings({"a": "1"})
    store.save_lines("app001", "web", SavedLines(time="t", reason="r", lines=("one",)))
    store.set_purging("app002", True)
    store.add_image("docker.io/library/web:1")
    store.put_backoff(Backoff(app="app003", service="web", failures=1, seconds_left=10))
    store.delete_app("gone", purge=True)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(ORIGINALS)
    connection.execute("CREATE UNIQUE INDEX device_uuid_unique ON device (uuid)")
    connection.executemany("INSERT INTO device (uuid) VALUES (?)", [(f"uuid-{n}",) for n in range(300)])
    connection.commit()
    connection.close()
    return path


def page_with(path: Path, text: bytes) -> int:
    return path.read_bytes().index(text) // PAGE


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def devices(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [uuid for (uuid,) in connection.execute("SELECT uuid FROM device ORDER BY id")]
    connection.close()
    return found


def assert_only_the_truth(store: SqliteStore) -> None:
    for found in store.apps():
        assert found in (RECORDS[found.name], record(found.name, app_id=RECORDS[found.name].app_id))
    assert all(found in DOCUMENTS for found in store.documents())
    assert all(found == revision(found.app, contents=tuple(DOCUMENTS)) for found in store.revisions())
    assert all(text == f"state of {name}" for name, text in store.rollouts().items())
    assert set(store.deletions()) <= {Deletion(app="gone", purge=True)}
    assert store.purging() <= {"app002"}


def test_nothing_is_lost_of_a_sound_file(filled: Path) -> None:
    before = open_store(filled)
    told = [before.apps(), before.documents(), before.revisions(), before.rollouts(), before.releases()]
    before.close()
    identity = (filled.parent / "install-id").read_text()

    recovered = recover(filled)

    assert recovered.lost == ()
    assert list(recovered.apps) == NAMES
    assert recovered.documents == ("ConfigMap site", "Secret login")
    assert recovered.deletions == ("gone",)
    store = open_store(filled)
    assert told == [store.apps(), store.documents(), store.revisions(), store.rollouts(), store.releases()]
    assert store.settings() == {"a": "1"}
    assert store.saved_lines("app001", "web") == SavedLines(time="t", reason="r", lines=("one",))
    assert store.purging() == {"app002"}
    assert store.images() == {"docker.io/library/web:1"}
    assert store.backoffs()[0].app == "app003"
    assert store.deletions() == [Deletion(app="gone", purge=True)]
    assert store.next_app_id() == 1201
    assert store.install == identity.strip()
    store.close()
    assert devices(filled) == [f"uuid-{n}" for n in range(300)]
    assert filled.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("lost", [b'"name":"app003"', b'"name":"app100"', b"uuid-150", b"state of app0"])
def test_a_lost_page_costs_its_own_rows_only(filled: Path, lost: bytes) -> None:
    page = page_with(filled, lost)
    content = filled.read_bytes()[page * PAGE : (page + 1) * PAGE]
    there = {name for name in NAMES if f'"name":"{name}"'.encode() in content}
    overwrite(filled, page * PAGE, PAGE)
    damaged = filled.read_bytes()

    recovered = recover(filled)

    assert recovered.copy.read_bytes() == damaged
    store = open_store(filled)
    assert_only_the_truth(store)
    whole = (len(store.apps()), len(store.rollouts()), len(devices(filled))) == (200, 50, 300)
    assert (recovered.lost == ()) == whole
    assert [found.name for found in store.apps()] == list(recovered.apps)
    missing = set(NAMES) - set(recovered.apps)
    assert missing <= there
    assert len(store.documents()) == 2
    assert store.deletions() == [Deletion(app="gone", purge=True)]
    assert len(missing) < 40
    store.put(apps=[record("new", app_id=store.next_app_id())])
    store.close()
    assert len(devices(filled)) >= 200


def test_two_lost_pages_of_one_table_leave_what_is_between(filled: Path) -> None:
    for name in (b'"name":"app050"', b'"name":"app150"'):
        overwrite(filled, page_with(filled, name) * PAGE, PAGE)

    recovered = recover(filled)

    assert {"app001", "app100", "app200"} <= set(recovered.apps)
    assert {"app050", "app150"}.isdisjoint(recovered.apps)


@pytest.mark.parametrize("at", [0, 13])
def test_a_damaged_description_of_one_table_does_not_bar_the_way_to_the_others(filled: Path, at: int) -> None:
    place = filled.read_bytes().rindex(b"CREATE TABLE iotistic_image")
    overwrite(filled, place + at, 10)

    recovered = recover(filled)

    assert list(recovered.apps) == NAMES
    assert recovered.documents == ("ConfigMap site", "Secret login")
    assert recovered.deletions == ("gone",)
    assert len(devices(filled)) == 300
    assert any("iotistic_image" in what for what in recovered.lost)


def test_of_a_cut_off_file_what_is_left_is_saved(filled: Path) -> None:
    os.truncate(filled, filled.stat().st_size // 2)

    recovered = recover(filled)

    assert recovered.lost != ()
    store = open_store(filled)
    assert_only_the_truth(store)
    store.close()


@pytest.mark.parametrize("content", [b"a letter" * 1000, b"SQLite format 3\0"])
def test_nothing_to_read_makes_an_empty_store_with_the_same_identity(
    filled: Path, open_new: OpenNew, content: bytes
) -> None:
    install = (filled.parent / "install-id").read_text().strip()
    filled.write_bytes(content)

    recovered = recover(filled)

    assert recovered.apps == ()
    assert recovered.lost[0].startswith("everything")
    assert recovered.copy.read_bytes() == content
    store = open_store(filled)
    assert store.apps() == []
    assert store.deletions() == []
    assert store.install == install
    store.close()


def test_what_was_only_in_the_wal_is_saved(path: Path, open_new: OpenNew) -> None:
    running = open_new(path)
    running.put(apps=[record("last", app_id=1000)])
    cut = path.parent / "cut.sqlite"
    cut.write_bytes(path.read_bytes())
    wal = (path.parent / "device.sqlite-wal").read_bytes()
    (path.parent / "cut.sqlite-wal").write_bytes(wal)
    running.close()

    recovered = recover(cut)

    assert recovered.apps == ("last",)
    assert recovered.copy.with_name(f"{recovered.copy.name}-wal").read_bytes() == wal
    store = open_store(cut)
    assert store.apps() == [record("last", app_id=1000)]
    store.close()


def test_rows_that_make_no_sense_are_left_out_and_named(filled: Path) -> None:
    change(
        filled,
        "UPDATE iotistic_app SET document = 'x' WHERE name = 'app001'",
        "UPDATE iotistic_run_state SET state = 'x' WHERE app = 'app002'",
        "UPDATE iotistic_document SET body = '{}' WHERE name = 'login'",
        "UPDATE iotistic_revision SET contents = 'x' WHERE app = 'app003'",
        "UPDATE iotistic_saved_lines SET lines = 'x'",
        "UPDATE iotistic_counter SET value = 1",
    )

    recovered = recover(filled)

    assert [what.partition(" is kept in")[0] for what in recovered.lost] == [
        "App app001",
        "the run state of web of App app002",
        "Secret login",
        "a release of App app003",
        "the last lines of web of App app001",
    ]
    store = open_store(filled)
    assert_only_the_truth(store)
    assert len(store.apps()) == 199
    assert len(store.revisions()) == 98
    assert store.next_app_id() == 1201
    store.close()


def test_a_deletion_that_is_in_doubt_removes_nothing(filled: Path) -> None:
    change(
        filled,
        "INSERT INTO iotistic_deletion VALUES ('app001', 1)",
        "INSERT INTO iotistic_deletion VALUES ('other', 77)",
        "INSERT INTO iotistic_deletion VALUES (x'ff', 1)",
        "INSERT INTO iotistic_deletion VALUES ('../app', 1)",
    )

    recovered = recover(filled)

    assert recovered.deletions == ("gone",)
    assert len(recovered.lost) == 4
    assert len(recovered.apps) == 200


def test_the_copy_that_the_refused_start_made_is_the_copy(filled: Path) -> None:
    os.truncate(filled, filled.stat().st_size // 2)
    with pytest.raises(StoreError):
        open_store(filled)
    (made,) = copies(filled)

    recovered = recover(filled)

    assert recovered.copy == made
    assert copies(filled) == [made]


def test_a_first_schema_is_recovered_into_todays(path: Path) -> None:
    path.parent.mkdir()
    seed = path.with_name("seed.sqlite")
    open_store(seed).close()
    connection = sqlite3.connect(seed)
    old = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE name = 'iotistic_app'")]
    connection.close()
    connection = sqlite3.connect(path)
    connection.execute(old[0])
    connection.execute(
        "INSERT INTO iotistic_app VALUES ('shop', 1001, '1', 1, 'd', '2026-11-24T10:00:00Z', '{}', ?)",
        (app().model_dump_json(by_alias=True, exclude_unset=True),),
    )
    connection.commit()
    connection.close()

    recovered = recover(path)

    assert (recovered.apps, recovered.lost) == (("shop",), ())


def test_a_newer_schema_is_refused_and_left(filled: Path) -> None:
    change(filled, "UPDATE iotistic_schema SET version_num = '0099'")
    before = filled.read_bytes()

    with pytest.raises(StoreError, match="newer version"):
        recover(filled)

    assert filled.read_bytes() == before


def command(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iotistic.store.sqlite.recover", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command_says_what_became_of_it_and_no_values(filled: Path) -> None:
    overwrite(filled, page_with(filled, b'"name":"app100"') * PAGE, PAGE)

    ended = command(filled)

    assert ended.returncode == 0, ended.stderr
    assert "app001" in ended.stdout
    assert "lost: rows of table iotistic_app" in ended.stdout
    assert "left alone and shown as Orphaned" in ended.stdout
    assert "hunter2" not in ended.stdout + ended.stderr


def test_the_command_leaves_a_running_agents_file_alone(filled: Path) -> None:
    before = filled.read_bytes()

    with only_agent(filled.parent, since="now"):
        ended = command(filled)

    assert ended.returncode == 1
    assert "another agent" in ended.stderr
    assert filled.read_bytes() == before


def test_the_command_on_no_file(tmp_path: Path) -> None:
    ended = command(tmp_path / "device.sqlite")

    assert ended.returncode == 1
    assert "is not there" in ended.stderr
