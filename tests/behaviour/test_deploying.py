"""Apps come up, are reached, and go again."""

from __future__ import annotations

import urllib.request
from functools import partial

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import DockerGround, Ground, Seen
from tests.docker.registry import free_port


def test_services_start_in_the_order_of_their_dependencies(box: Device, ground: Ground, name: str) -> None:
    document = app(
        name,
        {"name": "web", "image": ground.image("web"), "dependsOn": {"api": "started"}},
        {"name": "api", "image": ground.image("api"), "dependsOn": {"db": "started"}},
        {"name": "db", "image": ground.image("db")},
    )

    ran = box.iotctl("apply", "-f", "-", "--wait", documents=[document])

    assert ran.code == 0, ran.err
    assert f"App {name} is ready (3 of 3 services" in ran.out
    started = {one.service: one.started for one in box.containers(name)}
    assert started["db"] < started["api"] < started["web"]
    assert box.ground.networks(box.data) == {f"{name}/default"}


def test_what_is_applied_again_changes_nothing(box: Device, ground: Ground, name: str) -> None:
    document = app(
        name, {"name": "web", "image": ground.image("web")}, {"name": "db", "image": ground.image("db")}
    )
    box.apply(document)
    before = box.containers(name)

    ran = box.iotctl("apply", "-f", "-", "--wait", documents=[document])

    assert (ran.code, ran.out.splitlines()[0]) == (0, f"app/{name} unchanged (release 1)")
    assert box.containers(name) == before


def test_a_mistake_in_one_document_changes_nothing(box: Device, ground: Ground, name: str) -> None:
    good = app(name, {"name": "web", "image": ground.image("web")})
    bad = app(f"{name}-bad", {"name": "web", "imgae": "web:1"})

    ran = box.iotctl("apply", "-f", "-", documents=[good, bad])

    assert ran.code == 2
    assert "imgae" in ran.err
    assert box.apps() == set()


def test_two_apps_may_have_services_of_the_same_names(box: Device, ground: Ground, name: str) -> None:
    other = f"{name}-other"
    for number, of in enumerate((name, other), start=1):
        web = {"name": "web", "image": ground.image("web")}
        box.apply(app(of, web, {"name": "db", "image": ground.image("db", number)}))

    assert len(box.ids()) == 4
    if isinstance(ground, DockerGround):
        for of, page in ((name, "db 1\n"), (other, "db 2\n")):
            box.until(partial(_db_says, ground, box.container(of, "web"), page), f"db of {of} answers")

    box.iotctl("delete", "app", name, "--wait")

    assert set(box.ids()) == {f"{other}/web", f"{other}/db"}


def test_a_published_port_answers(box: Device, ground: Ground, name: str) -> None:
    port = free_port("127.0.0.1")
    web = {"name": "web", "image": ground.image("web"), "ports": [{"containerPort": 8080, "hostPort": port}]}

    box.apply(app(name, web))

    assert box.service(name, "web")["ports"] == [f"{port}->8080/tcp"]
    if ground.real:
        box.until(lambda: _fetched(f"http://127.0.0.1:{port}/") == b"web 1\n", "the port answers")


def test_a_deletion_keeps_volumes_until_they_are_purged(box: Device, ground: Ground, name: str) -> None:
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    document = app(name, {"name": "db", "image": ground.image("db")} | mount, volumes=[{"name": "data"}])
    box.apply(document)
    if isinstance(ground, DockerGround):
        ground.run_in(box.container(name, "db"), "sh", "-c", "echo kept >/data/file")

    kept = box.iotctl("delete", "app", name, "--wait")

    assert kept.code == 0, kept.err
    assert (box.containers(name), ground.networks(box.data)) == ([], set())
    assert ground.volumes(box.data) == {f"{name}/data"}

    box.apply(document)
    if isinstance(ground, DockerGround):
        assert ground.run_in(box.container(name, "db"), "cat", "/data/file") == "kept\n"
    purged = box.iotctl("delete", "app", name, "--purge", "--wait")

    assert purged.code == 0, purged.err
    assert (box.containers(name), ground.volumes(box.data)) == ([], set())


def test_an_app_may_say_that_its_volumes_go_with_it(box: Device, ground: Ground, name: str) -> None:
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    service = {"name": "db", "image": ground.image("db")} | mount
    box.apply(app(name, service, volumes=[{"name": "data"}], deletionPolicy="Delete"))
    assert ground.volumes(box.data) == {f"{name}/data"}

    box.iotctl("delete", "app", name, "--wait")

    assert ground.volumes(box.data) == set()


def _db_says(ground: DockerGround, web: Seen, page: str) -> bool:
    """Whether a container finds this page at the name db."""
    return ground.run_in(web, "wget", "-qO-", "http://db:8080/") == page


def _fetched(url: str) -> bytes:
    """What is answered; nothing as long as the program in the container does not listen yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def test_volumes_that_a_deleted_app_has_left_are_listed_and_can_be_purged(
    box: Device, ground: Ground, name: str
) -> None:
    web = {"name": "web", "image": ground.image("web"), "volumeMounts": [{"name": "data", "mountPath": "/d"}]}
    box.apply(app(name, web, volumes=[{"name": "data"}]))
    assert {"app": name, "name": "data", "kept": False} in box.api("GET", "/v1/volumes")["items"]

    assert box.iotctl("delete", "app", name).code == 0
    left = {"app": name, "name": "data", "kept": True}
    box.until(lambda: left in box.api("GET", "/v1/volumes")["items"], "the volume is kept", seconds=60)
    box.gone(name, seconds=60)
    ran = box.iotctl("diagnostics")
    assert f"kept of deleted Apps: {name}/data (iotctl apps purge {name} removes" in ran.out

    ran = box.iotctl("apps", "purge", name, "--yes")
    assert ran.code == 0, ran.err
    box.until(lambda: f"{name}/data" not in ground.volumes(box.data), "the volume is gone", seconds=60)
    assert box.iotctl("apps", "purge", name, "--yes").code != 0
