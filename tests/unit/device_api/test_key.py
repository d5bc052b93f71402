"""The key file."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from iotistic.api.errors import StoreError
from iotistic.device_api.key import load_or_make_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = load_or_make_key(tmp_path)

    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert load_or_make_key(tmp_path) == key
    assert (tmp_path / "api-key").read_text().strip() == key
    assert mode(tmp_path / "api-key") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["api-key"]


def test_two_devices_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert load_or_make_key(tmp_path / "a") != load_or_make_key(tmp_path / "b")


def test_a_key_of_ones_own_is_taken_and_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "api-key").write_text("my own key\n")
    (tmp_path / "api-key").chmod(0o644)

    assert load_or_make_key(tmp_path) == "my own key"
    assert mode(tmp_path / "api-key") == 0o600


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "api-key").touch()

    assert len(load_or_make_key(tmp_path)) == 64
    assert mode(tmp_path / "api-key") == 0o600


def test_what_a_cut_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".api-key.new").write_text("half a k")

    key = load_or_make_key(tmp_path)

    assert len(key) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["api-key"]


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none/api-key, can't be read or made: No such file") as caught:
        load_or_make_key(tmp_path / "none")

    assert "agent's user" in caught.value.hint
