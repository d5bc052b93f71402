"""What is not of this install is never touched, and what stands in the way is named."""

from __future__ import annotations

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.values import Action
from tests.docker.rig import FULL, IMAGE, Rig

APP = "foreign"


async def test_two_installs_on_one_engine_see_their_own_only(rig: Rig) -> None:
    rig.app(APP, {"name": "web"}, volumes=[{"name": "data"}])
    [web] = await rig.up()
    other = rig.another("test-other-install")

    seen = await other.observe(frozenset({FULL}), full=True)
    await other.close()

    assert (seen.networks, seen.volumes) == ((), ())
    assert [one.app for one in seen.containers if one.id == web.id] == [""], "it keeps its image from going"
    mine = await rig.observe(full=True)
    assert [one.app for one in mine.containers if one.id == web.id] == [APP]


async def test_a_lost_database_loses_nothing_as_all_is_on_the_labels(rig: Rig) -> None:
    target = rig.app(
        APP,
        {
            "name": "web",
            "env": [{"name": "A", "value": "b"}],
            "volumeMounts": [{"name": "data", "mountPath": "/d"}],
        },
        networks=[{"name": "default", "internal": True}],
        volumes=[{"name": "data"}],
        release="5",
    )
    await rig.up()
    fresh = rig.another()

    seen = await fresh.observe(frozenset())
    await fresh.close()

    [web] = [one for one in seen.containers if one.app]
    assert (web.app, web.service, web.release, web.spec) == (APP, "web", "5", target.services[0].spec)
    assert {one.name: one.config for one in seen.networks} == dict(target.networks)
    assert {one.name: one.config for one in seen.volumes} == dict(target.volumes)


async def test_a_container_in_the_way_is_named(rig: Rig) -> None:
    id = rig.foreign(f"{APP}-web-1")
    rig.app(APP, {"name": "web"})

    with pytest.raises(EngineError, match="a container foreign-web-1 that is not of this install") as raised:
        await rig.up()

    assert "docker rename foreign-web-1" in raised.value.hint
    assert rig.inspect(id)["State"]["Running"]


async def test_a_network_in_the_way_is_named(rig: Rig) -> None:
    rig.foreign_network(f"{APP}_default")
    rig.app(APP, {"name": "web"})

    with pytest.raises(EngineError, match="a network foreign_default that is not of this install") as raised:
        await rig.do(Action.CREATE_NETWORK, name="default")

    assert "docker network rm foreign_default" in raised.value.hint
    await rig.do(Action.REMOVE_NETWORK, name="default")
    assert rig.api.networks(names=[f"{APP}_default"]), "a stranger's is not removed"


async def test_a_volume_in_the_way_is_named_and_its_data_safe(rig: Rig) -> None:
    rig.foreign_volume(f"{APP}_data")
    rig.app(APP, {"name": "web"}, volumes=[{"name": "data"}])

    for action in (Action.CREATE_VOLUME, Action.REMOVE_VOLUME):
        with pytest.raises(EngineError, match="a volume foreign_data that is not of this install") as raised:
            await rig.do(action, name="data")
        assert "docker volume rm foreign_data" in raised.value.hint
    assert rig.api.inspect_volume(f"{APP}_data")


async def test_two_apps_whose_names_say_the_same_get_along(rig: Rig) -> None:
    rig.app("foreign-a", {"name": "b-c"})
    [first] = await rig.up()
    rig.app("foreign-a-b", {"name": "c"})
    [second] = await rig.up()

    assert (first.name, second.name) == ("foreign-a-b-c-1", "foreign-a-b_c_1")


