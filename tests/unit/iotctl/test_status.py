"""`iotctl status` on a cluster: it speaks of the operator, and of no agent."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.agent import ClusterAgent
from iotctl.cluster.kubeconfig import Connection
from iotctl.commands.about import tell, tell_as_log

Json = dict[str, Any]
WHERE = ClusterAgent(
    Connection(context="here", source="none", server="http://10.0.0.1", namespace="shop")
).endpoint
SHOP = {"metadata": {"name": "shop"}, "status": {"state": "Degraded", "why": "web: exit 1", "services": [{}]}}


def about(version: str) -> Json:
    engine = {"kind": "kubernetes", "version": "v1.35.0", "address": "http://10.0.0.1", "error": ""}
    return {"version": version, "apiVersion": "v", "installId": "here", "engine": engine}


@pytest.mark.parametrize(
    ("version", "why", "operator"),
    [
        ("0.1.0", "", "0.1.0: OK"),
        ("", "", "not seen (it may run outside of the cluster, or you may not look): OK"),
        (
            "",
            "no operator has looked at App shop",
            "not seen (it may run outside of the cluster, or you may not look): "
            "no operator has looked at App shop",
        ),
    ],
)
def test_status_for_people(capsys: pytest.CaptureFixture[str], version: str, why: str, operator: str) -> None:
    tell(about(version), {}, why, [SHOP], WHERE)
    assert capsys.readouterr().out.splitlines() == [
        "Cluster   http://10.0.0.1 (context here, namespace shop), Kubernetes v1.35.0",
        f"Operator  {operator}",
        "Apps      0 of 1 ready, 0 of 1 services running",
        "          shop: Degraded  web: exit 1",
    ]


@pytest.mark.parametrize(
    ("why", "line"),
    [
        ("", '[INFO] Cluster healthy {"context":"here"}'),
        ("no operator", '[ERROR] Cluster unhealthy {"context":"here","why":"no operator"}'),
    ],
)
def test_status_for_programs(capsys: pytest.CaptureFixture[str], why: str, line: str) -> None:
    tell_as_log(about(""), why, [], WHERE)
    assert capsys.readouterr().out.splitlines() == [
        line,
        '[INFO] Applications {"configured":0,"runningServices":0}',
    ]
