"""A file that an original agent has had: read, never touched."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from iotistic.planning.originals import AdoptedThing, Kind
from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.recover import recover
from tests.unit.store.conftest import OpenNew
from tests.unit.store.originals import BROKER, IDENTITY, TARGET, UUID, dump, make_original
from tests.unit.store.samples import record, revision, secret


@pytest.mark.parametrize("old", [False, True], ids=["now", "an early version"])
def test_nothing_of_it_is_touched_by_anything_that_is_kept_beside_it(path: Path, old: bool) -> None:
    make_original(path, old=old)
    before = dump(path)

    store = open_store(path)
    store.put(apps=[record()], documents=[secret(a="1")], revisions=[revision()])
    store.put_settings({"a": "1"})
    store.set_adopted("2026-11-24T10:00:00Z")
    store.delete_app("shop", purge=True)
    store.close()

    assert dump(path) == before


def test_what_it_was_can_be_read(path: Path) -> None:
    make_original(path)

    store = open_store(path)
    original = store.original()

    assert original is not None
    assert dict(original.identity) == IDENTITY
    assert json.loads(original.identity["mqttBrokerConfig"]) == BROKER
    assert original.target == TARGET
    assert original.queue_rows == 3
    assert original.warnings == ()
    store.close()


def test_a_file_of_our_own_has_no_original(path: Path, open_new: OpenNew) -> None:
    store = open_new(path)

    assert store.original() is None
    assert store.adopted() == ""
    store.close()


def test_it_is_recorded_once_and_the_first_time_stays(path: Path, open_new: OpenNew) -> None:
    store = open_new(path)

    store.set_adopted("2026-11-24T10:00:00Z")
    store.set_adopted("2027-01-01T00:00:00Z")
    store.close()

    again = open_store(path)
    assert again.adopted() == "2026-11-24T10:00:00Z"
    again.close()


@pytest.mark.parametrize("text", ["{", "[]", "", "[" * 100_000])
def test_a_target_that_can_t_be_read_is_a_warning(path: Path, text: str) -> None:
    make_original(path, text)

    store = open_store(path)
    original = store.original()

    assert original is not None
    assert original.target == {}
    assert original.warnings == (
        "the target in table stateSnapshot is not what was written there: it can't be read",
    )
    store.close()


def test_a_device_that_never_had_a_target(path: Path) -> None:
    make_original(path, None, queue=0)

    store = open_store(path)
    original = store.original()

    assert original is not None
    assert (original.target, original.queue_rows, original.warnings) == ({}, 0, ())
    store.close()


def test_an_early_version_with_the_device_only(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE device (id integer primary key, uuid varchar(255) not null)")
    connection.execute(f"INSERT INTO device VALUES (1, '{UUID}')")
    connection.execute("INSERT INTO device VALUES (2, 'other')")
    connection.commit()
    connection.close()

    store = open_store(path)
    original = store.original()

    assert original is not None
    assert dict(original.identity) == {"id": 1, "uuid": UUID}
    assert original.warnings == ("table device has 2 rows; the first one is this device",)
    store.close()


def test_keys_and_passwords_are_not_in_its_words(path: Path) -> None:
    make_original(path)

    store = open_store(path)
    original = store.original()

    assert original is not None
    for hidden in (IDENTITY["deviceApiKey"], IDENTITY["mqttPassword"], "hunter2"):
        assert hidden not in repr(original)
    store.close()


def test_a_damaged_file_is_recovered_with_its_tables_and_not_adopted_again(path: Path) -> None:
    """The record of the adoption may be on the lost page: the old target must not come back."""
    make_original(path)
    store = open_store(path)
    store.set_adopted("2026-11-24T10:00:00Z")
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM iotistic_adoption")
    connection.commit()
    connection.close()
    before = dump(path)

    recovered = recover(path)

    assert recovered.lost == ()
    assert dump(path) == before
    again = open_store(path)
    assert again.adopted() != ""
    again.close()


def test_what_is_taken_over_on_the_engine_is_kept_and_recovered(path: Path, open_new: OpenNew) -> None:
    """Two Apps may have the same volume."""
    store = open_new(path)
    web = AdoptedThing(kind=Kind.CONTAINER, id="c1", app="a", name="web", labels={"k": "v"})
    mine, theirs = (
        AdoptedThing(kind=Kind.VOLUME, id="data", app=app, name="data", labels={}) for app in ("a", "b")
    )

    store.put_adopted_things([web, mine])
    store.put_adopted_things([theirs, mine])
    assert store.adopted_things() == [web, mine, theirs]
    store.forget_adopted_thing(mine)
    store.close()
    assert recover(path).lost == ()

    again = open_store(path)
    assert again.adopted_things() == [web, theirs]
    again.close()


def test_it_may_be_in_the_way_of_nobody_else(path: Path) -> None:
    """The original kept its secrets readable for all."""
    make_original(path)
    os.chmod(path, 0o644)

    open_store(path).close()

    assert path.stat().st_mode & 0o777 == 0o600
