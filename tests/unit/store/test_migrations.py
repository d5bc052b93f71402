"""The schema: made and brought up to date in a child, never past what is known."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from iotistic.api.appservice import RunState
from iotistic.api.errors import StoreError
from iotistic.store.sqlite import open_store, schema
from iotistic.store.sqlite.database import connect, disconnect
from iotistic.store.sqlite.migrate import configuration, migrate
from tests.unit.store.conftest import OpenNew
from tests.unit.store.samples import record


def statements(path: Path, *texts: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = [row for text in texts for row in connection.execute(text).fetchall()]
    connection.commit()
    connection.close()
    return rows


def tables(path: Path) -> set[str]:
    return {str(row[0]) for row in statements(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_known_revision_is_the_newest_script() -> None:
    scripts = ScriptDirectory.from_config(configuration())

    assert scripts.get_heads() == [schema.HEAD]
    assert sorted(script.revision for script in scripts.walk_revisions())[-1] == schema.HEAD


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    migrate(path)
    connection = connect(path)

    context = MigrationContext.configure(
        connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
    )

    assert compare_metadata(context, schema.metadata) == []
    disconnect(connection)


def test_an_original_device_is_adopted_with_all_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    statements(
        path,
        "CREATE TABLE device (id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, deviceName TEXT)",
        "INSERT INTO device VALUES (1, 'u-1', 'pump')",
        "CREATE TABLE stateSnapshot (id INTEGER PRIMARY KEY, type TEXT, state TEXT)",
        "INSERT INTO stateSnapshot VALUES (1, 'target', '{}')",
        "CREATE TABLE knex_migrations (id INTEGER PRIMARY KEY, name TEXT)",
    )
    before = tables(path)

    store = open_store(path)
    store.put(apps=[record()])
    store.close()

    assert before <= tables(path)
    assert statements(path, "SELECT * FROM device") == [(1, "u-1", "pump")]
    assert statements(path, "SELECT * FROM stateSnapshot") == [(1, "target", "{}")]


def test_the_first_schema_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    migrate(path, "0001")
    document = '{"metadata":{"name":"shop"},"spec":{"services":[{"name":"web","image":"web:1"}]}}'
    statements(
        path,
        "INSERT INTO iotistic_app VALUES ('shop', 1001, '1', 1, 'd', '2026-11-24T10:00:00Z', '{}', "
        f"'{document}')",
        "INSERT INTO iotistic_run_state VALUES ('shop', 'web', 'Stopped')",
    )

    store = open_store(path)

    assert store.apps() == [record(run_states={"web": RunState.STOPPED})]
    assert store.revisions() == []
    store.close()


def test_tables_of_an_original_with_everyday_names_are_in_nobodys_way(tmp_path: Path) -> None:
    """Some of its versions had tables called app, service and image."""
    path = tmp_path / "device.sqlite"
    statements(
        path,
        *(f"CREATE TABLE {name} (theirs TEXT)" for name in ("app", "service", "image", "counter", "setting")),
        "INSERT INTO app VALUES ('x')",
    )

    store = open_store(path)
    store.put(apps=[record()])
    store.close()

    assert statements(path, "SELECT * FROM app") == [("x",)]


def test_a_table_of_somebody_else_under_our_name_is_left_alone(tmp_path: Path) -> None:
    """Also that a migration is one transaction: none of the tables before it stays."""
    path = tmp_path / "device.sqlite"
    statements(path, "CREATE TABLE iotistic_image (theirs TEXT)", "INSERT INTO iotistic_image VALUES ('x')")

    with pytest.raises(StoreError, match="iotistic_image already exists") as caught:
        open_store(path)

    assert str(path) in caught.value.message
    assert caught.value.hint
    assert tables(path) == {"iotistic_image"}
    assert statements(path, "SELECT * FROM iotistic_image") == [("x",)]


@pytest.mark.parametrize("revision", ["0099", "9999", "abcdef"])
def test_a_newer_schema_is_refused_and_left_as_it_is(
    tmp_path: Path, open_new: OpenNew, revision: str
) -> None:
    path = tmp_path / "device.sqlite"
    open_new(path).close()
    statements(path, f"UPDATE {schema.VERSION_TABLE} SET version_num = '{revision}'")

    with pytest.raises(StoreError, match="made by a newer version") as caught:
        open_store(path)

    assert revision in caught.value.message
    assert schema.HEAD in caught.value.message
    assert "install that version again" in caught.value.hint
    assert statements(path, f"SELECT version_num FROM {schema.VERSION_TABLE}") == [(revision,)]


def test_a_cut_before_the_first_revision_is_made_good(tmp_path: Path) -> None:
    """The version table without a row: what a foreign tool, or a restored half, may leave."""
    path = tmp_path / "device.sqlite"
    statements(path, f"CREATE TABLE {schema.VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")

    store = open_store(path)

    assert store.apps() == []
    store.close()


USE = """
import sys
from pathlib import Path
from iotistic.store.sqlite import open_store
from tests.unit.store.samples import record
store = open_store(Path(sys.argv[1]))
store.put(apps=[record()])
store.apps(), store.images(), store.next_app_id()
store.delete_app("shop", purge=True)
store.close()
print([name for name in ("alembic", "mako", "sqlalchemy.orm") if name in sys.modules])
"""


def test_the_agent_never_loads_alembic_or_the_orm(tmp_path: Path) -> None:
    """Resident memory is counted. The file is new: the migration runs as well."""
    root = Path(__file__).parents[3]

    seen = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path / "device.sqlite")],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )

    assert seen.stdout.strip() == "[]"


def test_no_child_is_started_for_a_schema_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "device.sqlite"
    open_store(path).close()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    open_store(path).close()

    with pytest.raises(StoreError, match="can't be brought to"):
        open_store(tmp_path / "new.sqlite")
