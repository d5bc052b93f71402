"""Why a step is done: in words that a person understands, and that hold no secret."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.planning.compare import differences, volume_changes
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import Options
from tests.unit.planning.short import app, container, read, steps_of, world

HELD = {"locks": {"held": ["shop"]}}


@pytest.mark.parametrize(
    ("was", "wanted", "changes"),
    [
        ({}, {"image": "web:2"}, ["image web:1 -> web:2"]),
        ({}, {"env": [{"name": "TOKEN", "value": "hush"}]}, ["env TOKEN added"]),
        ({"env": [{"name": "TOKEN", "value": "old"}]}, {}, ["env TOKEN removed"]),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]},
            {"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}]},
            ["env A changed"],
        ),
        ({}, {"networks": {"default": {}, "back": {}}}, ["network back joined"]),
        ({"networks": {"default": {}, "back": {}}}, {}, ["network back left"]),
        (
            {"networks": {"default": {}}},
            {"networks": {"default": {"aliases": ["shop"]}}},
            ["attachment to network default changed"],
        ),
        ({}, {"labels": {"a": "1"}}, ["label a added"]),
        ({}, {"command": ["--password", "hush"]}, ["command changed"]),
        ({}, {"volumeMounts": [{"name": "data", "mountPath": "/d"}]}, ["volume data at /d added"]),
        ({}, {"restartPolicy": "Never"}, ["restart policy changed"]),
        (
            {"volumeMounts": [{"name": "data", "mountPath": "/d"}, {"name": "more", "mountPath": "/m"}]},
            {
                "volumeMounts": [
                    {"name": "data", "mountPath": "/d", "readOnly": True},
                    {"name": "data", "mountPath": "/m"},
                ]
            },
            ["volume data at /d changed", "volume more -> data at /m"],
        ),
        (
            {"volumeMounts": [{"name": "data", "mountPath": "/d"}]},
            {},
            ["volume data at /d removed"],
        ),
        (
            {"hostname": "a"},
            {"image": "web:2", "ports": [{"containerPort": 80}]},
            ["image web:1 -> web:2", "hostname changed", "ports changed"],
        ),
    ],
)
def test_a_container_is_taken_down_for_what_differs(
    was: dict[str, Any], wanted: dict[str, Any], changes: list[str]
) -> None:
    target = app(
        {"name": "web", "image": "web:1"} | wanted,
        networks=[{"name": "back"}],
        volumes=[{"name": "data"}],
    )
    observed = world(
        container(**was),
        images=["web:2"],
        networks=[{"app": "shop", "name": "back"}],
        volumes=[{"app": "shop", "name": "data"}],
        **HELD,
    )

    kill = steps_of(target, observed=observed)["kill shop/web"]

    assert list(kill.changes) == changes
    assert kill.cause == ", ".join(changes)
    assert "hush" not in repr(kill)


def test_of_many_differences_the_first_three_are_told_and_all_are_kept() -> None:
    env = [{"name": name, "value": "hush"} for name in "ABC"]
    target = app({"name": "web", "image": "web:2", "env": env, "hostname": "x"})

    kill = steps_of(target, observed=world(container(), images=["web:2"], **HELD))["kill shop/web"]

    assert kill.cause == "image web:1 -> web:2, env A added, env B added and 2 more"
    assert kill.changes[3:] == ("env C added", "hostname changed")


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"size": "1Gi"}, {"size": "5Gi"}, ["size 1Gi -> 5Gi"]),
        ({}, {"size": "5Gi", "storageClass": "fast"}, ["size none -> 5Gi", "storageClass none -> fast"]),
        ({"driver": "nfs"}, {}, ["driver nfs -> local"]),
        (
            {"driverOpts": {"o": "password=hush", "type": "cifs"}},
            {"driverOpts": {"o": "password=hush2", "device": "//nas"}},
            ["driverOpts.device added", "driverOpts.o changed", "driverOpts.type removed"],
        ),
        ({}, {"driverOpts": {"o": "password=hush"}}, ["driverOpts.o added"]),
        ({"secret": {"secretName": "a"}}, {"secret": {"secretName": "b"}}, ["secret.secretName changed"]),
        ({"size": "1Gi"}, {"size": "1Gi"}, []),
    ],
)
def test_what_makes_a_volume_another_one(
    old: dict[str, Any], new: dict[str, Any], changes: list[str]
) -> None:
    assert volume_changes(old, new) == changes


def test_differences_are_those_that_the_planner_acts_on() -> None:
    seen, targets = read(
        app({"name": "web", "image": "web:1", "networks": {"back": {}}}, networks=[{"name": "back"}]),
        observed=world(
            container(networks={"back": {}}),
            networks=[{"app": "shop", "name": "back", "spec": {"internal": True}}],
        ),
    )

    found = differences(seen.containers[0], targets[0].services[0], targets[0], seen)

    assert found == ("network back changed",)


def test_nothing_differs_where_two_names_are_one_image() -> None:
    observed = world(
        container(), images=[{"ref": "web:2", "digest": "sha256:aa"}, {"ref": "web:1", "digest": "sha256:aa"}]
    )
    observed["images"] = observed["images"][1:]
    seen, targets = read(app(), observed=observed)

    assert differences(seen.containers[0], targets[0].services[0], targets[0], seen) == ()


@pytest.mark.parametrize(
    ("target", "observed", "options", "step", "cause"),
    [
        (app(), {}, {}, "fetch web:2", "for shop/web"),
        (app(), {}, {}, "createNetwork shop/default", "network default missing"),
        (app(), {}, {}, "wait shop/web", "waits for image web:2"),
        (app(), world(images=["web:2"]), {}, "start shop/web", "no container yet"),
        (app(), world(container(), images=["web:2"]), {}, "takeLock shop", "to kill web"),
        (app(), world(container(), images=["web:2"]), {}, "wait shop/web", "waits for the App's lock"),
        (
            app({"name": "web", "image": "web:1"}, release="r2"),
            world(container()),
            {},
            "updateMetadata shop/web",
            "release r1 -> r2",
        ),
        (
            app({"name": "web", "image": "web:1"}, release="r1"),
            world(container(status="exited", exitCode=137)),
            {},
            "start shop/web",
            "exited with 137",
        ),
        (
            app({"name": "web", "image": "web:1"}, {"name": "db", "image": "db:1"}, release="r1"),
            world(container(), downloading=["db:1"]),
            {},
            "wait shop/db",
            "image db:1 is downloading",
        ),
        (
            app(
                {"name": "db", "image": "db:1"},
                {"name": "web", "image": "web:1", "dependsOn": {"db": "healthy"}},
            ),
            world(container("db"), images=["web:1"]),
            {},
            "wait shop/web",
            "waits for db (healthy)",
        ),
        (
            app(),
            world(container(), images=["web:2"]),
            {"backoff": ["shop/web"]},
            "wait shop/web",
            "waits for its next try after a failure",
        ),
        (app(), world(container("old"), **HELD), {}, "wait shop/old", "waits for image web:2 of web"),
        (
            app(),
            world(
                container(),
                images=["web:2"],
                locks={
                    "user": [{"app": "shop", "service": "web", "owner": "plc", "reason": "filling a tank"}]
                },
            ),
            {},
            "wait shop",
            "locked on web by plc: filling a tank",
        ),
        (
            app({"name": "web", "image": "web:1"}, release="r1"),
            world(container(), images=["old:1"]),
            {},
            "removeImage old:1",
            "nothing needs it",
        ),
    ],
)
def test_every_step_says_why(
    target: dict[str, Any], observed: dict[str, Any], options: dict[str, Any], step: str, cause: str
) -> None:
    assert steps_of(target, observed=observed, **options)[step].cause == cause


def test_a_stalled_app_says_what_to_do() -> None:
    target = app(volumes=[{"name": "data", "driver": "nfs"}, {"name": "more", "driverOpts": {"o": "hush"}}])
    volumes = [{"app": "shop", "name": "data"}, {"app": "shop", "name": "more"}]
    seen, targets = read(target, observed={"volumes": volumes})

    (stall,) = next_steps(seen, targets, Options()).stalled

    assert stall.app == "shop"
    assert stall.reason.startswith(
        "volume data: driver local -> nfs, volume more: driverOpts.o added, and a volume can't be changed "
        "without losing"
    )
    assert "put the old definition back" in stall.reason


def test_an_id_of_an_engine_is_told_by_its_beginning() -> None:
    long = "0123456789abcdef" * 4
    observed = world(
        container(id=long, created="2026-01-01T00:00:00Z"),
        container(id="c2", created="2026-01-02T00:00:00Z"),
        **HELD,
    )

    found = steps_of(app({"name": "web", "image": "web:1"}), observed=observed)

    assert found["kill shop/web#0123456789ab"].container == long
