"""Update locks as files."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iotistic.api.errors import ConflictError, NotFoundError, StoreError
from iotistic.planning.values import UserLock
from iotistic.store.base import Locks
from iotistic.store.locks import FileLocks

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locks(tmp_path: Path, clock: Clock) -> FileLocks:
    return made(tmp_path, clock)


def made(tmp_path: Path, clock: Clock, install: str = "install-1") -> FileLocks:
    return FileLocks(tmp_path / "locks", install=install, now=clock)


def users_file(tmp_path: Path, content: str | bytes, *, app: str = "shop", service: str = "web") -> Path:
    """A lock file as a program in the container writes it."""
    path = tmp_path / "locks" / app / service / "update.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_new_directory_has_no_locks(locks: FileLocks) -> None:
    as_protocol: Locks = locks

    assert as_protocol.held() == frozenset()
    assert as_protocol.user_locks() == ()


def test_taking_makes_a_file_for_each_service(tmp_path: Path, locks: FileLocks) -> None:
    assert locks.take("shop", ["web", "db"])

    assert locks.held() == {"shop"}
    assert locks.user_locks() == ()
    for service in ("web", "db"):
        content = json.loads((tmp_path / "locks" / "shop" / service / "update.lock").read_text())
        assert content["owner"] == "iotistic-edge install-1"
        assert content["reason"]


def test_taking_twice_and_releasing(tmp_path: Path, locks: FileLocks) -> None:
    assert locks.take("shop", ["web"])
    assert locks.take("shop", ["web", "db"])

    locks.release("shop")
    locks.release("shop")

    assert locks.held() == frozenset()
    assert list((tmp_path / "locks").rglob("update.lock")) == []
    assert locks.take("shop", ["web"])


def test_locks_of_one_app_are_no_matter_of_another(locks: FileLocks) -> None:
    locks.take("shop", ["web"])
    locks.take("till", ["web"])

    locks.release("shop")

    assert locks.held() == {"till"}


def test_a_users_lock_on_any_service_refuses_all(tmp_path: Path, locks: FileLocks) -> None:
    users_file(tmp_path, '{"reason": "writing firmware", "owner": "pump"}', service="db")

    assert not locks.take("shop", ["api", "db", "web"])

    assert locks.held() == frozenset()
    assert locks.user_locks() == (
        UserLock(app="shop", service="db", reason="writing firmware", owner="pump"),
    )
    assert [path.parent.name for path in (tmp_path / "locks").rglob("update.lock")] == ["db"]


def test_a_users_lock_on_a_service_that_the_app_no_longer_has_counts(
    tmp_path: Path, locks: FileLocks
) -> None:
    users_file(tmp_path, "{}", service="dropped")

    assert not locks.take("shop", ["web"])


def test_a_failure_in_the_middle_gives_back_what_was_taken(tmp_path: Path, locks: FileLocks) -> None:
    """A directory in the place of a folder that is needed: nothing here depends on rights."""
    (tmp_path / "locks" / "shop").mkdir()
    (tmp_path / "locks" / "shop" / "web").write_text("in the way")

    with pytest.raises(StoreError, match="lock files") as caught:
        locks.take("shop", ["api", "web"])

    assert caught.value.hint
    assert locks.held() == frozenset()


@pytest.mark.parametrize(
    ("content", "reason", "owner"),
    [
        ('{"reason": "busy", "owner": "pump"}', "busy", "pump"),
        ('{"reason": "busy"}', "busy", ""),
        ("{}", "", ""),
        ('{"reason": null, "owner": null, "more": [1]}', "", ""),
        ("", "a lock file that gives no reason", ""),
        ("\n", "a lock file that gives no reason", ""),
        ("locked by hand", "unreadable lock file", ""),
        ("[1, 2]", "unreadable lock file", ""),
        ('{"reason": 7}', "unreadable lock file", ""),
        ('{"reason": "half', "unreadable lock file", ""),
        ("[" * 60000, "unreadable lock file", ""),
        (b"\xff\xfe\x00", "unreadable lock file", ""),
        ('{"reason": "a\\nb\\u0007  c"}', "a b\x07 c", ""),
        (json.dumps({"reason": "x" * 5000}), "x" * 200, ""),
        (json.dumps({"reason": "x" * 100_000}), "unreadable lock file", ""),
    ],
)
def test_what_users_write(
    tmp_path: Path, locks: FileLocks, content: str | bytes, reason: str, owner: str
) -> None:
    users_file(tmp_path, content)

    assert locks.user_locks() == (UserLock(app="shop", service="web", reason=reason, owner=owner),)
    assert not locks.take("shop", ["web"])


@settings(deadline=None)  # each example is a file on a disk that others use
@given(
    content=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["reason", "owner", "until", "services"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_content_breaks_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    directory = tmp_path_factory.mktemp("locks")
    users_file(directory, content)
    locks = made(directory, Clock())

    assert len(locks.user_locks()) == 1
    assert locks.held() == frozenset()


def test_traps_in_the_place_of_a_lock_file_are_locks_and_do_no_harm(tmp_path: Path, locks: FileLocks) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"reason": "hunter2"}')
    users_file(tmp_path, "", service="linked").unlink()
    (tmp_path / "locks/shop/linked/update.lock").symlink_to(secret)
    users_file(tmp_path, "", service="piped").unlink()
    os.mkfifo(tmp_path / "locks/shop/piped/update.lock")
    (tmp_path / "locks/shop/folder/update.lock").mkdir(parents=True)

    found = locks.user_locks()

    assert [(lock.service, lock.reason) for lock in found] == [
        ("folder", "unreadable lock file"),
        ("linked", "unreadable lock file"),
        ("piped", "unreadable lock file"),
    ]
    assert not locks.take("shop", ["web"])
    assert secret.read_text() == '{"reason": "hunter2"}'


def test_strange_names_are_not_looked_at(tmp_path: Path, locks: FileLocks) -> None:
    users_file(tmp_path, "{}", app="..hidden")
    users_file(tmp_path, "{}", app="shop", service=".git")

    assert locks.user_locks() == ()


@pytest.mark.parametrize(
    ("until", "counts"),
    [
        ("", True),
        ("2026-11-24T12:00:01Z", True),
        ("2026-11-24T12:00:00Z", False),
        ("2026-11-24T13:30:00+01:00", True),
        ("2026-11-24T12:30:00+01:00", False),
        ("2026-11-24T11:59:59", False),
        ("2026-11-24T12:00:01", True),
        ("tomorrow", True),
    ],
)
def test_until(tmp_path: Path, locks: FileLocks, until: str, counts: bool) -> None:
    users_file(tmp_path, json.dumps({"reason": "busy", "until": until}))

    assert bool(locks.user_locks()) == counts
    assert locks.take("shop", ["web"]) != counts
    assert (locks.held() == {"shop"}) != counts


def test_a_clock_that_is_not_set_expires_nothing(tmp_path: Path, locks: FileLocks, clock: Clock) -> None:
    users_file(tmp_path, '{"until": "1969-01-01T00:00:00Z"}')
    clock.now = datetime(1970, 1, 1, tzinfo=UTC)

    assert len(locks.user_locks()) == 1


def test_a_lock_expires_while_we_look(tmp_path: Path, locks: FileLocks, clock: Clock) -> None:
    users_file(tmp_path, '{"until": "2026-11-24T12:10:00Z"}')
    assert not locks.take("shop", ["web"])

    clock.now += timedelta(minutes=10)

    assert locks.take("shop", ["web"])


def test_own_locks_are_adopted_after_a_restart(tmp_path: Path, locks: FileLocks, clock: Clock) -> None:
    locks.take("shop", ["web", "db"])

    again = made(tmp_path, clock)

    assert again.held() == {"shop"}
    again.release("shop")
    assert again.held() == frozenset()


def test_a_take_that_was_cut_is_given_back_at_the_next_start(
    tmp_path: Path, locks: FileLocks, clock: Clock
) -> None:
    """The first service's file was made, then the power went."""
    locks.take("shop", ["db", "web"])
    locks.take("till", ["ui"])
    (tmp_path / "locks/shop/web/update.lock").unlink()

    again = made(tmp_path, clock)

    assert again.held() == {"till"}
    assert not (tmp_path / "locks/shop/db/update.lock").exists()


