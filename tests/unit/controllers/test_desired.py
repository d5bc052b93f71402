"""What is wanted: numbers that stay, releases that count, and all of it durable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.controllers.base import Applied
from iotistic.controllers.desired import Desired
from iotistic.store.sqlite import open_store
from iotistic.store.sqlite.store import SqliteStore
from tests.unit.controllers.inside import model

DB = {"name": "db", "image": "db:1"}
WEB = {"name": "web", "image": "web:1"}
KEYED = WEB | {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "key", "key": "key"}}}]}


def secret(value: str) -> Secret:
    """The Secret `key`."""
    return Secret.model_validate(
        {"kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": value}}
    )


async def take(desired: Desired, *documents: Any) -> list[Applied]:
    """Propose and take Apps, Secrets and ConfigMaps."""
    core = [one for one in documents if isinstance(one, Secret | ConfigMap)]
    records, _, applied = desired.propose([one for one in documents if one not in core], core)
    await desired.take(records, core)
    return applied


@pytest.mark.parametrize(
    ("first", "second", "release", "generation", "result"),
    [
        pytest.param({}, {}, "1", 1, "unchanged", id="the same again"),
        pytest.param({}, {"services": [WEB | {"image": "web:2"}]}, "2", 2, "configured", id="another image"),
        pytest.param({}, {"suspend": True}, "1", 2, "configured", id="what is not compared"),
        pytest.param({}, {"update": {"strategy": "HandOver"}}, "1", 2, "configured", id="a strategy"),
        pytest.param({"release": "may"}, {"release": "june"}, "june", 2, "configured", id="a named release"),
        pytest.param({"release": 7}, {}, "8", 2, "configured", id="no name any more"),
        pytest.param({"release": "may"}, {}, "1", 2, "configured", id="no name after a word"),
    ],
)
async def test_a_release_gets_the_next_number_when_what_runs_is_another(
    store: SqliteStore,
    first: dict[str, Any],
    second: dict[str, Any],
    release: str,
    generation: int,
    result: str,
) -> None:
    desired = Desired(store)
    await take(desired, model("shop", WEB, **first))

    [applied] = await take(desired, model("shop", WEB, **second))

    assert (applied.release, applied.generation, applied.result) == (release, generation, result)


async def test_a_changed_secret_makes_a_release_of_the_apps_that_use_it(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, secret("one"), model("shop", KEYED), model("till", WEB))

    await take(desired, secret("two"))

    assert {name: record.release for name, record in desired.records.items()} == {"shop": "2", "till": "1"}
    assert desired.records["shop"].generation == 1, "its spec is the same"


async def test_the_same_secret_again_makes_none(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, secret("one"), model("shop", KEYED))

    [applied] = await take(desired, secret("one"))

    assert (applied.result, desired.records["shop"].release) == ("unchanged", "1")


async def test_a_service_that_comes_back_has_its_number_again(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("shop", WEB, DB))
    await take(desired, model("shop", WEB))
    await take(desired, model("shop", WEB, {"name": "new", "image": "new:1"}))

    await take(desired, model("shop", WEB, DB, {"name": "new", "image": "new:1"}))

    assert desired.records["shop"].service_ids == {"web": 1, "db": 2, "new": 3}


async def test_a_written_service_number_wins(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("shop", WEB, DB))

    await take(desired, model("shop", WEB, DB | {"serviceId": 1}))

    assert desired.records["shop"].service_ids == {"db": 1, "web": 2}


async def test_apps_get_numbers_that_none_has_had(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("a"), model("b"))
    await desired.delete("b", purge=True)
    desired.deleted_for_good("b")

    await take(desired, model("c"), model("d", appId=7))

    assert {name: record.app_id for name, record in desired.records.items()} == {"a": 1001, "c": 1003, "d": 7}


async def test_what_was_taken_is_there_after_a_restart(data: Path, store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, secret("one"), model("shop", KEYED, DB), model("till"))
    await desired.set_run_states("shop", {"db": RunState.STOPPED})
    await desired.delete("till", purge=True)

    again = open_store(data / "device.sqlite")
    found = Desired(again)

    assert found.records == desired.records
    assert found.deletions == {"till": True}
    assert found.targets() == desired.targets()
    assert [(one.name, one.run_state) for one in found.target("shop").services] == [
        ("web", RunState.RUNNING),
        ("db", RunState.STOPPED),
    ]
    again.close()


async def test_applying_again_cancels_a_deletion(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("shop"))
    await desired.delete("shop", purge=True)

    await take(desired, model("shop"))

    assert desired.deletions == {}
    assert Desired(store).deletions == {}


@pytest.mark.parametrize(
    ("policy", "asked", "purged"),
    [
        ("Retain", None, False),
        ("Delete", None, True),
        ("Retain", True, True),
        ("Delete", False, False),
    ],
)
async def test_who_says_what_becomes_of_volumes(
    store: SqliteStore, policy: str, asked: bool | None, purged: bool
) -> None:
    desired = Desired(store)
    await take(desired, model("shop", deletionPolicy=policy))

    assert await desired.delete("shop", purge=asked) is purged
    assert Desired(store).deletions == {"shop": purged}


async def test_run_states_go_with_their_service(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("shop", WEB, DB))
    await desired.set_run_states("shop", {"db": RunState.STOPPED, "web": RunState.PAUSED})

    await take(desired, model("shop", WEB))
    assert desired.records["shop"].run_states == {"web": RunState.PAUSED}

    await desired.set_run_states("shop", {"web": RunState.RUNNING})
    assert desired.records["shop"].run_states == {}
    assert Desired(store).records["shop"].run_states == {}


async def test_a_secret_in_use_can_not_be_deleted(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, secret("one"), model("shop", KEYED))

    with pytest.raises(ConflictError, match="Secret key is used by App shop"):
        await desired.delete_document("Secret", "key")
    with pytest.raises(NotFoundError, match="no Secret 'other'"):
        await desired.delete_document("Secret", "other")

    await desired.delete("shop", purge=None)
    await desired.delete_document("Secret", "key")
    assert Desired(store).documents == {}


@pytest.mark.parametrize("name", ["shop", "1001"])
async def test_an_app_is_found_by_name_and_number(store: SqliteStore, name: str) -> None:
    desired = Desired(store)
    await take(desired, model("shop"))

    assert desired.find(name).name == "shop"


async def test_who_is_not_found_hears_what_there_is(store: SqliteStore) -> None:
    desired = Desired(store)
    await take(desired, model("shop"), model("till"))

    with pytest.raises(NotFoundError, match="no App 'shp'") as error:
        desired.find("shp")

    assert error.value.hint == "Apps here: shop, till"
