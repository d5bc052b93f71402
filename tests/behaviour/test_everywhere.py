"""The same files mean the same on every engine: simulated, Docker, Kubernetes.

What only a device has stays in the files beside this one: a data directory, an agent that is restarted
under its Apps, containers of an earlier install, times to the millisecond, volumes described otherwise.
What Kubernetes can't do is refused there, with the reason that docs/kubernetes-fields.md gives.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import Document, app
from tests.behaviour.places import Place, healthy_probe
from tests.docker.registry import free_port

MOUNT = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
DATA = [{"name": "data"}]
FIELDS = Path(__file__).parents[2] / "docs" / "kubernetes-fields.md"


def service(at: Place, name: str = "web", version: int = 1, **fields: Any) -> Document:
    """A service that serves a page with its name and version."""
    return {"name": name, "image": at.image(name, version), "stopGracePeriod": 2} | fields


def test_an_app_is_brought_in_with_all_its_services(at: Place, name: str) -> None:
    document = app(name, service(at, dependsOn={"db": "started"}), service(at, "db"))

    ran = at.iotctl("apply", "-f", "-", "--wait", documents=[document])

    assert ran.code == 0, ran.err
    assert f"App {name} is ready (2 of 2 services" in ran.out
    seen = at.until_running(name, "web", "db")
    assert (at.page(name, "web"), at.page(name, "db")) == ("web 1", "db 1")
    assert at.explained(name)["sentence"] == f"{name} serves release 1 (2 of 2 ready)."

    again = at.iotctl("apply", "-f", "-", "--wait", documents=[document])

    assert again.code == 0, again.err
    assert again.out.startswith(f"app/{name} unchanged")
    assert at.until_running(name, "web", "db") == seen


@pytest.mark.parametrize("strategy", ["DownloadThenKill", "HandOver"])
def test_an_update_replaces_the_changed_service_alone(at: Place, name: str, strategy: str) -> None:
    update = {"strategy": strategy}
    at.apply(app(name, service(at), service(at, "db"), update=update))
    before = at.until_running(name, "web", "db")

    at.apply(app(name, service(at, version=2), service(at, "db"), update=update))

    after = at.until_running(name, "web", "db")
    assert after["web"].id != before["web"].id
    assert after["db"] == before["db"]
    assert at.page(name, "web") == "web 2"
    assert {one["release"] for one in at.status(name)["services"]} == {"2"}
    assert at.history(name) == {"1": "good", "2": "serving"}


def test_a_bad_update_is_undone_and_explained(at: Place, name: str) -> None:
    at.apply(app(name, service(at), service(at, "db")))
    db = at.until_running(name, "web", "db")["db"]
    at.set_healthy(name, "web", False)
    changed = service(at, version=2, readinessProbe=healthy_probe())
    bad = app(name, changed, service(at, "db"), update={"progressDeadlineSeconds": 15})

    ran = at.iotctl("apply", "-f", "-", "--wait", documents=[bad])

    assert ran.code == 4, (ran.out, ran.err)
    assert "undone" in ran.err
    assert at.until_state(name, "Undone")["release"] == "1"
    assert at.until_running(name, "web", "db")["db"] == db
    assert at.page(name, "web") == "web 1"
    assert at.history(name) == {"1": "serving", "2": "quarantined"}
    told = at.explained(name)
    assert "release 2 was undone and is quarantined since" in told["sentence"]
    assert f"iotctl retry {name}" in told["commands"]

    at.apply(app(name, service(at, version=2), service(at, "db")))

    assert at.page(name, "web") == "web 2"
    assert at.status(name)["state"] == "Ready"


def test_a_stopped_service_stays_stopped(at: Place, name: str) -> None:
    at.apply(app(name, service(at), service(at, "db")))

    assert at.iotctl("services", "stop", f"{name}-web").code == 0
    at.until_running(name, "db")
    at.apply(app(name, service(at), service(at, "db", env=[{"name": "A", "value": "1"}])))

    at.until_running(name, "db")
    at.until(lambda: at.service(name, "web").get("state") == "Stopped", "web is shown as stopped")

    assert at.iotctl("services", "start", f"{name}-web").code == 0
    at.until_running(name, "web", "db")
    at.until_state(name, "Ready")


def test_an_app_stops_and_starts_as_a_whole(at: Place, name: str) -> None:
    at.apply(app(name, service(at, dependsOn={"db": "started"}), service(at, "db")))

    assert at.iotctl("apps", "stop", name).code == 0
    at.until_running(name)
    at.until_state(name, "Stopped")
    assert at.status(name)["ready"] == "0/0"
    told = at.explained(name)
    assert told["sentence"] == f"{name} was stopped by hand."
    assert told["commands"] == [f"iotctl apps start {name}"]

    ran = at.iotctl("apps", "start", name, "--wait")

    assert ran.code == 0, ran.err
    at.until_running(name, "web", "db")


def test_a_restart_starts_a_service_anew(at: Place, name: str) -> None:
    at.apply(app(name, service(at)))
    before = at.until_running(name, "web")["web"]

    assert at.iotctl("services", "restart", f"{name}-web").code == 0

    def again() -> bool:
        found = at.running(name)
        return len(found) == 1 and found[0].started > before.started

    at.until(again, "it was started again")
    at.ready(name)
    assert at.status(name)["release"] == "1"


def test_data_survives_updates_and_deletions_until_it_is_purged(at: Place, name: str) -> None:
    at.apply(app(name, service(at, **MOUNT), volumes=DATA))
    at.run_in(name, "web", "sh", "-c", "echo kept >/data/file")
    kept = "kept\n" if at.real else ""

    at.apply(app(name, service(at, version=2, **MOUNT), volumes=DATA))
    assert at.run_in(name, "web", "cat", "/data/file") == kept

    ran = at.iotctl("delete", "app", name, "--wait")
    assert ran.code == 0, ran.err
    at.until_running(name)
    assert name not in at.apps()
    assert at.volumes() >= {f"{name}/data"}

    at.apply(app(name, service(at, **MOUNT), volumes=DATA))
    assert at.run_in(name, "web", "cat", "/data/file") == kept

    ran = at.iotctl("apps", "purge", name, "--yes")
    assert ran.code == 0, ran.err
    at.until(lambda: f"{name}/data" not in at.volumes(), "its data is gone")
    at.until_running(name)


def test_an_app_may_say_that_its_volumes_go_with_it(at: Place, name: str) -> None:
    at.apply(app(name, service(at, **MOUNT), volumes=DATA, deletionPolicy="Delete"))
    assert f"{name}/data" in at.volumes()

    assert at.iotctl("delete", "app", name).code == 0

    at.until(lambda: f"{name}/data" not in at.volumes(), "its data is gone")


def test_a_job_that_ends_well_lets_others_start(at: Place, name: str) -> None:
    job = service(at, "db", restartPolicy="OnFailure", **at.ending(name, "db", 0))

    at.apply(app(name, job, service(at, dependsOn={"db": "completed"})))

    at.until_running(name, "web")
    done = at.service(name, "db")
    assert (done["state"], done["ready"], done["exitCode"]) == ("Completed", True, 0)


def test_services_get_values_of_secrets_and_config_maps(at: Place, name: str) -> None:
    def documents(password: str) -> list[Document]:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-key"}}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-conf"}}
        reference = {"secretKeyRef": {"name": f"{name}-key", "key": "password"}}
        web = service(
            at,
            env=[{"name": "PASSWORD", "valueFrom": reference}, {"name": "COLOUR", "value": "green"}],
            envFrom=[{"configMapRef": {"name": f"{name}-conf"}, "prefix": "APP_"}],
            volumeMounts=[{"name": "conf", "mountPath": "/conf"}],
        )
        volumes = [{"name": "conf", "configMap": {"name": f"{name}-conf"}}]
        return [
            secret | {"stringData": {"password": password}},
            config | {"data": {"LEVEL": "debug"}},
            app(name, web, volumes=volumes),
        ]

    script = 'echo "$PASSWORD $COLOUR $APP_LEVEL $(cat /conf/LEVEL)"'
    at.apply(*documents("correct horse"))
    before = at.until_running(name, "web")["web"]
    if at.real:
        assert at.run_in(name, "web", "sh", "-c", script) == "correct horse green debug debug\n"

    at.apply(*documents("battery staple"))

    at.until(lambda: before.id not in {one.id for one in at.running(name)}, "web was made anew")
    at.ready(name)
    at.until_running(name, "web")
    if at.real:
        assert at.run_in(name, "web", "sh", "-c", script) == "battery staple green debug debug\n"
    assert "battery staple" not in str(at.api("GET", f"/v1/secrets/{name}-key"))


def test_a_port_of_the_host_answers(at: Place, name: str) -> None:
    port = free_port("")

    at.apply(app(name, service(at, ports=[{"containerPort": 8080, "hostPort": port}])))

    assert at.service(name, "web")["ports"] == [f"{port}->8080/tcp"]
    if at.real:
        at.until(lambda: _fetched(f"http://{at.address}:{port}/") == b"web 1\n", "the port answers")


def test_services_reach_each_other_by_name_inside_their_app(at: Place, name: str) -> None:
    other = f"{name}-other"
    for number, of in ((1, name), (2, other)):
        at.apply(app(of, service(at), service(at, "web" if number == 2 else "db") | {"name": "db"}))

    assert {one.service for one in at.running(name)} == {"web", "db"}
    assert {one.service for one in at.running(other)} == {"web", "db"}
    if at.real:
        fetch = ("timeout", "5", "wget", "-qO-", "http://db:8080/")
        at.until(lambda: at.run_in(name, "web", *fetch) == "db 1\n", "db is found")
        at.until(lambda: at.run_in(other, "web", *fetch) == "web 1\n", "the other App's db is found")


def test_a_service_is_ready_as_long_as_its_probe_says_so(at: Place, name: str) -> None:
    at.set_healthy(name, "web", False)
    at.apply(app(name, service(at, readinessProbe=healthy_probe())), ready=False)
    at.until_running(name, "web")
    at.set_healthy(name, "web", True)
    at.ready(name)
    before = at.until_running(name, "web")

    at.set_healthy(name, "web", False)

    at.until(lambda: at.service(name, "web").get("ready") is not True, "web is not ready")
    at.until(lambda: at.status(name).get("ready") == "0/1", "it is counted")
    told = at.explained(name)
    assert f"{name}/web is not ready" in told["sentence"]
    assert f"iotctl services logs {name}-web" in told["commands"]
    assert at.until_running(name, "web") == before, "a readiness probe restarts nothing"

    at.set_healthy(name, "web", True)
    at.ready(name)


def test_lines_of_services_are_told_apart(at: Place, name: str) -> None:
    at.apply(app(name, service(at), service(at, "db")))

    def who() -> set[str]:
        return {line.split()[0] for line in at.iotctl("logs", name).out.splitlines()}

    at.until(lambda: who() == {"web", "db"}, "both have written something")
    ran = at.iotctl("logs", name)
    alone = at.iotctl("services", "logs", f"{name}-db")

    assert (ran.code, alone.code) == (0, 0), ran.err + alone.err
    assert {line.split()[0] for line in ran.out.splitlines()} == {"web", "db"}
    assert "web" not in alone.out
    if at.real:
        assert "listening on port 8080" in alone.out


def test_a_users_lock_holds_an_update_until_it_is_released(at: Place, name: str) -> None:
    at.apply(app(name, service(at)))
    before = at.until_running(name, "web")
    assert at.iotctl("lock", name, "--reason", "stocktaking").code == 0

    at.apply(app(name, service(at, version=2)), ready=False)

    at.until(lambda: "stocktaking" in at.explained(name)["sentence"], "the lock is told")
    assert f"iotctl unlock {name}" in at.explained(name)["commands"]
    assert at.until_running(name, "web") == before

    assert at.iotctl("unlock", name).code == 0
    at.ready(name)
    at.until_running(name, "web")
    assert at.page(name, "web") == "web 2"


def test_a_suspended_app_is_left_alone(at: Place, name: str) -> None:
    at.apply(app(name, service(at), suspend=True), ready=False)

    at.until(lambda: "suspended" in at.explained(name)["sentence"], "that is told")
    assert at.running(name) == []

    at.apply(app(name, service(at)))
    at.until_running(name, "web")


def test_what_is_in_the_way_is_explained_and_goes_away(at: Place, name: str) -> None:
    """Together, because a cluster shows what may pass by only after half a minute."""
    loop, image, waiting = f"{name}-loop", f"{name}-image", f"{name}-waiting"
    at.set_healthy(waiting, "db", False)
    dependent = service(at, dependsOn={"db": "healthy"})
    at.apply(
        app(loop, service(at, **at.ending(loop, "web", 3))),
        app(image, service(at) | ({"image": "127.0.0.1:1/nobody/has:1"} if at.real else {})),
        app(waiting, dependent, service(at, "db", readinessProbe=healthy_probe())),
        ready=False,
    )

    def told(of: str, words: str) -> list[str]:
        at.until(lambda: words in at.explained(of)["sentence"], f"explain {of} says {words!r}")
        return list(at.explained(of)["commands"])

    commands = told(loop, f"{loop}/web is in a crash loop: exit 3")
    assert f"iotctl services logs {loop}-web --previous" in commands
    assert f"iotctl retry {loop}" in commands
    if at.real:
        assert f"iotctl retry {image}" in told(image, f"{image}/web can't be made")
    assert f"iotctl services logs {waiting}-db" in told(waiting, f"{waiting}/db is not ready")
    assert "waits for db (healthy)" in at.service(waiting, "web")["reason"]
    at.until_running(waiting, "db")

    at.set_healthy(waiting, "db", True)
    at.apply(app(image, service(at)))

    at.ready(waiting)
    at.until_running(waiting, "web", "db")


REFUSED: dict[str, dict[str, Any]] = {
    "how much output is kept is a setting of the kubelet": {
        "service": {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}}
    },
    "a network is no object on Kubernetes that could have labels": {
        "networks": [{"name": "back", "labels": {"team": "red"}}]
    },
}
"""What Kubernetes can't do, by how it says so (docs/kubernetes-fields.md says it too)."""


@pytest.mark.parametrize("message", REFUSED)
def test_what_kubernetes_can_not_do_is_refused_there_alone(at: Place, name: str, message: str) -> None:
    spec = dict(REFUSED[message])
    assert message.lower() in FIELDS.read_text().lower()
    document = app(name, service(at, **spec.pop("service", {})), **spec)

    at.apply(document, ready=not at.is_cluster)

    if at.is_cluster:
        assert message in at.until_state(name, "Stalled")["why"]
        assert at.running(name) == []
    else:
        at.until_running(name, "web")


def test_a_service_is_paused_where_the_engine_can(at: Place, name: str) -> None:
    at.apply(app(name, service(at)))
    before = at.until_running(name, "web")

    ran = at.iotctl("services", "pause", f"{name}-web")

    if at.is_cluster:
        assert ran.code == 2
        assert "can't be paused on Kubernetes" in ran.err
        assert at.until_running(name, "web") == before
        return
    at.until(lambda: not at.running(name), "web is paused")
    assert at.iotctl("services", "unpause", f"{name}-web").code == 0
    assert at.until_running(name, "web") == before


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return b""
