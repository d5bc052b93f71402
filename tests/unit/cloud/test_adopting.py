"""An original device taken over: its Apps, who it is, what waits; once, and nothing of it touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotistic.api.appservice import RunState
from iotistic.cloud.names import original_container_name
from iotistic.cloud.wire import original_names
from iotistic.controllers.adopting import adopt
from iotistic.controllers.desired import Desired
from iotistic.store.sqlite import SqliteStore, open_store
from tests.unit.store.originals import IDENTITY, TARGET, dump, make_original
from tests.unit.store.samples import record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "device.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    make_original(path)
    opened = open_store(path)
    yield opened
    opened.close()


def test_the_device_goes_on_with_what_it_ran_and_who_it_was(store: SqliteStore, path: Path) -> None:
    before = dump(path)

    adopted = adopt(store, Desired(store))

    assert adopted is not None
    assert dict(adopted.identity) == IDENTITY
    assert adopted.queue_rows == 3
    assert adopted.warnings == (
        "App 1001 (Bottling), service broker: config.domainname: not taken over: nothing here does that",
        "App 1002 (empty): services: the App is not taken over: no service of it can run",
    )
    (kept,) = store.apps()
    assert adopted.apps == (kept.app,)
    assert (kept.name, kept.app_id, kept.release, kept.generation) == ("bottling", 1001, "1", 1)
    assert kept.service_ids == {"broker": 1, "reporter": 2}
    assert kept.run_states == {"reporter": RunState.STOPPED}
    assert [found.release for found in store.revisions("bottling")] == ["1"]
    assert store.adopted() != ""
    assert dump(path) == before


def test_its_containers_and_volumes_can_be_found(store: SqliteStore) -> None:
    adopted = adopt(store, Desired(store))

    assert adopted is not None
    (app_here,) = adopted.apps
    names = original_names(app_here)
    assert names.volumes == {"broker-data": "broker_data"}
    assert [
        original_container_name(names.app, names.services.get(one.name, one.name), one.service_id or 0)
        for one in app_here.spec.services
    ] == ["Bottling_broker_1", "Bottling_reporter_2"]


def test_it_is_done_once(store: SqliteStore) -> None:
    """What has been deleted since does not come back."""
    assert adopt(store, Desired(store)) is not None
    store.delete_app("bottling", purge=False)

    assert adopt(store, Desired(store)) is None
    assert store.apps() == []


def test_a_cut_before_it_was_recorded_is_made_good(path: Path) -> None:
    make_original(path)
    store = open_store(path)
    adopt(store, Desired(store))
    before = store.apps()
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM iotistic_adoption")
    connection.commit()
    connection.close()

    again = open_store(path)
    adopted = adopt(again, Desired(again))

    assert adopted is not None
    assert adopted.apps == ()
    assert again.apps() == before
    assert again.adopted() != ""
    again.close()


def test_apps_that_are_here_already_stay_as_they_are(store: SqliteStore) -> None:
    mine, same_number = record("bottling", app_id=5), record("filling", app_id=1001)
    store.put(apps=[mine, same_number])

    adopted = adopt(store, Desired(store))

    assert adopted is not None
    assert adopted.apps == ()
    assert store.apps() == [mine, same_number]


def test_a_name_that_is_taken_here_gets_a_number(store: SqliteStore) -> None:
    mine = record("bottling", app_id=5)
    store.put(apps=[mine])

    adopt(store, Desired(store))

    assert [(found.name, found.app_id) for found in store.apps()] == [
        ("bottling", 5),
        ("bottling-1001", 1001),
    ]
    assert store.apps()[0] == mine


def test_an_app_without_a_number_gets_one_that_no_other_has(path: Path) -> None:
    service = {"serviceId": 1, "serviceName": "web", "imageName": "web:1"}
    apps = [{"appName": "a", "services": [service]}, {"appId": 1001, "appName": "b", "services": [service]}]
    make_original(path, {"apps": apps})
    store = open_store(path)

    adopt(store, Desired(store))

    assert {found.name: found.app_id for found in store.apps()} == {"a": 1002, "b": 1001}
    store.close()


def test_a_device_of_our_own_has_nothing_to_adopt(tmp_path: Path) -> None:
    store = open_store(tmp_path / "device.sqlite")

    assert adopt(store, Desired(store)) is None
    assert store.adopted() == ""
    store.close()


def test_a_device_without_a_target_is_taken_over_without_apps(path: Path) -> None:
    make_original(path, None)
    store = open_store(path)

    adopted = adopt(store, Desired(store))

    assert adopted is not None
    assert (adopted.apps, adopted.warnings) == ((), ())
    assert store.adopted() != ""
    store.close()


def test_keys_and_passwords_are_not_in_its_words(store: SqliteStore) -> None:
    adopted = adopt(store, Desired(store))

    assert IDENTITY["deviceApiKey"] not in repr(adopted)
    assert adopted is not None
    assert all("hunter2" not in warning for warning in adopted.warnings)
    assert "hunter2" in str(TARGET)
