"""iotctl as a person calls it, with a device to speak with."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iotctl import terminal
from iotctl.main import main
from tests.unit.iotctl.device import Served, served

VARIABLES = (
    "IOTCTL_URL",
    "IOTCTL_API_KEY",
    "IOTCTL_CONTEXT",
    "IOTCTL_NAMESPACE",
    "DEVICE_API_URL",
    "DEVICE_API_PORT",
    "CONFIG_DIR",
    "NO_COLOR",
    "KUBERNETES_SERVICE_HOST",
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How one command ended, and what it said."""

    code: int
    out: str
    err: str


Iotctl = Callable[..., Ran]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data directory of this machine, with a path short enough for a socket; nothing else is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="iot") as path:
        monkeypatch.setenv("CONFIG_DIR", path)
        monkeypatch.setenv("KUBECONFIG", f"{path}/no-cluster")
        yield Path(path)


@pytest.fixture
def iotctl(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iotctl:
    """Runs a command line in this process."""
    monkeypatch.setattr(terminal, "_forbidden", [])
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def served_device(folder: Path) -> Iterator[Served]:
    """A device that answers on the socket of `folder`."""
    with served(folder) as device:
        yield device
