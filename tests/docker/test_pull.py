"""Fetching from real registries: logins, certificates, broken wires, digests."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from iotistic.api.errors import EngineError, ImageNotFoundError, RegistryError
from iotistic.api.image import parse_image
from iotistic.planning.values import Action
from tests.docker.registry import PASSWORD, USER, Registry, Wire, push, untrusted
from tests.docker.rig import Rig, make_image, until

APP = "pull"
MB = 1_000_000


@pytest.fixture(scope="module")
def pushed(api: Any, registry: Registry) -> str:
    """An image in both registries: its digest."""
    make_image(api, "iotistic-test/pull:1", 6 * MB)
    digest = push(api, "iotistic-test/pull:1", f"{registry.plain}/team/pull:1")
    api.remove_image("iotistic-test/pull:1")
    return digest


def login(registry: str, user: str = USER, password: str = PASSWORD) -> str:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {registry: {"auth": auth}}})


async def fetch(rig: Rig, image: str, *secrets: str) -> None:
    """Fetch an image as an App's service would."""
    rig.goes("image", image)
    pull_secrets = [{"name": name} for name in secrets]
    rig.app(APP, {"name": "web", "image": image, "imagePullSecrets": pull_secrets})
    await rig.do(Action.FETCH, name=parse_image(image).full)


def there(api: Any, image: str) -> bool:
    try:
        api.inspect_image(image)
    except docker.errors.NotFound:
        return False
    return True


async def test_a_pull_tells_how_far_it_is(rig: Rig, registry: Registry, pushed: str) -> None:
    image = f"{registry.plain}/team/pull:1"

    await fetch(rig, image)

    seen = await rig.engine.observe(frozenset({parse_image(image).full}))
    assert [(one.ref.short, one.digest) for one in seen.images] == [(image, pushed)]
    assert rig.progress[-1].current == rig.progress[-1].total >= 6 * MB
    currents = [progress.current for progress in rig.progress]
    assert currents == sorted(currents)
    assert {progress.message for progress in rig.progress} >= {"pulling", "extracting"}


async def test_an_image_by_digest_is_there_by_tag_and_digest(
    rig: Rig, registry: Registry, pushed: str
) -> None:
    pin = f"{registry.plain}/team/pull@{pushed}"

    await fetch(rig, pin)
    seen = await rig.engine.observe(frozenset({parse_image(pin).full}))
    assert [(one.ref.short, one.digest) for one in seen.images] == [(pin, pushed)]

    await fetch(rig, f"{registry.plain}/team/pull:1")
    seen = await rig.engine.observe(frozenset({parse_image(pin).full}))
    assert {(one.ref.short, one.digest) for one in seen.images} == {
        (pin, pushed),
        (f"{registry.plain}/team/pull:1", pushed),
    }


@pytest.mark.parametrize("way", ["secret", "config", "config beside a wrong one"])
async def test_the_right_login_lets_in(
    rig: Rig, registry: Registry, pushed: str, way: str, tmp_path: Path
) -> None:
    image = f"{registry.closed}/team/pull:1"
    folder = rig.docker_config
    folder.mkdir()
    match way:
        case "secret":
            rig.kept.put("Secret", "reg", _dockerconfigjson=login(registry.closed))
            await fetch(rig, image, "reg")
        case "config":
            (folder / "config.json").write_text(login(registry.closed))
            await fetch(rig, image)
        case _:
            (folder / "config.json").write_text(login(registry.closed, password="old"))
            rig.kept.put("Secret", "other", _dockerconfigjson=login("elsewhere.test"))
            rig.kept.put("Secret", "reg", _dockerconfigjson=login(registry.closed))
            await fetch(rig, image, "other", "reg")

    assert there(rig.api, image)


async def test_without_a_login_it_says_where_to_name_one(rig: Rig, registry: Registry, pushed: str) -> None:
    with pytest.raises(RegistryError, match="wants a login") as raised:
        await fetch(rig, f"{registry.closed}/team/pull:1")

    assert "imagePullSecrets" in raised.value.hint
    assert registry.closed in raised.value.message


async def test_a_wrong_password_names_the_secret_and_never_the_password(
    rig: Rig, registry: Registry, pushed: str
) -> None:
    rig.kept.put("Secret", "reg", _dockerconfigjson=login(registry.closed, password="wrong-horse"))

    with pytest.raises(RegistryError, match="does not accept the login of Secret reg") as raised:
        await fetch(rig, f"{registry.closed}/team/pull:1", "reg")

    assert "correct Secret reg" in raised.value.hint
    assert "wrong-horse" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (None, "imagePullSecrets names Secret reg, which is not there"),
        ({"password": "x"}, "holds no login of a registry"),
        ({"_dockerconfigjson": "{not json"}, "is no JSON object with logins"),
        ({"_dockerconfigjson": '{"auths": {"REGISTRY": {"auth": "%%%"}}}'}, "can't be read"),
    ],
)
async def test_a_secret_that_is_no_login_is_named(
    rig: Rig, registry: Registry, values: dict[str, str] | None, said: str
) -> None:
    if values is not None:
        rig.kept.put(
            "Secret", "reg", **{k: v.replace("REGISTRY", registry.closed) for k, v in values.items()}
        )

    with pytest.raises(EngineError, match=said) as raised:
        await fetch(rig, f"{registry.closed}/team/pull:1", "reg")

    assert raised.value.hint


