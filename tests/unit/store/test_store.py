"""What the store keeps, on real files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import StoreError
from iotistic.store.base import AppRecord, Backoff, Deletion, Store
from iotistic.store.sqlite import SqliteStore, open_store
from tests.unit.store import samples
from tests.unit.store.samples import config_map, record, secret

once_a_file = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """One file for many examples."""
    opened = open_store(tmp_path_factory.mktemp("store") / "device.sqlite")
    yield opened
    opened.close()


def reopened(store: SqliteStore, path: Path) -> SqliteStore:
    store.close()
    return open_store(path)


def test_a_new_store_is_empty(store: SqliteStore) -> None:
    assert store.apps() == []
    assert store.deletions() == []
    assert store.documents() == []
    assert store.releases() == {}
    assert store.images() == set()
    assert store.backoffs() == []
    assert store.next_app_id() == 1001


def test_it_is_a_store(store: SqliteStore) -> None:
    as_protocol: Store = store

    assert as_protocol.install


def test_everything_is_there_after_closing_and_opening(store: SqliteStore, path: Path) -> None:
    shop = record("shop", service_ids={"web": 1}, run_states={"web": RunState.STOPPED})
    store.put(apps=[shop], documents=[secret(user="me"), config_map(size="2")])
    store.delete_app("old", purge=True)
    store.set_release("c1", "2")
    store.add_image("docker.io/library/web:1")
    backoff = Backoff(
        app="shop", service="web", failures=2, seconds_left=12.5, reason="CrashLoop", message="m"
    )
    store.put_backoff(backoff)
    install, key = store.install, store.digest_key

    again = reopened(store, path)

    assert again.apps() == [shop]
    assert again.documents() == [secret(user="me"), config_map(size="2")]
    assert again.deletions() == [Deletion(app="old", purge=True)]
    assert again.releases() == {"c1": "2"}
    assert again.images() == {"docker.io/library/web:1"}
    assert again.backoffs() == [backoff]
    assert (again.install, again.digest_key) == (install, key)
    again.close()


def test_apps_come_by_name(store: SqliteStore) -> None:
    store.put(apps=[record("till", app_id=1), record("b", app_id=2), record("shop", app_id=3)])

    assert [found.name for found in store.apps()] == ["b", "shop", "till"]


def test_writing_an_app_again_replaces_it(store: SqliteStore) -> None:
    store.put(apps=[record(release="1", run_states={"web": RunState.STOPPED, "db": RunState.PAUSED})])
    newer = record(release="2", run_states={"db": RunState.STOPPED})

    store.put(apps=[newer])

    assert store.apps() == [newer]


def test_all_or_nothing(store: SqliteStore) -> None:
    """The last of the records can't be written: a number beyond what the database holds."""
    store.put(apps=[record("kept")])

    with pytest.raises(StoreError):
        store.put(documents=[secret(a="1")], apps=[record("kept", release="9"), record("big", app_id=2**70)])

    assert store.apps() == [record("kept")]
    assert store.documents() == []


def test_deleting_takes_an_app_out_and_remembers(store: SqliteStore) -> None:
    store.put(apps=[record("shop", run_states={"web": RunState.STOPPED}), record("till", app_id=1002)])

    store.delete_app("shop", purge=False)

    assert [found.name for found in store.apps()] == ["till"]
    assert store.deletions() == [Deletion(app="shop", purge=False)]


def test_the_last_word_on_purge_counts(store: SqliteStore) -> None:
    store.delete_app("shop", purge=True)
    store.delete_app("shop", purge=False)

    assert store.deletions() == [Deletion(app="shop", purge=False)]


def test_applying_again_cancels_the_deletion_of_that_app_only(store: SqliteStore) -> None:
    store.delete_app("shop", purge=True)
    store.delete_app("till", purge=True)

    store.put(apps=[record("shop")])

    assert store.deletions() == [Deletion(app="till", purge=True)]


def test_an_app_that_comes_back_has_no_old_run_states(store: SqliteStore) -> None:
    store.put(apps=[record(run_states={"web": RunState.STOPPED})])
    store.delete_app("shop", purge=False)

    store.put(apps=[record()])

    assert store.apps()[0].run_states == {}


def test_forgetting_a_deletion(store: SqliteStore) -> None:
    store.delete_app("shop", purge=True)

    store.forget_deletion("shop")
    store.forget_deletion("never-there")

    assert store.deletions() == []


def test_run_states_are_laid_over_and_running_forgets(store: SqliteStore) -> None:
    store.put(apps=[record(run_states={"db": RunState.PAUSED})])

    store.set_run_states("shop", {"web": RunState.STOPPED, "db": RunState.STOPPED})
    assert store.apps()[0].run_states == {"web": RunState.STOPPED, "db": RunState.STOPPED}

    store.set_run_states("shop", {"web": RunState.RUNNING, "cache": RunState.RUNNING})
    assert store.apps()[0].run_states == {"db": RunState.STOPPED}


