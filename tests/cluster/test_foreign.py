"""What is somebody else's is never taken over, and never changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.site import IMAGE, Site, app, serving, sleeping

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop-web"},
    "spec": {"ports": [{"port": 1234}], "selector": {"some": "thing"}},
}
CONFIG: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "shop"}}


@pytest.mark.parametrize("foreign", [SERVICE, CONFIG], ids=lambda one: one["kind"])
def test_a_name_that_is_taken_stalls_the_app(site: Site, foreign: dict[str, Any]) -> None:
    site.apply(foreign)
    kind, name = foreign["kind"], foreign["metadata"]["name"]
    before = site.get(kind, name)
    site.apply(app(serving()))
    status = site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "NameTaken")
    assert f"{kind} {name}" in status["why"]
    assert site.get(kind, name) == before
    assert site.names("deploy") == []
    site.kube.kubectl("delete", kind, name, "-n", site.namespace)
    site.until_state("Ready")


def test_what_others_make_with_copied_labels_stays(site: Site) -> None:
    site.apply(app(serving("one"), sleeping("more")))
    site.until_state("Ready", release="1")
    site.kube.kubectl(
        "expose", "deploy", "shop-web", "--type=NodePort", "--name=my-port", "-n", site.namespace
    )
    copied = site.get("deploy", "shop-web")["metadata"]["labels"]
    assert site.get("service", "my-port")["metadata"]["labels"].items() >= copied.items()
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": IMAGE, "command": ["true"]}]}
    job = {"metadata": {"name": "my-job", "labels": copied}, "spec": {"template": {"spec": pod}}}
    volume = {
        "metadata": {"name": "my-data", "labels": copied},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    site.apply(
        {"apiVersion": "batch/v1", "kind": "Job"} | job,
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | volume,
    )
    site.apply(app(serving("two"), deletionPolicy="Delete"))
    site.until_state("Ready", release="2")
    site.until(lambda: site.get("deploy", "shop-more") is None, "what the App has no more goes")
    for kind, name in (("service", "my-port"), ("job", "my-job"), ("pvc", "my-data")):
        metadata = site.get(kind, name)["metadata"]
        assert (metadata.get("ownerReferences"), metadata.get("deletionTimestamp")) == (None, None)


def test_two_apps_with_names_that_clash(site: Site) -> None:
    site.apply(app(serving("first", name="b-c"), name="a"))
    site.until_state("Ready", name="a")
    site.apply(app(serving("second", name="c"), name="a-b"))
    status = site.until_state("Stalled", name="a-b")
    assert "a-b-c" in status["why"]
    assert site.status("a")["state"] == "Ready"
    site.until_serves("first", "a-b-c")
