"""What a person asks of running services, and what services do by themselves."""

from __future__ import annotations

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import Ground


def test_what_is_stopped_stays_stopped(box: Device, ground: Ground, name: str) -> None:
    document = app(
        name, {"name": "web", "image": ground.image("web")}, {"name": "db", "image": ground.image("db")}
    )
    box.apply(document)
    before = box.ids(name)

    assert box.iotctl("services", "stop", f"{name}-web").code == 0
    box.until(lambda: box.container(name, "web").status == "exited", "web has stopped")
    box.restart()
    assert box.iotctl("apply", "-f", "-", "--wait", documents=[document]).code == 0
    changed = app(
        name,
        {"name": "web", "image": ground.image("web")},
        {"name": "db", "image": ground.image("db"), "env": [{"name": "A", "value": "1"}]},
    )
    box.apply(changed)

    assert box.container(name, "web").status == "exited"
    assert box.container(name, "web").id == before[f"{name}/web"]
    box.until(lambda: box.service(name, "web")["state"] == "Stopped", "web is shown as stopped")
    assert box.container(name, "db").id != before[f"{name}/db"]

    assert box.iotctl("services", "start", f"{name}-web").code == 0
    box.ready(name)

    web = box.container(name, "web")
    assert (web.status, web.id) == ("running", before[f"{name}/web"])


def test_an_app_stops_and_starts_as_a_whole(box: Device, ground: Ground, name: str) -> None:
    db = {"name": "db", "image": ground.image("db")}
    box.apply(app(name, {"name": "web", "image": ground.image("web"), "dependsOn": {"db": "started"}}, db))
    before = box.ids(name)

    assert box.iotctl("apps", "stop", name).code == 0
    box.until(lambda: {one.status for one in box.containers(name)} == {"exited"}, "both have stopped")
    box.until(lambda: box.states()[name] == "Stopped", "the App is stopped")

    assert box.iotctl("apps", "start", name, "--wait").code == 0
    assert box.ids(name) == before
    started = {one.service: one.started for one in box.containers(name)}
    assert started["db"] < started["web"]


def test_a_service_is_paused_and_goes_on(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))
    before = box.container(name, "web")

    box.iotctl("services", "pause", f"{name}-web")
    box.until(lambda: box.container(name, "web").status == "paused", "web is paused")
    box.iotctl("services", "unpause", f"{name}-web")
    box.until(lambda: box.container(name, "web").status == "running", "web runs")

    assert box.container(name, "web") == before


def test_a_restart_keeps_the_container(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))
    before = box.container(name, "web")

    assert box.iotctl("services", "restart", f"{name}-web").code == 0

    box.until(lambda: box.container(name, "web").started > before.started, "it was started again")
    box.ready(name)
    assert box.container(name, "web").id == before.id


def test_a_job_that_ends_well_is_completed_and_lets_others_start(
    box: Device, ground: Ground, name: str
) -> None:
    ends = ground.ending(box.data, name, "migrate", 0)
    migrate = {"name": "migrate", "image": ground.image("db"), "restartPolicy": "OnFailure", **ends}
    web = {"name": "web", "image": ground.image("web"), "dependsOn": {"migrate": "completed"}}

    box.apply(app(name, migrate, web))

    job = box.service(name, "migrate")
    assert (job["state"], job["ready"], job["exitCode"]) == ("Completed", True, 0)
    assert box.container(name, "migrate").status == "exited"
    assert box.service(name, "web")["state"] == "Running"
    box.restart()
    box.ready(name)
    assert box.container(name, "migrate").status == "exited", "a job that is done is not done again"


def test_a_job_that_never_restarts_stays_failed(box: Device, ground: Ground, name: str) -> None:
    ends = ground.ending(box.data, name, "job", 3)
    job = {"name": "job", "image": ground.image("db"), "restartPolicy": "Never", **ends}
    web = {"name": "web", "image": ground.image("web"), "dependsOn": {"job": "completed"}}

    box.apply(app(name, job, web), ready=False)
    box.until(lambda: box.service(name, "job").get("exitCode") == 3, "the job has ended")

    status = box.until(
        lambda: box.service(name, "job") if box.service(name, "job")["state"] == "Failed" else None,
        "it failed",
    )
    assert status["restarts"] == 0
    assert not status["ready"]
    assert box.containers(name, "web") == []
    assert "waits for job (completed)" in box.service(name, "web")["reason"]


def test_a_job_that_fails_is_run_again_on_failure(box: Device, ground: Ground, name: str) -> None:
    ends = ground.ending(box.data, name, "job", 3)
    job = {"name": "job", "image": ground.image("db"), "restartPolicy": "OnFailure", **ends}

    box.apply(app(name, job), ready=False)

    box.until(lambda: box.service(name, "job")["restarts"] >= 1, "it was run again")


def test_a_crash_loop_is_slowed_down_and_delays_nobody(box: Device, ground: Ground, name: str) -> None:
    ends = ground.ending(box.data, name, "bad", 3)
    bad = {"name": "bad", "image": ground.image("db"), **ends}
    box.apply(app(name, bad), ready=False)
    box.until(lambda: box.service(name, "bad")["state"] == "CrashLoop", "it is a crash loop")
    box.until(lambda: box.container(name, "bad").status == "exited", "the agent has stopped it")
    stopped = box.container(name, "bad")
    box.until(lambda: "exit 3" in (why := box.service(name, "bad")["reason"]) and "next try in" in why, "why")

    good = app(f"{name}-good", {"name": "web", "image": ground.image("web")})
    box.apply(good, seconds=8)

    box.until(lambda: box.container(name, "bad").started != stopped.started, "it is tried again", seconds=20)
    assert box.container(name, "bad").id == stopped.id
