"""What becomes of an App's children, and of its volumes, when it goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.site import Site, app, serving

MOUNT = [{"name": "data", "mountPath": "/data"}]


def with_volume(text: str = "one", **spec: Any) -> dict[str, Any]:
    return app(serving(text, volumeMounts=MOUNT), volumes=[{"name": "data", "size": "16Mi"}], **spec)


def delete(site: Site) -> None:
    site.kube.kubectl("delete", "apps.iotistic.io", "shop", "-n", site.namespace, "--wait=true")


def test_children_go_and_the_volume_comes_back_with_its_data(site: Site) -> None:
    site.apply(with_volume())
    site.until_state("Ready")
    uid = site.get("pvc", "shop-data")["metadata"]["uid"]
    site.until(
        lambda: site.inside("shop-web", "echo kept >/data/file && cat /data/file") == "kept", "written"
    )
    delete(site)
    for kind in (
        "deploy",
        "pod",
        "svc",
        "appservices",
        "controllerrevision",
        "serviceaccount",
        "networkpolicy",
    ):
        site.until(lambda kind=kind: site.names(kind) == [], f"no {kind} is left")
    assert site.get("pvc", "shop-data")["metadata"]["uid"] == uid
    site.apply(with_volume())
    site.until_state("Ready")
    assert site.get("pvc", "shop-data")["metadata"]["uid"] == uid
    site.until(lambda: site.inside("shop-web", "cat /data/file") == "kept", "the data is there")


def test_volumes_go_where_that_is_asked_for(site: Site) -> None:
    site.apply(with_volume(deletionPolicy="Delete"))
    site.until_state("Ready")
    assert [o["kind"] for o in site.get("pvc", "shop-data")["metadata"]["ownerReferences"]] == ["App"]
    delete(site)
    site.until(lambda: site.get("pvc", "shop-data") is None, "the volume is gone")


def test_the_policy_may_change_its_mind(site: Site) -> None:
    def owned() -> bool:
        return bool(site.get("pvc", "shop-data")["metadata"].get("ownerReferences"))

    site.apply(with_volume(deletionPolicy="Delete"))
    site.until_state("Ready")
    site.apply(with_volume(deletionPolicy="Retain"))
    site.until(lambda: not owned(), "it would stay")
    site.apply(app(serving("one"), deletionPolicy="Delete"))
    site.until(owned, "it would go, though the App does not have it any more")
    site.apply(app(serving("one"), deletionPolicy="Retain"))
    site.until(lambda: not owned(), "it would stay again")
    delete(site)
    site.until(lambda: site.names("deploy") == [], "the App is gone")
    assert site.get("pvc", "shop-data") is not None


@pytest.mark.parametrize("held", ["suspended", "stalled"])
def test_an_app_that_is_held_may_change_its_mind_too(site: Site, held: str) -> None:
    site.apply(with_volume(deletionPolicy="Delete"))
    site.until_state("Ready")
    assert site.get("pvc", "shop-data")["metadata"]["ownerReferences"]
    if held == "suspended":
        site.apply(with_volume(deletionPolicy="Retain", suspend=True))
    else:
        missing = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "a"}}}]
        web = serving("one", volumeMounts=MOUNT, env=missing)
        site.apply(app(web, volumes=[{"name": "data", "size": "16Mi"}], deletionPolicy="Retain"))
        site.until_state("Stalled")
    site.until(lambda: "ownerReferences" not in site.get("pvc", "shop-data")["metadata"], "it would stay")
    delete(site)
    site.until(lambda: site.names("deploy") == [], "the App is gone")
    assert "deletionTimestamp" not in site.get("pvc", "shop-data")["metadata"]


def test_an_app_that_comes_back_at_once(site: Site) -> None:
    site.apply(with_volume(deletionPolicy="Delete"))
    site.until_state("Ready")
    old = site.get("apps.iotistic.io", "shop")["metadata"]["uid"]
    site.kube.kubectl("delete", "apps.iotistic.io", "shop", "-n", site.namespace, "--wait=true")
    site.apply(with_volume("two", deletionPolicy="Delete"))
    site.until_state("Ready")
    assert site.get("apps.iotistic.io", "shop")["metadata"]["uid"] != old
    site.until_serves("two", "shop-web")
