"""Pods that fetch an image: what they are, and how far they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotistic.engines.kubernetes.pulls import pull_pod, pulled
from tests.unit.engines_kubernetes.shop import CONTEXT, app_of


def test_a_pull_pod_may_run_under_restricted_pod_security_and_a_quota() -> None:
    pod = pull_pod(app_of({}), CONTEXT, "web:1", pull_secrets=["login"])
    container = pod["spec"]["containers"][0]
    assert container["securityContext"] == {
        "runAsUser": 65534,
        "runAsGroup": 65534,
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert (
        set(container["resources"]["limits"]) == set(container["resources"]["requests"]) == {"cpu", "memory"}
    )
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["imagePullSecrets"] == [{"name": "login"}]
    assert "iotistic.io/service" not in pod["metadata"]["labels"]
    assert pod["metadata"]["labels"]["iotistic.io/app"] == "shop"


def test_one_name_for_one_image_login_and_node() -> None:
    shop = app_of({})
    pods = [
        pull_pod(shop, CONTEXT, "web:1"),
        pull_pod(shop, CONTEXT, "web:1"),
        pull_pod(shop, CONTEXT, "web:2"),
        pull_pod(shop, CONTEXT, "web:1", pull_secrets=["a"]),
        pull_pod(shop, CONTEXT, "web:1", node="n1"),
        pull_pod(shop, replace(CONTEXT, registry_override="mirror:5000"), "web:1"),
    ]
    names = [pod["metadata"]["name"] for pod in pods]
    assert names[0] == names[1]
    assert len(set(names)) == 5
    assert pods[-1]["spec"]["containers"][0]["image"] == "mirror:5000/library/web:1"
    terms = pods[4]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"][0]["matchFields"][0]["values"] == ["n1"]


def container(image_id: str = "", **state: dict[str, Any]) -> dict[str, Any]:
    return {"phase": "Pending", "containerStatuses": [{"imageID": image_id, "state": state}]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, ("pulling", "", False)),
        (container(waiting={"reason": "ContainerCreating"}), ("pulling", "", False)),
        (
            container(waiting={"reason": "ErrImagePull", "message": "not found"}),
            ("failed", "not found", False),
        ),
        (container(waiting={"reason": "ImagePullBackOff"}), ("failed", "ImagePullBackOff", False)),
        (container(waiting={"reason": "InvalidImageName"}), ("failed", "InvalidImageName", False)),
        (container(waiting={"reason": "RunContainerError"}), ("done", "", False)),
        (container(waiting={"reason": "CreateContainerError"}), ("done", "", False)),
        (container(terminated={"reason": "StartError", "exitCode": 128}), ("done", "", True)),
        (container(terminated={"reason": "ContainerCannotRun"}), ("done", "", True)),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on disk"}, ("failed", "low on disk", True)),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]},
            ("failed", "0/1 nodes", False),
        ),
        ({"conditions": [{"type": "PodScheduled", "status": "True"}]}, ("pulling", "", False)),
    ],
)
def test_how_far_a_pull_is(status: dict[str, Any], expected: tuple[str, str, bool]) -> None:
    state = pulled({"status": status})
    assert (state.phase, state.message, state.ended) == expected


def test_the_digest_of_what_was_fetched() -> None:
    state = pulled({"status": container("docker.io/library/web@sha256:01", terminated={"exitCode": 128})})
    assert state.image_id == "docker.io/library/web@sha256:01"
