"""An agent that is killed in the middle of an update, on a real engine with a real registry: once it is
started again, the update ends as if nothing had happened. A sample by lot; IOTISTIC_FULL=1 takes all.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import DockerGround, Seen
from tests.docker.conftest import missing
from tests.docker.registry import free_port, push, running, why_not
from tests.faults.cutting import Cut, begin, cuts, steps_of
from tests.faults.seeds import FULL, SEED

STEPS = {"DownloadThenKill": 6, "KillThenDownload": 6, "DeleteThenDownload": 6, "HandOver": 4}
"""Steps of the engine in the update below."""
LONGEST_SECONDS = {"HandOver": 2.5}
PROBE = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
LOAD = Path(__file__).parents[1] / "docker" / "load.py"
LOAD_SECONDS = 6
MOST_FAILED = {"before": 0, "after": 0, "during": 2}
"""Of 300 requests. A cut during a hand-over may come between the two calls that take a name from a container:
what it has under way at that moment is lost. A service that was gone for a moment would fail many."""
NOWHERE = "unix:///run/no-docker.sock"
APP = f"cut{uuid.uuid4().hex[:6]}"
"""What another run has left behind, when it was killed itself, must not stand in the way."""


def sample() -> list[tuple[str, Cut]]:
    """Cuts by strategy: all, or one of each by lot."""
    chance = random.Random(SEED)
    found = []
    for strategy, steps in STEPS.items():
        of_strategy = cuts(SEED, steps, LONGEST_SECONDS.get(strategy, 0.3))
        found += [(strategy, cut) for cut in (of_strategy if FULL else [chance.choice(of_strategy)])]
    return found


@pytest.fixture(scope="module")
def registry(real_ground: DockerGround) -> Iterator[str]:
    """A registry that has the images of the App below."""
    why = why_not()
    if why:
        missing(f"no registry: {why}")
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iot-registry-")))
        stack.enter_context(running(folder, "plain", address, ""))
        for name, version in (("db", 1), ("api", 1), ("web", 1), ("web", 2)):
            push(real_ground.api, real_ground.image(name, version), f"{address}/{name}:{version}")
        yield address


def shop(registry: str, release: int, strategy: str) -> dict[str, Any]:
    """Three services: an update changes the image of web, the environment of api, and nothing of db."""
    level = [{"name": "LEVEL", "value": str(release)}]
    db = {"name": "db", "image": f"{registry}/db:1"}
    api = {"name": "api", "image": f"{registry}/api:1", "env": level, "dependsOn": {"db": "started"}}
    web = {"name": "web", "image": f"{registry}/web:{release}", "dependsOn": {"api": "healthy"}}
    services = [one | {"readinessProbe": PROBE} for one in (db, api, web)]
    return app(APP, *services, update={"strategy": strategy})


@pytest.mark.docker
@pytest.mark.parametrize(("strategy", "cut"), sample(), ids=str)
def test_an_update_that_is_cut_ends_as_if_it_had_not_been(
    real_ground: DockerGround, registry: str, strategy: str, cut: Cut
) -> None:
    print(f"seed {SEED}: {strategy}, cut {cut}")
    with images_go(real_ground, registry), device(real_ground) as box:
        with forked(box):
            box.apply(shop(registry, 1, strategy), seconds=240)
            box.until(box.settled, "nothing is left to do")
        before = {one.service: one for one in box.containers()}
        with forked(box, DOCKER_HOST=NOWHERE):
            box.apply(shop(registry, 2, strategy), ready=False)
        asked = serving(real_ground, before["db"]) if strategy == "HandOver" else nullcontext({"failed": 0})
        with asked as answers:
            agent = begin(box.data, "docker", cut)
            agent.join(240)
            if agent.exitcode != -9:
                agent.kill()
                pytest.fail(f"it was not cut: {agent.exitcode}\n{steps_of(box.data)}\n{box.said()}")
            with forked(box):
                box.until(
                    lambda: _is_updated(box, real_ground, registry, before),
                    "the update has ended",
                    seconds=240,
                )
        _check(box, real_ground, registry, before)
        assert answers["failed"] <= MOST_FAILED[cut.moment], answers


@contextmanager
def images_go(ground: DockerGround, registry: str) -> Iterator[None]:
    """What was fetched goes at the end, so that the next device fetches it again."""
    try:
        yield
    finally:
        _remove_images(ground, registry)


@contextmanager
def forked(box: Device, **settings: str) -> Iterator[None]:
    """An agent that is not cut, until the end; then it is killed."""
    agent = begin(box.data, "docker", **settings)
    try:
        box.until(lambda: agent.exitcode is not None or box.answers(), "its API answers", seconds=240)
        yield
    finally:
        agent.kill()
        agent.join(60)


@contextmanager
def serving(ground: DockerGround, client: Seen) -> Iterator[dict[str, Any]]:
    """Ask web by its name, from the network of another service; what came of it is known at the end."""
    pid = ground.inspect(client)["State"]["Pid"]
    asking = [sys.executable, str(LOAD), "web", "8080", "50", str(LOAD_SECONDS)]
    load = subprocess.Popen(["nsenter", f"--net=/proc/{pid}/ns/net", *asking], stdout=subprocess.PIPE)
    answers: dict[str, Any] = {}
    try:
        yield answers
        said, _ = load.communicate(timeout=120)
        answers |= json.loads(said)
    finally:
        load.kill()
        load.wait()


def _is_updated(box: Device, ground: DockerGround, registry: str, before: dict[str, Seen]) -> bool:
    found = {one.service: one for one in box.containers()}
    return (
        found.keys() == {"db", "api", "web"}
        and found["web"].image == f"{registry}/web:2"
        and found["api"].id != before["api"].id
        and box.settled()
        and not any(ground.inspect(one)["Name"].endswith("-next") for one in found.values())
    )


def _check(box: Device, ground: DockerGround, registry: str, before: dict[str, Seen]) -> None:
    """The world is the one of an update that was not cut."""
    told = f"seed {SEED}, steps {steps_of(box.data)}\n{box.said()}"
    containers = box.containers()
    assert sorted(one.service for one in containers) == ["api", "db", "web"], told
    after = {one.service: one for one in containers}
    assert after["db"] == before["db"], told
    shown = {service: ground.inspect(one) for service, one in after.items()}
    assert {one["State"]["Status"] for one in shown.values()} == {"running"}, told
    names = {service: one["Name"] for service, one in shown.items()}
    assert names == {one: f"/{APP}-{one}-{number}" for number, one in enumerate(("db", "api", "web"), 1)}, (
        told
    )
    assert "LEVEL=2" in shown["api"]["Config"]["Env"], told
    aliases = {
        service: set(one["NetworkSettings"]["Networks"][f"{APP}_default"]["Aliases"]) & {"db", "api", "web"}
        for service, one in shown.items()
    }
    assert aliases == {service: {service} for service in shown}, told
    assert ground.networks(box.data) == {f"{APP}/default"}, told
    assert list(box.data.glob("locks/**/update.lock")) == [], told
    assert _images(ground, registry) == {f"{registry}/{one}" for one in ("db:1", "api:1", "web:2")}, told


def _images(ground: DockerGround, registry: str) -> set[str]:
    tags = [tag for row in ground.api.images() for tag in row["RepoTags"] or ()]
    return {tag for tag in tags if tag.startswith(registry)}


def _remove_images(ground: DockerGround, registry: str) -> None:
    for tag in _images(ground, registry):
        ground.api.remove_image(tag, force=True, noprune=True)
