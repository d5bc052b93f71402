"""The agent's own life: containers outlive it, and it finds them again."""

from __future__ import annotations

import subprocess

from tests.behaviour.device import BIN, Device, app, device
from tests.behaviour.grounds import Ground


def pair(ground: Ground, name: str) -> dict[str, object]:
    """An App of two services with a volume."""
    db = {"name": "db", "image": ground.image("db"), "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    web = {"name": "web", "image": ground.image("web"), "dependsOn": {"db": "started"}}
    return app(name, web, db, volumes=[{"name": "data"}])


def test_asked_to_stop_it_ends_well_and_leaves_containers_alone(
    own: Device, ground: Ground, name: str
) -> None:
    own.start()
    own.apply(pair(ground, name))
    before = own.containers()

    assert own.stop() == 0

    assert own.containers() == before
    assert {one.status for one in before} == {"running"}


def test_a_restart_of_the_agent_changes_nothing(own: Device, ground: Ground, name: str) -> None:
    own.start()
    own.apply(pair(ground, name))
    before = own.containers()

    own.restart()
    own.ready(name)
    own.kill()
    own.start()
    own.ready(name)

    assert own.containers() == before
    assert [one for one in own.events() if one["type"] == "Normal"] == []


def test_a_new_agent_shows_what_is_being_removed_from_its_first_answer_on(
    own: Device, ground: Ground, name: str
) -> None:
    own.start()
    own.apply(app(name, {"name": "web", "image": ground.image("web"), "stopGracePeriod": 3}))
    own.api("DELETE", f"/v1/apps/{name}")
    own.kill()
    own.start()

    shown, left = own.states(), own.containers(name)
    while left:
        assert shown.get(name) == "Deleting"
        shown, left = own.states(), own.containers(name)
    own.gone(name)


def test_a_second_agent_on_the_same_directory_is_refused(own: Device, ground: Ground) -> None:
    own.start()
    assert own.process is not None

    second = Device(ground, own.data)
    second.log = own.data.with_name("second.log")
    second.start(wait=False)
    assert second.process is not None
    code = second.process.wait(20)
    second.http.close()

    assert code == 1
    assert f"pid {own.process.pid}" in second.said()
    assert "Traceback" not in second.said()
    assert own.answers(), "the first one goes on"


def test_a_lost_database_removes_nothing_until_somebody_says_so(
    own: Device, ground: Ground, name: str
) -> None:
    own.start()
    document = pair(ground, name)
    own.apply(document)
    other = app(f"{name}-other", {"name": "web", "image": ground.image("web")})
    own.apply(other)
    before = own.containers()
    own.kill()
    for path in own.data.glob("device.sqlite*"):
        path.unlink()

    own.start()
    own.until(lambda: own.states().get(name) == "Orphaned", "the App is orphaned")

    assert own.containers() == before
    assert own.iotctl("apply", "-f", "-", "--wait", documents=[document]).code == 0
    assert own.containers() == before, "taken over as it runs"
    gone = own.iotctl("delete", "app", f"{name}-other", "--wait")
    assert gone.code == 0, gone.err
    assert set(own.ids()) == {f"{name}/web", f"{name}/db"}


def test_an_orphan_is_recovered_as_it_runs(own: Device, ground: Ground, name: str) -> None:
    own.start()
    own.apply(pair(ground, name))
    before = own.containers()
    own.kill()
    for path in own.data.glob("device.sqlite*"):
        path.unlink()
    own.start()
    own.until(lambda: own.states().get(name) == "Orphaned", "the App is orphaned")

    ran = own.iotctl("recover", name)
    own.ready(name)

    assert ran.code == 0, ran.err
    assert own.containers() == before
    own.ground.remove(own.data, own.container(name, "web"))
    own.until(lambda: own.containers(name, "web") != [], "it is kept running again")


def test_another_install_on_the_same_engine_is_left_alone(own: Device, ground: Ground, name: str) -> None:
    own.start()
    own.apply(pair(ground, name))
    before = own.containers()

    with device(ground) as stranger:
        stranger.start()
        stranger.apply(app(f"{name}-b", {"name": "web", "image": ground.image("web")}))
        assert stranger.apps() == {f"{name}-b"}
        stranger.iotctl("delete", "app", f"{name}-b", "--purge", "--wait")
        assert stranger.containers() == []

    own.ready(name)
    assert own.containers() == before


def test_without_an_agent_iotctl_says_what_to_do(own: Device) -> None:
    ran = own.iotctl("get", "apps")

    assert ran.code == 3
    assert "iotistic-edge agent" in ran.err


def test_a_bad_setting_is_named(own: Device) -> None:
    ran = subprocess.run(
        [BIN / "iotistic-edge", "agent", "--engine", own.ground.name],
        env={"CONFIG_DIR": str(own.data), "DEVICE_API_PORT": "port"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ran.returncode == 2
    assert "DEVICE_API_PORT" in ran.stderr
