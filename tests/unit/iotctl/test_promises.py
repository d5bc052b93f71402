"""What holds for all commands: the lines of earlier devices work, secrets are never shown, and colours
stay where people look."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import KEY, Served
from tests.unit.iotctl.screen import on_a_terminal, read_until

VALUE = "aHVudGVyMg=="
EARLIER = """\
config show
config set-api https://cloud.example.com
config get-api
config set logLevel debug
config get logLevel
config reset --yes
status
diagnostics --internet none
diag --internet none
logs -n 50
apps list
apps start 1001
apps stop 1001
apps restart 1001
apps info 1001
apps purge 1001 --yes
services list
services list 1001
services start web-1
services stop api-2
services restart db-1
services restart myapp-web-1
services logs myapp-api-2
services info web-1
help
version
factory-reset --yes
"""
READING = """\
status --format text
status --format log
version -o json
context -o json
config show -o json
get all
get all -o json
get secrets -o yaml
get secret db -o json
apps list -o json
apps info 1001 -o json
services list -o json
services info web-1 -o json
events -o json
logs
top -o json
images list -o json
explain myapp -o json
history myapp -o json
diagnostics --internet none -o json
"""


@pytest.fixture
def device(served_device: Served) -> Served:
    """App myapp (1001) of web and api, App other (1002) of db, a Secret."""
    control = served_device.device
    for number, document in enumerate((shop("web", "api", name="myapp"), shop("db", name="other")), 1001):
        apps, _ = control._parse([document])
        control.stored[apps[0].name], control.numbers[apps[0].name] = apps[0], number
    meta = {"name": "db"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"password": VALUE}}
    control.core["Secret", "db"] = secret
    control.written = [(name, "hello") for name in ("web", "api", "db")]
    served_device.say("Started", "started myapp/web", app="myapp")
    return served_device


@pytest.mark.parametrize("line", EARLIER.splitlines())
def test_command_lines_of_earlier_devices(iotctl: Iotctl, device: Served, line: str) -> None:
    ran = iotctl(*shlex.split(line))
    assert (ran.code, ran.err) == (0, "")


def test_the_sample_output_of_earlier_devices(iotctl: Iotctl, device: Served) -> None:
    device.device.stored.clear()
    assert iotctl("status").out == (
        '[INFO] Agent running {"uuid":"abc"}\n[INFO] Applications {"configured":0,"runningServices":0}\n'
    )


@pytest.mark.parametrize("line", READING.splitlines())
def test_no_command_shows_a_secret(iotctl: Iotctl, device: Served, line: str) -> None:
    ran = iotctl("--url", device.listening.url, "--api-key", KEY, *shlex.split(line))
    assert ran.code == 0
    assert ran.out
    for secret in (KEY, VALUE, "slipped"):
        assert secret not in ran.out + ran.err


@pytest.mark.parametrize("line", [line for line in READING.splitlines() if line.endswith("-o json")])
def test_what_is_json_is_json(iotctl: Iotctl, device: Served, line: str) -> None:
    assert json.loads(iotctl(*shlex.split(line)).out)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("status --format text", "OK"),
        ("history myapp", "serving"),
        ("diagnostics --internet none", "WARN"),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    iotctl: Iotctl, device: Served, line: str, word: str
) -> None:
    assert "\x1b" not in iotctl(*shlex.split(line)).out
    screen, process = on_a_terminal(*shlex.split(line))
    assert f"m{word}\x1b[0m" in read_until(screen, f"{word}\x1b[0m")
    process.wait(10)
    screen, process = on_a_terminal(*shlex.split(line), "--no-color")
    assert "\x1b" not in read_until(screen, word)
    process.wait(10)
