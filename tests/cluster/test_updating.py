"""A changed App comes in as a whole."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.cluster.site import Site, app, serving, sleeping


def release_of(site: Site) -> str:
    return str(site.status().get("release", ""))


def test_a_release_gets_a_name_and_loses_it(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    uid = site.get("deploy", "shop-web")["metadata"]["uid"]
    for named, release in (({"release": "41"}, "41"), ({"release": "summer"}, "summer"), ({}, "1")):
        site.apply(app(serving("one"), **named))
        site.until_state("Ready", release=release)
    site.operator.until_idle()
    before = site.operator.writes()
    time.sleep(3)
    assert site.operator.writes() == before
    assert site.get("deploy", "shop-web")["metadata"]["uid"] == uid
    assert len(site.names("controllerrevision")) == 1


def test_an_update_is_a_new_release(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("two")))
    site.until_state("Ready", release="2")
    site.until_serves("two", "shop-web")
    assert len(site.names("controllerrevision")) == 2


def test_what_is_not_in_the_app_any_more_goes(site: Site) -> None:
    site.apply(app(serving("one"), sleeping("old")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("one")))
    site.until_state("Ready", release="2")
    site.until(lambda: site.names("deploy") == ["shop-web"], "the old Deployment is gone")
    site.until(lambda: site.names("appservices") == ["shop-web"], "so is its AppService")


@pytest.mark.parametrize("before", ["Always", "OnFailure"])
def test_a_job_waits_until_its_old_pod_has_ended(site: Site, before: str) -> None:
    slow = ["trap 'sleep 8; exit 0' TERM; sleep 100000 & wait"]
    site.apply(app(sleeping("job", args=slow, restartPolicy=before, stopGracePeriod=30)))
    site.until_state("Ready", release="1")
    old = site.get("job" if before == "OnFailure" else "deploy", "shop-job")["metadata"]["uid"]
    names = site.names("pod")
    site.apply(app(sleeping("job", restartPolicy="OnFailure")))

    def anew() -> bool:
        found = site.get("job", "shop-job")
        return bool(found) and found["metadata"]["uid"] != old

    site.until(anew, "the Job is made anew")
    left = [pod for pod in site.items("pod") if pod["metadata"]["name"] in names]
    assert [pod["status"]["phase"] for pod in left if pod["status"]["phase"] == "Running"] == []
    site.until_state("Ready", release="2")


def test_a_service_with_a_port_of_the_host_may_be_renamed(site: Site) -> None:
    bound = {"ports": [{"containerPort": 5432, "hostPort": 25432}]}
    site.apply(app(sleeping("db", **bound), sleeping("api", dependsOn={"db": "started"})))
    site.until_state("Ready", release="1")
    env = [{"name": "DB", "value": "postgres"}]
    api = sleeping("api", dependsOn={"postgres": "started"}, env=env)
    site.apply(app(sleeping("postgres", **bound), api))
    site.until_state("Ready", release="2")
    site.until(lambda: site.names("deploy") == ["shop-api", "shop-postgres"], "db is gone")


def test_an_image_comes_before_what_serves_is_stopped(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    uid = site.items("pod")[0]["metadata"]["uid"]
    site.apply(app(serving("two", image="registry.invalid/web:2"), update={"progressDeadlineSeconds": 40}))

    def told() -> bool:
        status = site.status()
        return "registry.invalid" in status.get("why", "") or status.get("state") == "Undone"

    site.until(told, "why names the image")
    assert site.condition("Available") == ("True", "Serving")
    status = site.until_state("Undone")
    assert "registry.invalid/web:2" in status["why"]
    web = [pod for pod in site.items("pod") if "iotistic.io/service" in pod["metadata"]["labels"]]
    assert [pod["metadata"]["uid"] for pod in web] == [uid]

    def pulls() -> list[Any]:
        return [pod for pod in site.items("pod") if "iotistic.io/pull" in pod["metadata"]["labels"]]

    site.until(lambda: not pulls(), "the pod that pulled is gone")


def test_hand_over_never_leaves_a_gap(site: Site) -> None:
    site.apply(app(serving("one", update={"strategy": "HandOver"})))
    site.until_state("Ready", release="1")
    site.apply(app(serving("two", update={"strategy": "HandOver"})))
    gaps = []

    def done() -> bool:
        ready = int((site.get("deploy", "shop-web").get("status") or {}).get("readyReplicas", 0))
        if not ready:
            gaps.append(ready)
        return site.status().get("state") == "Ready" and release_of(site) == "2"

    site.until(done, "release 2 serves")
    assert gaps == []


def test_a_suspended_app_is_left_alone(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("two"), suspend=True))
    status = site.until_state("Held")
    assert status["release"] == "1"
    site.kube.kubectl("delete", "deploy", "shop-web", "-n", site.namespace)
    site.operator.until_idle()
    assert site.get("deploy", "shop-web") is None
    site.apply(app(serving("two"), suspend=False))
    site.until_state("Ready", release="2")


def test_old_releases_are_forgotten(site: Site) -> None:
    for number in range(1, 5):
        site.apply(app(serving(f"text{number}"), historyLimit=1))
        site.until_state("Ready", release=str(number))
    site.until(lambda: len(site.names("controllerrevision")) == 2, "one old release is left")


def test_an_earlier_release_comes_back_as_a_new_one(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("two")))
    site.until_state("Ready", release="2")
    site.apply(app(serving("one")))
    site.until_state("Ready", release="3")
    assert len(site.names("controllerrevision")) == 2


def test_the_newest_spec_wins(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("two", args=["sleep 1000"])))
    site.until(lambda: site.status().get("state") == "Updating", "release 2 comes in")
    site.apply(app(serving("three")))
    site.until_state("Ready", release="3")
    site.until_serves("three", "shop-web")


def test_a_refused_change_is_told_while_what_ran_goes_on(site: Site) -> None:
    def shop(size: str) -> dict[str, Any]:
        web = serving(volumeMounts=[{"name": "data", "mountPath": "/data"}])
        return app(web, volumes=[{"name": "data", "size": size}], update={"progressDeadlineSeconds": 300})

    site.apply(shop("16Mi"))
    site.until_state("Ready", release="1")
    site.apply(shop("32Mi"))

    def refused() -> Any:
        status = site.status()
        return status if "pvc can be resized" in status.get("why", "") else None

    status = site.until(refused, "why has the server's words")
    assert (status["state"], status["ready"]) == ("Degraded", "1/1")
    site.apply(shop("16Mi"))
    site.until(lambda: site.status().get("state") == "Ready", "it is ready again")
