"""The world after each step."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.planning.apply import apply
from iotistic.planning.values import Action, Container, Health, Observed, Status, Step
from tests.unit.planning.short import app, container, read, world

PROBED = app(
    {"name": "web", "image": "web:2", "readinessProbe": {"tcpSocket": {"port": 80}}},
    networks=[{"name": "back", "internal": True}],
    volumes=[{"name": "data", "driverOpts": {"o": "x"}}],
)


def after(observed: dict[str, Any], action: Action, **fields: str) -> tuple[Observed, Observed]:
    """The world before and after one step of App shop."""
    seen, targets = read(PROBED, observed=observed)
    step = Step(action=action, subject="any", app="shop", **fields)
    return seen, apply(seen, step, targets)


def only(observed: Observed) -> Container:
    (found,) = observed.containers
    return found


def test_a_start_makes_a_healthy_container_of_the_target() -> None:
    _, now = after({}, Action.START, service="web")

    made = only(now)
    assert (made.app, made.service, made.release) == ("shop", "web", "r2")
    assert (made.status, made.health) == (Status.RUNNING, Health.HEALTHY)
    assert made.spec.image.short == "web:2"


def test_what_is_made_is_the_newest_and_has_an_id_of_its_own() -> None:
    before, now = after(
        world(container(id="new2", created="2026-03-01T10:00:00Z"), container("db", id="new1")),
        Action.START,
        service="web",
    )

    made = now.containers[-1]
    assert made.created == "2026-03-01T10:00:01Z"
    assert made.id not in {one.id for one in before.containers}


def test_a_handover_puts_the_new_one_in_the_place_of_the_old_one() -> None:
    _, now = after(world(container(id="c1")), Action.HANDOVER, service="web", container="c1")

    assert only(now).spec.image.short == "web:2"
    assert only(now).id != "c1"


@pytest.mark.parametrize(
    ("action", "was", "becomes"),
    [
        (Action.START, "exited", Status.RUNNING),
        (Action.START, "created", Status.RUNNING),
        (Action.RESTART, "running", Status.RUNNING),
        (Action.UNPAUSE, "paused", Status.RUNNING),
        (Action.PAUSE, "running", Status.PAUSED),
        (Action.STOP, "running", Status.EXITED),
    ],
)
def test_a_step_on_a_container_changes_its_status(action: Action, was: str, becomes: Status) -> None:
    _, now = after(world(container(id="c1", status=was)), action, service="web", container="c1")

    assert only(now).status is becomes
    assert only(now).id == "c1"


@pytest.mark.parametrize("action", [Action.KILL, Action.REMOVE])
def test_what_is_taken_down_is_gone(action: Action) -> None:
    _, now = after(world(container(id="c1"), container("db", id="c2")), action, service="web", container="c1")

    assert only(now).id == "c2"


def test_a_fetch_ends_its_download() -> None:
    _, now = after({"downloading": ["web:2"]}, Action.FETCH, name="docker.io/library/web:2")

    assert [image.ref.short for image in now.images] == ["web:2"]
    assert now.downloading == frozenset()


def test_a_pin_that_was_fetched_has_its_digest() -> None:
    _, now = after({}, Action.FETCH, name="docker.io/library/web@sha256:aa")

    assert [image.digest for image in now.images] == ["sha256:aa"]


def test_only_the_image_that_is_named_is_removed() -> None:
    _, now = after({"images": ["web:1", "web:2"]}, Action.REMOVE_IMAGE, name="docker.io/library/web:1")

    assert [image.ref.short for image in now.images] == ["web:2"]


def test_networks_and_volumes_are_made_as_the_target_says() -> None:
    _, with_network = after({}, Action.CREATE_NETWORK, name="back")
    _, with_volume = after({}, Action.CREATE_VOLUME, name="data")

    assert [(one.app, one.name, one.config) for one in with_network.networks] == [
        ("shop", "back", '{"internal":true}')
    ]
    assert [(one.app, one.name, one.config) for one in with_volume.volumes] == [
        ("shop", "data", '{"driverOpts":{"o":"x"}}')
    ]


def test_removed_are_networks_and_volumes_of_that_app_alone() -> None:
    both = [{"app": app, "name": "back"} for app in ("shop", "till")]
    _, networks = after({"networks": both}, Action.REMOVE_NETWORK, name="back")
    _, volumes = after({"volumes": both}, Action.REMOVE_VOLUME, name="back")

    assert [one.app for one in networks.networks] == ["till"]
    assert [one.app for one in volumes.volumes] == ["till"]


def test_a_lock_is_taken_and_given_back() -> None:
    _, taken = after({}, Action.TAKE_LOCK)
    _, given = after({"locks": {"held": ["shop", "till"]}}, Action.RELEASE_LOCK)

    assert taken.held == {"shop"}
    assert given.held == {"till"}


def test_metadata_are_the_release_and_another_name_of_the_same_image() -> None:
    digests = [{"ref": "web:1", "digest": "sha256:aa"}, {"ref": "web:2", "digest": "sha256:aa"}]
    one = world(container(id="c1"))
    _, same = after(one | {"images": digests}, Action.UPDATE_METADATA, service="web", container="c1")
    _, other = after(one, Action.UPDATE_METADATA, service="web", container="c1")

    assert (only(same).release, only(same).spec.image.short) == ("r2", "web:2")
    assert (only(other).release, only(other).spec.image.short) == ("r2", "web:1")


@pytest.mark.parametrize("action", list(Action))
def test_a_step_on_what_is_not_there_changes_no_container(action: Action) -> None:
    before, now = after(
        world(container(id="c1")), action, service="gone", container="none", name="docker.io/library/none:1"
    )

    assert now.containers == before.containers


def test_a_wait_changes_nothing() -> None:
    before, now = after(world(container()), Action.WAIT, service="web")

    assert now == before
