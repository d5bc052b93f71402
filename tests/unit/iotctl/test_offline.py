"""iotctl plan --observed: a world in a file, no agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.iotctl.conftest import Iotctl

Json = dict[str, Any]
Write = Callable[[object], str]

SHOP = {
    "apiVersion": "iotistic.io/v1alpha1",
    "kind": "App",
    "metadata": {"name": "shop"},
    "spec": {
        "services": [
            {"name": "db", "image": "db:1"},
            {"name": "web", "image": "web:2", "env": [{"name": "TOKEN", "value": "hush"}]},
        ]
    },
}
WORLD = {
    "containers": [
        {"app": "shop", "service": "db", "release": "1", "spec": {"image": "db:1"}},
        {"app": "shop", "service": "web", "release": "1", "spec": {"image": "web:1"}},
    ],
    "images": ["db:1", "web:1"],
    "networks": [{"app": "shop", "name": "default"}],
}
PLAN = """\
App shop, release 1 -> 2 (strategy DownloadThenKill)
 1  fetch        web:2     for shop/web
 2  takeLock     shop
 3  kill         shop/web  image web:1 -> web:2, env TOKEN added
 4  start        shop/web  image web:1 -> web:2, env TOKEN added
 5  releaseLock  shop
Unchanged: db (release recorded).
Interrupted from kill to start: web.

Removed: image web:1 (nothing needs it).
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump(SHOP))
    return str(path)


@pytest.fixture
def world(tmp_path: Path) -> Write:
    def write(content: object) -> str:
        path = tmp_path / "world.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return str(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        WORLD,
        {"observed": WORLD},
        {
            "id": "X-1",
            "about": "a case",
            "apps": [],
            "observed": WORLD,
            "options": {},
            "expect": {"steps": []},
        },
        [{"observed": WORLD}],
        json.dumps(WORLD),
    ],
    ids=["world", "observed", "case", "list of one", "JSON"],
)
def test_a_plan_is_made_for_the_world_in_a_file(
    iotctl: Iotctl, shop: str, world: Write, content: object
) -> None:
    ran = iotctl("plan", "--observed", world(content), "-f", shop)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == PLAN


def test_options_in_the_file_count(iotctl: Iotctl, shop: str, world: Write) -> None:
    kept = world({"observed": WORLD, "options": {"keep": ["web:1"], "backoff": ["shop/web"]}})

    answer = json.loads(iotctl("plan", "--observed", kept, "-f", shop, "-o", "json").out)

    assert [[f"{step['action']} {step['subject']}" for step in steps] for steps in answer["rounds"]] == [
        ["wait shop/db", "wait shop/web"]
    ]
    assert answer["converged"] is False
    assert "-  wait  shop/web  waits for its next try after a failure" in answer["text"]


def test_the_answer_has_the_form_of_the_agents(iotctl: Iotctl, shop: str, world: Write) -> None:
    answer = json.loads(iotctl("plan", "--observed", world(WORLD), "-f", shop, "-o", "json").out)

    assert answer.keys() == {"text", "rounds", "converged", "warnings", "stalled"}
    assert answer["rounds"][0][0] == {
        "action": "fetch",
        "subject": "web:2",
        "app": "",
        "service": "",
        "cause": "for shop/web",
        "changes": ["for shop/web"],
    }
    assert answer["converged"] is True
    assert "hush" not in json.dumps(answer)


def test_names_are_the_steps_alone(iotctl: Iotctl, shop: str, world: Write) -> None:
    ran = iotctl("plan", "--observed", world(WORLD), "-f", shop, "-o", "name")

    assert ran.out.splitlines() == [
        "fetch web:2",
        "takeLock shop",
        "updateMetadata shop/db",
        "kill shop/web",
        "start shop/web",
        "releaseLock shop",
        "removeImage web:1",
    ]


def test_a_changed_volume_is_told_as_stalled(iotctl: Iotctl, tmp_path: Path, world: Write) -> None:
    app = {**SHOP, "spec": {**SHOP["spec"], "volumes": [{"name": "data", "driver": "nfs"}]}}
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(app))
    observed = world({**WORLD, "volumes": [{"app": "shop", "name": "data"}]})

    answer = json.loads(iotctl("plan", "--observed", observed, "-f", str(path), "-o", "json").out)

    assert answer["stalled"].keys() == {"shop"}
    assert "volume data: driver local -> nfs" in answer["text"]


