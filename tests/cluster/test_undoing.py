"""A bad update goes back as a whole, and stays back."""

from __future__ import annotations

from typing import Any

from tests.cluster.site import Site, app, failing, serving, sleeping

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
