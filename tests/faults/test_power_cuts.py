"""The power goes: agent, engine and containers are killed at one moment of an update or of an undo. Once
everything is up again it ends as if nothing had happened. A sample by lot; IOTISTIC_FULL=1 takes all moments.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import DockerGround, Seen
from tests.faults.engines import OwnEngine
from tests.faults.seeds import FULL, SEED

pytestmark = pytest.mark.docker

MOMENTS = 20
KINDS = ("DownloadThenKill", "HandOver", "undo")
WAIT_SECONDS = 240.0
DEADLINE_SECONDS = 4
"""Of a release that never gets ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When the power goes."""

    number: int
    kind: str
    """What is under way."""
    part: float
    """Of the time that it takes when it is not cut."""

    def __str__(self) -> str:
        return f"{self.number}-{self.kind}-at-{self.part:.0%}"


def moments() -> list[Moment]:
    """Moments that are spread over the kinds and the time that each takes; all, or one of each by lot."""
    chance = random.Random(SEED)
    found = [
        Moment(
            number=number + 1,
            kind=KINDS[number % len(KINDS)],
            part=chance.uniform(number, number + 1) / MOMENTS,
        )
        for number in range(MOMENTS)
    ]
    if FULL:
        return found
    return [chance.choice([one for one in found if one.kind == kind]) for kind in KINDS]


def shop(ground: DockerGround, kind: str, *, changed: bool = False) -> dict[str, Any]:
    """Three services: a change is another image of web, another environment of api, and nothing of db."""
    probe = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    data = [{"name": "data", "mountPath": "/data"}]
    level = [{"name": "LEVEL", "value": "2" if changed else "1"}]
    db = {"name": "db", "image": ground.image("db"), "volumeMounts": data} | probe
    api = {"name": "api", "image": ground.image("web"), "env": level, "dependsOn": {"db": "started"}} | probe
    web = {"name": "web", "image": ground.image("web", 2 if changed else 1)} | probe
    update: dict[str, Any] = {"strategy": "DownloadThenKill" if kind == "undo" else kind}
    if changed and kind == "undo":
        web["readinessProbe"] = {"tcpSocket": {"port": 9}, "periodSeconds": 1}
        update["progressDeadlineSeconds"] = DEADLINE_SECONDS
    return app("shop", db, api, web, volumes=[{"name": "data"}], update=update)


@pytest.fixture(scope="module")
def lengths() -> dict[str, float]:
    """Seconds that each kind takes here, as far as it is known."""
    return {}


@pytest.mark.parametrize("moment", moments(), ids=str)
def test_after_a_power_cut_all_is_as_it_would_have_been(
    box: Device, engine: OwnEngine, own_ground: DockerGround, lengths: dict[str, float], moment: Moment
) -> None:
    print(f"seed {SEED}: power cut {moment}")
    kind = moment.kind
    box.start(program=engine.agent())
    if kind not in lengths:
        _begin(box, own_ground, kind)
        began = time.monotonic()
        box.apply(shop(own_ground, kind, changed=True), ready=False)
        box.until(lambda: _has_ended(box, own_ground, kind), "it ends uncut", seconds=WAIT_SECONDS)
        lengths[kind] = time.monotonic() - began
    before = _begin(box, own_ground, kind)

    box.apply(shop(own_ground, kind, changed=True), ready=False)
    time.sleep(moment.part * lengths[kind])
    _cut_power(box, engine)
    engine.start()
    box.start(program=engine.agent())

    box.until(lambda: _has_ended(box, own_ground, kind), "it has ended", seconds=WAIT_SECONDS)
    _check(box, own_ground, kind, before)


def _begin(box: Device, ground: DockerGround, kind: str) -> dict[str, Seen]:
    """The first release runs, and has written something; its containers."""
    box.apply(shop(ground, kind), seconds=WAIT_SECONDS)
    box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)
    before = {one.service: one for one in box.containers()}
    ground.run_in(before["db"], "sh", "-c", "echo kept > /data/file")
    return before


def _cut_power(box: Device, engine: OwnEngine) -> None:
    assert box.process is not None
    box.process.kill()
    engine.kill()
    box.kill()


def _has_ended(box: Device, ground: DockerGround, kind: str) -> bool:
    status = box.app("shop")["status"]
    if kind == "undo":
        services = {one["name"]: one["ready"] for one in status["services"]}
        over = status["state"] == "Undone" and all(services.values()) and len(services) == 3
    else:
        over = box.settled() and _level(box, ground) == "LEVEL=2"
    return over and not box.api("POST", "/v1/plan")["rounds"] and not _next_ones(box, ground)


def _level(box: Device, ground: DockerGround) -> str:
    found = box.containers("shop", "api")
    texts = ground.inspect(found[0])["Config"]["Env"] if len(found) == 1 else []
    return next((text for text in texts if text.startswith("LEVEL=")), "")


def _next_ones(box: Device, ground: DockerGround) -> list[str]:
    names = [str(ground.inspect(one)["Name"]) for one in box.containers()]
    return [name for name in names if name.endswith("-next")]


def _check(box: Device, ground: DockerGround, kind: str, before: dict[str, Seen]) -> None:
    """The world is the one of an update, or of an undo, that was not cut."""
    told = box.said()
    containers = box.containers()
    assert sorted(one.service for one in containers) == ["api", "db", "web"], told
    after = {one.service: one for one in containers}
    assert {one.status for one in containers} == {"running"}, told
    assert after["db"].id == before["db"].id, told
    release = 1 if kind == "undo" else 2
    assert after["web"].image == ground.image("web", release), told
    assert _level(box, ground) == f"LEVEL={release}", told
    assert ground.run_in(after["db"], "cat", "/data/file").strip() == "kept", told
    assert ground.networks(box.data) == {"shop/default"}, told
    assert ground.volumes(box.data) == {"shop/data"}, told
    assert list(box.data.glob("locks/**/update.lock")) == [], told
    names = {one.service: ground.inspect(one)["Name"] for one in containers}
    assert names == {one: f"/shop-{one}-{number}" for number, one in enumerate(("db", "api", "web"), 1)}, told
