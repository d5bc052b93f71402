"""A bad update goes back as a whole, and stays back."""

from __future__ import annotations

import base64
from typing import Any

from tests.cluster.site import NEVER, Site, app, failing, serving, sleeping

HASTY = {"progressDeadlineSeconds": 30}


def good(**spec: Any) -> dict[str, Any]:
    return app(serving("one"), sleeping("db"), **spec)


def bad(**spec: Any) -> dict[str, Any]:
    changed = sleeping("db", env=[{"name": "NEW", "value": "1"}])
    return app(failing(code=7), changed, update=HASTY | spec.pop("update", {}), **spec)


def test_a_bad_update_is_undone_as_a_whole(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    site.apply(bad())
    status = site.until_state("Undone")
    assert (status["release"], status["ready"]) == ("1", "2/2")
    assert status["why"].startswith("release 2: web ")
    assert "exit 7" in status["why"]
    assert site.condition("Ready") == ("False", "Undone")
    assert site.condition("Stalled") == ("True", "Undone")
    assert site.condition("Available")[0] == "True"
    site.until_serves("one", "shop-web")
    db = site.get("deploy", "shop-db")["spec"]["template"]["spec"]["containers"][0]
    assert "NEW" not in [one["name"] for one in db.get("env", ())]
    site.operator.restart()
    site.operator.until_idle()
    assert site.status()["state"] == "Undone"
    site.apply(app(serving("two"), sleeping("db")))
    site.until_state("Ready", release="3")


def test_what_failed_has_its_last_lines_kept(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    script = "for number in $(seq 60); do echo line $number; done; exit 7"
    site.apply(app(sleeping("web", args=[script], readinessProbe=NEVER), sleeping("db"), update=HASTY))
    site.until_state("Undone")
    kept = site.get("secret", "shop-last-lines")
    assert kept["metadata"]["annotations"]["iotistic.io/release"] == "2"
    assert list(kept["data"]) == ["web"], "the other service was ready"
    lines = base64.b64decode(kept["data"]["web"]).decode().splitlines()
    assert len(lines) == 50
    assert lines[-1] == "line 60"
    site.kube.kubectl("delete", "apps.iotistic.io", "shop", "-n", site.namespace)
    site.until(lambda: "shop-last-lines" not in site.names("secret"), "they go with the App")


def test_a_secret_of_somebody_else_in_the_place_of_last_lines_is_left_alone(site: Site) -> None:
    site.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-last-lines"}})
    before = site.get("secret", "shop-last-lines")
    site.apply(good())
    site.until_state("Ready", release="1")
    web = sleeping("web", args=["echo why; exit 7"], readinessProbe=NEVER)
    site.apply(app(web, sleeping("db"), update=HASTY))
    site.until_state("Undone")
    assert site.get("secret", "shop-last-lines") == before
    assert "lines_lost" in site.operator.tail(2000)


def test_a_retry_on_request(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    site.apply(bad())
    site.until_state("Undone")
    site.annotate("apps.iotistic.io", "shop", retry="once")
    site.until_state("Updating", "Undoing")
    site.until_state("Undone")
    site.operator.restart()
    site.operator.until_idle()
    assert site.status()["state"] == "Undone"


def test_an_operator_that_dies_in_the_middle_goes_on_with_the_undo(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    site.apply(bad())
    site.until_state("Updating")
    site.operator.kill()
    site.operator.start()
    assert site.until_state("Undone")["release"] == "1"


def test_without_auto_undo_a_failed_release_stays(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    site.apply(bad(update={"autoUndo": False}))
    status = site.until_state("Failed")
    assert status["release"] == "2"
    assert site.condition("Stalled") == ("True", "DeadlineExceeded")
    site.apply(bad())
    assert site.until_state("Undone")["release"] == "1"


def test_events_tell_the_story_once(site: Site) -> None:
    site.apply(good())
    site.until_state("Ready", release="1")
    site.apply(bad())
    site.until_state("Undone")
    selector = "involvedObject.kind=App,involvedObject.name=shop"

    def reasons() -> list[str]:
        text = site.kube.kubectl(
            "get",
            "events",
            "-n",
            site.namespace,
            "--field-selector",
            selector,
            "-o",
            "jsonpath={.items[*].reason}",
        )
        return sorted(text.split())

    told = ["DeadlineExceeded", "InstallStarted", "Installed", "Undone", "UpdateStarted"]
    site.until(lambda: reasons() == told, "five events")