async def test_made_twice_is_made_once(rig: Rig) -> None:
    rig.app(APP, {"name": "web"}, volumes=[{"name": "data"}])

    for _ in range(2):
        await rig.do(Action.CREATE_NETWORK, name="default")
        await rig.do(Action.CREATE_VOLUME, name="data")
    assert len(rig.api.networks(names=[f"{APP}_default"])) == 1
    for _ in range(2):
        await rig.do(Action.REMOVE_NETWORK, name="default")
        await rig.do(Action.REMOVE_VOLUME, name="data")

    seen = await rig.observe()
    assert (seen.networks, seen.volumes) == ((), ())


async def test_a_network_with_a_strangers_container_says_whose(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    await rig.do(Action.CREATE_NETWORK, name="default")
    rig.foreign("foreign-guest", HostConfig={"NetworkMode": f"{APP}_default"})

    with pytest.raises(
        EngineError, match="App foreign, network default: containers are attached: foreign-guest"
    ):
        await rig.do(Action.REMOVE_NETWORK, name="default")


async def test_a_volume_in_use_says_by_whom(rig: Rig) -> None:
    rig.app(
        APP,
        {"name": "web", "volumeMounts": [{"name": "data", "mountPath": "/d"}]},
        volumes=[{"name": "data"}],
    )
    await rig.up()

    with pytest.raises(EngineError, match="App foreign, volume data: containers use it: foreign-web-1"):
        await rig.do(Action.REMOVE_VOLUME, name="data")


async def test_networks_and_volumes_are_made_as_written(rig: Rig) -> None:
    target = rig.app(
        APP,
        {"name": "web"},
        networks=[
            {
                "name": "floor",
                "driverOpts": {"com.docker.network.bridge.enable_icc": "false"},
                "internal": True,
                "labels": {"team": "ot", "iotistic.io/app": "other"},
                "ipam": {
                    "config": [
                        {"subnet": "10.231.8.0/24", "gateway": "10.231.8.9", "ipRange": "10.231.8.128/25"}
                    ]
                },
            }
        ],
        volumes=[
            {"name": "ram", "driverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}, "size": "5Gi"}
        ],
    )

    await rig.do(Action.CREATE_NETWORK, name="floor")
    await rig.do(Action.CREATE_VOLUME, name="ram")

    network = rig.api.inspect_network(f"{APP}_floor")
    assert (network["Driver"], network["Internal"]) == ("bridge", True)
    assert network["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
    assert network["IPAM"]["Config"] == [
        {"Subnet": "10.231.8.0/24", "IPRange": "10.231.8.128/25", "Gateway": "10.231.8.9"}
    ]
    assert network["Labels"]["team"] == "ot"
    assert network["Labels"]["iotistic.io/app"] == APP
    volume = rig.api.inspect_volume(f"{APP}_ram")
    assert volume["Options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    seen = await rig.observe()
    assert [one.config for one in seen.networks] == [target.networks["floor"]]
    assert [one.config for one in seen.volumes] == [target.volumes["ram"]]


async def test_a_network_whose_addresses_are_taken_says_so(rig: Rig) -> None:
    ipam = {"config": [{"subnet": "10.231.9.0/24"}]}
    rig.app(APP, {"name": "web"}, networks=[{"name": "one", "ipam": ipam}, {"name": "two", "ipam": ipam}])
    await rig.do(Action.CREATE_NETWORK, name="one")

    with pytest.raises(EngineError, match=r"App foreign, network two: .*overlaps") as raised:
        await rig.do(Action.CREATE_NETWORK, name="two")

    assert "ipam.config[].subnet" in raised.value.hint


async def test_strangers_that_use_our_image_are_seen_and_others_not(rig: Rig) -> None:
    rig.image("iotistic/foreign-other:1")
    user = rig.foreign("foreign-user")
    rig.foreign("foreign-idle", Image="iotistic/foreign-other:1", start=False)

    seen = await rig.observe(full=True)

    strangers = {one.name: one for one in seen.containers if not one.app}
    assert strangers["foreign-user"].id == user
    assert strangers["foreign-user"].spec.image.short == IMAGE
    assert "foreign-idle" not in strangers
