"""Each step on a real engine: what it makes of the world."""

from __future__ import annotations

from iotistic.planning.values import Action, Status
from tests.docker.rig import IMAGE, Rig


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
