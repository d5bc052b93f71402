"""API_SECURITY_MODE: what each mode listens on, whom it lets in, and what is refused at the start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from iotistic.api.errors import EdgeError
from iotistic.device_api.access import access_of
from iotistic.device_api.peers import address_of, counted_as, is_near
from iotistic.device_api.security import Guard
from iotistic.settings import Settings
from tests.unit.device_api.conftest import KEY, running


def own_address() -> str:
    """An address of this machine beside loopback's; nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("mode", "host", "listens", "near_only"),
    [
        ("LOCALHOST_ONLY", "", "127.0.0.1", False),
        ("LOCALHOST_ONLY", "127.0.0.2", "127.0.0.2", False),
        ("LOCALHOST_ONLY", "[::1]", "::1", False),
        ("LOCALHOST_ONLY", "localhost", "localhost", False),
        ("LOCAL_NETWORK", "", "0.0.0.0", True),
        ("API_KEY", "", "0.0.0.0", False),
        ("API_KEY", "::", "::", False),
        ("OPEN", "192.0.2.7", "192.0.2.7", False),
    ],
)
def test_what_a_mode_means(mode: str, host: str, listens: str, near_only: bool) -> None:
    access = access_of(mode, host=host)

    assert (access.host, access.near_only, access.require_key) == (listens, near_only, True)


def test_only_the_wider_modes_know_the_hostname() -> None:
    name = socket.gethostname().lower()

    assert access_of("LOCALHOST_ONLY").hosts == {"127.0.0.1", "localhost", "::1"}
    assert {name, f"{name.partition('.')[0]}.local", "localhost"} <= access_of("API_KEY").hosts
    assert "box.lan" in access_of("API_KEY", allowed_hosts=[" Box.LAN ", ""]).hosts
    assert "" not in access_of("API_KEY", allowed_hosts=[" Box.LAN ", ""]).hosts


@pytest.mark.parametrize(
    ("mode", "options", "message", "hint"),
    [
        ("LAN", {}, "API_SECURITY_MODE is 'LAN'", "LOCALHOST_ONLY, LOCAL_NETWORK, API_KEY, OPEN"),
        ("", {}, "API_SECURITY_MODE is ''", "LOCALHOST_ONLY"),
        ("LOCALHOST_ONLY", {"host": "0.0.0.0"}, "loopback only, not on 0.0.0.0", "DEVICE_API_HOST"),
        ("LOCALHOST_ONLY", {"host": "box.lan"}, "loopback only, not on box.lan", "DEVICE_API_HOST"),
        ("LOCAL_NETWORK", {"require_key": False}, "without a key", "ENABLE_AUTH"),
        ("OPEN", {"require_key": False}, "without a key", "ENABLE_AUTH"),
        ("OPEN", {"require_key": False, "host": "127.0.0.1"}, "without a key", "LOCALHOST_ONLY"),
    ],
)
def test_what_opens_more_than_it_says_is_refused(
    mode: str, options: dict[str, object], message: str, hint: str
) -> None:
    with pytest.raises(EdgeError, match=message) as caught:
        access_of(mode, **options)

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"API_SECURITY_MODE": "LAN"},
            "API_SECURITY_MODE: Input should be 'LOCALHOST_ONLY', 'LOCAL_NETWORK'",
        ),
        ({"API_SECURITY_MODE": "OPEN", "ENABLE_AUTH": "false"}, "ENABLE_AUTH: Value error, false is for"),
    ],
)
def test_the_agent_does_not_start_with_a_mode_it_does_not_know(
    folder: Path, environment: dict[str, str], said: str
) -> None:
    ended = subprocess.run(
        [Path(sys.executable).with_name("iotistic-edge"), "agent"],
        env=os.environ | {"CONFIG_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert list(folder.iterdir()) == []


def test_settings_read_hosts_with_commas() -> None:
    assert Settings(device_api_allowed_hosts=" box.lan, ,10.0.0.7 ").allowed_hosts == ("box.lan", "10.0.0.7")
    assert Settings().allowed_hosts == ()
    with pytest.raises(ValidationError, match="API_SECURITY_MODE=API_KEY is reached from elsewhere"):
        Settings(api_security_mode="API_KEY", enable_auth=False)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.31.255.255", True),
        ("172.32.0.1", False),
        ("192.168.7.7", True),
        ("192.169.0.1", False),
        ("169.254.1.1", True),
        ("203.0.113.9", False),
        ("::1", True),
        ("::ffff:10.0.0.7", True),
        ("::ffff:203.0.113.9", False),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("2001:db8::1", False),
    ],
)
def test_near_addresses(text: str, near: bool) -> None:
    address = address_of(text)

    assert address is not None
    assert is_near(address) == near


