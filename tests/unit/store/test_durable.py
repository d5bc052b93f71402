"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotistic.durable import write_durably


def test_it_makes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "key"

    write_durably(path, b"one")
    write_durably(path, b"two", mode=0o644)

    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_the_mode_is_there_from_the_start(tmp_path: Path) -> None:
    write_durably(tmp_path / "key", b"secret")

    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_content_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_durably(path, b"new")

    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_link_left_where_the_new_content_goes_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / ".key.new").symlink_to(victim)

    write_durably(tmp_path / "key", b"ours")

    assert victim.read_text() == "theirs"
    assert (tmp_path / "key").read_bytes() == b"ours"