def test_apps_that_are_not_in_the_documents_stay_as_they_are(iotctl: Iotctl, shop: str, world: Write) -> None:
    till = {"app": "till", "service": "pay", "release": "1", "spec": {"image": "pay:1"}}
    both = {**WORLD, "containers": [*WORLD["containers"], till]}

    assert iotctl("plan", "--observed", world(both), "-f", shop).out == PLAN
    purged = world({"observed": both, "options": {"purge": ["till"]}})
    assert "App till is removed" in iotctl("plan", "--observed", purged, "-f", shop).out


@pytest.mark.parametrize(
    ("release", "written", "title"),
    [
        ("4", None, "release 4 -> 5"),
        ("blue", None, "release blue -> 1"),
        ("4", "9", "release 4 -> 9"),
    ],
)
def test_a_changed_app_gets_the_next_release(
    iotctl: Iotctl, tmp_path: Path, world: Write, release: str, written: str | None, title: str
) -> None:
    spec = SHOP["spec"] | ({"release": written} if written else {})
    path = tmp_path / "app.yaml"
    path.write_text(yaml.safe_dump({**SHOP, "spec": spec}))
    containers = [{**container, "release": release} for container in WORLD["containers"]]

    ran = iotctl("plan", "--observed", world({**WORLD, "containers": containers}), "-f", str(path))

    assert title in ran.out.splitlines()[0]


def test_an_app_that_is_as_wanted_keeps_its_release(iotctl: Iotctl, shop: str, world: Write) -> None:
    spec = {key: value for key, value in SHOP["spec"]["services"][1].items() if key != "name"}
    containers = [WORLD["containers"][0], {"app": "shop", "service": "web", "release": "1", "spec": spec}]
    same = world({**WORLD, "containers": containers, "images": ["db:1", "web:2"]})

    assert iotctl("plan", "--observed", same, "-f", shop).out == "Nothing to do.\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("containers: [", "not YAML: while parsing a flow"),
        ("[1, 2]", "not one world, but a list of 2"),
        ("just text", "not one world, but a str"),
        ({"kind": "App"}, "none of containers, downloading, images, locks, networks, observed"),
        ({"images": ["A B"]}, "observed.images[0]: repository 'A B' must be lower case"),
        (
            {"observed": {"containers": [{"status": "runing", "spec": {"image": "a"}}]}},
            "observed.containers[0].status: Input should be 'created', 'running'",
        ),
        (
            {"containers": [{"spec": {"image": "a", "imgae": "b"}}]},
            "observed.containers[0].spec.imgae: Extra inputs are not permitted",
        ),
        ({"observed": {}, "options": {"backof": []}}, "options.backof: Extra inputs are not permitted"),
        ({"observed": [1]}, "observed: Input should be a valid dictionary"),
    ],
)
def test_what_can_t_be_read_is_told_with_its_place(
    iotctl: Iotctl, shop: str, world: Write, content: object, message: str
) -> None:
    path = world(content)

    ran = iotctl("plan", "--observed", path, "-f", shop)

    assert ran.code == 2
    assert ran.out == ""
    assert f"{path}: {message}" in ran.err


def test_a_file_that_is_not_there(iotctl: Iotctl, shop: str, tmp_path: Path) -> None:
    ran = iotctl("plan", "--observed", str(tmp_path / "none.yaml"), "-f", shop)

    assert ran.code == 2
    assert f"{tmp_path}/none.yaml: no such file or directory" in ran.err


def test_a_world_needs_documents(iotctl: Iotctl, world: Write, tmp_path: Path) -> None:
    assert iotctl("plan", "--observed", world(WORLD)).code == 2
    secret = tmp_path / "secret.yaml"
    secret.write_text('{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: "b"}}')
    ran = iotctl("plan", "--observed", world(WORLD), "-f", str(secret))
    assert ran.code == 2
    assert "no App" in ran.err
