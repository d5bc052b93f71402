"""Every field of a service that Docker has: what the engine shows of it, and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.values import Action
from tests.docker.rig import IMAGE, SLEEP, Rig

APP = "fields"


def at(seen: Any, path: str) -> Any:
    """A value inside what inspect shows, by a path with slashes."""
    for key in path.split("/"):
        seen = seen[key]
    return seen


SERVICES: dict[str, dict[str, Any]] = {
    "plain": {},
    "rich": {
        "command": ["sleep"],
        "args": ["78"],
        "workingDir": "/tmp",
        "hostname": "front",
        "stopGracePeriod": "1m30s",
        "securityContext": {
            "runAsUser": 1000,
            "runAsGroup": 1001,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]},
        },
        "resources": {
            "limits": {"memory": "64Mi", "cpu": "500m"},
            "requests": {"memory": "32M", "cpu": 0.5},
        },
        "restartPolicy": "OnFailure",
        "logging": {"options": {"max-size": "1m"}},
        "extraHosts": ["printer:10.0.0.9"],
        "sysctls": {"net.core.somaxconn": "512"},
        "tmpfs": [{"mountPath": "/scratch", "size": "1Mi"}, {"mountPath": "/more"}],
        "ports": [
            {"containerPort": 80, "hostPort": 18471, "hostIP": "127.0.0.1"},
            {"containerPort": 53, "hostPort": 18472, "protocol": "UDP"},
            {"containerPort": 9999},
        ],
        "devices": ["/dev/null:/dev/nothing:rw", "/dev/zero"],
    },
    "other": {
        "args": ["sleep", "79"],
        "command": [],
        "stopGracePeriod": 0.5,
        "securityContext": {"runAsUser": 0},
        "resources": {"requests": {"cpu": "1m"}},
        "restartPolicy": "Never",
        "logging": {"driver": "none"},
        "networkMode": "none",
    },
    "onhost": {"networkMode": "host", "ports": [{"containerPort": 18476, "hostPort": 18476}]},
}
SHOWN: list[tuple[str, str, Any]] = [
    ("plain", "Config/Entrypoint", SLEEP),
    ("plain", "Config/Cmd", None),
    ("plain", "HostConfig/NetworkMode", "fields_default"),
    ("plain", "HostConfig/RestartPolicy/Name", "unless-stopped"),
    (
        "plain",
        "HostConfig/LogConfig",
        {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    ),
    ("plain", "HostConfig/Memory", 0),
    ("plain", "HostConfig/ReadonlyRootfs", False),
    ("plain", "HostConfig/Privileged", False),
    ("plain", "HostConfig/SecurityOpt", []),
    ("rich", "Config/Entrypoint", ["sleep"]),
    ("rich", "Config/Cmd", ["78"]),
    ("rich", "Config/WorkingDir", "/tmp"),
    ("rich", "Config/Hostname", "front"),
    ("rich", "Config/StopTimeout", 90),
    ("rich", "Config/User", "1000:1001"),
    ("rich", "HostConfig/ReadonlyRootfs", True),
    ("rich", "HostConfig/SecurityOpt", ["no-new-privileges:true"]),
    ("rich", "HostConfig/CapDrop", ["ALL"]),
    ("rich", "HostConfig/Memory", 64 * 2**20),
    ("rich", "HostConfig/MemorySwap", 64 * 2**20),
    ("rich", "HostConfig/NanoCpus", 500_000_000),
    ("rich", "HostConfig/CpuShares", 512),
    ("rich", "HostConfig/MemoryReservation", 32_000_000),
    ("rich", "HostConfig/RestartPolicy/Name", "on-failure"),
    ("rich", "HostConfig/LogConfig", {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "3"}}),
    ("rich", "HostConfig/ExtraHosts", ["printer:10.0.0.9"]),
    ("rich", "HostConfig/Sysctls", {"net.core.somaxconn": "512"}),
    ("rich", "HostConfig/Tmpfs", {"/scratch": "size=1048576", "/more": ""}),
    (
        "rich",
        "HostConfig/PortBindings",
        {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18471"}],
            "53/udp": [{"HostIp": "", "HostPort": "18472"}],
        },
    ),
    (
        "rich",
        "HostConfig/Devices",
        [
            {"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "rw"},
            {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/zero", "CgroupPermissions": "rwm"},
        ],
    ),
    ("other", "Config/Entrypoint", None),
    ("other", "Config/Cmd", ["sleep", "79"]),
    ("other", "Config/StopTimeout", 1),
    ("other", "Config/User", "0"),
    ("other", "HostConfig/CpuShares", 2),
    ("other", "HostConfig/RestartPolicy/Name", "no"),
    ("other", "HostConfig/LogConfig", {"Type": "none", "Config": {}}),
    ("other", "HostConfig/NetworkMode", "none"),
    ("onhost", "HostConfig/NetworkMode", "host"),
]


async def test_fields_are_what_the_engine_shows(rig: Rig) -> None:
    target = rig.app(APP, *({"name": name} | fields for name, fields in SERVICES.items()))

    containers = {one.service: one for one in await rig.up()}

    shown = {name: rig.inspect(container) for name, container in containers.items()}
    assert [(name, path, at(shown[name], path)) for name, path, _ in SHOWN] == SHOWN
    assert {one.removeprefix("CAP_") for one in shown["rich"]["HostConfig"]["CapAdd"]} == {"NET_ADMIN"}
    assert set(shown["rich"]["Config"]["ExposedPorts"]) >= {"80/tcp", "53/udp", "9999/tcp"}
    wanted = {service.name: service.spec for service in target.services}
    assert {name: one.spec for name, one in containers.items()} == wanted, "as made, nothing has drifted"
    addresses = {name: bool(one.address) for name, one in containers.items()}
    assert addresses == {"plain": True, "rich": True, "other": False, "onhost": True}
    assert containers["onhost"].address == "127.0.0.1", "probes ask the host"


async def test_a_limit_beyond_the_hosts_processors_is_all_of_them(rig: Rig) -> None:
    target = rig.app(APP, {"name": "web", "resources": {"limits": {"cpu": 512}}})

    [web] = await rig.up()

    processors = rig.api.info()["NCPU"]
    assert rig.inspect(web)["HostConfig"]["NanoCpus"] == processors * 10**9
    assert web.spec == target.services[0].spec


async def test_plain_variables_and_those_that_refer_to_them(rig: Rig) -> None:
    rig.app(
        APP,
        {
            "name": "web",
            "env": [
                {"name": "PLACE", "value": "hall 3"},
                {"name": "EMPTY"},
                {"name": "GREETING", "value": "hello $(PLACE), $(UNKNOWN) $$(PLACE)"},
            ],
            "command": ["/bin/sh", "-c", "echo $(GREETING) > /said; sleep 100"],
        },
    )

    [web] = await rig.up()

    variables = rig.inspect(web)["Config"]["Env"]
    assert "EMPTY=" in variables
    assert "GREETING=hello hall 3, $(UNKNOWN) $(PLACE)" in variables
    assert rig.inspect(web)["Config"]["Entrypoint"][2].startswith("echo hello hall 3, $(UNKNOWN) $(PLACE)")


async def test_volumes_tmpfs_and_host_paths_are_mounted(rig: Rig, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "name").write_text("hall 3\n")
    rig.app(
        APP,
        {
            "name": "web",
            "volumeMounts": [
                {"name": "data", "mountPath": "/data/"},
                {"name": "site", "mountPath": "/site", "readOnly": True},
                {"name": "made", "mountPath": "/made"},
            ],
            "tmpfs": [{"mountPath": "/scratch", "size": "1Mi"}],
        },
        volumes=[
            {"name": "data"},
            {"name": "site", "hostPath": {"path": str(site), "type": "Directory"}},
            {"name": "made", "hostPath": {"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"}},
        ],
    )

    [web] = await rig.up()

    assert rig.exec(web, "cat", "/site/name") == "hall 3"
    assert "Read-only file system" in rig.exec(web, "touch", "/site/x")
    rig.exec(web, "touch", "/data/kept", "/made/here", "/scratch/gone")
    assert (tmp_path / "new" / "here").exists()
    sources = {mount["Destination"]: mount for mount in rig.inspect(web)["Mounts"]}
    assert sources["/data"]["Name"] == "fields_data"

    await rig.do(Action.KILL, "web", container=web.id)
    [again] = await rig.up()
    assert rig.exec(again, "ls", "/data", "/scratch") == "/data:\nkept\n\n/scratch:"


async def test_services_find_each_other_by_name_and_alias_on_their_networks(rig: Rig) -> None:
    target = rig.app(
        APP,
        {"name": "web", "networks": {"front": {"aliases": ["www"]}, "back": {}}},
        {"name": "db", "networks": {"back": {"aliases": ["sql"], "ipv4Address": "10.231.7.77"}}},
        {"name": "alone"},
        networks=[
            {"name": "front"},
            {"name": "back", "internal": True, "ipam": {"config": [{"subnet": "10.231.7.0/24"}]}},
        ],
    )

    web, db, alone = await rig.up()

    assert [web.spec, db.spec, alone.spec] == [service.spec for service in target.services]
    assert db.address == "10.231.7.77"
    assert "10.231.7.77" in rig.exec(web, "nslookup", "-type=a", "db")
    assert "10.231.7.77" in rig.exec(web, "nslookup", "-type=a", "sql")
    back = rig.inspect(web)["NetworkSettings"]["Networks"]["fields_back"]["IPAddress"]
    assert back in rig.exec(db, "nslookup", "-type=a", "web")
    assert "10.231.7.77" not in rig.exec(alone, "nslookup", "-type=a", "db")
    assert set(rig.inspect(web)["NetworkSettings"]["Networks"]) == {"fields_front", "fields_back"}


async def test_the_users_labels_stay_and_ours_win(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "labels": {"team": "ot", "iotistic.io/app": "other"}}, release="7")

    [web] = await rig.up()

    labels = rig.inspect(web)["Config"]["Labels"]
    assert labels["team"] == "ot"
    assert labels["iotistic.io/app"] == APP
    assert labels["iotistic.io/service"] == "web"
    assert labels["iotistic.io/install"] == rig.install
    assert labels["iotistic.io/release"] == "7"


async def test_a_service_may_lock_its_updates(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "securityContext": {"runAsUser": 4321}})

    [web] = await rig.up()

    rig.exec(web, "/bin/sh", "-c", "echo '{}' > /run/iotistic/update.lock")
    assert (rig.config_dir / "locks" / APP / "web" / "update.lock").read_text() == "{}\n"


async def test_published_ports_are_seen_and_reached(rig: Rig) -> None:
    rig.app(
        APP,
        {
            "name": "web",
            "args": ["/bin/serve"],
            "ports": [
                {"containerPort": 8080, "hostPort": 18473, "hostIP": "127.0.0.1"},
                {"containerPort": 9999},
                {"containerPort": 53, "hostPort": 18474, "protocol": "UDP"},
            ],
        },
    )

    [web] = await rig.up()

    assert web.ports == ("127.0.0.1:18473->8080/tcp", "18474->53/udp")
    assert web.address == rig.inspect(web)["NetworkSettings"]["Networks"]["fields_default"]["IPAddress"]


@pytest.mark.parametrize(
    ("fields", "spec", "said", "hint"),
    [
        ({"command": ["/no/such/program"]}, {}, "no such file or directory", "change command, or the image"),
        ({"devices": ["/dev/ttyNOT9"]}, {}, "/dev/ttyNOT9", "is the device plugged in"),
        (
            {"networks": {"default": {"ipv4Address": "10.1.1.1"}}},
            {},
            "user configured subnets",
            "ipam.config",
        ),
        ({"logging": {"options": {"nonsense": "1"}}}, {}, "nonsense", "logging.options"),
        ({"image": "iotistic/no-such:9"}, {}, "iotistic/no-such:9 is not on the engine", "fetched again"),
    ],
)
async def test_what_the_engine_refuses_says_what_to_change(
    rig: Rig, fields: dict[str, Any], spec: dict[str, Any], said: str, hint: str
) -> None:
    rig.app(APP, {"name": "web"} | fields, **spec)

    with pytest.raises(EngineError, match="App fields, service web: ") as raised:
        await rig.up()

    assert said in raised.value.message
    assert hint in raised.value.hint


async def test_a_taken_port_says_who_has_it(rig: Rig) -> None:
    rig.foreign(
        "fields-grafana",
        ExposedPorts={"80/tcp": {}},
        HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "18475"}]}},
    )
    rig.app(APP, {"name": "web", "ports": [{"containerPort": 80, "hostPort": 18475}]})

    with pytest.raises(EngineError) as raised:
        await rig.up()

    assert raised.value.message == (
        "App fields, service web: host port 18475 is held by container fields-grafana"
    )
    assert "docker stop fields-grafana" in raised.value.hint


async def test_the_image_decides_where_nothing_is_said(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "args": ["sleep", "5"], "image": IMAGE})

    [web] = await rig.up()

    image = rig.api.inspect_image(IMAGE)["Config"]
    seen = rig.inspect(web)["Config"]
    assert (seen["Entrypoint"], seen["WorkingDir"], seen["User"]) == (image["Entrypoint"], "/", "")
    assert seen["Image"] == IMAGE
    assert seen["Cmd"] != SLEEP


async def test_an_image_for_another_processor_says_so(rig: Rig) -> None:
    name = "iotistic-test/fields-strange:1"
    rig.image(name, architecture="s390x")
    rig.app(APP, {"name": "web", "image": name})

    with pytest.raises(EngineError, match=f"image {name} is for linux/s390x, this host is linux/") as raised:
        await rig.up()

    assert "--platform" in raised.value.hint
