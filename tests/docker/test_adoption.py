"""A device that ran the original agent is taken over while its containers run."""

from __future__ import annotations

import contextlib
import copy
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround
from tests.docker.original import OriginalDevice, docker_command
from tests.docker.rig import IMAGE
from tests.unit.store.originals import dump

FAST = {"minReadySeconds": 0, "progressDeadlineSeconds": 60}


@pytest.fixture
def box(api: Any) -> Iterator[Device]:
    """A device whose agent was never started."""
    ground = DockerGround()
    with device(ground) as made:
        yield made
    ground.close()


@pytest.fixture
def original(api: Any, box: Device) -> Iterator[OriginalDevice]:
    made = OriginalDevice(api, box.data)
    yield made
    box.kill()
    made.clean_up()


def taken_over(box: Device, app: str) -> None:
    """Start the agent, and wait until nothing is left to do."""
    box.start()
    box.until(lambda: app in box.apps(), "the App is taken over")
    box.ready(app)
    box.until(box.settled, "nothing is left to do")


def purged(box: Device, app: str) -> None:
    """Delete an App with its volumes, and wait until nothing of it is left."""
    box.api("DELETE", f"/v1/apps/{app}", params={"purge": "true"})
    box.until(lambda: f"App {app} is gone" in box.said(), "nothing of it is left", seconds=60)


def changed(box: Device, app: str, **fields: Any) -> dict[str, Any]:
    """The App's document with other fields in its service web."""
    shown = box.app(app)
    document = {key: copy.deepcopy(shown[key]) for key in ("apiVersion", "kind", "spec")}
    document["metadata"] = {key: shown["metadata"][key] for key in ("name", "annotations")}
    document["spec"]["update"] = FAST
    web = next(one for one in document["spec"]["services"] if one["name"] == "web")
    web.update(fields)
    return document


def test_its_containers_run_on_and_stay_ours(original: OriginalDevice, box: Device) -> None:
    original.runs()
    before, tables = original.lives(), dump(box.data / "device.sqlite")

    taken_over(box, original.app)
    assert original.lives() == before
    box.restart()
    box.ready(original.app)
    box.until(box.settled, "nothing is left to do")

    assert original.lives() == before
    assert dump(box.data / "device.sqlite") == tables, "identity, target and queue lie where they lay"
    status = box.app(original.app)["status"]
    assert {one["name"]: one["state"] for one in status["services"]} == {"web": "Running", "side": "Running"}
    assert box.containers(original.app) == [], "none was made beside them"
    assert original.file(box) == "before"


def test_what_only_looks_like_a_reference_stays_as_it_is(original: OriginalDevice, box: Device) -> None:
    """The original replaced nothing in values; here `$(NAME)` is a variable and `$$` a dollar."""
    values = {"GREETING": "hello", "PRICE": "5$$", "SAYS": "$(GREETING), $GREETING"}
    target = original.target
    services = target["apps"][str(original.number)]["services"]
    services[1]["config"]["environment"] |= values
    original.runs(target, side=[f"-e{name}={value}" for name, value in values.items()])
    before = original.lives()

    taken_over(box, original.app)

    assert original.lives() == before, "it is what is wanted"
    docker_command("rm", "-f", original.name("side", 2))
    box.until(lambda: box.containers(original.app, "side"), "it is made again", seconds=60)
    box.until(box.settled, "nothing is left to do", seconds=60)
    has = original.seen(box.container(original.app, "side").id)["Config"]["Env"]
    assert {f"{name}={value}" for name, value in values.items()} <= set(has)


