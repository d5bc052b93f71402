"""One agent per data directory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotistic.api.errors import LockedError, StoreError
from iotistic.store.process_lock import only_agent

SINCE = "2026-11-24T10:00:00Z"
HOLDER = """
import sys
from pathlib import Path
from iotistic.store.process_lock import only_agent
with only_agent(Path(sys.argv[1]), since=sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def first(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the directory."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), SINCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_the_second_is_refused_and_told_who_is_first(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    with pytest.raises(LockedError) as caught, only_agent(tmp_path, since="later"):
        pytest.fail("both have it")

    assert f"pid {first.pid}" in caught.value.message
    assert f"since {SINCE}" in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert "CONFIG_DIR" in caught.value.hint


def test_a_killed_agent_lets_go(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    first.kill()
    first.wait()

    with only_agent(tmp_path, since=SINCE):
        pass


def test_one_after_the_other(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "by it"
    with only_agent(directory, since="first"):
        pass
    with only_agent(directory, since="second"):
        assert (directory / "agent.pid").read_text().endswith(" second\n")


def test_another_directory_is_another_device(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    with only_agent(tmp_path / "other", since=SINCE):
        assert first.poll() is None


def test_a_child_of_the_agent_does_not_keep_the_lock(tmp_path: Path) -> None:
    with only_agent(tmp_path, since=SINCE):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    try:
        with only_agent(tmp_path, since="again"):
            assert child.poll() is None
    finally:
        child.communicate(b"\n")


def test_a_holder_that_has_not_written_yet(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    (tmp_path / "agent.pid").write_text("")

    with pytest.raises(LockedError, match="another agent has") as caught, only_agent(tmp_path, since="later"):
        pytest.fail(f"both have it, {first.pid}")

    assert "None" not in caught.value.message


def test_a_directory_that_can_t_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"agent\.pid") as caught, only_agent(tmp_path / "file", since=SINCE):
        pytest.fail("locked a file")

    assert caught.value.hint
