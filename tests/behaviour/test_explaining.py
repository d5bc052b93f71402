"""Each cause is made for real; explain names it in one sentence, and the command that it prints clears it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from tests.behaviour.device import Device, Document, app
from tests.behaviour.grounds import DockerGround, Ground


def explained(device: Device, name: str) -> dict[str, Any]:
    """What `iotctl explain` says, as JSON."""
    ran = device.iotctl("explain", "app", name, "-o", "json")
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    assert found["sentence"].count("\n") == 0
    return found


def until_explained(device: Device, name: str, words: str, *, seconds: float = 40) -> dict[str, Any]:
    """Wait until the sentence has these words."""
    device.until(
        lambda: words in explained(device, name)["sentence"],
        f"explain {name} says {words!r}",
        seconds=seconds,
    )
    return explained(device, name)


def type_it(device: Device, command: str, documents: Sequence[Document] = ()) -> None:
    """Type a printed command, with the file where it says FILE."""
    words = shlex.split(command.partition(") ")[2] if command.startswith("(") else command)
    assert words[0] == "iotctl"
    ran = device.iotctl(*("-" if word == "FILE" else word for word in words[1:]), documents=documents)
    assert ran.code == 0, ran.err


def printed(found: dict[str, Any], words: str) -> str:
    """The command among those printed that has these words."""
    return next(command for command in found["commands"] if words in command)


def test_an_app_that_is_well(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))

    found = explained(box, name)

    assert found["sentence"] == f"{name} serves release 1 (1 of 1 ready)."
    assert found["commands"] == []


def test_stopped_by_hand(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))
    box.iotctl("apps", "stop", name)
    found = until_explained(box, name, "stopped by hand")

    type_it(box, printed(found, "start"))

    box.ready(name)
    assert box.container(name, "web").status == "running"


def test_a_users_lock(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web", 1)}))
    box.iotctl("lock", name, "--reason", "stocktaking")
    box.apply(app(name, {"name": "web", "image": ground.image("web", 2)}), ready=False)
    found = until_explained(box, name, "stocktaking")

    type_it(box, printed(found, "unlock"))

    box.ready(name)
    assert box.container(name, "web").image == ground.image("web", 2)


def test_suspended(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web")}
    box.apply(app(name, web, suspend=True), ready=False)
    found = until_explained(box, name, "suspended")

    type_it(box, printed(found, "apply"), [app(name, web)])

    box.ready(name)


def test_a_volume_that_was_described_otherwise(box: Device, ground: Ground, name: str) -> None:
    web = {
        "name": "web",
        "image": ground.image("web"),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    box.apply(app(name, web, volumes=[{"name": "data"}]))
    changed = [{"name": "data", "driverOpts": {"type": "tmpfs", "device": "tmpfs"}}]
    box.apply(app(name, web, volumes=changed), ready=False)
    found = until_explained(box, name, "left alone")

    type_it(box, printed(found, "apply"), [app(name, web, volumes=[{"name": "data"}])])

    box.ready(name)


def test_a_release_that_was_undone(box: Device, ground: Ground, name: str) -> None:
    probe = {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}
    web = {"name": "web", "image": ground.image("web"), **probe}
    short = {"progressDeadlineSeconds": 3, "minReadySeconds": 0}
    box.apply(app(name, web, update=short))
    more = _that_never_starts(box, ground, name)
    box.apply(app(name, web | more, update=short), ready=False)
    found = until_explained(box, name, "was undone and is quarantined since")
    assert found["state"] == "Undone"
    assert printed(found, "retry") == f"iotctl retry {name}"

    type_it(box, printed(found, "apply"), [app(name, web, update=short)])

    box.ready(name)
    assert box.app(name)["status"]["state"] == "Ready"


def test_a_crash_loop(box: Device, on_real: None, ground: Ground, name: str) -> None:
    assert isinstance(ground, DockerGround)
    web = {
        "name": "web",
        "image": ground.image("web"),
        "command": ["sh", "-c", "test -e /data/go || { echo no file; exit 3; }; sleep 1000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "stopGracePeriod": 1,
    }
    helper = {
        "name": "side",
        "image": ground.image("side"),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    box.apply(app(name, web, helper, volumes=[{"name": "data"}]), ready=False)
    found = until_explained(box, name, "crash loop: exit 3", seconds=60)

    ran = box.iotctl(*shlex.split(printed(found, "--previous"))[1:])
    assert "no file" in ran.out, ran.err
    ground.run_in(box.container(name, "side"), "touch", "/data/go")
    type_it(box, printed(found, "retry"))

    box.ready(name, seconds=60)


def test_an_image_that_nobody_has(box: Device, on_real: None, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": "127.0.0.1:1/nobody/has:1"}), ready=False)

    found = until_explained(box, name, f"{name}/web can't be made", seconds=60)

    assert printed(found, "retry") == f"iotctl retry {name}"
    assert "next try in" in found["sentence"]
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))


def test_a_host_port_that_is_taken(box: Device, on_real: None, ground: Ground, name: str) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        web = {
            "name": "web",
            "image": ground.image("web"),
            "ports": [{"containerPort": 8080, "hostPort": port}],
        }
        box.apply(app(name, web), ready=False)
        found = until_explained(box, name, str(port), seconds=60)

    type_it(box, printed(found, "retry"))

    box.ready(name, seconds=60)


def test_a_volume_that_somebody_else_has(box: Device, on_real: None, ground: Ground, name: str) -> None:
    assert isinstance(ground, DockerGround)
    volume = f"{name}_data"
    ground.api.create_volume(volume)
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    document = app(name, {"name": "db", "image": ground.image("db")} | mount, volumes=[{"name": "data"}])
    box.apply(document, ready=False)

    found = until_explained(box, name, f"docker volume rm {volume}")

    assert found["sentence"].startswith(f"{name} can't go on: App {name}, volume data: the engine has ")
    ground.api.remove_volume(volume)
    type_it(box, printed(found, "retry"))
    box.ready(name)


def test_a_probe_that_fails(box: Device, on_real: None, ground: Ground, name: str) -> None:
    wrong = {"readinessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 1, "failureThreshold": 1}}
    web = {"name": "web", "image": ground.image("web")}
    box.apply(app(name, web | wrong), ready=False)

    found = until_explained(box, name, "TCP :81 -> connection refused")

    type_it(box, printed(found, "logs"))
    box.apply(app(name, web))


@pytest.mark.parametrize("way", ["recover", "delete"])
def test_an_orphan(own: Device, ground: Ground, name: str, way: str) -> None:
    own.start()
    own.apply(app(name, {"name": "web", "image": ground.image("web")}))
    before = own.ids(name)
    own.stop()
    for file in own.data.glob("device.sqlite*"):
        file.unlink()
    own.start()
    found = until_explained(own, name, "orphaned")

    type_it(own, printed(found, way))

    if way == "recover":
        own.ready(name)
        assert own.ids(name) == before
    else:
        own.gone(name)
        assert own.containers(name) == []


def _that_never_starts(device: Device, ground: Ground, name: str) -> dict[str, Any]:
    """What makes the next release of service web fail."""
    if isinstance(ground, DockerGround):
        return {"readinessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 1}}
    path = device.data / "simulated-faults.yaml"
    faults = json.loads(path.read_text()) if path.exists() else {"crashLoop": []}
    faults.setdefault("failingStart", []).append({"service": f"{name}/web", "times": 1})
    path.write_text(json.dumps(faults))
    return {"env": [{"name": "CHANGED", "value": "yes"}]}
