"""What is said off a terminal while an App is waited for: what lasts, and ends; not each passing state."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.views import Lines
from iotctl.watch import Goal, Watch
from tests.unit.iotctl.test_watch import app, service

Json = dict[str, Any]


class Scene:
    """shop, looked at from time to time, and what was said of it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.watch = Watch(goal=Goal.READY, apps=["shop"])
        self.lines = Lines()

    def at(self, seconds: float, found: Json) -> list[str]:
        """Lines that this look makes."""
        self.capsys.readouterr()
        self.watch.take_app("shop", found, seconds)
        self.lines.show(self.watch, seconds)
        return self.capsys.readouterr().out.splitlines()


@pytest.fixture
def scene(capsys: pytest.CaptureFixture[str]) -> Scene:
    return Scene(capsys)


def waiting(reason: str, state: str = "Waiting", name: str = "web") -> Json:
    return service(name, state=state, ready=False, reason=reason)


def test_states_that_pass_are_not_said(scene: Scene) -> None:
    assert scene.at(0.0, app(waiting("waits for network default"))) == []
    assert scene.at(0.9, app(waiting("waits for network default"))) == []
    assert scene.at(1.1, app(waiting("not made yet"))) == []
    assert scene.at(1.9, app(waiting("not made yet"))) == []
    assert scene.at(2.0, app(service())) == ["shop/web  ready after 2.0 s"]


def test_a_state_that_lasts_is_said_once(scene: Scene) -> None:
    assert scene.at(0.0, app(waiting("waits for db (healthy)"))) == []
    assert scene.at(1.0, app(waiting("waits for db (healthy)"))) == [
        "shop/web  waiting: waits for db (healthy)"
    ]
    assert scene.at(9.0, app(waiting("waits for db (healthy)"))) == []


def test_a_state_that_comes_back_after_a_moment_is_not_said_again(scene: Scene) -> None:
    scene.at(0.0, app(waiting("GET :80/ -> 500", "Starting")))
    assert len(scene.at(1.0, app(waiting("GET :80/ -> 500", "Starting")))) == 1
    assert scene.at(2.0, app(waiting("to be replaced", "Updating"))) == []
    assert scene.at(2.2, app(waiting("GET :80/ -> 500", "Starting"))) == []
    assert scene.at(8.0, app(waiting("GET :80/ -> 500", "Starting"))) == []


@pytest.mark.parametrize("state", ["CrashLoop", "Failed", "Unhealthy"])
def test_a_failure_is_said_at_once(scene: Scene, state: str) -> None:
    scene.at(0.0, app(waiting("not made yet")))
    (line,) = scene.at(0.1, app(waiting("exit 1, next try in 10 s", state)))
    assert line.endswith(": exit 1, next try in 10 s")
    assert scene.at(1.1, app(waiting("exit 1, next try in 9 s", state))) == []


def test_what_was_ready_from_the_start_is_said_when_it_changes_only(scene: Scene) -> None:
    assert scene.at(0.0, app(service("db"), service())) == []
    assert scene.at(5.0, app(service("db"), waiting("its probe fails", "Unhealthy"))) == [
        "shop/web  unhealthy: its probe fails"
    ]
    assert scene.at(6.0, app(service("db"), service())) == ["shop/web  ready after 6.0 s"]


def test_names_stand_in_columns(scene: Scene) -> None:
    scene.at(0.0, app(waiting("", name="gateway"), waiting("", name="db")))
    assert scene.at(1.0, app(waiting("", name="gateway"), waiting("", name="db"))) == [
        "shop/gateway  waiting",
        "shop/db       waiting",
    ]


def test_a_download_says_how_far_it_is_now_and_then(scene: Scene) -> None:
    pulling = app(waiting("pulling web:1 1.0 of 36.6 MB", "Pulling"))
    assert scene.at(0.0, pulling) == []
    assert scene.at(1.0, pulling) == ["shop/web  pulling web:1 1.0 of 36.6 MB"]
    data = {"image": "docker.io/library/web:1", "current": 20_000_000, "total": 36_600_000}
    scene.watch.take_event({"type": "Progress", "data": data})
    assert scene.at(5.0, app(waiting("pulling web:1 20.0 of 36.6 MB", "Pulling"))) == []
    assert scene.at(11.0, app(waiting("pulling web:1 20.0 of 36.6 MB", "Pulling"))) == [
        "shop/web  pulling web:1  20.0/36.6 MB"
    ]


def stating(state: str, why: str, *services: Json) -> Json:
    found = app(*services, state=state)
    found["status"] |= {"why": why, "release": "1"}
    if state != "Ready":
        found["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return found


def test_going_back_is_said_at_once_and_once(scene: Scene) -> None:
    failed = "release 2: web never became ready (its probe fails); going back to release 1"
    said = scene.at(0.0, stating("Undoing", failed, waiting("to be replaced", "Updating")))
    assert said == [f"App shop: {failed}"]
    assert scene.at(2.0, stating("Undoing", f"{failed} (web: not made yet)", service())) == [
        "shop/web  ready after 2.0 s"
    ]


def test_ready_services_of_an_app_that_is_not_say_why(scene: Scene) -> None:
    why = "release 2: all services are ready, and have to stay so for 10 s"
    assert scene.at(0.0, stating("Updating", why, service())) == []
    assert scene.at(1.0, stating("Updating", why, service())) == [f"App shop: {why}"]
    assert scene.at(9.0, stating("Updating", why, service())) == []
    assert scene.at(10.0, app(service())) == []
