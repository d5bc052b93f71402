"""What serves is looked after whatever stands against what is wanted, and what somebody else has is his."""

from __future__ import annotations

from typing import Any

from tests.cluster.admission import webhook_down
from tests.cluster.site import IMAGE, Site, app, serving, sleeping

WORD = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "words", "key": "word"}}}]
MOUNT = [{"name": "data", "mountPath": "/data"}]
ALIAS = {"default": {"aliases": ["other"]}}


def words(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "words"}, "stringData": data}


def image_of(site: Site) -> str:
    [container] = site.get("deploy", "shop-web")["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def addresses(site: Site, name: str = "shop-names") -> list[str]:
    found = site.get("endpointslice", name) or {}
    return [address for one in found.get("endpoints") or () for address in one["addresses"]]


def test_a_good_release_is_looked_after_though_its_secret_is_gone(site: Site) -> None:
    site.apply(words(word="one"), app(serving(env=WORD)))
    site.until_state("Ready", release="1")
    site.kube.kubectl("delete", "secret", "words", "-n", site.namespace)
    site.until_state("Stalled")
    assert site.condition("Available")[0] == "True"

    site.kube.kubectl("delete", "deploy", "shop-web", "-n", site.namespace)
    site.until(lambda: site.condition("Available")[0] == "False" or site.items("deploy"), "seen")
    site.until(lambda: site.inside("shop-web", "echo $WORD") == "one", "it serves again, as it was")
    site.until(lambda: site.condition("Available")[0] == "True", "and is said to")
    image = ("set", "image", "deploy/shop-web", "web=iotistic/busybox:2", "-n", site.namespace)
    site.kube.kubectl(*image)
    site.until(lambda: image_of(site) == IMAGE, "what was changed by hand is put back")
    site.patch("appservice", "shop-web", {"spec": {"runState": "Stopped"}})
    site.until(lambda: site.get("deploy", "shop-web")["spec"]["replicas"] == 0, "it can be stopped")
    site.patch("appservice", "shop-web", {"spec": {"runState": "Running"}})

    site.apply(words(other="two"))
    site.until(lambda: "Secret words: key word" in site.status()["why"], "what is missing now")
    assert site.condition("Stalled") == ("True", "MissingReference")
    site.apply(words(word="one"))
    site.until_state("Ready")


def test_a_name_that_only_the_next_release_needs(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready", release="1")
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop-more"}}
    site.apply(theirs | {"spec": {"ports": [{"port": 1}]}})
    site.apply(app(serving(), serving(name="more")))
    site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "NameTaken")

    site.patch("deploy", "shop-web", {"spec": {"replicas": 0}})
    site.until(lambda: site.get("deploy", "shop-web")["spec"]["replicas"] == 1, "repaired")
    assert site.get("service", "shop-more")["metadata"].get("labels") is None


def test_a_slice_of_somebody_else_stays_his(site: Site) -> None:
    theirs = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "shop-names", "labels": {"kubernetes.io/service-name": "theirs"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.9.9.9"]}],
    }
    site.apply(theirs, app(serving(networkMode="host"), name="shop"))
    site.until_state("Ready")
    site.apply(app(serving()))
    site.until_state("Stalled")
    assert "EndpointSlice shop-names" in site.status()["why"]
    site.kube.kubectl("delete", "app", "shop", "-n", site.namespace)
    site.operator.until_idle()
    assert addresses(site) == ["10.9.9.9"]


def test_a_volume_that_was_deleted_in_use_goes_when_its_pod_stops(site: Site) -> None:
    site.apply(app(serving(volumeMounts=MOUNT), volumes=[{"name": "data"}]))
    site.until_state("Ready", release="1")
    old = site.get("pvc", "shop-data")["metadata"]["uid"]
    site.kube.kubectl("delete", "pvc", "shop-data", "-n", site.namespace, "--wait=false")
    told = ("get", "events", "-n", site.namespace, "-o", "jsonpath={.items[*].reason}")
    site.until(lambda: "VolumeGoing" in site.kube.kubectl(*told), "it is told")
    assert site.status()["state"] == "Ready"

    site.patch("appservice", "shop-web", {"spec": {"runState": "Stopped"}})
    site.until(lambda: ((site.get("pvc", "shop-data") or {}).get("metadata") or {}).get("uid") != old, "gone")
    site.patch("appservice", "shop-web", {"spec": {"runState": "Running"}})
    site.until(lambda: site.status().get("ready") == "1/1", "it runs, with a new one")
    assert site.get("pvc", "shop-data")["metadata"]["uid"] != old


def test_what_an_orphaned_app_has_remembered_goes_with_the_one_that_came_back(site: Site) -> None:
    wanted = app(serving(env=WORD))
    site.apply(words(word="one"), wanted)
    site.until_state("Ready", release="1")
    backup = next(one for one in site.items("secret") if one.get("immutable"))
    kept = {key: backup["metadata"][key] for key in ("labels", "annotations")} | {"name": "my-backup"}
    site.apply({"apiVersion": "v1", "kind": "Secret", "metadata": kept, "data": backup["data"]})
    site.kube.kubectl("delete", "app", "shop", "-n", site.namespace, "--cascade=orphan")
    site.apply(wanted)
    site.until_state("Ready", release="1")
    site.until(lambda: without_owner(site) == ["my-backup"], "everything of ours has its owner again")

    site.kube.kubectl("delete", "app", "shop", "-n", site.namespace)
    left = "secret,controllerrevision,deploy,svc"
    site.until(lambda: site.names(left) == ["my-backup"], "all of it goes, and what somebody saved stays")


def without_owner(site: Site) -> list[str]:
    found = site.items("secret,controllerrevision,deploy,svc,sa")
    return [one["metadata"]["name"] for one in found if not one["metadata"].get("ownerReferences")]


def test_names_of_a_suspended_app_follow_its_pods(site: Site) -> None:
    site.apply(app(sleeping(networks=ALIAS)))
    site.until_state("Ready", release="1")
    site.until(lambda: addresses(site), "an address")
    before = addresses(site)
    site.apply(app(sleeping(networks=ALIAS), suspend=True))
    site.until(lambda: site.status().get("why", "").startswith("suspended"), "suspended")

    site.kube.kubectl("delete", "pod", "--all", "-n", site.namespace, "--grace-period=1")
    site.until(lambda: addresses(site) not in ([], before), "the new pod's address")


def test_a_retry_does_not_wait_for_the_kubelets_pause(site: Site) -> None:
    slow = {"progressDeadlineSeconds": 600}
    site.apply(app(sleeping("web", args=["exit 3"]), update=slow))

    def pausing() -> set[str]:
        pods = [one for one in site.items("pod") if "deletionTimestamp" not in one["metadata"]]
        return {
            one["metadata"]["uid"]
            for one in pods
            for status in one["status"].get("containerStatuses") or ()
            if (status.get("state", {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff"
        }

    before = site.until(pausing, "the kubelet waits")
    site.annotate("apps.iotistic.io", "shop", retry="now")
    site.until(lambda: not before & {one["metadata"]["uid"] for one in site.items("pod")}, "another pod")


def test_an_undo_with_nothing_to_write_ends(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready", release="1")
    with webhook_down(site.kube, site.namespace):
        site.apply(app(serving("two"), update={"progressDeadlineSeconds": 15}))
        status = site.until_state("Undone")
        assert "failed calling webhook" in status["why"]
    site.until_serves("one", "shop-web")
