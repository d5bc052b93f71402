"""The database is damaged, or its disk goes read-only: what runs goes on, and there is a way back."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import BIN, Device, app, device
from tests.behaviour.grounds import DockerGround

pytestmark = pytest.mark.docker

WAIT_SECONDS = 240.0


@pytest.fixture
def name() -> str:
    """What another run has left behind, when it was killed itself, must not stand in the way."""
    return f"damage{uuid.uuid4().hex[:6]}"


@pytest.fixture
def box(real_ground: DockerGround) -> Iterator[Device]:
    with device(real_ground) as made:
        yield made


def shop(ground: DockerGround, name: str, version: int = 1) -> dict[str, Any]:
    """Two services with a volume."""
    data = [{"name": "data", "mountPath": "/data"}]
    db = {"name": "db", "image": ground.image("db"), "volumeMounts": data}
    web = {"name": "web", "image": ground.image("web", version), "dependsOn": {"db": "started"}}
    return app(name, db, web, volumes=[{"name": "data"}])


def is_all_lost(path: Path) -> None:
    """Nothing of it is a database any more."""
    path.write_bytes(os.urandom(path.stat().st_size))


def lost_a_page(path: Path) -> None:
    """One page: how its updates stand; not the target."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [size] = connection.execute("PRAGMA page_size").fetchone()
        [page] = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'iotistic_rollout'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))


@pytest.mark.parametrize(
    ("harm", "keeps_target"), [(is_all_lost, False), (lost_a_page, True)], ids=["all lost", "a page lost"]
)
def test_a_damaged_database_is_refused_and_recovered(
    box: Device, real_ground: DockerGround, name: str, harm: Callable[[Path], None], keeps_target: bool
) -> None:
    box.start()
    box.apply(shop(real_ground, name), seconds=WAIT_SECONDS)
    box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)
    before = box.containers()
    box.kill()
    harm(box.data / "device.sqlite")

    box.start(wait=False)
    assert box.process is not None
    assert box.process.wait(WAIT_SECONDS) == 1, box.said()

    assert "iotistic-edge recover" in box.said()
    assert len(list(box.data.glob("device.sqlite.broken-*[0-9Z]"))) == 1, "a copy is kept"
    assert box.containers() == before, "nothing is stopped or removed"

    recovered = subprocess.run(
        [BIN / "iotistic-edge", "recover"],
        env={**os.environ, "CONFIG_DIR": str(box.data)},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert recovered.returncode == 0, recovered.stderr
    assert (name in recovered.stdout) is keeps_target, recovered.stdout
    box.start()
    if not keeps_target:
        box.until(
            lambda: box.states().get(name) == "Orphaned", "its App is seen by labels", seconds=WAIT_SECONDS
        )
        assert box.iotctl("recover", name).code == 0
    box.ready(name, seconds=WAIT_SECONDS)
    box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)

    assert box.containers() == before
    box.apply(shop(real_ground, name, version=2), seconds=WAIT_SECONDS)
    assert box.container(name, "web").image == real_ground.image("web", 2)
    assert box.container(name, "db").id == next(one.id for one in before if one.service == "db")


@contextlib.contextmanager
def disk_of(box: Device, *mount: str | Path) -> Iterator[None]:
    """The data directory is a file system of its own; at the end what is in it goes while it can be read."""
    subprocess.run(["mount", *mount, box.data], check=True)
    try:
        yield
    finally:
        box.kill()
        box.ground.clean_up(box.data)
        subprocess.run(["umount", "-l", box.data], check=False)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mkfs.ext4") is None, reason="root mounts, an ext4")
def test_a_disk_that_fails_under_the_agent_stops_nothing(
    box: Device, real_ground: DockerGround, name: str, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(32_000_000)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with disk_of(box, "-o", "loop", image):
        box.start()
        box.apply(shop(real_ground, name), seconds=WAIT_SECONDS)
        box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)
        before = box.containers()

        # as the kernel does it after a write error
        subprocess.run(["mount", "-o", "remount,abort", box.data], check=True)
        refused = box.iotctl("apply", "-f", "-", documents=[shop(real_ground, name, version=2)])

        assert refused.code == 1, refused.out
        assert "dmesg" in refused.err, refused.err
        assert str(box.data) in refused.err
        shown = {one["name"]: one["image"] for one in box.app(name)["spec"]["services"]}
        assert shown["web"] == real_ground.image("web"), "what is not durable is not wanted"
        assert box.containers() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_read_only_data_directory_stops_nothing_and_loses_nothing(
    box: Device, real_ground: DockerGround, name: str
) -> None:
    with disk_of(box, "-t", "tmpfs", "-o", "size=64m", "iot-test"):
        box.start()
        box.apply(shop(real_ground, name), seconds=WAIT_SECONDS)
        box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)
        before = box.containers()
        box.kill()
        subprocess.run(["mount", "-o", "remount,ro", box.data], check=True)

        box.start(wait=False)
        assert box.process is not None
        assert box.process.wait(WAIT_SECONDS) == 1, box.said()

        assert "Read-only file system" in box.said()
        assert f"mount it writable: mount -o remount,rw {box.data} " in box.said()
        assert "user" not in box.said(2), "rights are not what is missing"
        assert "Traceback" not in box.said()
        assert box.containers() == before
        subprocess.run(["mount", "-o", "remount,rw", box.data], check=True)
        box.start()
        box.ready(name, seconds=WAIT_SECONDS)
        assert box.containers() == before
        box.apply(shop(real_ground, name, version=2), seconds=WAIT_SECONDS)
        assert box.container(name, "web").image == real_ground.image("web", 2)
