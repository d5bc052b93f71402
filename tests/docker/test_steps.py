"""Each step on a real engine: what it makes of the world."""

from __future__ import annotations

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.values import Action, Status
from tests.docker.rig import IMAGE, SLEEP, Rig


async def test_an_app_comes_up_and_goes_again(rig: Rig) -> None:
    target = rig.app("steps-life", {"name": "web"}, {"name": "db"}, volumes=[{"name": "data"}])

    web, db = await rig.up()

    assert (web.status, db.status) == (Status.RUNNING, Status.RUNNING)
    assert [web.spec, db.spec] == [service.spec for service in target.services]
    assert (web.app, web.service, web.name) == ("steps-life", "web", "steps-life-web-1")
    assert web.release == "1"
    seen = await rig.observe()
    assert [(network.app, network.name) for network in seen.networks] == [("steps-life", "default")]
    assert [(volume.app, volume.name) for volume in seen.volumes] == [("steps-life", "data")]
    assert [image.ref.short for image in seen.images] == [IMAGE]

    await rig.do(Action.STOP, "web", container=web.id)
    assert (await rig.container("web")).status is Status.EXITED
    await rig.do(Action.REMOVE, "web", container=web.id)
    await rig.do(Action.KILL, "db", container=db.id)
    await rig.do(Action.REMOVE_NETWORK, name="default")
    await rig.do(Action.REMOVE_VOLUME, name="data")

    left = await rig.observe()
    assert not [one for one in left.containers if one.app]
    assert (left.networks, left.volumes) == ((), ())


async def test_made_and_not_started_is_started_later_as_it_is(rig: Rig) -> None:
    bindings = {"PortBindings": {"80/tcp": [{"HostPort": "18490"}]}}
    rig.foreign("steps-holder", ExposedPorts={"80/tcp": {}}, HostConfig=bindings)
    target = rig.app("steps-cut", {"name": "web", "ports": [{"containerPort": 80, "hostPort": 18490}]})
    with pytest.raises(EngineError, match="host port 18490"):
        await rig.up()
    made = await rig.container("web")
    assert (made.status, made.spec) == (Status.CREATED, target.services[0].spec)

    rig.api.remove_container("steps-holder", force=True)
    await rig.do(Action.START, "web", container=made.id)

    web = await rig.container("web")
    assert (web.id, web.status, web.spec) == (made.id, Status.RUNNING, target.services[0].spec)


async def test_made_and_cut_off_before_its_second_network_is_seen_as_changed(rig: Rig) -> None:
    target = rig.app(
        "steps-cut", {"name": "web", "networks": {"default": {}, "back": {}}}, networks=[{"name": "back"}]
    )
    [web] = await rig.up()
    seen = rig.inspect(web)
    await rig.do(Action.KILL, "web", container=web.id)
    endpoints = {"steps-cut_default": {"Aliases": ["web"]}}
    rig.foreign(
        "steps-cut-web-1",
        start=False,
        Entrypoint=SLEEP,
        Cmd=[],
        Labels=seen["Config"]["Labels"],
        HostConfig=seen["HostConfig"],
        NetworkingConfig={"EndpointsConfig": endpoints},
    )

    half = await rig.container("web")

    assert half.status is Status.CREATED
    assert half.spec.networks == {"default"}
    assert half.spec != target.services[0].spec
    with pytest.raises(EngineError, match="container steps-cut-web-1 is there already"):
        await rig.do(Action.START, "web")
