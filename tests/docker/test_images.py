"""Images: which are seen under which names, and which can be removed."""

from __future__ import annotations

import pytest

from iotistic.api.errors import EngineError
from iotistic.api.image import parse_image
from iotistic.planning.values import Action
from tests.docker.rig import FULL, IMAGE, SLEEP, Rig

APP = "images"


async def test_only_what_something_of_ours_names_is_seen(rig: Rig) -> None:
    rig.image("iotistic-test/images-a:1")
    rig.image("iotistic-test/images-b:1")

    named = frozenset({parse_image("iotistic-test/images-a:1").full, parse_image("web:never").full})
    seen = await rig.engine.observe(named)

    assert [one.ref.short for one in seen.images] == ["iotistic-test/images-a:1"]


async def test_an_image_without_a_registry_has_its_id_for_a_digest(rig: Rig) -> None:
    id = rig.image("iotistic-test/images-a:1")
    rig.api.tag("iotistic-test/images-a:1", "iotistic-test/images-a", "2")
    rig.goes("image", "iotistic-test/images-a:2")
    pin = parse_image(f"iotistic-test/images-a@{id}")

    seen = await rig.engine.observe(frozenset({pin.full}))

    assert {(one.ref.short, one.digest) for one in seen.images} == {
        ("iotistic-test/images-a:1", id),
        ("iotistic-test/images-a:2", id),
    }


async def test_a_service_pinned_to_such_an_id_runs(rig: Rig) -> None:
    id = rig.api.inspect_image(IMAGE)["Id"]
    target = rig.app(APP, {"name": "web", "image": f"iotistic/hello@{id}"})

    [web] = await rig.up()

    assert (web.image_digest, web.spec) == (id, target.services[0].spec)


async def test_an_image_that_a_container_of_anybody_uses_is_not_removed(rig: Rig) -> None:
    rig.image("iotistic-test/images-a:1")
    rig.foreign("images-user", Image="iotistic-test/images-a:1", Cmd=["x"], start=False)

    with pytest.raises(EngineError, match="containers use it: images-user"):
        await rig.do(Action.REMOVE_IMAGE, name=parse_image("iotistic-test/images-a:1").full)

    assert rig.api.inspect_image("iotistic-test/images-a:1")


async def test_an_image_goes_by_each_of_its_names_and_twice_is_as_good(rig: Rig) -> None:
    id = rig.image("iotistic-test/images-a:1")
    rig.api.tag("iotistic-test/images-a:1", "iotistic-test/images-a", "2")
    rig.goes("image", "iotistic-test/images-a:2")

    await rig.do(Action.REMOVE_IMAGE, name=parse_image("iotistic-test/images-a:1").full)
    assert rig.api.inspect_image(id)["RepoTags"] == ["iotistic-test/images-a:2"]
    await rig.do(Action.REMOVE_IMAGE, name=parse_image("iotistic-test/images-a:2").full)
    await rig.do(Action.REMOVE_IMAGE, name=parse_image("iotistic-test/images-a:2").full)

    assert not [row for row in rig.api.images() if row["Id"] == id]


async def test_an_image_of_ours_that_lost_its_name_is_still_the_containers(rig: Rig) -> None:
    rig.api.tag(IMAGE, "iotistic-test/images-moved", "1")
    rig.goes("image", "iotistic-test/images-moved:1")
    rig.app(APP, {"name": "web", "image": "iotistic-test/images-moved:1", "command": SLEEP})
    [web] = await rig.up()

    rig.api.remove_image("iotistic-test/images-moved:1")
    seen = await rig.engine.observe(frozenset({FULL}), full=True)

    [same] = [one for one in seen.containers if one.app]
    assert same.spec == web.spec
    assert same.image_digest == next(one.digest for one in seen.images if one.ref.full == FULL)
