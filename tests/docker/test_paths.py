"""An agent in a container finds itself, and what its paths are called on the engine's host."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotistic.api.errors import EngineError
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.hostpaths import HostPaths
from tests.docker.rig import Rig


def agent_in(rig: Rig, tmp_path: Path, **host: object) -> tuple[str, Path]:
    """A container like the agent's, and what its /proc/self says."""
    rig.goes("volume", "paths-data")
    (tmp_path / "etc").mkdir()
    binds = ["paths-data:/app/data", f"{tmp_path / 'etc'}:/app/data/etc"]
    id = rig.foreign("paths-agent", HostConfig={"Binds": binds} | host)
    proc = tmp_path / "proc"
    proc.mkdir()
    for name in ("mountinfo", "cgroup"):
        (proc / name).write_text(rig.exec(id, "cat", f"/proc/self/{name}") + "\n")
    return id, proc


@pytest.mark.parametrize("host", [{}, {"NetworkMode": "host"}])
async def test_paths_in_its_volumes_are_those_of_the_host(
    rig: Rig, tmp_path: Path, host: dict[str, object]
) -> None:
    id, proc = agent_in(rig, tmp_path, **host)
    paths = HostPaths(Client("", None), proc)

    found = await paths.of(Path("/app/data/mounts/shop"))

    assert found == rig.api.inspect_volume("paths-data")["Mountpoint"] + "/mounts/shop"
    assert await paths.of(Path("/app/data/etc/x")) == str(tmp_path / "etc" / "x")
    assert not await paths.on_host()
    rig.exec(id, "/bin/sh", "-c", "mkdir -p /app/data/mounts; echo here > /app/data/mounts/shop")
    assert Path(found).read_text() == "here\n"
    with pytest.raises(EngineError, match="/opt/data is inside the agent's container") as raised:
        await paths.of(Path("/opt/data"))
    assert "-v iotistic:/app/data" in raised.value.hint


async def test_a_container_of_another_engine_means_nothing_here(rig: Rig, tmp_path: Path) -> None:
    stranger = "f" * 64
    (tmp_path / "mountinfo").write_text(f"1 2 0:1 /containers/{stranger}/hosts /etc/hosts rw - ext4 x rw\n")

    paths = HostPaths(Client("", None), tmp_path)

    assert await paths.of(Path("/app/data")) == "/app/data"
    assert await paths.on_host()


async def test_on_a_host_a_path_is_a_path(rig: Rig, tmp_path: Path) -> None:
    paths = HostPaths(Client("", None), tmp_path)

    assert await paths.of(Path("/var/lib/iotistic")) == "/var/lib/iotistic"
