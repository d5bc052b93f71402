"""What is said while an App is waited for, and how the waiting ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iotctl.exits import ExitCode
from iotctl.watch import Goal, Watch

Json = dict[str, Any]


def service(name: str = "web", state: str = "Running", ready: bool = True, **fields: Any) -> Json:
    return {"name": name, "state": state, "ready": ready, "image": f"{name}:1", **fields}


def app(*services: Json, generation: int = 1, observed: int = 1, state: str = "", **spec: Any) -> Json:
    ready = sum(1 for one in services if one["ready"])
    conditions = [{"type": "Ready", "status": "True" if ready == len(services) else "False"}]
    return {
        "metadata": {"name": "shop", "generation": generation},
        "spec": {"services": [{"name": one["name"], "image": one["image"], **spec} for one in services]},
        "status": {
            "observedGeneration": observed,
            "release": "2",
            "state": state,
            "ready": f"{ready}/{len(services)}",
            "services": list(services),
            "conditions": conditions,
        },
    }


def stalled(reason: str, message: str) -> Json:
    found = app(service(ready=False, state="Failed"))
    found["status"]["conditions"].append(
        {"type": "Stalled", "status": "True", "reason": reason, "message": message}
    )
    return found


def orphaned() -> Json:
    found = app(service(), state="Orphaned")
    found["status"] |= {"why": "orphaned: its containers are here", "conditions": []}
    return found


def watch(found: Json | None, *, goal: Goal = Goal.READY, generation: int = 1) -> Watch:
    new = Watch(goal=goal, apps=["shop"], generations={"shop": generation})
    new.take_app("shop", found, 1.25)
    return new


def verdict(found: Json | None, **more: Any) -> tuple[int, str] | None:
    ended = watch(found, **more).verdict("shop", 1.25)
    return (int(ended.code), ended.text) if ended else None


@pytest.mark.parametrize(
    ("found", "ended"),
    [
        (app(service(), service("db")), (0, "App shop is ready (2 of 2 services, 1.2 s).")),
        (app(service(), service("db", ready=False)), None),
        (app(service(), observed=0), None),
        (
            app(service(state="Stopped"), state="Stopped"),
            (1, "App shop is stopped, as somebody asked.\nWhat now:  iotctl apps start shop --wait"),
        ),
        (app(service(ready=False), state="Held"), (1, "App shop is held: ")),
        (orphaned(), (1, "App shop is orphaned: its containers are here")),
        (stalled("WouldLoseData", "volume data changed"), (1, "App shop is stalled: volume data changed")),
        (stalled("Undone", "web never became ready"), (4, "App shop was undone: web never became ready")),
        (None, (1, "App shop is not there any more.")),
    ],
)
def test_how_waiting_for_ready_ends(found: Json | None, ended: tuple[int, str] | None) -> None:
    assert verdict(found) == ended


def test_a_status_of_the_generation_before_says_nothing() -> None:
    assert verdict(app(service(), generation=2, observed=1), generation=2) is None
    assert verdict(app(service(), generation=2, observed=2), generation=2) is not None
    (line,) = watch(app(service(), generation=2, observed=1), generation=2).lines("shop", 1.0)
    assert (line.word, line.note) == ("waiting", "not looked at yet")


def test_how_waiting_for_deleted_ends() -> None:
    assert verdict(None, goal=Goal.DELETED) == (0, "App shop is deleted (1.2 s).")
    assert verdict(app(service()), goal=Goal.DELETED) is None
    left = watch(app(service(), state="Deleting"), goal=Goal.DELETED)
    assert left.unfinished("shop", 5.0) == "App shop is still there: Deleting."


def test_lines_say_how_long_and_why() -> None:
    seen = Watch(goal=Goal.READY, apps=["shop"])
    waiting = service(state="Waiting", ready=False, reason="waits for db (healthy)")
    seen.take_app("shop", app(service("db", state="Starting", ready=False), waiting), 0.1)
    seen.take_app("shop", app(service("db"), waiting), 0.4)
    ready = service(ports=["8080->80/tcp", "5000->5000/udp"])
    seen.take_app("shop", app(service("db"), ready), 0.9)
    db, web = seen.lines("shop", 7.0)
    assert (db.word, db.seconds, db.note) == ("ready", 0.4, "")
    assert (web.word, web.seconds) == ("ready", 0.9)
    assert web.note == "http://localhost:8080  5000->5000/udp  waited for db (healthy)"


@pytest.mark.parametrize(
    ("port", "spec", "note"),
    [
        ("8080->80/tcp", {}, "http://device:8080"),
        ("5432->5432/tcp", {}, "device:5432"),
        ("127.0.0.1:9000->9000/tcp", {"readinessProbe": {"httpGet": {"port": 9000}}}, "http://device:9000"),
        ("80", {}, "80"),
    ],
)
def test_where_a_ready_service_is_reached(port: str, spec: Json, note: str) -> None:
    seen = Watch(goal=Goal.READY, apps=["shop"], host="device")
    seen.take_app("shop", app(service(ports=[port]), **spec), 0.0)
    assert seen.lines("shop", 0.0)[0].note == note


def test_progress_of_a_download_finds_its_service() -> None:
    seen = watch(app(service(state="Pulling", ready=False), service("db")))
    assert seen.lines("shop", 0)[0].pulled is None
    data = {"image": "docker.io/library/web:1", "current": 8_900_000, "total": 12_400_000}
    seen.take_event({"type": "Progress", "app": "", "data": data})
    seen.take_event({"type": "Normal", "app": "shop", "data": {}})
    web, db = seen.lines("shop", 0)
    assert (web.word, web.pulled) == ("pulling", (8_900_000, 12_400_000))
    assert db.pulled is None


def test_what_is_still_waited_for() -> None:
    crash = service("pay", state="CrashLoop", ready=False, reason="exit 1, next try in 40 s")
    assert watch(app(service(), crash)).unfinished("shop", 60.0) == (
        "App shop is not ready (1 of 2 services).\n"
        "  pay  crash loop  exit 1, next try in 40 s\n"
        "What now:  iotctl explain app shop   |   iotctl logs shop pay   |   iotctl wait app/shop"
    )


def test_what_refuses_a_part_of_the_app_is_told_beside_its_services() -> None:
    found = app(service(state="Failed", ready=False, reason='persistentvolumeclaim "data" not found'))
    found["status"]["why"] = 'persistentvolumeclaims "data" is forbidden: exceeded quota: small'
    assert watch(found).unfinished("shop", 60.0).splitlines()[:3] == [
        "App shop is not ready (0 of 1 services).",
        'App shop: persistentvolumeclaims "data" is forbidden: exceeded quota: small',
        '  web  failed  persistentvolumeclaim "data" not found',
    ]


@pytest.mark.parametrize("why", ["web: in a crash loop", "web never became ready", ""])
def test_what_a_service_says_is_not_told_twice(why: str) -> None:
    found = app(service(state="CrashLoop", ready=False, reason="exit 1, next try in 40 s"))
    found["status"]["why"] = why
    assert (
        watch(found).unfinished("shop", 60.0).splitlines()[1] == "  web  crash loop  exit 1, next try in 40 s"
    )


def test_an_agent_that_does_not_answer_is_what_is_waited_for() -> None:
    seen = watch(app(service(ready=False)))
    seen.trouble = "No agent answers on unix:///x (connection refused)."
    assert seen.unfinished("shop", 1.0) == seen.trouble


def test_a_service_that_falls_back_is_not_ready_any_more() -> None:
    seen = Watch(goal=Goal.READY, apps=["shop"])
    seen.take_app("shop", app(service()), 1.0)
    seen.take_app("shop", app(service(state="Unhealthy", ready=False, reason="GET :80/ -> 500")), 2.0)
    (line,) = seen.lines("shop", 5.0)
    assert (line.ready, line.failing, line.word, line.seconds) == (False, True, "unhealthy", 3.0)
    seen.take_app("shop", app(service()), 6.0)
    assert seen.lines("shop", 9.0)[0].seconds == 6.0
    ended = seen.verdict("shop", 6.0)
    assert ended is not None
    assert ended.code is ExitCode.DONE


def test_a_service_that_was_stopped_by_hand_is_named_beside_those_that_are_ready() -> None:
    assert verdict(app(service(), service("db", state="Stopped"))) == (
        0,
        "App shop is ready (2 of 2 services, 1.2 s; not running, as somebody asked: db).",
    )


def test_a_stopped_app_says_what_its_newest_release_waits_for() -> None:
    found = app(service(state="Stopped"), state="Stopped")
    found["status"]["why"] = "release 2 waits: web has to run first"
    found["status"]["conditions"] = [{"type": "Ready", "status": "False"}]

    ended = verdict(found)

    assert ended is not None
    assert ended[0] == 1
    assert "as somebody asked; release 2 waits: web has to run first." in ended[1]


@pytest.mark.parametrize("before", ["Undone", "Undoing", "Failed"])
def test_an_undo_of_before_is_no_news_to_whoever_starts_the_app_again(before: str) -> None:
    seen = Watch(goal=Goal.READY, apps=["shop"], restarting=True)
    down = stalled(
        "Undone" if before != "Failed" else "DeadlineExceeded", "release 2: web never became ready"
    )
    down["status"] |= {"state": before, "release": "1", "why": "release 2: web never became ready"}
    seen.take_app("shop", down, 0.1)
    assert seen.verdict("shop", 0.1) is None

    up = json.loads(json.dumps(down))
    up["status"] |= {"state": "Undone", "ready": "1/1", "services": [service()]}
    seen.take_app("shop", up, 2)

    ended = seen.verdict("shop", 2)
    assert ended is not None
    assert (ended.code, ended.text) == (
        0,
        "App shop serves release 1 (1 of 1 services, 2.0 s); undone as before: "
        "release 2: web never became ready",
    )


def test_an_undo_that_comes_after_the_start_is_told() -> None:
    seen = Watch(goal=Goal.READY, apps=["shop"], restarting=True)
    seen.take_app("shop", app(service(ready=False, state="Starting"), state="Updating"), 0.1)
    assert seen.verdict("shop", 0.1) is None

    seen.take_app("shop", stalled("Undone", "web never became ready"), 2)

    ended = seen.verdict("shop", 2)
    assert ended is not None
    assert ended.code is ExitCode.UNDONE
