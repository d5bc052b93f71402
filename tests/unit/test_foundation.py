"""What the package as a whole must be: its wheel, its version, its walls."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import iotistic

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def files_of_the_sources() -> set[str]:
    """Every file in the two packages, as the wheel should name it."""
    return {
        path.relative_to(source).as_posix()
        for source, package in ((ROOT / "operator", "iotistic"), (ROOT, "iotctl"))
        for path in (source / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(target.glob("*.whl")))


def test_the_wheel_holds_every_file_of_both_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert inside == files_of_the_sources()


def test_the_wheel_installs_both_commands(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    text = wheel.read(entry_points).decode()

    assert "iotistic-edge = iotistic.main:main" in text
    assert "iotctl = iotctl.main:main" in text


def test_every_command_can_be_loaded() -> None:
    for script in metadata.entry_points(group="console_scripts"):
        if script.name in PROJECT["scripts"]:
            assert callable(script.load()), script


def test_one_version_everywhere() -> None:
    assert iotistic.__version__ == PROJECT["version"] == metadata.version("iotistic-edge")


def test_the_source_root_does_not_hide_the_operator_module_of_python() -> None:
    """`operator/` is a folder on the path; were it a package, `import operator` would find it."""
    seen = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.__file__)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert not seen.startswith(str(ROOT / "operator")), seen
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_no_module_is_named_after_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [name for name in sorted(files_of_the_sources()) if Path(name).stem in banned] == []


def test_files_stay_short() -> None:
    """A file that outgrows 400 lines is two ideas: split it after its concepts."""
    sources = [
        path for name in ("operator", "iotctl", "tests", "hack") for path in (ROOT / name).rglob("*.py")
    ]

    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in sources}

    assert {name: length for name, length in lengths.items() if length > 400} == {}
