"""Where iotctl finds the agent, and what it says when it finds none."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotctl.endpoint import Endpoint, find_endpoint
from iotctl.exits import BadInputError
from iotctl.frame import Options, take_options
from iotctl.settings import read_settings
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import KEY, Served


def endpoint(**options: str) -> Endpoint:
    return find_endpoint(read_settings(), **options)


def test_the_socket_of_the_data_directory_comes_first(iotctl: Iotctl, served_device: Served) -> None:
    assert endpoint().address == f"unix://{served_device.listening.socket_path}"
    assert iotctl("apps", "list", "-o", "json").out == "[]\n"


def test_without_a_socket_the_port_with_the_key_of_the_data_directory(
    iotctl: Iotctl, served_device: Served, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served_device.listening.socket_path.unlink()
    monkeypatch.setenv("DEVICE_API_PORT", str(served_device.listening.port))
    (folder / "api-key").write_text(f"{KEY}\n")
    assert iotctl("apps", "list", "-o", "json").out == "[]\n"


def test_an_address_and_a_key_on_the_command_line_win(
    iotctl: Iotctl, served_device: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IOTCTL_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("IOTCTL_API_KEY", "wrong")
    url = served_device.listening.url
    assert iotctl("--url", url, "--api-key", KEY, "apps", "list", "-o", "json").code == 0
    assert iotctl("apps", "list", f"--api-key={KEY}", "-o", "json", "--url", url).code == 0
    assert iotctl("apps", "list").code == 3


def test_the_name_of_earlier_devices_works(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("DEVICE_API_URL", "http://localhost:4711/")
    assert endpoint().address == "http://localhost:4711"


def test_a_wrong_key_is_said(iotctl: Iotctl, served_device: Served) -> None:
    ran = iotctl("--url", served_device.listening.url, "--api-key", "wrong", "get", "apps")
    assert ran.code == 1
    assert "because the key is not the right one" in ran.err
    assert "--api-key KEY" in ran.err
    assert "wrong" not in ran.err.replace("the right one", "")


def test_a_key_that_can_not_be_read_is_said(iotctl: Iotctl, served_device: Served, folder: Path) -> None:
    ran = iotctl("--url", served_device.listening.url, "get", "apps")
    assert ran.code == 1
    assert f"{folder}/api-key can't be read (no such file or directory)" in ran.err


def test_the_key_of_this_device_goes_to_no_other_host(folder: Path) -> None:
    (folder / "api-key").write_text("secret")
    assert endpoint(url="http://127.0.0.1:48484").key == "secret"
    assert endpoint(url="http://10.0.0.7:48484").key == ""
    assert endpoint(url="http://127.0.0.1.example.com").key == ""


def test_nothing_there(iotctl: Iotctl, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICE_API_PORT", "1")
    ran = iotctl("get", "apps")
    assert ran.code == 3
    assert ran.out == ""
    assert ran.err.splitlines()[0] == (
        f"No agent answers here: there is no {folder}/agent.sock, "
        "and nothing listens on http://127.0.0.1:1 (connection refused)."
    )
    assert "Start it:  iotistic-edge agent" in ran.err


def test_a_socket_that_nobody_listens_on(iotctl: Iotctl, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(folder / "agent.sock"))
    ran = iotctl("get", "apps")
    assert ran.code == 3
    assert ran.err.startswith(f"No agent answers on unix://{folder}/agent.sock (connection refused).\n")


@pytest.mark.parametrize("url", ["10.0.0.7:48484", "ftp://host", "http://", "unix://relative", "nonsense"])
def test_an_address_that_is_none(iotctl: Iotctl, url: str) -> None:
    ran = iotctl("--url", url, "get", "apps")
    assert ran.code == 2
    assert f"--url is {url!r}: expected http://HOST:PORT" in ran.err


def test_a_port_that_is_none(iotctl: Iotctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICE_API_PORT", "no")
    ran = iotctl("get", "apps")
    assert ran.code == 2
    assert "DEVICE_API_PORT is 'no'" in ran.err


@pytest.fixture
def stranger() -> Iterator[str]:
    """Another program's HTTP server."""
    handler = http.server.SimpleHTTPRequestHandler
    handler.log_message = lambda *_: None  # type: ignore[method-assign]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_another_program_on_that_port(iotctl: Iotctl, stranger: str) -> None:
    ran = iotctl("--url", stranger, "get", "apps")
    assert ran.code == 3
    assert f"{stranger} answers, but not as an agent of Iotistic Edge does (404, text/html)." in ran.err


@pytest.mark.parametrize(
    ("given", "options", "rest"),
    [
        (["get", "apps"], Options(), ["get", "apps"]),
        (["get", "--url", "u", "apps"], Options(url="u"), ["get", "apps"]),
        (["--api-key=k", "get"], Options(api_key="k"), ["get"]),
        (["get", "--no-color"], Options(no_color=True), ["get"]),
        (["logs", "--", "--url", "x"], Options(), ["logs", "--", "--url", "x"]),
        (["x", "--", "--no-color"], Options(), ["x", "--", "--no-color"]),
    ],
)
def test_options_that_may_stand_anywhere(given: list[str], options: Options, rest: list[str]) -> None:
    assert take_options(given) == (options, rest)


@pytest.mark.parametrize("given", [["--url"], ["get", "--api-key"], ["--url="]])
def test_options_without_their_value(given: list[str]) -> None:
    with pytest.raises(BadInputError, match="needs a value"):
        take_options(given)
