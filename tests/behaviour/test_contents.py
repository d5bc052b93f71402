"""Secrets and ConfigMaps: what services get of them, and who else does not."""

from __future__ import annotations

from typing import Any

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import DockerGround, Ground

PASSWORD = "correct horse battery staple"


def secret(name: str, **values: str) -> dict[str, Any]:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def config(name: str, **values: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": values}


def reader(ground: Ground, name: str) -> dict[str, Any]:
    """An App whose service takes values in each of the ways that there are."""
    web = {
        "name": "web",
        "image": ground.image("web"),
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"{name}-key", "key": "password"}}},
            {"name": "COLOUR", "value": "green"},
        ],
        "envFrom": [{"configMapRef": {"name": f"{name}-conf"}, "prefix": "APP_"}],
        "volumeMounts": [{"name": "conf", "mountPath": "/conf"}],
    }
    return app(name, web, volumes=[{"name": "conf", "configMap": {"name": f"{name}-conf"}}])


def test_services_get_values_of_secrets_and_config_maps(box: Device, ground: Ground, name: str) -> None:
    documents = [
        reader(ground, name),
        secret(f"{name}-key", password=PASSWORD),
        config(f"{name}-conf", LEVEL="debug"),
    ]

    ran = box.iotctl("apply", "-f", "-", "--wait", documents=documents)

    assert ran.code == 0, ran.err
    if isinstance(ground, DockerGround):
        web = box.container(name, "web")
        told = ground.run_in(web, "sh", "-c", "echo $PASSWORD/$COLOUR/$APP_LEVEL; cat /conf/LEVEL")
        assert told == f"{PASSWORD}/green/debug\ndebug"


def test_a_changed_secret_makes_the_next_release(box: Device, ground: Ground, name: str) -> None:
    box.apply(
        reader(ground, name), secret(f"{name}-key", password=PASSWORD), config(f"{name}-conf", LEVEL="1")
    )
    before = box.container(name, "web")

    box.apply(secret(f"{name}-key", password=f"{PASSWORD}, new"))
    box.until(lambda: box.service(name, "web")["release"] == "2", "the next release runs")
    box.ready(name)

    assert box.container(name, "web").id != before.id
    if isinstance(ground, DockerGround):
        told = ground.run_in(box.container(name, "web"), "sh", "-c", "echo $PASSWORD")
        assert told == f"{PASSWORD}, new\n"
    causes = [one["data"]["cause"] for one in box.events(name) if one["reason"] == "Killed"]
    assert causes == [f"contents of Secret/{name}-key changed"]


def test_values_of_secrets_are_told_to_nobody(box: Device, ground: Ground, name: str) -> None:
    box.apply(
        reader(ground, name), secret(f"{name}-key", password=PASSWORD), config(f"{name}-conf", LEVEL="1")
    )

    shown = [
        box.said(1000),
        str(box.events()),
        box.http.get(f"/v1/apps/{name}").text,
        box.http.get("/v1/secrets").text,
        box.http.get(f"/v1/secrets/{name}-key").text,
        box.iotctl("get", "all", "-o", "yaml").out,
        box.iotctl("plan").out,
    ]
    if isinstance(ground, DockerGround):
        shown.append(str(ground.inspect(box.container(name, "web"))["Config"]["Labels"]))

    assert [text for text in shown if PASSWORD in text] == []
    assert f"{name}-key" in shown[3], "the question was the right one"


def test_what_an_app_uses_is_not_deleted(box: Device, ground: Ground, name: str) -> None:
    box.apply(
        reader(ground, name), secret(f"{name}-key", password=PASSWORD), config(f"{name}-conf", LEVEL="1")
    )

    refused = box.iotctl("delete", "secret", f"{name}-key")

    assert refused.code == 1
    assert f"used by App {name}" in refused.err

    box.iotctl("delete", "app", name, "--wait")

    assert box.iotctl("delete", "secret", f"{name}-key").code == 0


def test_an_app_whose_secret_is_missing_is_refused(box: Device, ground: Ground, name: str) -> None:
    ran = box.iotctl("apply", "-f", "-", documents=[reader(ground, name), config(f"{name}-conf", LEVEL="1")])

    assert ran.code == 2
    assert f"{name}-key" in ran.err
    assert name not in box.apps()
