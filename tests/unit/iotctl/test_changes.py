"""What a plan on a cluster tells of a changed App: all that changes, and no value that may be secret."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.changes import content_steps, steps_of

Json = dict[str, Any]
WEB = {"name": "web", "image": "web:1"}
DATA = {"name": "data", "size": "1Gi"}


def app(*services: Json, **spec: Any) -> Json:
    """An App as an API server has it."""
    return {
        "kind": "App",
        "metadata": {"name": "shop"},
        "spec": {"services": list(services or [WEB]), **spec},
    }


def causes(now: Json | None, after: Json) -> dict[str, str]:
    """Cause by step."""
    return {f"{step['action']} {step['subject']}": step["cause"] for step in steps_of(now, after)}


@pytest.mark.parametrize(
    ("now", "after", "cause"),
    [
        ({"volumes": [DATA]}, {"volumes": [DATA | {"size": "5Gi"}]}, "volume data: size 1Gi -> 5Gi"),
        ({"volumes": [DATA]}, {}, "volume data removed"),
        ({}, {"volumes": [DATA]}, "volume data added"),
        (
            {"volumes": [DATA]},
            {"volumes": [{"name": "data", "storageClass": "fast", "driverOpts": {"o": "hush"}}]},
            "volume data: driverOpts.o added, volume data: size 1Gi -> none, "
            "volume data: storageClass none -> fast",
        ),
        ({}, {"networks": [{"name": "back"}]}, "network back added"),
        ({"networks": [{"name": "b"}]}, {"networks": [{"name": "b", "internal": True}]}, "network b changed"),
        (
            {"update": {"strategy": "HandOver"}},
            {"update": {"strategy": "KillThenDownload", "windows": [{}]}},
            "update.strategy HandOver -> KillThenDownload, update.windows changed",
        ),
        ({"suspend": False}, {"suspend": True}, "suspend false -> true"),
        (
            {"volumes": [DATA], "suspend": False, "historyLimit": 3},
            {"volumes": [DATA | {"size": "5Gi"}], "suspend": True, "historyLimit": 4, "release": "x"},
            "historyLimit 3 -> 4, release none -> x, suspend false -> true and 1 more",
        ),
    ],
)
def test_what_changes_of_an_app_is_told(now: Json, after: Json, cause: str) -> None:
    found = causes(app(**now), app(**after))

    assert found == {"apply shop": cause}


@pytest.mark.parametrize(
    ("now", "after", "cause"),
    [
        ({}, {"image": "web:2"}, "image web:1 -> web:2"),
        (
            {"env": [{"name": "A", "value": "hush"}]},
            {"image": "web:2", "env": [{"name": "A", "value": "hush2"}, {"name": "B", "value": "hush"}]},
            "image web:1 -> web:2, env A changed, env B added",
        ),
        (
            {},
            {
                "volumeMounts": [{"name": "data", "mountPath": "/d"}],
                "hostname": "a",
                "ports": [{}],
                "args": ["hush"],
            },
            "args changed, hostname changed, ports changed and 1 more",
        ),
        ({}, {"networks": {"default": {}}}, "networks changed"),
    ],
)
def test_what_changes_of_a_service_is_told(now: Json, after: Json, cause: str) -> None:
    assert causes(app(WEB | now), app(WEB | after)) == {"update shop/web": cause}


def test_services_and_the_app_change_together() -> None:
    db = {"name": "db", "image": "db:1"}

    found = causes(
        app(WEB, volumes=[DATA]), app(WEB | {"image": "web:2"}, db, volumes=[DATA | {"size": "5Gi"}])
    )

    assert found == {
        "update shop/web": "image web:1 -> web:2",
        "start shop/db": "missing",
        "apply shop": "volume data: size 1Gi -> 5Gi",
    }
    assert causes(None, app(volumes=[DATA])) == {"start shop/web": "missing"}
    assert causes(app(WEB, db), app(WEB)) == {"remove shop/db": "no longer in the App"}
    assert causes(app(), app()) == {}


def test_values_of_secrets_are_not_told() -> None:
    secret: Json = {"kind": "Secret", "metadata": {"name": "login"}, "data": {"a": "aHVzaA=="}}

    assert causes(None, secret) == {"apply login": "missing"}
    assert causes(secret, secret) == {}
    assert causes(secret, secret | {"data": {}}) == {"apply login": "its contents differ"}


def test_changed_contents_update_the_services_that_use_them() -> None:
    def uses(name: str, **source: Json) -> Json:
        return {"name": name, "image": "web:1", "envFrom": [source]}

    shop = app(
        uses("web", secretRef={"name": "login"}),
        uses("db", configMapRef={"name": "login"}),
        uses("till", secretRef={"name": "login"}),
    )
    steps = content_steps(shop, {"Secret/login": "changed"}, {"till"})
    assert [(step["subject"], step["cause"]) for step in steps] == [
        ("shop/web", "contents of Secret login changed")
    ]
    assert content_steps(shop, {}) == []
    assert content_steps(app({"name": "web", "nonsense": 1}), {"Secret/login": "changed"}) == []