def test_who_counts_as_one_caller() -> None:
    def caller(text: str) -> str:
        address = address_of(text)
        assert address is not None
        return counted_as(address)

    assert caller("::ffff:10.0.0.7") == caller("10.0.0.7") == "10.0.0.7"
    assert caller("10.0.0.8") != caller("10.0.0.7")
    assert caller("2001:db8:1:2::3") == caller("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert caller("2001:db8:1:3::3") != caller("2001:db8:1:2::3")
    assert address_of("localhost") is address_of("") is address_of("10.0.0") is None


class TestBeyondLoopback:
    """The wider modes on this machine's own address."""

    @pytest.mark.parametrize("mode", ["LOCAL_NETWORK", "API_KEY", "OPEN"])
    async def test_the_key_is_always_asked(self, folder: Path, mode: str) -> None:
        address = own_address()
        async with running(folder, mode=mode) as api, httpx.AsyncClient(trust_env=False) as client:
            url = f"http://{address}:{api.listening.port}"
            near = is_near(address_of(address)) or mode != "LOCAL_NETWORK"
            with_key = {"X-API-Key": KEY}

            assert (await client.get(f"{url}/ping")).status_code == 200
            assert (await client.get(f"{url}/v1/apps")).status_code == (401 if near else 403)
            assert (await client.get(f"{url}/v1/apps", headers=with_key)).status_code == (
                200 if near else 403
            )
            assert (await api.tcp.get("/v1/apps")).status_code == 200, api.listening.url

    async def test_hosts_are_those_of_the_device(self, folder: Path) -> None:
        address, name = own_address(), socket.gethostname()
        async with running(folder, mode="API_KEY", allowed_hosts=["box.lan"]) as api:
            url = f"http://{address}:{api.listening.port}/ping"
            codes = {
                host: (await api.tcp.get(url, headers={"Host": host})).status_code
                for host in (
                    address,
                    f"{address}:1",
                    name,
                    "box.lan",
                    "localhost",
                    "evil.example",
                    "10.9.8.7",
                )
            }

        assert codes == {
            address: 200,
            f"{address}:1": 200,
            name: 200,
            "box.lan": 200,
            "localhost": 200,
            "evil.example": 403,
            "10.9.8.7": 403,
        }

    @pytest.mark.parametrize(
        ("client", "path", "status"),
        [
            (("203.0.113.9", 4000), "/v1/apps", 403),
            (("::ffff:203.0.113.9", 4000), "/v1/apps", 403),
            (None, "/v1/apps", 403),
            (("203.0.113.9", 4000), "/docs", 403),
            (("203.0.113.9", 4000), "/ping", 200),
            (("::ffff:192.168.1.9", 4000), "/v1/apps", 200),
        ],
    )
    async def test_public_callers_are_refused_whatever_they_say(
        self, client: tuple[str, int] | None, path: str, status: int
    ) -> None:
        """No public address can be had here, so the door is asked as the server asks it."""
        guard = Guard(PlainTextResponse("in"), key=KEY, access=access_of("LOCAL_NETWORK"))
        answers: list[Any] = []

        async def send(message: Any) -> None:
            answers.append(message)

        headers = {
            "host": "192.168.1.5:48484",
            "x-api-key": KEY,
            "x-forwarded-for": "127.0.0.1",
            "x-real-ip": "127.0.0.1",
        }
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "client": client,
            "server": ("::ffff:192.168.1.5", 48484),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await guard(scope, None, send)

        assert answers[0]["status"] == status
        assert client is None or status == 200 or b"203.0.113.9" in answers[1]["body"]

    async def test_mapped_addresses_are_what_they_map(self, folder: Path) -> None:
        """On `::` callers of IPv4 show as ::ffff:a.b.c.d."""
        if not socket.has_dualstack_ipv6():
            pytest.skip("no IPv6 here")
        async with running(folder, mode="LOCAL_NETWORK", host="::") as api:
            url = f"http://127.0.0.1:{api.listening.port}/v1/apps"

            assert (await api.tcp.get(url)).status_code == 200
            assert (await api.tcp.get("/v1/apps")).status_code == 200, "over [::1]"

    async def test_open_is_said_aloud(self, folder: Path) -> None:
        with capture_logs() as logs:
            async with running(folder, mode="OPEN"):
                pass

        assert [(line["event"], line["log_level"]) for line in logs] == [("api_open", "warning")]