def test_a_run_state_of_an_app_that_is_not_there_is_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreError):
        store.set_run_states("shop", {"web": RunState.STOPPED})

    store.put(apps=[record()])
    assert store.apps()[0].run_states == {}


def test_documents_are_replaced_and_forgotten_by_kind_and_name(store: SqliteStore) -> None:
    store.put(documents=[secret("a", x="1"), config_map("a", x="1"), secret("b", y="1")])
    store.put(documents=[secret("a", x="2")])

    store.delete_document("ConfigMap", "a")
    store.delete_document("ConfigMap", "never-there")

    assert store.documents() == [secret("a", x="2"), secret("b", y="1")]


def test_no_number_is_given_twice(store: SqliteStore, path: Path) -> None:
    store.put(apps=[record("a", app_id=store.next_app_id())])
    assert store.next_app_id() == 1002
    store.put(apps=[record("b", app_id=5000), record("c", app_id=3)])
    assert store.next_app_id() == 5001

    store.delete_app("b", purge=False)
    again = reopened(store, path)

    assert again.next_app_id() == 5001
    again.close()


def test_asking_for_a_number_does_not_use_it_up(store: SqliteStore) -> None:
    assert store.next_app_id() == store.next_app_id() == 1001


def test_releases_of_containers(store: SqliteStore) -> None:
    store.set_release("c1", "1")
    store.set_release("c2", "1")
    store.set_release("c1", "2")
    assert store.releases() == {"c1": "2", "c2": "1"}

    store.forget_releases(["c1", "never-there"])
    store.forget_releases([])

    assert store.releases() == {"c2": "1"}


def test_images(store: SqliteStore) -> None:
    store.add_image("a")
    store.add_image("a")
    store.add_image("b")
    store.remove_image("b")
    store.remove_image("never-there")

    assert store.images() == {"a"}


def test_backoffs(store: SqliteStore) -> None:
    first = Backoff(app="shop", service="", failures=1, seconds_left=10)
    store.put_backoff(first)
    store.put_backoff(Backoff(app="shop", service="web", failures=1, seconds_left=10))
    again = Backoff(
        app="shop", service="web", failures=2, seconds_left=20, reason="CrashLoop", message="exit 1"
    )
    store.put_backoff(again)
    assert store.backoffs() == [first, again]

    store.forget_backoff("shop", "")
    store.forget_backoff("shop", "never-there")

    assert store.backoffs() == [again]


@once_a_file
@given(written=st.lists(samples.records, max_size=4, unique_by=lambda found: found.name))
def test_records_come_back_as_they_went(shared: SqliteStore, written: list[AppRecord]) -> None:
    for old in shared.apps():
        shared.delete_app(old.name, purge=False)

    shared.put(apps=written)

    expected = sorted(written, key=lambda found: found.name)
    assert shared.apps() == expected
    assert [samples.written(found) for found in shared.apps()] == [samples.written(one) for one in expected]


@once_a_file
@given(document=samples.secrets | samples.config_maps)
def test_documents_come_back_as_they_went(shared: SqliteStore, document: Secret | ConfigMap) -> None:
    shared.put(documents=[document])

    found = next(
        one
        for one in shared.documents()
        if (one.kind, one.metadata.name) == (document.kind, document.metadata.name)
    )

    assert found == document
    assert samples.written(found) == samples.written(document)
    assert found.contents() == document.contents()


@once_a_file
@given(backoff=samples.backoffs)
def test_backoffs_come_back_as_they_went(shared: SqliteStore, backoff: Backoff) -> None:
    shared.put_backoff(backoff)

    assert backoff in shared.backoffs()


def test_threads_share_it(store: SqliteStore) -> None:
    """Four threads write and read at once: nothing fails, nothing is lost, no half record is seen."""

    def work(number: int) -> None:
        for turn in range(25):
            mine = record(f"a{number}", app_id=number, release=str(turn))
            store.put(apps=[mine], documents=[secret(f"s{number}", turn=str(turn))])
            store.add_image(f"{number}/{turn}")
            assert mine in store.apps()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(1, 5)))

    assert len(store.images()) == 100
    assert [found.release for found in store.apps()] == ["24"] * 4


def test_idle_and_reading_write_nothing(store: SqliteStore, path: Path) -> None:
    store.put(apps=[record()])

    def state() -> list[tuple[str, int, int]]:
        return sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in path.parent.iterdir())

    before = state()
    for _ in range(20):
        store.apps(), store.images(), store.releases(), store.next_app_id()

    assert state() == before


def test_only_the_owner_can_read_what_is_kept(store: SqliteStore, path: Path) -> None:
    store.put(documents=[secret(password="hunter2")])

    modes = {f.name: oct(f.stat().st_mode & 0o777) for f in path.parent.iterdir()}

    assert set(modes) >= {"device.sqlite", "device.sqlite-wal", "install-id", "digest-key"}
    assert set(modes.values()) == {"0o600"}
    assert path.parent.stat().st_mode & 0o007 == 0


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    os.chmod(path, 0o644)

    open_store(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    store.close()

    with pytest.raises(StoreError, match="is closed"):
        store.apps()
