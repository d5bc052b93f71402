"""A whole update, foreseen and told."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.planning.preview import preview
from iotistic.planning.values import Options
from tests.unit.planning.short import app, container, previewed, read, world

DB = {"name": "db", "image": "db:1"}
WEB = {"name": "web", "image": "web:2"}

UPDATE = """\
App shop, release r1 -> r2 (strategy DownloadThenKill)
 1  fetch        web:2     for shop/web
 2  takeLock     shop
 3  kill         shop/web  image web:1 -> web:2
 4  start        shop/web  image web:1 -> web:2
 5  releaseLock  shop
Unchanged: db (release recorded).
Interrupted from kill to start: web.

Removed: image web:1 (nothing needs it)."""

FIRST = """\
App shop, release r2 (new)
 1  fetch          db:1          for shop/db
 2  fetch          web:2         for shop/web
 3  createNetwork  shop/default  network default missing
 4  createVolume   shop/data     volume data missing
 5  start          shop/db       no container yet
 6  start          shop/web      no container yet
Assumes that db ends with 0."""

DELETE_FIRST = """\
App shop, release r1 -> r2 (strategy DownloadThenKill, web: DeleteThenDownload)
 1  takeLock     shop
 2  kill         shop/web  image web:1 -> web:2
 3  removeImage  web:1     makes room for the new image of shop/web
 4  fetch        web:2     for shop/web
 5  start        shop/web  image web:1 -> web:2
 6  releaseLock  shop
Unchanged: db (release recorded).
Interrupted from kill to start, with the fetch in between: web."""

HAND_OVER = """\
App shop, release r1 -> r2 (strategy HandOver)
 1  takeLock     shop
 2  handover     shop/web  image web:1 -> web:2
 3  releaseLock  shop

Removed: image web:1 (nothing needs it)."""

LOCKED = """\
App shop, release r1 -> r2 (strategy DownloadThenKill)
 1  fetch  web:2     for shop/web
 -  wait   shop      locked on web: filling a tank
 -  wait   shop/web  locked on web: filling a tank (to kill: image web:1 -> web:2)"""

STUCK = """\
App shop, release r2 (strategy DownloadThenKill)
 1  fetch        web:2     for shop/web
 2  releaseLock  shop
 -  wait         shop/web  waits for db (healthy)
Unchanged: db."""

REMOVAL = """\
App shop is removed
 1  takeLock       shop
 2  kill           shop/web      App shop is no longer wanted
 3  removeNetwork  shop/default  App shop is no longer wanted
 4  releaseLock    shop
Kept: volume data.

Removed: image web:1 (nothing needs it)."""


@pytest.mark.parametrize(
    ("apps", "observed", "text"),
    [
        ([app(DB, WEB)], world(container(), container("db")), UPDATE),
        (
            [
                app(
                    DB | {"restartPolicy": "Never"},
                    WEB
                    | {
                        "dependsOn": {"db": "completed"},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    },
                    volumes=[{"name": "data"}],
                )
            ],
            {},
            FIRST,
        ),
        (
            [app(DB, WEB | {"update": {"strategy": "DeleteThenDownload"}})],
            world(container(), container("db")),
            DELETE_FIRST,
        ),
        ([app(update={"strategy": "HandOver"})], world(container(), images=["web:2"]), HAND_OVER),
        (
            [app()],
            world(
                container(), locks={"user": [{"app": "shop", "service": "web", "reason": "filling a tank"}]}
            ),
            LOCKED,
        ),
        (
            [app(DB, WEB | {"dependsOn": {"db": "healthy"}})],
            world(container("db", release="r2"), locks={"held": ["shop"]}),
            STUCK,
        ),
        ([], world(container(), volumes=[{"app": "shop", "name": "data"}]), REMOVAL),
        ([app(WEB)], world(container(release="r2", image="web:2")), "Nothing to do."),
        ([], {}, "Nothing to do."),
    ],
    ids=["update", "first", "delete first", "hand-over", "locked", "stuck", "removal", "converged", "empty"],
)
def test_a_plan_is_told(apps: list[dict[str, Any]], observed: dict[str, Any], text: str) -> None:
    assert previewed(*apps, observed=observed)[1] == text


def test_each_app_has_its_block_and_quiet_ones_a_line() -> None:
    till = app({"name": "pay", "image": "pay:1"}, name="till")
    quiet = app({"name": "web", "image": "web:1"}, release="r1")

    _, text = previewed(quiet, till, observed=world(container()))

    assert text == (
        "App till, release r2 (new)\n"
        " 1  fetch          pay:1         for till/pay\n"
        " 2  createNetwork  till/default  network default missing\n"
        " 3  start          till/pay      no container yet\n"
        "\n"
        "Nothing to do for shop."
    )


def test_a_stalled_app_is_told_and_not_converged() -> None:
    found, text = previewed(
        app(volumes=[{"name": "data", "driver": "nfs"}]),
        observed=world(volumes=[{"app": "shop", "name": "data"}]),
    )

    assert text.startswith("App shop is stalled: volume data: driver local -> nfs")
    assert not found.converged
    assert [stall.app for stall in found.stalled] == ["shop"]


def test_rounds_are_the_planners_with_its_waits() -> None:
    found, _ = previewed(
        app(DB, WEB | {"dependsOn": {"db": "started"}}), observed=world(images=["db:1", "web:2"])
    )

    assert [[step.text for step in steps] for steps in found.rounds] == [
        ["start shop/db", "wait shop/web"],
        ["start shop/web"],
    ]
    assert found.converged


def test_what_is_under_way_arrives() -> None:
    """Downloads, probes, what stops and what restarts; nothing of it is a step of ours."""
    target = app(
        DB | {"readinessProbe": {"tcpSocket": {"port": 1}}},
        WEB | {"dependsOn": {"db": "healthy"}},
        {"name": "old", "image": "old:1"},
    )
    observed = world(
        container("db", health="starting", release="r2"),
        container("old", status="stopping", release="r2"),
        downloading=["web:2"],
    )

    found, _ = previewed(target, observed=observed)

    assert found.converged
    assert [[step.text for step in steps if step.action != "wait"] for steps in found.rounds] == [
        ["start shop/web", "start shop/old"]
    ]


def test_a_plan_that_would_go_on_is_cut() -> None:
    seen, targets = read(app(), observed=world(container()))

    found = preview(seen, targets, Options(), most_rounds=2)

    assert len(found.rounds) == 2
    assert not found.converged
