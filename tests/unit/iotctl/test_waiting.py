"""Waiting on a device that changes meanwhile, on a terminal and off it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served, served
from tests.unit.iotctl.screen import in_a_process, on_a_terminal, read_until


@pytest.fixture
def starting(served_device: Served) -> Served:
    """App shop whose web waits for db, which starts."""
    device = served_device.device
    apps, _ = device._parse([shop("db", "web")])
    device.stored["shop"], device.numbers["shop"] = apps[0], 1001
    device.states["shop", "db"] = {"state": "Starting", "ready": False, "reason": "GET :80/ -> 500"}
    device.states["shop", "web"] = {"state": "Waiting", "ready": False, "reason": "waits for db (healthy)"}
    return served_device


def ready(device: Served, service: str, **fields: Any) -> None:
    """That service gets ready, and an event says so."""
    device.device.states["shop", service] = fields
    device.say("Started", f"started shop/{service}", app="shop", service=service)


def test_wait_until_ready(iotctl: Iotctl, starting: Served) -> None:
    starting.device.script = [{}, {}, {("shop", "db"): {}}, {("shop", "web"): {"ports": ["8080->80/tcp"]}}]
    ran = iotctl("wait", "app/shop", "--for", "ready", "--timeout", "10s")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line.split(" after ")[0] for line in lines[:2]] == ["shop/db   ready", "shop/web  ready"]
    assert lines[1].endswith("http://localhost:8080  waited for db (healthy)")
    assert lines[2].startswith("App shop is ready (2 of 2 services, ")
    assert len(lines) == 3


def test_time_is_over(iotctl: Iotctl, starting: Served) -> None:
    began = time.monotonic()
    ran = iotctl("wait", "1001", "--timeout", "300ms")
    assert ran.code == 5
    assert time.monotonic() - began < 2
    assert ran.err.splitlines()[:2] == [
        "Timed out after 0.3 s.",
        "App shop is not ready (0 of 2 services).",
    ]
    assert "iotctl logs shop db" in ran.err


def test_a_delay_that_counts_down_is_said_once(iotctl: Iotctl, starting: Served) -> None:
    starting.device.script = [
        {("shop", "db"): {"state": "CrashLoop", "ready": False, "reason": f"exit 1, next try in {left} s"}}
        for left in range(40, 30, -1)
    ]
    ran = iotctl("wait", "app/shop", "--timeout", "600ms")
    assert starting.device.states["shop", "db"]["reason"] != "exit 1, next try in 40 s"
    assert ran.out.count("crash loop: exit 1") == 1


def test_what_will_not_get_ready_by_itself_ends_at_once(iotctl: Iotctl, starting: Served) -> None:
    starting.device.why["shop"] = ("Stalled", "WouldLoseData", "volume data changed; delete it first")
    ran = iotctl("wait", "app/shop", "--timeout", "10s")
    assert ran.code == 1
    assert ran.err.startswith("App shop is stalled: volume data changed; delete it first.\n")


def test_wait_for_an_app_that_is_not_there(iotctl: Iotctl, served_device: Served) -> None:
    assert iotctl("wait", "app/nope").code == 1
    ran = iotctl("wait", "app/nope", "--for", "deleted", "--timeout", "5s")
    assert ran.code == 0
    assert ran.out.startswith("App nope is deleted")


def test_delete_and_wait(iotctl: Iotctl, starting: Served) -> None:
    ran = iotctl("delete", "app", "1001", "--wait", "--timeout", "5s")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("app/shop is being deleted (its volumes stay)\n")
    assert "App shop is deleted (" in ran.out


def test_the_agent_goes_and_comes_back(iotctl: Iotctl, folder: Path) -> None:
    with served(folder) as before:
        apps, _ = before.device._parse([shop("db", "web")])
        before.device.stored["shop"], before.device.numbers["shop"] = apps[0], 1001
        before.device.states["shop", "db"] = {"state": "Starting", "ready": False}
        waiting = in_a_process("wait", "app/shop", "--timeout", "20s")
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith("shop/db ")
    with served(folder) as after:
        after.device.stored["shop"], after.device.numbers["shop"] = apps[0], 1001
        said, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == 0
    assert said.splitlines()[-1].startswith("App shop is ready (2 of 2 services, ")


def test_on_a_terminal_the_table_is_drawn_in_place(starting: Served, folder: Path) -> None:
    image: dict[str, Any] = {"image": "docker.io/library/db:1", "current": 8_900_000, "total": 12_400_000}
    starting.device.states["shop", "db"] = {"state": "Pulling", "ready": False}
    screen, process = on_a_terminal("wait", "app/shop", "--timeout", "20s")
    try:
        seen = read_until(screen, "pulling")
        starting.say("Pulling", "fetch db:1", type="Progress", **image)
        seen += read_until(screen, "8.9/12.4 MB")
        ready(starting, "db")
        ready(starting, "web")
        seen += read_until(screen, "App shop is ready")
        assert process.wait(10) == 0
    finally:
        process.kill()
        os.close(screen)
    assert "shop  release 1 \x1b[2m──" in seen
    assert "━" in seen
    assert "\x1b[" in seen


def test_ctrl_c_says_so_by_its_exit_code(starting: Served) -> None:
    waiting = in_a_process("wait", "app/shop", "--timeout", "20s")
    assert waiting.stdout is not None
    waiting.stdout.readline()
    waiting.send_signal(signal.SIGINT)
    _, error = waiting.communicate(timeout=10)
    assert waiting.returncode == 130
    assert "Traceback" not in error


def test_no_color_is_honoured_on_a_terminal(starting: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(starting, "db")
    ready(starting, "web")
    colored, process = on_a_terminal("get", "apps")
    assert "\x1b[32mReady\x1b[0m" in read_until(colored, "Ready\x1b[0m")
    process.wait(10)
    os.close(colored)
    monkeypatch.setenv("NO_COLOR", "1")
    plain, process = on_a_terminal("get", "apps")
    assert "\x1b" not in read_until(plain, "Ready")
    process.wait(10)
    os.close(plain)
