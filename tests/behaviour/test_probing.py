"""Probes: who is ready, and who is restarted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import DockerGround, Ground

QUICK = {"periodSeconds": 1, "failureThreshold": 1}
SERVE = ["sh", "-c", "rm -f /tmp/bad; exec /bin/serve"]


def http(path: str = "/") -> dict[str, Any]:
    """A probe over HTTP."""
    return {"httpGet": {"path": path, "port": 8080}} | QUICK


def lives(*condition: str) -> dict[str, Any]:
    """A probe by a command."""
    return {"exec": {"command": list(condition)}} | QUICK


def make_unhealthy(box: Device, name: str) -> None:
    """Let the probes of web fail from now on."""
    if isinstance(box.ground, DockerGround):
        box.ground.run_in(box.container(name, "web"), "rm", "-f", "/www/index.html")
    else:
        _fault(box.data, {"unhealthy": [f"{name}/web"]})


def _fault(data: Path, fault: dict[str, Any]) -> None:
    (data / "simulated-faults.yaml").write_text(json.dumps(fault))


def test_a_service_is_ready_as_long_as_its_probe_says_so(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web"), "readinessProbe": http("/index.html")}
    box.apply(app(name, web))
    before = box.container(name, "web")

    make_unhealthy(box, name)
    box.until(lambda: not box.service(name, "web")["ready"], "web is not ready")

    assert box.app(name)["status"]["ready"] == "0/1"
    if ground.real:
        assert "GET :8080/index.html -> 404" in box.service(name, "web")["reason"]
    assert box.container(name, "web") == before, "a readiness probe restarts nothing"
    _fault(box.data, {})


def test_a_dependent_starts_when_the_other_is_healthy(
    box: Device, on_real: None, ground: Ground, name: str
) -> None:
    assert isinstance(ground, DockerGround)
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}} | QUICK
    db = {"name": "db", "image": ground.image("db"), "readinessProbe": probe}
    web = {"name": "web", "image": ground.image("web"), "dependsOn": {"db": "healthy"}}
    box.apply(app(name, db, web), ready=False)
    box.until(lambda: "waits for db (healthy)" in box.service(name, "web")["reason"], "web waits")
    box.until(lambda: box.containers(name, "db"), "db runs")
    assert box.containers(name, "web") == []

    ground.run_in(box.container(name, "db"), "touch", "/tmp/ready")
    box.ready(name)

    assert box.container(name, "db").started < box.container(name, "web").started


def test_a_liveness_probe_restarts_the_container(
    box: Device, on_real: None, ground: Ground, name: str
) -> None:
    assert isinstance(ground, DockerGround)
    probe = lives("test", "!", "-e", "/tmp/bad")
    web = {"name": "web", "image": ground.image("web"), "command": SERVE, "livenessProbe": probe}
    box.apply(app(name, web))
    before = box.container(name, "web")

    ground.run_in(before, "touch", "/tmp/bad")
    box.until(lambda: box.container(name, "web").started != before.started, "web was restarted")
    box.ready(name)

    assert box.container(name, "web").id == before.id
    told = [one["message"] for one in box.events(name) if one["reason"] == "Unhealthy"]
    assert told == [f"{name}/web: liveness probe failed: run test -> exit 1"]


def test_a_startup_probe_holds_the_others_back(box: Device, on_real: None, ground: Ground, name: str) -> None:
    assert isinstance(ground, DockerGround)
    web = {
        "name": "web",
        "image": ground.image("web"),
        "startupProbe": {
            "exec": {"command": ["test", "-e", "/tmp/up"]},
            "periodSeconds": 1,
            "failureThreshold": 60,
        },
        "livenessProbe": lives("test", "-e", "/tmp/up"),
        "readinessProbe": {"tcpSocket": {"port": 8080}} | QUICK,
    }
    box.apply(app(name, web), ready=False)
    box.until(lambda: "exit 1" in box.service(name, "web")["reason"], "the startup probe has failed once")
    before = box.container(name, "web")
    assert not box.service(name, "web")["ready"]

    ground.run_in(before, "touch", "/tmp/up")
    box.ready(name)

    assert box.container(name, "web") == before, "liveness did not count before"


def test_a_service_that_never_starts_up_is_restarted(
    box: Device, on_real: None, ground: Ground, name: str
) -> None:
    web = {"name": "web", "image": ground.image("web"), "startupProbe": {"tcpSocket": {"port": 81}} | QUICK}

    box.apply(app(name, web), ready=False)

    box.until(lambda: any(one["reason"] == "Restarted" for one in box.events(name)), "it was restarted")
    assert not box.service(name, "web")["ready"]
    told = [one["message"] for one in box.events(name) if one["reason"] == "Unhealthy"]
    assert told[0] == f"{name}/web: startup probe failed: TCP :81 -> connection refused"


def test_probes_go_on_after_a_restart_of_the_agent(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web"), "readinessProbe": http("/index.html")}
    box.apply(app(name, web))
    before = box.container(name, "web")

    box.restart()
    box.ready(name)
    make_unhealthy(box, name)
    box.until(lambda: not box.service(name, "web")["ready"], "web is not ready")

    assert box.container(name, "web") == before
    _fault(box.data, {})