def test_another_installs_locks_are_a_users(tmp_path: Path, locks: FileLocks, clock: Clock) -> None:
    locks.take("shop", ["web"])

    other = made(tmp_path, clock, install="install-2")

    assert other.held() == frozenset()
    assert other.user_locks()[0].owner == "iotistic-edge install-1"
    assert not other.take("shop", ["web"])


def test_release_leaves_what_a_user_put_in_place_of_ours(tmp_path: Path, locks: FileLocks) -> None:
    locks.take("shop", ["web"])
    users_file(tmp_path, '{"reason": "mine now"}')

    locks.release("shop")

    assert [lock.reason for lock in locks.user_locks()] == ["mine now"]


def test_the_containers_user_may_write_there(tmp_path: Path, locks: FileLocks) -> None:
    previous = os.umask(0o077)
    try:
        locks.take("shop", ["web"])
    finally:
        os.umask(previous)

    directory = tmp_path / "locks/shop/web"
    assert directory.stat().st_mode & 0o7777 == 0o1777


def test_a_person_locks_and_unlocks_a_service(locks: FileLocks) -> None:
    until = "2026-11-24T13:00:00Z"
    locks.lock("shop", service="web", reason="demo", owner="ann", until=until)

    assert locks.user_locks() == (
        UserLock(app="shop", service="web", reason="demo", owner="ann", until=until),
    )
    assert not locks.take("shop", ["web"])

    locks.unlock("shop", "web")
    assert locks.take("shop", ["web"])


