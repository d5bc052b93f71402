"""Copies of a device on the simulated engine, and agents that are forked to run on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.behaviour.device import Device
from tests.behaviour.grounds import SimulatedGround
from tests.faults.cutting import begin

FAULTS_FILE = "simulated-faults.yaml"


def copy(data: Path, folder: Path) -> Path:
    """A copy of a data directory of which no agent runs."""
    made = folder / "data"
    shutil.copytree(data, made, ignore=shutil.ignore_patterns("*.sock"))
    return made


@contextmanager
def running(data: Path) -> Iterator[Device]:
    """A device on this data directory, its agent forked and answering; killed at the end."""
    device = Device(SimulatedGround(), data)
    process = begin(data, "simulated")
    try:
        device.until(lambda: process.exitcode is not None or device.answers(), "its API answers")
        yield device
    finally:
        device.http.close()
        process.kill()
        process.join(60)


def told(base: Path, folder: Path, *documents: dict[str, Any], delete: str = "") -> Path:
    """A copy whose target is another one, of which nothing has been done yet: its engine was away."""
    data = copy(base, folder)
    (data / FAULTS_FILE).write_text("unreachable: true\n")
    with running(data) as device:
        if documents:
            device.apply(*documents, ready=False)
        if delete:
            device.api("DELETE", f"/v1/apps/{delete}", params={"purge": "true"})
    (data / FAULTS_FILE).unlink()
    return data
