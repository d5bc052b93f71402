"""An engine of its own, with a full disk behind a dead proxy: what it says then."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from iotistic.api.errors import EngineError, NoSpaceError, RegistryError
from iotistic.api.image import parse_image
from iotistic.engines.base import StepContext
from iotistic.engines.docker import DockerEngine
from iotistic.planning.values import Action, Step
from tests.docker.conftest import missing
from tests.docker.registry import Registry, push
from tests.docker.rig import make_image

MB = 1_000_000
DISK = "24m"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[str]:
    """The address of an engine with little disk, whose proxy does not answer."""
    dockerd = shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if os.geteuid() != 0 or dockerd is None or shutil.which("ip") is None:
        missing("needs root, dockerd and ip: a second engine is started")
    folder = tmp_path_factory.mktemp("engine")
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], check=True)
    address = f"unix://{folder}/docker.sock"
    # With `--bridge none` it would take the other engine's docker0 away.
    bridge = f"trouble{os.getpid()}"[:15]
    subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", "10.231.10.1/24", "dev", bridge], check=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(dockerd), "--host", address, "--data-root", disk, "--exec-root", folder / "exec",
                "--pidfile", folder / "pid", "--bridge", bridge, "--iptables=false", "--ip-masq=false",
                "--storage-driver", "vfs", "--max-download-attempts", "1",
            ],
            stdout=log, stderr=log,
            env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,.iotistic.test"},
        )  # fmt: skip
    try:
        wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        subprocess.run(["ip", "link", "delete", bridge], check=False)
        for mount in [disk, *sorted((folder / "exec").rglob("netns/*"))]:
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)


def wait_for(address: str) -> None:
    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(docker.errors.DockerException):
            docker.APIClient(base_url=address, version="auto").ping()
            return
        assert time.monotonic() < end, "the second engine does not answer"
        time.sleep(0.1)


async def fetch(address: str, image: str, tmp_path: Path) -> None:
    engine = DockerEngine(address=address, install="troubled", config_dir=tmp_path, docker_config=tmp_path)
    step = Step(action=Action.FETCH, subject=image, name=parse_image(image).full)
    await engine.execute(step, StepContext(target=None))
    await engine.close()


async def test_a_full_disk_is_told_as_such(
    troubled: str, registry: Registry, api: Any, tmp_path: Path
) -> None:
    for name, size in (("small", MB), ("large", 40 * MB)):
        make_image(api, f"iotistic-test/troubled:{name}", size)
        push(api, f"iotistic-test/troubled:{name}", f"{registry.plain}/team/troubled:{name}")
        api.remove_image(f"iotistic-test/troubled:{name}")

    with pytest.raises(NoSpaceError, match="troubled:large: no space left") as raised:
        await fetch(troubled, f"{registry.plain}/team/troubled:large", tmp_path)
    assert "docker system df" in raised.value.hint

    await fetch(troubled, f"{registry.plain}/team/troubled:small", tmp_path)


async def test_a_dead_proxy_of_the_engine_names_its_file(troubled: str, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="proxy does not let it through") as raised:
        await fetch(troubled, "registry.example/team/web:1", tmp_path)

    assert "/etc/systemd/system/docker.service.d/http-proxy.conf" in raised.value.hint
    assert isinstance(raised.value, EngineError)