def test_a_person_locks_a_whole_app(locks: FileLocks) -> None:
    locks.lock("shop", reason="demo", owner="ann")

    assert locks.user_locks() == (UserLock(app="shop", service="", reason="demo", owner="ann"),)
    assert not locks.take("shop", ["web"])

    locks.unlock("shop")
    assert locks.user_locks() == ()


def test_the_owner_may_change_its_lock_others_may_not(locks: FileLocks) -> None:
    locks.lock("shop", reason="demo", owner="ann")
    locks.lock("shop", reason="longer demo", owner="ann")

    with pytest.raises(ConflictError, match="locked already by ann: longer demo"):
        locks.lock("shop", reason="mine", owner="bob")

    assert [lock.reason for lock in locks.user_locks()] == ["longer demo"]


def test_an_expired_lock_is_replaced(locks: FileLocks) -> None:
    locks.lock("shop", reason="old", owner="ann", until="2026-11-24T11:00:00Z")

    locks.lock("shop", reason="new", owner="bob")

    assert [lock.reason for lock in locks.user_locks()] == ["new"]


def test_an_app_under_update_can_t_be_locked_nor_our_lock_taken_away(locks: FileLocks) -> None:
    locks.take("shop", ["web"])

    with pytest.raises(ConflictError, match="being updated"):
        locks.lock("shop", service="db", reason="demo", owner="ann")
    with pytest.raises(NotFoundError, match="no user's lock on App shop, service web"):
        locks.unlock("shop", "web")

    assert locks.held() == {"shop"}


@pytest.mark.parametrize(("app", "service"), [("..", ""), ("shop", "../till"), ("", ""), ("a/b", "c")])
def test_names_do_not_lead_elsewhere(locks: FileLocks, app: str, service: str) -> None:
    with pytest.raises(NotFoundError):
        locks.lock(app, service=service, reason="x", owner="ann")
    with pytest.raises(NotFoundError):
        locks.unlock(app, service)


def test_a_directory_that_can_t_be_made(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "locks").write_text("")

    with pytest.raises(StoreError, match="locks"):
        made(tmp_path, clock)
