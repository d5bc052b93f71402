"""Secrets and ConfigMaps in containers: as variables and as files; their values nowhere else."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.values import Action
from tests.docker.rig import Rig

APP = "contents"
PASSWORD = "correct horse battery staple"


async def test_variables_from_secrets_and_configmaps(rig: Rig) -> None:
    rig.kept.put("Secret", "db", password=PASSWORD, user="app")
    rig.kept.put("ConfigMap", "site", PLACE="hall 3", LEVEL="info")
    rig.app(
        APP,
        {
            "name": "web",
            "envFrom": [
                {"configMapRef": {"name": "site"}},
                {"secretRef": {"name": "db"}, "prefix": "DB_"},
                {"secretRef": {"name": "absent", "optional": True}},
            ],
            "env": [
                {"name": "LEVEL", "value": "debug"},
                {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                {"name": "WHERE", "valueFrom": {"configMapKeyRef": {"name": "site", "key": "PLACE"}}},
                {
                    "name": "NOT",
                    "valueFrom": {"secretKeyRef": {"name": "db", "key": "absent", "optional": True}},
                },
                {"name": "URL", "value": "pg://$(DB_user)@db"},
            ],
        },
    )

    [web] = await rig.up()

    variables = dict(line.split("=", 1) for line in rig.inspect(web)["Config"]["Env"])
    variables.pop("PATH", None)
    assert variables == {
        "PLACE": "hall 3",
        "LEVEL": "debug",
        "DB_password": PASSWORD,
        "DB_user": "app",
        "PGPASSWORD": PASSWORD,
        "WHERE": "hall 3",
        "URL": "pg://app@db",
    }
    labels = rig.inspect(web)["Config"]["Labels"]
    assert PASSWORD not in json.dumps(labels), "a label is readable by everybody"
    assert "Secret/db" in labels["iotistic.io/spec"], "its keyed digest is there"


async def test_files_from_secrets_and_configmaps(rig: Rig) -> None:
    rig.kept.put("Secret", "tls", tls_key=PASSWORD, tls_crt="public")
    rig.kept.put("ConfigMap", "site", app_conf="level = info\n")
    rig.app(
        APP,
        {
            "name": "web",
            "securityContext": {"runAsUser": 1234},
            "volumeMounts": [
                {"name": "tls", "mountPath": "/tls"},
                {"name": "one", "mountPath": "/one"},
                {"name": "conf", "mountPath": "/etc/app"},
                {"name": "none", "mountPath": "/none"},
            ],
        },
        volumes=[
            {"name": "tls", "secret": {"secretName": "tls"}},
            {
                "name": "one",
                "secret": {"secretName": "tls", "items": [{"key": "tls.key", "path": "a/b.pem"}]},
            },
            {"name": "conf", "configMap": {"name": "site"}},
            {"name": "none", "secret": {"secretName": "absent", "optional": True}},
        ],
    )

    [web] = await rig.up()

    assert rig.exec(web, "cat", "/tls/tls.key", "/tls/tls.crt") == f"{PASSWORD}public"
    assert rig.exec(web, "find", "/one", "-type", "f") == "/one/a/b.pem"
    assert rig.exec(web, "cat", "/etc/app/app.conf") == "level = info"
    assert rig.exec(web, "ls", "/none") == ""
    assert "Read-only" in rig.exec(web, "/bin/sh", "-c", "echo x > /tls/tls.key")
    root = rig.config_dir / "mounts"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700, "nobody else on the host passes it"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}


async def test_a_replaced_container_gets_new_files_and_the_old_ones_go(rig: Rig) -> None:
    service = {"name": "web", "volumeMounts": [{"name": "conf", "mountPath": "/conf"}]}
    volumes = [{"name": "conf", "configMap": {"name": "site"}}]
    rig.kept.put("ConfigMap", "site", level="info")
    rig.app(APP, service, volumes=volumes)
    [before] = await rig.up()
    rig.kept.put("ConfigMap", "site", level="debug")
    target = rig.app(APP, service, volumes=volumes)

    assert before.spec != target.services[0].spec, "other contents are another spec"
    assert rig.exec(before, "cat", "/conf/level") == "info", "it keeps what it was made with"
    await rig.do(Action.KILL, "web", container=before.id)
    [after] = await rig.up()

    assert rig.exec(after, "cat", "/conf/level") == "debug"
    assert after.spec == target.services[0].spec
    await rig.do(Action.KILL, "web", container=after.id)
    assert not list((rig.config_dir / "mounts").iterdir()), "no value stays on the disk"


async def test_files_that_somebody_has_removed_are_written_again(rig: Rig) -> None:
    rig.kept.put("ConfigMap", "site", level="info")
    rig.app(
        APP,
        {"name": "web", "volumeMounts": [{"name": "conf", "mountPath": "/conf"}]},
        volumes=[{"name": "conf", "configMap": {"name": "site"}}],
    )
    [web] = await rig.up()
    await rig.do(Action.STOP, "web", container=web.id)
    for path in sorted((rig.config_dir / "mounts").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()

    await rig.do(Action.START, "web", container=web.id)

    assert rig.exec(web, "cat", "/conf/level") == "info"


ENV_OF = {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}


@pytest.mark.parametrize(
    ("fields", "volumes", "said"),
    [
        ({"env": [{"name": "P"} | ENV_OF]}, [], "there is no Secret db"),
        ({"envFrom": [{"configMapRef": {"name": "site"}}]}, [], "there is no ConfigMap site"),
        (
            {"env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "kept", "key": "no"}}}]},
            [],
            "Secret kept has no key no",
        ),
        ({"envFrom": [{"secretRef": {"name": "binary"}}]}, [], "key raw of Secret binary is no text"),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            [{"name": "v", "secret": {"secretName": "db"}}],
            "there is no Secret db",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            [{"name": "v", "secret": {"secretName": "kept", "items": [{"key": "no", "path": "x"}]}}],
            "Secret kept has no key no",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            [{"name": "v", "secret": {"secretName": "kept", "items": [{"key": "yes", "path": "../../x"}]}}],
            "no path of a file inside the volume",
        ),
    ],
)
async def test_what_is_missing_is_named_and_no_value_told(
    rig: Rig, fields: dict[str, Any], volumes: list[dict[str, Any]], said: str
) -> None:
    rig.kept.put("Secret", "kept", yes=PASSWORD)
    rig.kept.put("Secret", "binary", raw=b"\xff\xfe" + PASSWORD.encode())
    rig.app(APP, {"name": "web"} | fields, volumes=volumes)

    with pytest.raises(EngineError) as raised:
        await rig.up()

    assert raised.value.message.startswith("App contents, service web")
    assert said in raised.value.message
    assert PASSWORD not in raised.value.message + raised.value.hint
