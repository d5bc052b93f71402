"""What a container of an original is, compared with what is wanted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from iotistic.cloud.wire import original_names, read_target
from iotistic.engines.docker.adoption_record import record_of
from iotistic.planning.compare import changes
from iotistic.planning.normal import normalise, target_of

CONFIG: dict[str, Any] = {
    "image": "web:1",
    "ports": ["8080:80", "127.0.0.1:53:53/udp", "9000"],
    "volumes": ["My_Data:/data", "/etc/site:/site:ro"],
    "environment": {"A": "1", "B": "$(A)/x"},
    "labels": {"team": "ot"},
    "restart": "on-failure",
    "user": "1000:1000",
    "hostname": "press",
}
SEEN: dict[str, Any] = {
    "Id": "c1",
    "Config": {
        "Image": "web:1",
        "Env": ["A=1", "B=$(A)/x", "PATH=/bin"],
        "Labels": {"team": "ot", "iotistic.app-id": "1001", "maintainer": "somebody"},
        "Cmd": ["serve"],
        "Entrypoint": None,
        "WorkingDir": "/srv",
        "User": "1000:1000",
        "Hostname": "press",
    },
    "HostConfig": {
        "Binds": ["My_Data:/data:rw", "/etc/site:/site:ro"],
        "PortBindings": {
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
        },
        "NetworkMode": "default",
        "ReadonlyRootfs": False,
    },
}
IMAGE: dict[str, Any] = {
    "Env": ["PATH=/bin"],
    "Labels": {"maintainer": "somebody"},
    "Cmd": ["serve"],
    "WorkingDir": "/srv",
}


def differences(seen: dict[str, Any], image: dict[str, Any], **config: Any) -> tuple[str, ...]:
    service = {"serviceId": 1, "serviceName": "web", "config": CONFIG | config}
    wanted = read_target({"apps": {"1001": {"appName": "App", "services": [service]}}})
    [app] = wanted.apps
    target = target_of(app).services[0]
    names = original_names(app).volumes
    volumes = {volume.name: names.get(volume.name, volume.name) for volume in app.spec.volumes}
    spec = normalise(record_of(seen, image, target, app, volumes))
    return changes(spec, target.spec, same_image=spec.image == target.spec.image)


def other(part: str, **values: Any) -> dict[str, Any]:
    seen = copy.deepcopy(SEEN)
    seen[part] |= values
    return seen


@pytest.mark.parametrize(
    ("seen", "config", "told"),
    [
        (SEEN, {}, ()),
        (other("Config", Image="docker.io/library/web:1"), {}, ()),
        (other("Config", Image="web:2"), {}, ("image web:2 -> web:1",)),
        (other("Config", Env=["A=2", "B=2/x"]), {}, ("env A changed", "env B changed")),
        (other("Config", Env=["A=1", "B=$(A)/x", "C=3"]), {}, ("env C removed",)),
        (other("Config", Env=["A=1"]), {}, ("env B added",)),
        (other("Config", Env=["A=1", "B=$(A)/x", "PATH=/opt"]), {}, ("env PATH removed",)),
        (other("Config", Labels={"team": "it"}), {}, ("label team changed",)),
        (other("Config", Labels={"team": "ot", "more": "1"}), {}, ("label more removed",)),
        (other("Config", Cmd=["other"]), {}, ("args changed",)),
        (SEEN, {"command": ["collector", "--fast"]}, ("args changed",)),
        (other("Config", Cmd=["run", "$(A)"]), {"command": ["run", "$(A)"]}, ()),
        (other("Config", WorkingDir="/"), {}, ("working directory changed",)),
        (other("Config", User="0"), {}, ("security context changed",)),
        (other("Config", User="root"), {}, ("security context changed",)),
        (other("Config", Hostname="c1"), {}, ("hostname changed",)),
        (other("Config", StopTimeout=10), {}, ()),
        (other("Config", StopTimeout=30), {}, ("stop grace period changed",)),
        (other("Config", StopTimeout=30), {"stopTimeout": 30}, ()),
        (other("HostConfig", ReadonlyRootfs=True), {}, ("security context changed",)),
        (other("HostConfig", NetworkMode="host"), {}, ("network mode changed",)),
        (other("HostConfig", NetworkMode="host", PortBindings={}), {"networkMode": "host"}, ()),
        (other("HostConfig", PortBindings=None), {}, ("ports changed",)),
        (
            other("HostConfig", Binds=None),
            {},
            ("volume my-data at /data added", "volume etc-site at /site added"),
        ),
        (
            other("HostConfig", Binds=["my-data:/data", "/etc/site:/site:ro"]),
            {},
            ("volume engine/my-data -> my-data at /data",),
        ),
        (
            other("HostConfig", Binds=[*SEEN["HostConfig"]["Binds"], "x:/x"]),
            {},
            ("volume engine/x at /x removed",),
        ),
    ],
)
def test_only_what_differs_is_told(
    seen: dict[str, Any], config: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert differences(seen, IMAGE, **config) == told


def test_an_image_that_is_gone_says_nothing_against_it() -> None:
    """Nobody knows then what came from it."""
    assert differences(SEEN, {}) == ()
    assert differences(other("Config", Env=["A=2", "B=2/x"]), {}) == ("env A changed", "env B changed")
