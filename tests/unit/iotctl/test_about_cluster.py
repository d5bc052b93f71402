"""What diagnostics say of the operator of a cluster, and what to type in each case."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.about import operator_check, release_of

Json = dict[str, Any]
NAME = "ops/edge-iotistic-edge"


def operator(watched: str = "", *, ready: int = 1) -> Json:
    return {
        "metadata": {
            "namespace": "ops",
            "name": "edge-iotistic-edge",
            "labels": {"app.kubernetes.io/instance": "edge"},
        },
        "spec": {
            "template": {"spec": {"containers": [{"env": [{"name": "WATCH_NAMESPACES", "value": watched}]}]}}
        },
        "status": {"readyReplicas": ready},
    }


@pytest.mark.parametrize(
    ("found", "unseen", "status", "text", "advice"),
    [
        (operator(), "", "OK", f"{NAME} is ready", ""),
        (operator("shop"), "", "OK", f"{NAME} is ready", ""),
        (
            operator(),
            "till",
            "WARN",
            f"{NAME} is ready and has not looked at App till yet",
            "iotctl wait app/till",
        ),
        (
            operator("first, second"),
            "till",
            "WARN",
            f"{NAME} looks after first, second only, not after namespace shop",
            "helm upgrade edge charts/iotistic-edge -n ops --reset-then-reuse-values "
            "--set 'watchNamespaces={first,second,shop}'",
        ),
        (
            operator("first", ready=0),
            "",
            "FAIL",
            f"{NAME} is not ready",
            "kubectl -n ops logs deployment/edge-iotistic-edge",
        ),
        (
            None,
            "till",
            "FAIL",
            "no Deployment of the operator can be seen, and nobody has looked at App till",
            "iotctl install  prints how",
        ),
        (
            None,
            "",
            "WARN",
            "no Deployment of the operator can be seen; it may run outside of the cluster, or you may not "
            "see it",
            "",
        ),
    ],
)
def test_what_is_said_of_the_operator(
    found: Json | None, unseen: str, status: str, text: str, advice: str
) -> None:
    check = operator_check(found, "shop", unseen)
    assert (check["status"], check["text"], check["advice"]) == (status, text, advice)


def test_an_operator_that_is_not_seen_has_the_names_of_the_documents() -> None:
    assert release_of(None) == {
        "release": "iotistic",
        "namespace": "iotistic",
        "deployment": "iotistic-iotistic-edge",
    }
    assert release_of(operator())["release"] == "edge"