def test_an_update_keeps_the_data_and_replaces_what_it_changes_only(
    original: OriginalDevice, box: Device
) -> None:
    original.runs()
    before = original.lives()
    taken_over(box, original.app)

    box.apply(changed(box, original.app, env=[{"name": "GREETING", "value": "again"}]))

    web = box.container(original.app, "web")
    assert "GREETING=again" in original.seen(web.id)["Config"]["Env"]
    assert original.file(box) == "before"
    assert original.network in original.seen(web.id)["NetworkSettings"]["Networks"]
    assert original.seen(original.name("web", 1))["Id"] == web.id, "others reach it by that name"
    for name in ("web", original.name("web", 1)):
        words = ["run", "--rm", "--network", original.network, "--name", f"asks-{original.token}", IMAGE]
        assert "Hello" in docker_command(*words, "wget", "-qO-", f"http://{name}:8080/")
    for name in (original.name("side", 2), f"foreign-{original.token}"):
        assert original.lives_of(name) == before[name]
    box.restart()
    box.ready(original.app)
    assert box.container(original.app, "web").id == web.id
    assert original.seen(original.name("side", 2))["Id"] == before[original.name("side", 2)][0]


def test_what_is_not_as_it_is_wanted_is_updated_and_the_rest_runs_on(
    original: OriginalDevice, box: Device
) -> None:
    target = original.target
    services = target["apps"][str(original.number)]["services"]
    services[0]["config"]["environment"] = {"GREETING": "other"}
    original.runs(target)
    before = original.lives()

    taken_over(box, original.app)

    web = box.container(original.app, "web")
    assert web.id != before[original.name("web", 1)][0]
    assert "GREETING=other" in original.seen(web.id)["Config"]["Env"]
    assert original.file(box) == "before"
    assert original.web_answers()
    assert original.seen(original.name("side", 2))["Id"] == before[original.name("side", 2)][0]


def test_a_release_that_fails_is_undone_with_the_data_it_had(original: OriginalDevice, box: Device) -> None:
    original.runs()
    taken_over(box, original.app)
    document = changed(box, original.app, command=["sh", "-c", "exit 3"])
    document["spec"]["update"] = {"minReadySeconds": 0, "progressDeadlineSeconds": 5}

    box.apply(document, ready=False)

    box.until(lambda: box.app(original.app)["status"]["state"] == "Undone", "it is undone", seconds=60)
    web = box.container(original.app, "web")
    assert original.seen(web.id)["Config"]["Cmd"] == ["/bin/serve"]
    assert original.file(box) == "before"


def test_one_that_ends_is_noticed_at_once(original: OriginalDevice, box: Device) -> None:
    """Much earlier than at the look at everything, once a minute."""
    original.runs()
    taken_over(box, original.app)
    name = original.name("side", 2)
    id = original.seen(name)["Id"]

    docker_command("stop", "-t", "1", name)

    box.until(lambda: original.seen(id)["State"]["Running"], "it is started again", seconds=15)


def test_a_hand_over_from_one(original: OriginalDevice, box: Device) -> None:
    original.runs()
    taken_over(box, original.app)
    document = changed(box, original.app)
    document["spec"]["update"] = FAST | {"strategy": "HandOver"}
    for service in document["spec"]["services"]:
        service["env"] = [*service["env"], {"name": "NEW", "value": "1"}]

    box.apply(document, seconds=60)

    for service in ("web", "side"):
        assert "NEW=1" in original.seen(box.container(original.app, service).id)["Config"]["Env"]
    assert original.file(box) == "before"
    assert original.web_answers()


def test_deleting_the_app_keeps_its_data_and_takes_nothing_of_others(
    original: OriginalDevice, box: Device
) -> None:
    original.runs()
    foreign = original.lives()[f"foreign-{original.token}"]
    taken_over(box, original.app)

    box.api("DELETE", f"/v1/apps/{original.app}")
    box.until(lambda: not original.has("network", original.network), "its network is gone", seconds=60)

    names = {row["Names"][0] for row in original.api.containers(all=True)}
    assert {name for name in names if original.token in name} == {f"/foreign-{original.token}"}
    assert original.lives_of(f"foreign-{original.token}") == foreign
    assert original.has("volume", original.volume)
    assert original.has("volume", f"{original.number}_{original.volume}"), "nobody's now"


