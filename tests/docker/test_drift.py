"""What somebody changes by hand is seen, and nothing else is taken for a change."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from iotistic.planning.compare import differences
from iotistic.planning.values import Action, Container
from tests.docker.rig import IMAGE, SLEEP, Rig

APP = "drift"
SERVICE = {
    "name": "web",
    "resources": {"limits": {"memory": "64Mi", "cpu": 0.5}, "requests": {"cpu": 0.25, "memory": "32Mi"}},
    "networks": {"default": {"aliases": ["www"]}, "back": {}},
}


def docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True)


async def up(rig: Rig) -> Container:
    target = rig.app(APP, SERVICE, networks=[{"name": "back"}])
    [web] = await rig.up()
    assert web.spec == target.services[0].spec
    return web


async def test_updates_by_hand_are_another_spec(rig: Rig) -> None:
    web = await up(rig)

    for words, path, value in (
        ("--memory 48m", "resources/limits/memory", 48 * 2**20),
        ("--cpus 0.75", "resources/limits/cpu", 750_000_000),
        ("--cpu-shares 512", "resources/requests/cpu", 500_000_000),
        ("--memory-reservation 16m", "resources/requests/memory", 16 * 2**20),
        ("--restart no", "restartPolicy", "Never"),
        ("--restart on-failure:3", "restartPolicy", "OnFailure"),
    ):
        docker("update", *words.split(), web.name)
        seen: Any = json.loads((await rig.container("web")).spec.config)
        for key in path.split("/"):
            seen = seen[key]
        assert (words, seen) == (words, value)
    docker("update", *["--memory", "64m", "--cpus", "0.5", "--cpu-shares", "256"], web.name)
    docker("update", *["--memory-reservation", "32m", "--restart", "unless-stopped"], web.name)
    assert (await rig.container("web")).spec == web.spec, "mended by hand"


async def test_always_by_hand_is_our_always(rig: Rig) -> None:
    web = await up(rig)

    docker("update", "--restart", "always", web.name)

    assert (await rig.container("web")).spec == web.spec


async def test_a_network_left_by_hand_and_joined_without_its_names_is_seen(rig: Rig) -> None:
    web = await up(rig)

    docker("network", "disconnect", f"{APP}_back", web.name)
    assert (await rig.container("web")).spec.networks == {"default"}
    docker("network", "connect", f"{APP}_back", web.name)
    nameless = await rig.container("web")
    assert nameless.spec.networks == {"default", "back"}
    assert nameless.spec != web.spec, "nobody finds it as web there"
    docker("network", "disconnect", f"{APP}_back", web.name)
    docker("network", "connect", "--alias", "web", f"{APP}_back", web.name)
    assert (await rig.container("web")).spec == web.spec, "mended by hand"


async def test_one_that_is_off_all_its_networks_is_no_default_one(rig: Rig) -> None:
    target = rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    docker("network", "disconnect", f"{APP}_default", web.name)

    seen = await rig.observe()
    off = await rig.container("web")
    assert differences(off, target.services[0], target, seen) == ("network default joined",)


async def test_a_strangers_network_on_our_container_is_left_alone(rig: Rig) -> None:
    web = await up(rig)
    rig.foreign_network("drift-proxy")

    docker("network", "connect", "drift-proxy", web.name)

    assert (await rig.container("web")).spec == web.spec


async def test_a_network_made_again_behind_a_stopped_container_is_seen(rig: Rig) -> None:
    web = await up(rig)
    await rig.do(Action.STOP, "web", container=web.id)
    docker("network", "rm", f"{APP}_back")
    await rig.do(Action.CREATE_NETWORK, name="back")

    assert (await rig.container("web")).spec != web.spec, "the engine would not start it any more"


async def test_a_renamed_container_is_the_same(rig: Rig) -> None:
    web = await up(rig)

    docker("rename", web.name, "drift-renamed")

    seen = await rig.container("web")
    assert (seen.name, seen.spec) == ("drift-renamed", web.spec)


@pytest.mark.parametrize(
    ("label", "same"),
    [
        ('{"version":1,"record":{"image":"iotistic/hello:1","command":["sleep","86400"]}}', True),
        ('{"version":9,"record":{"image":"iotistic/hello:1","command":["sleep","86400"]}}', True),
        ('{"version":9,"record":{"image":"iotistic/hello:1","command":["sleep","86400"],"new":1}}', False),
        (
            '{"version":1,"record":{"image":"iotistic/hello:1","stopGracePeriod":"10s","command":["sleep","86400"]}}',
            True,
        ),
        ("not JSON", False),
        ("[]", False),
        ('{"version":1}', False),
        ('{"version":1,"record":{"image":7}}', False),
        ('{"version":1,"record":{"image":"iotistic/hello:1","resources":{"limits":{"cpu":"?"}}}}', False),
        ('{"version":1,"record":{"image":"iotistic/hello:1","networks":["default"]}}', False),
    ],
)
async def test_a_label_that_is_newer_or_broken_is_still_ours(rig: Rig, label: str, same: bool) -> None:
    target = rig.app(APP, {"name": "web", "stopGracePeriod": 10})
    await rig.do(Action.CREATE_NETWORK, name="default")
    labels = {
        "iotistic.io/app": APP,
        "iotistic.io/service": "web",
        "iotistic.io/install": rig.install,
        "iotistic.io/spec": label,
    }
    rig.foreign(
        "drift-label",
        Entrypoint=SLEEP,
        Cmd=[],
        Labels=labels,
        HostConfig={"NetworkMode": f"{APP}_default", "RestartPolicy": {"Name": "unless-stopped"}},
        NetworkingConfig={"EndpointsConfig": {f"{APP}_default": {"Aliases": ["web"]}}},
    )

    seen = await rig.container("web")

    assert (seen.app, seen.service) == (APP, "web")
    assert (seen.spec == target.services[0].spec) is same
    assert seen.spec.image.short == IMAGE
    assert seen.spec.networks == {"default"}


@pytest.mark.parametrize("label", ["broken", '{"record":{},"version":7}'])
async def test_a_network_or_volume_with_such_a_label_is_ours_by_what_the_engine_shows(
    rig: Rig, label: str
) -> None:
    labels = {
        "iotistic.io/app": APP,
        "iotistic.io/name": "back",
        "iotistic.io/install": rig.install,
        "iotistic.io/spec": label,
    }
    rig.foreign_network(f"{APP}_back", labels=labels)
    rig.foreign_volume(f"{APP}_back", labels=labels)
    target = rig.app(APP, {"name": "web"}, networks=[{"name": "back"}], volumes=[{"name": "back"}])

    seen = await rig.observe()

    assert [(one.app, one.name, one.config) for one in seen.networks] == [
        (APP, "back", target.networks["back"])
    ]
    assert [(one.app, one.name, one.config) for one in seen.volumes] == [(APP, "back", "")]
