"""What the watches deliver, in every order in which it may come in."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.controllers.cluster.ports import Key, Ref
from iotistic.engines.kubernetes.cache import WatchedCache

SHOP, CAFE = Key("stores", "shop"), Key("stores", "cafe")
WEB = Ref("Deployment", "stores", "shop-web")


def child(version: int, app: str = "shop", uid: str = "u1", **spec: Any) -> dict[str, Any]:
    labels = {"iotistic.io/app": app} if app else {}
    metadata = {"namespace": "stores", "name": "shop-web", "uid": uid, "resourceVersion": str(version)}
    return {"kind": "Deployment", "metadata": {**metadata, "labels": labels}, "spec": spec}


def an_app(version: int, name: str = "shop", **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "stores", "name": name, "uid": f"app-{name}", "resourceVersion": str(version)}
    return {"kind": "App", "metadata": metadata, "spec": spec}


def test_what_is_delivered_is_there_and_concerns_its_app() -> None:
    cache = WatchedCache()

    assert cache.deliver(child(1, replicas=1)) == {SHOP}
    assert cache.deliver(an_app(2)) == {SHOP}

    found = cache.get(WEB)
    assert found is not None
    assert found["spec"] == {"replicas": 1}
    assert [one["kind"] for one in cache.children(SHOP)] == ["Deployment"]
    assert [one["metadata"]["name"] for one in cache.apps()] == ["shop"]
    assert cache.keys() == [SHOP]
    assert cache.counts() == {"Deployment": 1, "App": 1}


def test_who_reads_gets_an_object_of_their_own() -> None:
    cache = WatchedCache()
    cache.deliver(child(1, replicas=1))

    found: Any = cache.get(WEB)
    found["spec"]["replicas"] = 9

    again = cache.get(WEB)
    assert again is not None
    assert again["spec"]["replicas"] == 1


@pytest.mark.parametrize("version", [3, 5])
def test_what_is_older_or_the_same_is_passed_over(version: int) -> None:
    cache = WatchedCache()
    cache.deliver(child(5, replicas=2))

    assert cache.deliver(child(version, replicas=1)) == set()

    found = cache.get(WEB)
    assert found is not None
    assert found["spec"] == {"replicas": 2}


def test_versions_are_compared_as_numbers() -> None:
    cache = WatchedCache()
    cache.deliver(child(9, replicas=1))

    assert cache.deliver(child(10, replicas=2)) == {SHOP}


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    cache = WatchedCache()
    first, second = child(1, replicas=1), child(1, replicas=2)
    first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"] = "b7", "a1"
    cache.deliver(first)

    assert cache.deliver(second) == {SHOP}


def test_what_differs_in_nothing_that_is_kept_concerns_nobody() -> None:
    cache = WatchedCache()
    cache.deliver(child(1, replicas=1))
    touched = child(10, replicas=1)
    touched["metadata"]["managedFields"] = [{"manager": "somebody"}]

    assert cache.deliver(touched) == set()
    assert cache.versions("Deployment") == {("stores", "shop-web"): 10}


def test_a_moved_label_concerns_both_apps() -> None:
    cache = WatchedCache()
    cache.deliver(child(1, app="shop"))

    assert cache.deliver(child(2, app="cafe")) == {SHOP, CAFE}
    assert cache.children(SHOP) == []
    assert len(cache.children(CAFE)) == 1


def test_a_removed_label_concerns_the_app_that_it_named() -> None:
    cache = WatchedCache()
    cache.deliver(child(1, app="shop"))

    assert cache.deliver(child(2, app="")) == {SHOP}
    assert cache.children(SHOP) == []


def test_what_is_gone_concerns_its_app_once() -> None:
    cache = WatchedCache()
    cache.deliver(child(1))

    assert cache.remove(child(2)) == {SHOP}
    assert cache.remove(child(2)) == set()
    assert cache.get(WEB) is None
    assert cache.children(SHOP) == []


def test_the_answer_to_an_older_write_does_not_bring_back_what_is_gone() -> None:
    cache = WatchedCache()
    cache.deliver(child(1))
    cache.remove(child(3))

    cache.put(child(2))

    assert cache.get(WEB) is None


def test_a_watch_that_loses_sight_of_an_object_sees_it_again() -> None:
    """With a label selector a removed label is told as a deletion."""
    cache = WatchedCache()
    cache.deliver(child(1))
    cache.remove(child(2))

    assert cache.deliver(child(4)) == {SHOP}


def test_a_new_object_takes_the_place_of_another_with_its_name() -> None:
    cache = WatchedCache()
    cache.deliver(child(5, uid="old"))

    assert cache.deliver(child(7, uid="new")) == {SHOP}
    assert cache.remove(child(6, uid="old")) == set()
    assert cache.get(WEB) is not None


def test_what_a_listing_has_no_more_is_forgotten_unless_it_is_newer() -> None:
    cache = WatchedCache()
    cache.deliver(child(5))

    assert cache.forget(WEB, 4) == set()
    assert cache.forget(WEB, 6) == {SHOP}
    assert cache.get(WEB) is None


def test_versions_are_told_by_namespace() -> None:
    cache = WatchedCache()
    cache.deliver(child(5))

    assert cache.versions("Deployment", "stores") == {("stores", "shop-web"): 5}
    assert cache.versions("Deployment", "else") == {}
    assert cache.versions("Job") == {}


def test_little_is_kept_of_a_pod_and_nothing_of_what_is_secret() -> None:
    cache = WatchedCache()
    metadata = {
        "namespace": "stores",
        "name": "x",
        "uid": "u",
        "resourceVersion": "1",
        "labels": {"iotistic.io/app": "shop"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "own": "1"},
        "managedFields": [{}],
    }
    container = {"name": "web", "image": "web:1", "env": [{"name": "TOKEN", "value": "x"}]}
    spec = {"containers": [container], "nodeName": "edge", "volumes": [{"name": "v"}]}
    cache.deliver({"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}})
    cache.deliver({"kind": "Secret", "metadata": metadata, "data": {"password": "eA=="}, "type": "Opaque"})
    cache.deliver({"kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}})

    pod, secret, config = (cache.get(Ref(kind, "stores", "x")) for kind in ("Pod", "Secret", "ConfigMap"))

    assert pod is not None
    assert pod["spec"] == {"containers": [{"name": "web", "image": "web:1"}], "nodeName": "edge"}
    assert pod["status"] == {"phase": "Running"}
    assert pod["metadata"]["annotations"] == {"own": "1"}
    assert "managedFields" not in pod["metadata"]
    assert secret is not None
    assert "data" not in secret
    assert config is not None
    assert config["data"] == {"a": "1"}
