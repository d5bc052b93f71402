"""A cluster that changes what is written, by an admission webhook: it wins, once and for all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.cluster.admission import webhook
from tests.cluster.site import IMAGE, Site, app, serving, sleeping

GROUP = [{"op": "add", "path": "/spec/template/spec/securityContext", "value": {"supplementalGroups": [7]}}]
GROUPS = {"Deployment": GROUP, "Job": GROUP}
MIRROR = {"Pod": [{"op": "replace", "path": "/spec/containers/0/image", "value": IMAGE}]}
QUIET_SECONDS = 10


def test_what_the_cluster_changes_counts_as_wanted(site: Site, tmp_path: Path) -> None:
    once = sleeping("init", args=["exit 0"], restartPolicy="Never")
    with webhook(site.kube, site.namespace, tmp_path, GROUPS):
        site.apply(app(serving(), once))
        status = site.until_state("Ready")
        assert status["release"] == "1"
        assert groups(site, "deploy", "shop-web") == groups(site, "job", "shop-init") == [7]
        told = site.operator.lines("child_overruled", name="shop-web")
        assert [line["cause"] for line in told] == [
            "spec.template.spec.securityContext: {supplementalGroups}, wanted none"
        ]
        job = site.get("job", "shop-init")["metadata"]["uid"]
        stays(site)

        site.apply(app(serving("two"), once))
        site.until_state("Ready", release="2")
        site.until_serves("two", "shop-web")
        stays(site)

        site.patch("deploy", "shop-web", {"spec": {"replicas": 3}})
        site.until(lambda: site.get("deploy", "shop-web")["spec"]["replicas"] == 1, "one replica again")
        site.until_state("Ready", release="2")
        stays(site)

        before = generation(site)
        site.operator.restart()
        site.operator.until_idle()
        stays(site)
        assert generation(site) == before, "a new operator finds the same"
        assert site.get("job", "shop-init")["metadata"]["uid"] == job, "and does no work again"
        assert site.status()["state"] == "Ready"


def test_an_app_that_is_there_before_the_webhook(site: Site, tmp_path: Path) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    with webhook(site.kube, site.namespace, tmp_path, GROUPS):
        site.apply(app(serving("two")))
        site.until_state("Ready", release="2")
        site.until_serves("two", "shop-web")
        stays(site)
    site.annotate("apps.iotistic.io", "shop", retry="now")
    site.until(lambda: groups(site, "deploy", "shop-web") == [], "gone on request")
    site.until_state("Ready", release="2")


def test_pods_with_another_image_than_asked_for(site: Site, tmp_path: Path) -> None:
    """As a mirror of a registry does it; also for the pods that fetch images."""
    site.apply(app(serving()))
    site.until_state("Ready")
    with webhook(site.kube, site.namespace, tmp_path, MIRROR):
        site.apply(app(serving("two", image="iotistic/elsewhere:2")))
        site.until_state("Ready", release="2")
        site.until_serves("two", "shop-web")
        stays(site)
        writes = site.operator.writes()
        assert [n for one, n in writes.items() if (one.verb, one.kind) == ("create", "Pod")] == [1]


def groups(site: Site, kind: str, name: str) -> Any:
    security = site.get(kind, name)["spec"]["template"]["spec"].get("securityContext") or {}
    return security.get("supplementalGroups") or []


def generation(site: Site) -> int:
    return int(site.get("deploy", "shop-web")["metadata"]["generation"])


def stays(site: Site) -> None:
    """Nothing is written to Deployments and Jobs any more."""
    site.operator.until_idle()

    def writes() -> int:
        return sum(n for one, n in site.operator.writes().items() if one.kind in {"Deployment", "Job"})

    before = writes()
    time.sleep(QUIET_SECONDS)
    assert writes() == before, site.operator.tail(20)
