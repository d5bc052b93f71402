"""The live agent answers as /openapi.json says: many right and many wrong requests, no 5xx."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docker.registry import free_port
from tests.unit.device_api.contract import check_contract

ENDS_IT = ("/v1/reboot", "/v1/shutdown", "/v1/factory-reset")
NOT_SIMULATED = ("/v1/images/load",)
"""The simulated engine has nothing to load an archive into, and says so with 502."""
APP = {
    "apiVersion": "iotistic.io/v1alpha1",
    "kind": "App",
    "metadata": {"name": "shop"},
    "spec": {"appId": 1001, "services": [{"name": "web", "image": "web:1"}, {"name": "db", "image": "db:1"}]},
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and key of a running agent with one App."""
    port = free_port("127.0.0.1")
    program = Path(sys.executable).with_name("iotistic-edge")
    environment = os.environ | {"CONFIG_DIR": str(tmp_path / "d"), "DEVICE_API_PORT": str(port)}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [program, "agent", "--engine", "simulated"], env=environment, stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(url, process)
        key = (tmp_path / "d" / "api-key").read_text().strip()
        httpx.put(f"{url}/v1/apps/shop", json=APP, headers={"X-API-Key": key}).raise_for_status()
        yield url, key
        assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def test_no_5xx_and_no_answer_that_is_not_described(live: tuple[str, str]) -> None:
    url, key = live

    codes = check_contract(
        url,
        key,
        known={
            "name": ["shop", "1001"],
            "service": ["web", "db"],
            "address": ["shop-web", "web", "shop-db-2"],
        },
        leave_out=(*ENDS_IT, *NOT_SIMULATED),
        most_examples=4,
    )

    assert codes["200"] > 100
    assert codes["404"] > 10
    assert httpx.get(f"{url}/ping").text == "OK"


def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ping").text == "OK":
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the agent does not answer (exit code {process.poll()})")
