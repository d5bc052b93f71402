"""config, diagnostics, restart, context, factory-reset, status: the device itself."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotctl.agent import Agent
from iotctl.diagnosis import boxed, internet, run
from iotctl.endpoint import Endpoint
from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import KEY, Served, served
from tests.unit.iotctl.screen import in_a_process, on_a_terminal, read_until

UUID = "0f6d5b0e-8c0f-4f7e-9a5e-0f8c6f0a1b2c"


@pytest.fixture
def outside() -> Iterator[str]:
    """An address on this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """An address on this machine that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_settings_are_shown_without_secrets(iotctl: Iotctl, served_device: Served) -> None:
    ran = iotctl("config", "show")
    lines = dict(line.split(None, 1) for line in ran.out.splitlines() if len(line.split()) > 1)
    assert (lines["uuid"], lines["deviceName"], lines["version"]) == (UUID, "line-3", "1.2.3")
    assert (lines["provisioned"], lines["resyncSeconds"]) == ("false", "60")
    shown = json.loads(iotctl("config", "show", "-o", "json").out)
    assert shown["provisioned"] is False
    assert "slipped" not in ran.out + json.dumps(shown)


def test_one_setting(iotctl: Iotctl, served_device: Served) -> None:
    assert iotctl("config", "get", "resyncSeconds").out == "60\n"
    assert iotctl("config", "get", "deviceName").out == "line-3\n"
    ran = iotctl("config", "get", "colour")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "There is no setting 'colour'.\nThere are cloudApiEndpoint, deviceName, logLevel, resyncSeconds.\n"
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("resyncSeconds", "90", 90),
        ("logLevel", "debug", "debug"),
        ("deviceName", "mast 17", "mast 17"),
        ("deviceName", "17", "17"),
        ("deviceName", "true", "true"),
        ("deviceName", '"quoted"', '"quoted"'),
    ],
)
def test_a_setting_is_changed(
    iotctl: Iotctl, served_device: Served, key: str, text: str, value: object
) -> None:
    ran = iotctl("config", "set", key, text)
    assert (ran.code, ran.out) == (0, f"{key} = {text}\n")
    assert served_device.itself.settings[key] == value


def test_a_setting_that_is_none(iotctl: Iotctl, served_device: Served) -> None:
    ran = iotctl("config", "set", "colour", "blue")
    assert (ran.code, ran.out) == (2, "")
    assert "colour: there is no such setting" in ran.err
    assert ran.err.endswith("Nothing was changed.\n")


def test_the_address_of_the_cloud(iotctl: Iotctl, served_device: Served) -> None:
    assert iotctl("config", "get-api").out == "not set\n"
    ran = iotctl("config", "set-api", "https://cloud.example.com")
    assert (ran.code, ran.out) == (0, "cloudApiEndpoint = https://cloud.example.com\n")
    assert iotctl("config", "get-api").out == "https://cloud.example.com\n"


def test_a_reset_wants_to_be_sure(iotctl: Iotctl, served_device: Served) -> None:
    served_device.itself.settings["logLevel"] = "debug"
    ran = iotctl("config", "reset")
    assert (ran.code, ran.out) == (2, "")
    assert "add --yes" in ran.err
    assert served_device.itself.settings["logLevel"] == "debug"
    assert iotctl("config", "reset", "--yes").out == "All settings are back to their defaults.\n"
    assert served_device.itself.settings["logLevel"] == "info"


@pytest.mark.parametrize(
    ("typed", "code", "asked"),
    [("y\n", 0, ["factory-reset"]), ("n\n", 1, []), ("\n", 1, []), ("\x04", 1, [])],
)
def test_factory_reset_asks_a_person(served_device: Served, typed: str, code: int, asked: list[str]) -> None:
    apps, _ = served_device.device._parse([shop("web")])
    served_device.device.stored["shop"], served_device.device.numbers["shop"] = apps[0], 1001
    screen, process = on_a_terminal("factory-reset")
    try:
        question = read_until(screen, "Go on? [y/N] ")
        assert "All Apps (shop) go with the data in their volumes" in question
        os.write(screen, typed.encode())
        end = read_until(screen, "Everything is being removed." if code == 0 else "Nothing was changed.")
        assert "Traceback" not in end
        assert process.wait(10) == code
    finally:
        process.kill()
    assert served_device.itself.asked == asked


def test_factory_reset_where_nobody_can_be_asked(iotctl: Iotctl, served_device: Served) -> None:
    assert iotctl("factory-reset").code == 2
    assert served_device.itself.asked == []
    assert iotctl("factory-reset", "-y").out == "Everything is being removed.\n"
    assert served_device.itself.asked == ["factory-reset"]


def rows(text: str) -> list[list[str]]:
    """Name, status, text of the rows of a box."""
    lines = text.splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}
    assert lines[0][0] + lines[0][-1] + lines[-1][0] + lines[-1][-1] == "┌┐└┘"
    inner = [line[2:-2] for line in lines[1:-1]]
    return [[line[:10].strip(), line[12:16].strip(), line[18:].strip()] for line in inner]


@pytest.mark.parametrize("name", ["diagnostics", "diag"])
def test_diagnostics_worst_last(iotctl: Iotctl, served_device: Served, outside: str, name: str) -> None:
    ran = iotctl(name, "--internet", outside)
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == [
        ["Device API", "OK", f"unix://{served_device.listening.socket_path}, no key needed, agent 1.2.3"],
        ["Store", "OK", "integrity ok"],
        ["Internet", "OK", f"{outside} answers"],
        ["Disk", "WARN", "91 % used   -> iotctl images prune"],
    ]


def test_a_failed_check_fails_the_command(iotctl: Iotctl, served_device: Served, nobody: str) -> None:
    served_device.itself.checks = [
        {"name": "Engine", "status": "FAIL", "text": "refused", "advice": "start docker"},
        {"name": "Cloud", "status": "SKIP", "text": "not provisioned", "advice": ""},
    ]
    ran = iotctl("diagnostics", "--internet", nobody, "-o", "json")
    assert ran.code == 1
    checks = json.loads(ran.out)
    assert [(check["name"], check["status"]) for check in checks] == [
        ("Device API", "OK"),
        ("Cloud", "SKIP"),
        ("Internet", "WARN"),
        ("Engine", "FAIL"),
    ]
    assert checks[2]["text"].startswith(f"{nobody} can't be reached (connection refused)")


def test_the_internet_is_tried_once_and_only_when_asked(
    iotctl: Iotctl, served_device: Served, outside: str
) -> None:
    ran = iotctl("diagnostics", "--internet", "none", "-o", "json")
    assert {"name": "Internet", "status": "SKIP", "text": "not asked for", "advice": ""} in json.loads(
        ran.out
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        assert iotctl("diag", "--internet", f"127.0.0.1:{server.getsockname()[1]}").code == 0
        server.accept()[0].close()
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("text", ["example.com", ":443", "example.com:http", "example.com:0", "x:70000"])
def test_an_address_to_try_that_is_none(iotctl: Iotctl, served_device: Served, text: str) -> None:
    ran = iotctl("diagnostics", "--internet", text)
    assert (ran.code, ran.out) == (2, "")
    assert f"--internet is {text!r}" in ran.err


def test_diagnostics_without_an_agent(iotctl: Iotctl, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    monkeypatch.setenv("DEVICE_API_PORT", nobody.partition(":")[2])
    began = time.monotonic()
    ran = iotctl("diagnostics", "--internet", "none")
    assert ran.code == 1
    assert time.monotonic() - began < 5
    names = [row[:2] for row in rows(ran.out) if row[0]]
    assert names[-1] == ["Device API", "FAIL"]
    assert ["Engine", "SKIP"] in names
    assert "Start it: iotistic-edge agent" in ran.out


def test_the_internet_of_this_machine_says_nothing_of_another() -> None:
    assert internet(("127.0.0.1", 1), is_here=False)["status"] == "SKIP"
    assert internet(("127.0.0.1", 1), is_here=True)["status"] == "WARN"


def test_a_box_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    check = {
        "name": "Disk",
        "status": "WARN",
        "text": "/var/lib/docker 91 % used: 1.2 GB free, last-good images need 0.4 GB",
        "advice": "iotctl images prune",
    }
    lines = boxed([check]).splitlines()
    assert max(len(line) for line in lines) <= 60
    assert lines[1].startswith("│ Disk  WARN  /var/lib/docker 91 % used")
    assert "-> iotctl images prune" in lines[-2]


def test_restart_waits_until_the_agent_answers_again(folder: Path) -> None:
    with served(folder) as before:
        process = in_a_process("restart", "--timeout", "20s")
        assert before.itself.rebooted.wait(10)
    time.sleep(1)  # an agent takes longer than that to start
    with served(folder):
        said, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, "")
    first, last = said.splitlines()
    assert first == "The agent restarts; containers stay up."
    assert last.startswith("It answers again after ")


def test_restart_of_an_agent_that_goes_on(iotctl: Iotctl, served_device: Served) -> None:
    ran = iotctl("restart", "--timeout", "700ms")
    assert ran.code == 5
    assert ran.err.startswith("It still runs, 0.7 s after it was asked.\n")
    assert served_device.itself.asked == ["reboot"]


def test_restart_without_a_supervisor(folder: Path) -> None:
    with served(folder) as device:
        process = in_a_process("restart", "--timeout", "2s")
        assert device.itself.rebooted.wait(10)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 5
    assert error.startswith("It did not answer again within 2.0 s.\n")
    assert "docker run --restart" in error


def test_a_restart_between_two_looks_is_noticed(iotctl: Iotctl, served_device: Served) -> None:
    """Whoever was up for 3 h and is up for 0 s now has been restarted."""
    process = in_a_process("restart", "--timeout", "20s")
    assert served_device.itself.rebooted.wait(10)
    served_device.itself.up_since = time.monotonic()
    assert "It answers again after " in process.communicate(timeout=20)[0]
    assert process.returncode == 0


def test_context_says_who_is_spoken_with(iotctl: Iotctl, served_device: Served, folder: Path) -> None:
    ran = iotctl("context")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"Agent   unix://{folder}/agent.sock (key: not needed)\nAnswer  1.2.3 on simulated\n"
    url = served_device.listening.url
    found = json.loads(iotctl("context", "--url", url, "--api-key", KEY, "-o", "json").out)
    assert (found["address"], found["key"], found["problem"]) == (url, "given", None)
    assert KEY not in json.dumps(found)


def test_context_of_nobody(iotctl: Iotctl, nobody: str) -> None:
    ran = iotctl("context", "--url", f"http://{nobody}", "--api-key", "hush")
    assert ran.code == 3
    assert ran.out.startswith(f"Agent   http://{nobody} (key: given)\nAnswer  No agent answers on ")
    assert "hush" not in ran.out + ran.err


def test_status_for_people_names_what_is_not_well(iotctl: Iotctl, served_device: Served) -> None:
    device = served_device.device
    apps, _ = device._parse([shop("web", "db"), shop("pay", name="till")])
    for number, app in enumerate(apps, 1001):
        device.stored[app.name], device.numbers[app.name] = app, number
    device.states["till", "pay"] = {"state": "CrashLoop", "ready": False}
    device.why["till"] = ("Degraded", "", "pay: crash loop, exit 137 (OOMKilled)")
    ran = iotctl("status", "--format", "text")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Device  line-3, its agent up for 3 h",
        f"Agent   1.2.3 on unix://{served_device.listening.socket_path}: OK",
        "Engine  simulated 1 (memory)",
        "Apps    1 of 2 ready, 2 of 3 services running",
        "        till: Degraded  pay: crash loop, exit 137 (OOMKilled)",
    ]


def test_all_checks_are_there_when_the_agents_own_do_not_end(iotctl: Iotctl, served_device: Served) -> None:
    served_device.itself.checks = [{"name": "Store"}]
    checks = run(Agent(Endpoint(address="", socket=served_device.listening.socket_path)), "")
    assert [check["status"] for check in checks] == ["OK", "SKIP", "FAIL"]
    assert "its checks did not end" in checks[-1]["text"]