def test_a_purge_takes_the_data_of_the_app_and_no_other(original: OriginalDevice, box: Device) -> None:
    original.runs()
    taken_over(box, original.app)

    purged(box, original.app)

    assert not original.has("volume", original.volume)
    assert original.has("volume", f"foreign_{original.token}")
    assert original.has("volume", f"{original.number}_{original.volume}")
    box.restart()
    assert box.apps() == set(), "it does not come back"


def test_a_volume_that_two_apps_share_stays_for_the_other(original: OriginalDevice, box: Device) -> None:
    target = original.target
    number, twin = original.number + 1, f"Twin-{original.token}"
    config = {"image": IMAGE, "volumes": [f"{original.volume}:/data"]}
    target["apps"][str(number)] = {
        "appId": number,
        "appName": twin,
        "services": [{"serviceId": 1, "serviceName": "reader", "config": config}],
    }
    original.runs(target)
    mount = "-v", f"{original.volume}:/data"
    original.run("reader", 1, *mount, app=twin, number_of_app=number)
    before = original.lives_of(f"{twin}_reader_1")
    taken_over(box, original.app)
    box.ready(twin.lower())

    purged(box, original.app)

    assert original.lives_of(f"{twin}_reader_1") == before
    assert docker_command("exec", f"{twin}_reader_1", "cat", "/data/file") == "before"
    purged(box, twin.lower())
    assert not original.has("volume", original.volume), "it is the other's alone by now"


def test_a_cut_before_it_was_recorded_is_made_good(original: OriginalDevice, box: Device) -> None:
    original.runs()
    before = original.lives()
    taken_over(box, original.app)
    box.kill()
    with contextlib.closing(sqlite3.connect(box.data / "device.sqlite")) as connection:
        connection.execute("DELETE FROM iotistic_adoption")
        connection.commit()

    taken_over(box, original.app)

    assert original.lives() == before
    assert box.containers(original.app) == []


def test_nothing_is_begun_before_the_engine_has_answered(
    original: OriginalDevice, box: Device, tmp_path: Path
) -> None:
    original.runs()
    before = original.lives()
    away = tmp_path / "docker.sock"
    box.start(DOCKER_HOST=f"unix://{away}")
    box.until(lambda: "adoption_waits" in box.said(), "it waits for the engine")
    assert box.stop() == 0, "it can be stopped while it waits"

    box.start(DOCKER_HOST=f"unix://{away}")
    box.until(lambda: box.said().count("adoption_waits") == 2, "it waits for the engine")
    away.symlink_to("/var/run/docker.sock")

    box.until(lambda: original.app in box.apps(), "the App is taken over")
    box.ready(original.app)
    assert original.lives() == before
    assert box.containers(original.app) == []


def test_what_was_stopped_or_paused_stays_so_also_in_an_app_with_a_uuid(
    original: OriginalDevice, box: Device
) -> None:
    """With a uuid the original never joined its networks: that is no reason to start anything anew."""
    original.network = f"{uuid.uuid4()}_floor"
    target = original.target
    app = target["apps"][str(original.number)]
    app["appUuid"] = original.network.removesuffix("_floor")
    app["services"][1]["state"] = "paused"
    config = {"image": IMAGE, "networks": ["floor"], "restart": "no", "user": "1000:1000", "stopTimeout": 3}
    stopped = {"serviceId": 3, "serviceName": "Old One", "state": "stopped", "config": config}
    app["services"].append(stopped)
    original.runs(target, joined=False)
    original.run("Old One", 3, "--restart", "no", "--user", "1000:1000", "--stop-timeout", "3", name="old")
    docker_command("stop", "-t", "1", f"old-{original.token}")
    docker_command("pause", original.name("side", 2))
    before = original.lives() | {"old": original.lives_of(f"old-{original.token}")}

    taken_over(box, original.app)

    assert original.lives() | {"old": original.lives_of(f"old-{original.token}")} == before
    assert original.seen(original.name("side", 2))["State"]["Paused"]
    assert box.containers(original.app) == []
    box.apply(changed(box, original.app, env=[{"name": "GREETING", "value": "again"}]))
    web = box.container(original.app, "web")
    assert list(original.seen(web.id)["NetworkSettings"]["Networks"]) == [original.network]
