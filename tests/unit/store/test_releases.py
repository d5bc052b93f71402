"""Remembered releases, rollouts, settings, last log lines and volumes to empty, on real files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from iotistic.api.appservice import RunState
from iotistic.api.errors import StoreError
from iotistic.store.base import MOST_SAVED_LINES, Backoff, RevisionRecord, SavedLines
from iotistic.store.sqlite import SqliteStore, open_store
from tests.unit.store import samples
from tests.unit.store.samples import config_map, record, revision, secret

once_a_file = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def saved(*lines: str, reason: str = "CrashLoop") -> SavedLines:
    return SavedLines(time="2026-11-24T10:00:00Z", reason=reason, lines=lines)


def fill(store: SqliteStore) -> None:
    """Something of every kind."""
    store.put(
        apps=[record(run_states={"web": RunState.STOPPED}), record("till", app_id=7)],
        documents=[secret(password="hunter2"), config_map(size="2")],
        revisions=[revision(), revision("till")],
    )
    store.put_rollout("shop", '{"phase": "Idle"}')
    store.put_settings({"a": "1", "b": "2"})
    store.save_lines("shop", "web", saved("one", "two"))
    store.set_purging("till", True)
    store.set_release("c1", "2")
    store.add_image("docker.io/library/web:1")
    store.put_backoff(Backoff(app="shop", service="web", failures=1, seconds_left=10))
    store.delete_app("old", purge=True)


def test_a_new_store_has_none_of_it(store: SqliteStore) -> None:
    assert store.revisions() == []
    assert store.rollouts() == {}
    assert store.settings() == {}
    assert store.saved_lines("shop", "web") is None
    assert store.purging() == set()


def test_it_is_there_after_closing_and_opening(store: SqliteStore, path: Path) -> None:
    fill(store)
    store.close()

    again = open_store(path)

    assert again.revisions() == [revision(), revision("till")]
    assert again.rollouts() == {"shop": '{"phase": "Idle"}'}
    assert again.settings() == {"a": "1", "b": "2"}
    assert again.saved_lines("shop", "web") == saved("one", "two")
    assert again.purging() == {"till"}
    again.close()


def test_a_revision_brings_back_what_the_app_referred_to(store: SqliteStore) -> None:
    then = (secret("login", password="old"), config_map("site", city="north"))
    store.put(apps=[record()], documents=then, revisions=[revision(contents=then)])

    store.put(documents=[secret("login", password="new")])
    store.delete_document("ConfigMap", "site")

    assert store.revisions("shop")[0].contents == then


def test_revisions_come_in_the_order_in_which_they_were_wanted_first(store: SqliteStore) -> None:
    """Whatever the clock said: a board without a battery starts in 1970."""
    store.put(
        apps=[record(), record("till", app_id=7)],
        revisions=[
            revision(digest="z", release="1", created="2026-01-01T00:00:00Z"),
            revision("till", digest="t"),
            revision(digest="a", release="2", created="1970-01-01T00:00:00Z"),
        ],
    )
    store.put(revisions=[revision(digest="m", release="3")])

    assert [found.digest for found in store.revisions("shop")] == ["z", "a", "m"]
    assert [found.digest for found in store.revisions()] == ["z", "t", "a", "m"]
    assert store.revisions("never-there") == []


def test_a_digest_that_is_wanted_again_keeps_its_place_under_its_newest_name(store: SqliteStore) -> None:
    store.put(apps=[record()], revisions=[revision(digest="a", release="1"), revision(digest="b")])
    suspended = samples.app(suspend=True)

    store.put(
        revisions=[
            revision(digest="a", release="3", created="2027-01-01T00:00:00Z", document=suspended),
        ]
    )

    first, second = store.revisions("shop")
    assert first == revision(digest="a", release="3", document=suspended)
    assert second.digest == "b"


def test_old_revisions_are_forgotten_one_by_one(store: SqliteStore) -> None:
    store.put(
        apps=[record(), record("till", app_id=7)],
        revisions=[revision(digest=digest) for digest in "abc"] + [revision("till", digest="a")],
    )

    store.forget_revisions("shop", ["a", "c", "never-there"])
    store.forget_revisions("shop", [])

    assert [(found.app, found.digest) for found in store.revisions()] == [("shop", "b"), ("till", "a")]


def test_a_target_and_its_revision_are_written_together_or_not_at_all(store: SqliteStore) -> None:
    store.put(apps=[record()])

    with pytest.raises(StoreError):
        store.put(
            apps=[record(release="2")], documents=[secret(a="1")], revisions=[revision(), revision("absent")]
        )

    assert store.apps() == [record()]
    assert store.documents() == []
    assert store.revisions() == []


def test_revisions_and_rollout_go_with_their_app_and_do_not_come_back(store: SqliteStore) -> None:
    fill(store)
    store.put_rollout("till", "x")

    store.delete_app("shop", purge=False)
    store.put(apps=[record()])

    assert store.revisions() == [revision("till")]
    assert store.rollouts() == {"till": "x"}


def test_the_target_is_replaced_without_touching_revisions_or_rollout(store: SqliteStore) -> None:
    fill(store)

    store.put(apps=[record(release="2")])

    assert store.revisions("shop") == [revision()]
    assert store.rollouts() == {"shop": '{"phase": "Idle"}'}


def test_the_rollout_of_an_app_that_has_just_gone_is_not_kept(store: SqliteStore) -> None:
    store.put(apps=[record()])
    store.delete_app("shop", purge=False)

    store.put_rollout("shop", "late")
    store.put(apps=[record()])

    assert store.rollouts() == {}


def test_settings_are_laid_over_and_none_forgets(store: SqliteStore) -> None:
    store.put_settings({"a": "1", "b": "2"})

    store.put_settings({"a": "", "b": None, "c": "3", "never-there": None})

    assert store.settings() == {"a": "", "c": "3"}


def test_settings_are_written_together_or_not_at_all(store: SqliteStore) -> None:
    store.put_settings({"a": "1"})

    with pytest.raises(StoreError):
        store.put_settings({"a": None, "b": "\ud800"})

    assert store.settings() == {"a": "1"}


def test_only_the_last_lines_of_the_last_container_are_kept(store: SqliteStore) -> None:
    store.save_lines("shop", "web", saved("old"))
    store.save_lines("shop", "db", saved("other"))

    many = tuple(f"line {number}" for number in range(200))
    store.save_lines("shop", "web", saved(*many, reason="Replaced"))

    assert store.saved_lines("shop", "web") == saved(*many[-MOST_SAVED_LINES:], reason="Replaced")
    assert store.saved_lines("shop", "db") == saved("other")


def test_saved_lines_stay_until_nothing_of_the_app_is_left(store: SqliteStore) -> None:
    fill(store)
    store.save_lines("till", "web", saved("till's"))

    store.delete_app("shop", purge=False)
    assert store.saved_lines("shop", "web") == saved("one", "two")

    store.forget_deletion("shop")
    assert store.saved_lines("shop", "web") is None
    assert store.saved_lines("till", "web") == saved("till's")


def test_volumes_to_empty(store: SqliteStore) -> None:
    for asked in ("shop", "shop", "till"):
        store.set_purging(asked, True)
    store.set_purging("till", False)
    store.set_purging("never-there", False)
    assert store.purging() == {"shop"}


def test_what_was_asked_of_volumes_goes_with_the_app_and_does_not_come_back(store: SqliteStore) -> None:
    """Applied again it starts with the volumes that were kept."""
    store.put(apps=[record()])
    store.set_purging("shop", True)

    store.delete_app("shop", purge=False)
    store.put(apps=[record()])

    assert store.purging() == set()


def test_nothing_secret_is_in_the_words_of_a_record() -> None:
    found = revision(contents=(secret(password="hunter2"),))

    assert "hunter2" not in repr(found)
    assert "hunter2" not in repr(saved("password=hunter2"))


AGAIN: dict[str, Callable[[SqliteStore], None]] = {
    "apps": lambda store: store.put(apps=store.apps()),
    "an App with a lower number": lambda store: store.put(apps=[record("till", app_id=7)]),
    "documents": lambda store: store.put(documents=store.documents()),
    "revisions": lambda store: store.put(revisions=store.revisions()),
    "run states": lambda store: store.set_run_states(
        "shop", {"web": RunState.STOPPED, "db": RunState.RUNNING}
    ),
    "a rollout": lambda store: store.put_rollout("shop", '{"phase": "Idle"}'),
    "a rollout of no App": lambda store: store.put_rollout("absent", "x"),
    "settings": lambda store: store.put_settings({"a": "1", "absent": None}),
    "saved lines": lambda store: store.save_lines("shop", "web", saved("one", "two")),
    "volumes to empty": lambda store: (store.set_purging("till", True), store.set_purging("shop", False))[0],
    "a release of a container": lambda store: store.set_release("c1", "2"),
    "an image": lambda store: store.add_image("docker.io/library/web:1"),
    "a back-off": lambda store: store.put_backoff(store.backoffs()[0]),
    "a deletion": lambda store: store.delete_app("old", purge=True),
    "what is not there": lambda store: (store.forget_releases(["x"]), store.forget_revisions("shop", ["x"]))[
        0
    ],
}


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN.keys())
def test_what_is_so_already_is_not_written_again(
    store: SqliteStore, path: Path, again: Callable[[SqliteStore], None]
) -> None:
    fill(store)

    def files() -> list[tuple[str, int, int]]:
        """Without the -shm: it is memory shared between programs, never brought to the disk."""
        found = [file.stat() for file in sorted(path.parent.iterdir()) if not file.name.endswith("-shm")]
        return [(file.st_ino, file.st_size, file.st_mtime_ns) for file in found]

    before = files()
    again(store)
    assert files() == before

    store.set_release("c1", "changed")
    assert files() != before


@once_a_file
@given(written=samples.revisions)
def test_revisions_come_back_as_they_went(store: SqliteStore, written: RevisionRecord) -> None:
    store.delete_app("shop", purge=False)
    written = replace(written, app="shop")

    store.put(apps=[record()], revisions=[written])

    (found,) = store.revisions("shop")
    assert found == written
    assert found.document.wire() == written.document.wire()


@once_a_file
@given(written=samples.saved)
def test_saved_lines_come_back_as_they_went(store: SqliteStore, written: SavedLines) -> None:
    store.save_lines("shop", "web", written)

    assert store.saved_lines("shop", "web") == replace(written, lines=written.lines[-MOST_SAVED_LINES:])
