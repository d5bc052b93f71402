"""A user's lock holds an update back, and nothing else."""

from __future__ import annotations

import json

from tests.cluster.site import Site, app, serving, sleeping


def test_an_update_waits_for_a_lock(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    lock = {"reason": "baking", "owner": "ovens", "until": "9999-12-31T23:59:59Z"}
    site.annotate("apps.iotistic.io", "shop", lock=json.dumps(lock))
    site.apply(app(serving("two"), sleeping("more")))
    site.until(lambda: "locked by ovens: baking" in site.status().get("why", ""), "why names the lock")
    site.until(lambda: site.get("deploy", "shop-more"), "what interrupts nobody goes on")
    site.until_serves("one", "shop-web")
    site.annotate("apps.iotistic.io", "shop", lock=None)
    site.until_state("Ready", release="2")


def test_what_serves_on_under_a_lock_is_reached_as_before(site: Site) -> None:
    def ports() -> list[int]:
        return [one["port"] for one in site.get("service", "shop-web")["spec"]["ports"]]

    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.annotate("apps.iotistic.io", "shop", lock=json.dumps({"reason": "baking"}))
    site.apply(app(serving("one", ports=[{"containerPort": 8081}]), serving("more", name="more")))
    site.until(lambda: "locked" in site.status().get("why", ""), "why names the lock")
    site.until(lambda: site.get("service", "shop-more"), "what is missing is made")
    assert ports() == [8080]
    site.kube.kubectl("delete", "service", "shop-web", "-n", site.namespace)
    site.until(lambda: site.get("service", "shop-web"), "it is made again")
    site.annotate("apps.iotistic.io", "shop", lock=None)
    site.until_state("Ready", release="2")
    assert ports() == [8081]


def test_a_lock_that_has_expired_or_makes_no_sense_breaks_nothing(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.annotate("apps.iotistic.io", "shop", lock='{"until": "2020-01-01T00:00:00Z"}')
    site.apply(app(serving("two")))
    site.until_state("Ready", release="2")
    site.annotate("apps.iotistic.io", "shop", lock='{"until": "99999-01-01T00:00:00Z"}')
    site.apply(app(serving("three")))
    site.until(lambda: "locked" in site.status().get("why", ""), "it waits")
    site.annotate("apps.iotistic.io", "shop", lock=None)
    site.until_state("Ready", release="3")


def test_a_stop_waits_for_a_lock_and_says_so(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready", release="1")
    site.annotate("apps.iotistic.io", "shop", lock=json.dumps({"reason": "baking"}))
    site.patch("appservice", "shop-web", {"spec": {"runState": "Stopped"}})

    def shown() -> tuple[str, bool, str]:
        status = (site.get("appservice", "shop-web") or {}).get("status") or {}
        return status.get("state", ""), status.get("ready", False), status.get("reason", "")

    site.until(lambda: shown() == ("Running", True, "shop is locked: baking"), "it runs on and says why")
    site.until(lambda: site.status().get("why") == "shop is locked: baking", "the App says so too")
    assert (site.status()["state"], site.status()["ready"]) == ("Ready", "1/1")
    assert site.get("deploy", "shop-web")["spec"]["replicas"] == 1
    site.annotate("apps.iotistic.io", "shop", lock=None)
    site.until(lambda: shown() == ("Stopped", True, ""), "it stops")
    assert "why" not in site.until_state("Stopped")