async def test_a_missing_ca_names_the_file_on_the_host(rig: Rig, registry: Registry, pushed: str) -> None:
    rig.kept.put("Secret", "reg", _dockerconfigjson=login(registry.closed))

    with untrusted(registry.closed):
        with pytest.raises(RegistryError, match="x509: certificate signed by unknown authority") as raised:
            await fetch(rig, f"{registry.closed}/team/pull:1", "reg")
        assert f"/etc/docker/certs.d/{registry.closed}/ca.crt" in raised.value.hint

    await fetch(rig, f"{registry.closed}/team/pull:1", "reg")


@pytest.mark.parametrize("name", ["team/pull:9", "team/nothing:1"])
async def test_an_image_that_is_not_there(rig: Rig, registry: Registry, pushed: str, name: str) -> None:
    with pytest.raises(ImageNotFoundError, match=f"has no image {registry.plain}/{name}"):
        await fetch(rig, f"{registry.plain}/{name}")


async def test_a_registry_that_nobody_answers_for(rig: Rig) -> None:
    with pytest.raises(RegistryError, match="does not reach") as raised:
        await fetch(rig, "127.0.0.1:9/team/pull:1")
    assert "connection refused" in raised.value.message
    assert "/etc/systemd/system/docker.service.d/http-proxy.conf" in raised.value.hint

    with pytest.raises(RegistryError, match=r"no such host|server misbehaving"):
        await fetch(rig, "no-such-registry.iotistic.test/team/pull:1")


async def test_a_wire_that_breaks_once_is_mended_by_the_engine(
    rig: Rig, registry: Registry, wire: Wire, pushed: str
) -> None:
    wire.cut_after = 2 * MB

    await fetch(rig, f"{wire.address}/team/pull:1")

    assert any("the connection broke, retrying" in progress.message for progress in rig.progress)
    assert there(rig.api, f"{wire.address}/team/pull:1")


async def test_a_registry_that_dies_fails_the_pull_and_a_later_one_succeeds(
    rig: Rig, registry: Registry, wire: Wire, api: Any
) -> None:
    make_image(api, "iotistic-test/pull:dies", 3 * MB)
    push(api, "iotistic-test/pull:dies", f"{registry.plain}/team/pull:dies")
    api.remove_image("iotistic-test/pull:dies")
    wire.bytes_a_second = MB
    image = f"{wire.address}/team/pull:dies"
    task = asyncio.create_task(fetch(rig, image))
    await until(lambda: wire.carried > MB / 10)
    wire.bytes_a_second = 0
    wire.close()
    wire.dead = True

    # The engine tries five times with growing pauses, 50 s in all: cut it short, as an agent that is
    # restarted would, and see that nothing of it is in the way.
    await until(lambda: any("retrying" in progress.message for progress in rig.progress), seconds=20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(RegistryError):
        await fetch(rig, image)

    fresh = Wire(registry.plain_port)
    await fetch(rig, f"{fresh.address}/team/pull:dies")
    fresh.close()
    assert there(rig.api, f"{fresh.address}/team/pull:dies")


async def test_a_cancelled_pull_is_cut_at_once_and_can_be_tried_again(
    rig: Rig, wire: Wire, pushed: str
) -> None:
    image = f"{wire.address}/team/pull:1"
    wire.bytes_a_second = MB // 4
    task = asyncio.create_task(fetch(rig, image))
    await until(lambda: wire.carried > MB / 20)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(1)
    carried = wire.carried
    await asyncio.sleep(1)

    assert wire.carried == carried, "the engine pulls no more"
    assert not there(rig.api, image)
    wire.bytes_a_second = 0
    await fetch(rig, image)
    assert there(rig.api, image)


async def test_many_slow_pulls_hold_up_nothing_else(rig: Rig, wire: Wire, pushed: str) -> None:
    wire.bytes_a_second = 1000
    tasks = []
    for number in range(12):
        image = parse_image(f"{wire.address}/team/pull{number}:1").full
        tasks.append(asyncio.create_task(rig.engine.execute(rig.step(Action.FETCH, name=image), rig.context)))
    await asyncio.sleep(0.1)

    began = time.monotonic()
    rig.app(APP, {"name": "web"})
    await rig.up()

    assert time.monotonic() - began < 8
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
