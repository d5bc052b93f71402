"""A changed file changes what differs, and nothing else."""

from __future__ import annotations

import pytest

from tests.behaviour.device import Device, Document, app
from tests.behaviour.grounds import DockerGround, Ground

STRATEGIES = ("DownloadThenKill", "KillThenDownload", "DeleteThenDownload", "HandOver")


def three(ground: Ground, name: str, version: int, **spec: object) -> Document:
    """Three services, of which web differs by version."""
    db = {"name": "db", "image": ground.image("db")}
    api = {"name": "api", "image": ground.image("api"), "dependsOn": {"db": "started"}}
    return app(name, db, api, {"name": "web", "image": ground.image("web", version)}, **spec)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_update_replaces_the_changed_service_alone(
    box: Device, ground: Ground, name: str, strategy: str
) -> None:
    update = {"strategy": strategy}
    box.apply(three(ground, name, 1, update=update))
    before = box.ids(name)
    started = {one.id: one.started for one in box.containers(name)}

    ran = box.iotctl("apply", "-f", "-", "--wait", documents=[three(ground, name, 2, update=update)])

    assert ran.code == 0, ran.err
    box.until(lambda: len(box.containers(name, "web")) == 1, "the old web is gone")
    after = box.ids(name)
    assert after[f"{name}/web"] != before[f"{name}/web"]
    assert box.container(name, "web").image == ground.image("web", 2)
    for service in ("db", "api"):
        same = box.container(name, service)
        assert same.id == before[f"{name}/{service}"]
        assert same.started == started[same.id]
    assert {one["release"] for one in box.app(name)["status"]["services"]} == {"2"}


def test_the_data_of_a_volume_survives_an_update(
    box: Device, on_real: None, ground: Ground, name: str
) -> None:
    assert isinstance(ground, DockerGround)
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    volumes = [{"name": "data"}]
    box.apply(app(name, {"name": "web", "image": ground.image("web", 1)} | mount, volumes=volumes))
    ground.run_in(box.container(name, "web"), "sh", "-c", "echo kept >/data/file")

    box.apply(app(name, {"name": "web", "image": ground.image("web", 2)} | mount, volumes=volumes))

    web = box.container(name, "web")
    assert ground.run_in(web, "cat", "/data/file", "/www/index.html") == "kept\nweb 2\n"


def test_networks_volumes_and_services_come_and_go(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web")}
    db = {"name": "db", "image": ground.image("db")}
    more = web | {
        "networks": {"default": {}, "back": {}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    box.apply(app(name, web))
    [db_absent] = box.containers(name)
    things = {"networks": [{"name": "back"}], "volumes": [{"name": "data"}]}

    box.apply(app(name, more, db | {"networks": {"back": {}}}, **things))

    assert ground.networks(box.data) == {f"{name}/default", f"{name}/back"}
    assert ground.volumes(box.data) == {f"{name}/data"}
    assert set(box.ids(name)) == {f"{name}/web", f"{name}/db"}
    assert box.container(name, "web").id != db_absent.id

    box.apply(app(name, web))
    box.until(lambda: ground.networks(box.data) == {f"{name}/default"}, "network back is gone")

    assert set(box.ids(name)) == {f"{name}/web"}
    assert ground.volumes(box.data) == {f"{name}/data"}, "a volume that is no longer named keeps its data"


def test_a_changed_network_is_made_anew_under_its_services(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web"), "networks": {"back": {}}}
    db = {"name": "db", "image": ground.image("db")}
    box.apply(app(name, web, db, networks=[{"name": "back"}]))
    before = box.ids(name)

    box.apply(app(name, web, db, networks=[{"name": "back", "internal": True}]))

    after = box.ids(name)
    assert after[f"{name}/web"] != before[f"{name}/web"]
    assert after[f"{name}/db"] == before[f"{name}/db"]
    assert f"{name}/back" in ground.networks(box.data)


def test_a_changed_volume_stalls_the_app_and_loses_nothing(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web"), "volumeMounts": [{"name": "data", "mountPath": "/d"}]}
    first = app(name, web, volumes=[{"name": "data"}])
    box.apply(first)
    before = box.containers(name)

    changed = [{"name": "data", "driverOpts": {"type": "tmpfs", "device": "tmpfs"}}]
    box.apply(app(name, web, volumes=changed), ready=False)

    box.until(lambda: box.app(name)["status"]["state"] == "Stalled", "the App is stalled")
    assert "data" in box.app(name)["status"]["why"]
    assert box.containers(name) == before
    assert ground.volumes(box.data) == {f"{name}/data"}

    box.apply(first)

    assert box.containers(name) == before


def test_a_changed_probe_recreates_nothing(box: Device, ground: Ground, name: str) -> None:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    web = {"name": "web", "image": ground.image("web")}
    box.apply(app(name, web | {"readinessProbe": probe}))
    before = box.containers(name)

    box.apply(app(name, web | {"readinessProbe": probe | {"failureThreshold": 5}}))

    assert box.containers(name) == before


def test_another_release_name_alone_recreates_nothing(box: Device, ground: Ground, name: str) -> None:
    web = {"name": "web", "image": ground.image("web")}
    box.apply(app(name, web, release="spring"))
    before = box.containers(name)

    box.apply(app(name, web, release="summer"))
    box.until(lambda: box.service(name, "web")["release"] == "summer", "the release is recorded")

    assert box.containers(name) == before
    box.restart()
    assert box.service(name, "web")["release"] == "summer" or box.until(
        lambda: box.service(name, "web")["release"] == "summer", "the release is remembered"
    )
    assert box.containers(name) == before
