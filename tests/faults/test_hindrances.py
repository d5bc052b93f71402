"""Slow pulls, full disks, an engine that does not answer: one App's trouble is not another's."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import SimulatedGround


@pytest.fixture
def box() -> Iterator[Device]:
    with device(SimulatedGround()) as made:
        made.start()
        yield made


def fault(box: Device, **faults: Any) -> None:
    """From now on these, and no others."""
    path = box.data / "simulated-faults.yaml"
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(faults))
    beside.replace(path)


def one(name: str, image: str, **fields: Any) -> dict[str, Any]:
    """An App of one service."""
    return app(name, {"name": "web", "image": image, **fields})


def test_a_slow_pull_delays_nobody_else(box: Device) -> None:
    box.apply(one("slow", "web:1"), one("quick", "db:1"))
    fault(box, slowPull=[{"image": "web:2", "seconds": 600}])
    before = box.ids()

    box.apply(one("slow", "web:2"), ready=False)
    box.until(lambda: "web:2" in str(box.service("slow", "web")), "web:2 is being pulled")
    began = time.monotonic()
    box.apply(one("quick", "db:2"), one("third", "api:1"))
    box.api("POST", "/v1/apps/quick/stop")
    box.until(lambda: box.container("quick", "web").status == "exited", "quick has stopped")

    assert time.monotonic() - began < 300, "it does not wait for the pull"
    assert box.container("slow", "web").id == before["slow/web"], "it serves while the new image comes"
    assert box.container("slow", "web").status == "running"


def test_an_app_whose_pull_is_slow_is_deleted_at_once(box: Device) -> None:
    fault(box, slowPull=[{"image": "web:1", "seconds": 600}])
    box.apply(one("slow", "web:1"), ready=False)
    box.until(lambda: "pulling" in str(box.service("slow", "web")), "it is being pulled")

    box.api("DELETE", "/v1/apps/slow")

    box.gone("slow")


def test_an_image_that_can_not_be_had_holds_its_own_app_only(box: Device) -> None:
    box.apply(one("shop", "web:1"), one("till", "pay:1"))
    before = box.ids()
    fault(box, failingStart=[{"service": "till/web", "message": "no such device /dev/ttyUSB0"}])

    box.apply(one("till", "pay:2"), ready=False)
    box.until(lambda: "ttyUSB0" in box.service("till", "web")["reason"], "the reason is told")
    box.apply(one("shop", "web:2"))

    assert box.container("shop", "web").id != before["shop/web"]
    fault(box)
    assert box.iotctl("retry", "till").code == 0
    box.ready("till")


def test_a_full_disk_gets_room_by_images_that_nobody_needs(box: Device) -> None:
    box.apply(one("old", "old:1"))
    fault(box, noSpace=True)

    box.api("DELETE", "/v1/apps/old")
    box.apply(one("new", "new:1"))

    images = {found["ref"] for found in json.loads((box.data / "simulated.json").read_text())["images"]}
    assert images == {"docker.io/library/new:1"}


def test_an_engine_that_does_not_answer_is_told_once_and_found_again(box: Device) -> None:
    box.apply(one("shop", "web:1"))
    before = box.containers()

    fault(box, unreachable=True)
    box.until(lambda: not box.http.get("/v1/healthy").is_success, "it says so")
    assert box.http.get("/v1/apps/shop").is_success, "what is wanted can still be asked"
    assert box.iotctl("apply", "-f", "-", documents=[one("more", "db:1")]).code == 0
    fault(box)
    box.ready("shop", "more")

    assert box.http.get("/v1/healthy").is_success
    assert box.containers("shop") == before
    reasons = [event["reason"] for event in box.events()]
    assert (reasons.count("EngineUnreachable"), reasons.count("EngineBack")) == (1, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_data_directory_refuses_and_loses_nothing() -> None:
    with device(SimulatedGround()) as box:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "iot-test", box.data], check=True)
        try:
            box.start()
            box.apply(one("shop", "web:1"))
            before = box.containers()
            _fill(box.data / "ballast")

            refused = box.iotctl("apply", "-f", "-", documents=[one("shop", "web:2"), one("more", "db:1")])

            assert refused.code == 1, refused.out
            assert "space" in refused.err.lower() or "full" in refused.err.lower()
            assert box.app("shop")["spec"]["services"][0]["image"] == "web:1"
            assert box.apps() == {"shop"}
            (box.data / "ballast").unlink()
            box.apply(one("more", "db:1"))
            box.ready("shop")
            assert box.containers("shop") == before
            box.restart()
            assert box.apps() == {"shop", "more"}
        finally:
            box.kill()
            subprocess.run(["umount", "-l", box.data], check=False)


def _fill(path: Path) -> None:
    """Take all the space that is left."""
    with path.open("wb") as ballast:
        for size in (65536, 4096, 512):
            try:
                while True:
                    os.write(ballast.fileno(), b"x" * size)
            except OSError:
                continue
