"""What somebody stops is stopped, and told so, whatever an update is doing."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.site import IMAGE, Site, app, serving, sleeping

DEPENDS: dict[str, Any] = {"dependsOn": {"db": "healthy"}}
HEALTHY: dict[str, Any] = {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}


def shop(text: str) -> dict[str, Any]:
    db = sleeping("db", env=[{"name": "RELEASE", "value": text}], **HEALTHY)
    return app(serving(text, **DEPENDS), db)


def ask(site: Site, state: str) -> None:
    """As `iotctl apps stop` and `start` do."""
    for service in ("web", "db"):
        site.patch("appservice", f"shop-{service}", {"spec": {"runState": state}})


def states(site: Site) -> dict[str, str]:
    return {one["name"]: one["state"] for one in site.status().get("services", ())}


def test_a_stop_under_a_lock_waits_and_comes_when_it_ends(site: Site) -> None:
    site.apply(shop("one"))
    site.until_state("Ready", release="1")
    site.annotate("apps.iotistic.io", "shop", lock=json.dumps({"reason": "baking"}))
    site.apply(shop("two"))
    site.until(lambda: "locked: baking" in site.status().get("why", ""), "why names the lock")
    ask(site, "Stopped")
    site.annotate("apps.iotistic.io", "shop", lock=None)
    status = site.until_state("Stopped")
    assert "stopped by hand before the release was good" in status["why"]
    site.until(lambda: set(states(site).values()) == {"Stopped"}, "both are stopped")
    assert not [one for one in site.items("pod") if not one["metadata"].get("deletionTimestamp")]
    ask(site, "Running")
    site.until_state("Ready", release="2")
    site.until_serves("two", "shop-web")


def test_a_stop_needs_no_image(site: Site) -> None:
    site.apply(app(serving("one"), sleeping("db")))
    site.until_state("Ready", release="1")
    site.apply(app(serving("one", image="registry.invalid/web:2"), sleeping("db")))
    site.until(lambda: "registry.invalid/web:2" in site.status().get("why", ""), "why names the image")
    site.patch("appservice", "shop-db", {"spec": {"runState": "Stopped"}})
    site.until(lambda: states(site).get("db") == "Stopped", "db is stopped, and said so")
    assert site.get("deploy", "shop-db")["spec"]["replicas"] == 0
    web = site.get("deploy", "shop-web")["spec"]
    assert (web["replicas"], web["template"]["spec"]["containers"][0]["image"]) == (1, IMAGE)
