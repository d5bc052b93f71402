"""An App as a whole: which objects, in which order, whose they are; run state and strategies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.appservice import RunState
from iotistic.api.documents import check_documents, load_documents
from iotistic.engines.kubernetes.refusals import refused
from iotistic.engines.kubernetes.values import RenderContext
from tests.unit.engines_kubernetes.shop import CONTEXT, EVERYTHING, app, app_of, one, rendered

EXAMPLES = sorted(Path(__file__).parents[3].glob("examples/*.yaml"))
PORT = {"ports": [{"containerPort": 80, "hostPort": 8080}]}


def test_order_and_kinds() -> None:
    shop = app_of({"volumeMounts": [{"name": "d", "mountPath": "/d"}]} | PORT, volumes=[{"name": "d"}])
    assert [(o["kind"], o["metadata"]["name"]) for o in rendered(shop).objects] == [
        ("ServiceAccount", "shop"),
        ("PersistentVolumeClaim", "shop-d"),
        ("Service", "shop-names"),
        ("Service", "shop-web"),
        ("NetworkPolicy", "shop-web"),
        ("AppService", "shop-web"),
        ("Deployment", "shop-web"),
    ]
    assert rendered(shop).base == rendered(shop).objects[:-1]


def test_whose_they_are() -> None:
    for made in rendered(app(EVERYTHING)).objects:
        metadata = made["metadata"]
        assert metadata["namespace"] == "plant"
        assert metadata["labels"]["iotistic.io/app"] == "sink"
        assert metadata["ownerReferences"] == [
            {
                "apiVersion": "iotistic.io/v1alpha1",
                "kind": "App",
                "name": "sink",
                "uid": "u-1",
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ]
        assert "finalizers" not in metadata


def test_a_preview_needs_no_cluster() -> None:
    for made in rendered(app(EVERYTHING), RenderContext()).objects:
        assert "ownerReferences" not in made["metadata"]
        assert made["metadata"]["namespace"] == "default"


@pytest.mark.parametrize(
    ("service", "state", "expected"),
    [
        ({}, None, {"replicas": 1}),
        ({}, RunState.STOPPED, {"replicas": 0}),
        ({"restartPolicy": "Never"}, None, {"suspend": False, "backoffLimit": 0}),
        ({"restartPolicy": "OnFailure"}, RunState.STOPPED, {"suspend": True, "backoffLimit": 2**31 - 1}),
    ],
)
def test_run_state(service: dict[str, Any], state: RunState | None, expected: dict[str, Any]) -> None:
    context = replace(CONTEXT, run_states={"web": state} if state else {})
    workload = rendered(app_of(service), context).workloads["web"]
    assert workload["kind"] == ("Job" if "restartPolicy" in service else "Deployment")
    assert {name: workload["spec"][name] for name in expected} == expected


def test_the_run_state_is_never_written() -> None:
    context = replace(CONTEXT, run_states={"web": RunState.STOPPED})
    assert one(rendered(app_of({}), context), "AppService", "shop-web")["spec"] == {
        "app": "shop",
        "service": "web",
    }


@pytest.mark.parametrize(
    ("strategy", "service", "expected"),
    [
        ("DownloadThenKill", {}, "Recreate"),
        ("KillThenDownload", {}, "Recreate"),
        ("DeleteThenDownload", {}, "Recreate"),
        ("HandOver", {}, "RollingUpdate"),
        ("HandOver", PORT, "Recreate"),
        ("HandOver", {"networkMode": "host", "ports": [{"containerPort": 80}]}, "Recreate"),
        ("HandOver", {"networkMode": "host"}, "RollingUpdate"),
        ("HandOver", {"update": {"strategy": "DownloadThenKill"}}, "Recreate"),
        ("DownloadThenKill", {"update": {"strategy": "HandOver"}}, "RollingUpdate"),
    ],
)
def test_strategies(strategy: str, service: dict[str, Any], expected: str) -> None:
    shop = app_of(service, update={"strategy": strategy})
    written = one(shop, "Deployment", "shop-web")["spec"]["strategy"]
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}} if expected == "RollingUpdate" else {}
    assert written == {"type": expected} | rolling


def test_another_release_of_the_same_app_restarts_nothing() -> None:
    one_release, another = (
        rendered(app(EVERYTHING), replace(CONTEXT, release=release)).workloads for release in ("1", "2")
    )
    for name, workload in one_release.items():
        assert workload["metadata"]["annotations"] == {"iotistic.io/release": "1"}
        assert workload["spec"] == another[name]["spec"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples(example: Path) -> None:
    apps = check_documents([d.data for d in load_documents(example.read_text(), "example")])[0]
    for shop in apps:
        found = {finding.path for finding in refused(shop)}
        expected = {"spec.services[node-red].devices", "spec.services[node-red].logging.options"}
        assert found == (expected if example.stem == "gateway" else set())
        assert set(rendered(shop).workloads) == {service.name for service in shop.spec.services}
