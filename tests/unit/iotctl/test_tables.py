"""Tables: one line a row, which fits the terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iotctl.tables import APPS, shorten, table
from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served

LONG = "web: " + "its pod is forbidden, as the quota of this namespace is used up; " * 5


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("", 5, ""),
        ("short", 5, "short"),
        ("several\n  lines", 20, "several lines"),
        ("web: exit 1 (again)", 13, "web: exit 1…"),
        ("a sentence, cut", 12, "a sentence…"),
    ],
)
def test_a_text_is_cut_to_one_line(text: str, room: int, shown: str) -> None:
    assert shorten(text, room) == shown


def row(**fields: Any) -> dict[str, Any]:
    known = {"name": "shop", "appId": 1, "readyServices": "0/1", "release": "1", "state": "Degraded"}
    more = {"reason": LONG, "created": "", "generation": 1, "services": ["web"]}
    return known | more | fields


@pytest.mark.parametrize("columns", ["80", "120", "200"])
def test_lines_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = table(APPS, [row(), row(name="till", reason="")]).splitlines()
    assert int(columns) - 10 < max(map(len, lines)) <= int(columns)
    assert lines[1].rstrip().endswith("…")


def test_a_narrow_terminal_still_gets_some_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert "web: its pod is forbidd…" in table(APPS, [row()])


def test_wide_tables_and_machine_output_are_whole(iotctl: Iotctl, served_device: Served) -> None:
    device = served_device.device
    apps, _ = device._parse([shop("web")])
    device.stored["shop"], device.numbers["shop"] = apps[0], 1001
    device.states["shop", "web"] = {"state": "Failed", "ready": False, "reason": LONG}
    device.why["shop"] = ("Degraded", "", LONG)
    for words in (("get", "apps"), ("services", "list")):
        assert max(map(len, iotctl(*words).out.splitlines())) <= 120
        assert LONG.strip() in iotctl(*words, "-o", "wide").out
    assert json.loads(iotctl("apps", "list", "-o", "json").out)[0]["reason"] == LONG
    assert json.loads(iotctl("get", "app", "shop", "-o", "json").out)["status"]["why"] == LONG
