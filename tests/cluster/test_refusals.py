"""What the API server refuses is told in its words and asked for again, and ends once it is allowed."""

from __future__ import annotations

from tests.cluster.admission import removal_denied, webhook_down
from tests.cluster.site import Site, app, serving, sleeping

DENIED = "nobody removes anything here"
MODEST = {"requests": {"memory": "4Mi"}, "limits": {"memory": "64Mi"}}
ABSENT = "iotistic/absent:9"
FEW = 3
"""Tries within some 20 s."""


def why(site: Site) -> str:
    return str(site.status().get("why", ""))


def test_a_webhook_that_is_down_is_told(site: Site) -> None:
    site.apply(app(serving("one"), sleeping("db")))
    site.until_state("Ready", release="1")
    with webhook_down(site.kube, site.namespace):
        failed = site.operator.metric("iotistic_failed_reconciles_total")
        site.apply(app(serving("two"), sleeping("db")))
        site.until(lambda: "failed calling webhook" in why(site), "why has its words")
        assert site.status()["state"] == "Degraded"
        assert site.operator.reasons("/readyz") == [], "it concerns Deployments of one namespace"
        assert site.operator.reasons("/healthz") == []
        assert site.operator.metric("iotistic_failed_reconciles_total") == failed
        assert len(site.operator.lines("child_refused", name="shop-web")) <= FEW
    assert not site.until_state("Ready", release="2").get("why")
    site.until_serves("two", "shop-web")


def test_a_refused_removal_is_told_and_tried_again(site: Site) -> None:
    site.apply(app(serving("one"), sleeping("db")))
    site.until_state("Ready", release="1")
    with removal_denied(site.kube, site.namespace, "shop-db", DENIED):
        site.apply(app(serving("two")))
        site.until(lambda: DENIED in why(site), "why has its words")
        assert site.status()["state"] == "Degraded", "what was dropped runs on"
        site.until_serves("two", "shop-web")
        site.operator.until_idle()
        assert site.status()["state"] == "Degraded"
    assert not site.until_state("Ready", release="2").get("why")
    assert site.names("deploy") == ["shop-web"]
    assert 0 < len(site.operator.lines("removal_refused", kind="Deployment")) <= FEW


def test_a_refused_pull_pod_is_tried_again(site: Site) -> None:
    update = {"strategy": "DownloadThenKill", "progressDeadlineSeconds": 300}
    site.apply(app(serving("one", resources=MODEST), update=update))
    site.until_state("Ready", release="1")
    least = {"type": "Container", "min": {"memory": "2Mi"}}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "least"}}
    site.apply(limits | {"spec": {"limits": [least]}})
    site.until(lambda: is_too_small(site), "the limit counts")
    site.apply(app(serving("two", image=ABSENT, resources=MODEST), update=update))
    site.until(lambda: "minimum memory usage" in why(site), "why has its words")
    assert not pull_pods(site)
    site.kube.kubectl("delete", "limitrange", "least", "-n", site.namespace)
    site.until(lambda: pull_pods(site), "it is made")
    site.until(lambda: ABSENT in why(site), "why tells of the image")
    assert "minimum memory usage" not in why(site)
    assert len(site.operator.lines("child_refused", kind="Pod")) <= FEW


def pull_pods(site: Site) -> list[str]:
    return [name for name in site.names("pod") if name.startswith("shop-pull-")]


def is_too_small(site: Site) -> bool:
    """Whether a pod with as little memory as a pull pod is refused."""
    resources = {"requests": {"memory": "1Mi"}, "limits": {"memory": "32Mi"}}
    container = {"name": "a", "image": "a", "resources": resources}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe"},
        "spec": {"containers": [container]},
    }
    path = f"/api/v1/namespaces/{site.namespace}/pods"
    return "minimum memory" in site.kube.request("POST", path, pod, dryRun="All").message
