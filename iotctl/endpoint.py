"""Where the agent is: an address somebody gave, else the socket or the port of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from iotctl.exits import BadInputError
from iotctl.settings import Settings

SOCKET_FILE = "agent.sock"
KEY_FILE = "api-key"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One agent's address, and the key to show there."""

    address: str
    """As people write it: `unix:///app/data/agent.sock`, `http://10.0.0.7:48484`."""
    socket: Path | None = None
    """Its Unix socket; None for TCP."""
    key: str = ""
    key_problem: str = ""
    """Why there is no key, for the error that follows from it."""
    looked: str = ""
    """Where else was looked first, and why that was not it."""
    what: str = "Agent"
    """What answers there: an agent, or a cluster."""
    place: str = "on this device"
    """Where its Apps are, in words."""

    @property
    def host(self) -> str:
        """Host under which published ports of its containers are reached."""
        return "localhost" if self.socket else urlsplit(self.address).hostname or "localhost"

    @property
    def is_here(self) -> bool:
        """True for an agent of this machine."""
        return self.socket is not None or self.host in LOOPBACK


def find_endpoint(settings: Settings, *, url: str = "", api_key: str = "") -> Endpoint:
    """The agent that is meant.

    Args:
        url: of the command line; wins over the environment.
        api_key: likewise.

    Raises: BadInputError for an address that is none.
    """
    if url or settings.url:
        return _given(settings, url or settings.url, "--url" if url else settings.url_from, api_key)
    socket = settings.config_dir / SOCKET_FILE
    if socket.is_socket():
        return Endpoint(address=f"unix://{socket}", socket=socket)
    key, problem = _key(settings, api_key)
    return Endpoint(
        address=f"http://127.0.0.1:{settings.port}",
        key=key,
        key_problem=problem,
        looked=f"there is no {socket}",
    )


def _given(settings: Settings, url: str, source: str, api_key: str) -> Endpoint:
    parts = urlsplit(url)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return Endpoint(address=url, socket=Path(parts.path))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInputError(
            f"{source} is {url!r}: expected http://HOST:PORT, https://HOST:PORT or unix:///PATH"
        )
    address = url.rstrip("/")
    if parts.hostname not in LOOPBACK:
        # The key file is this device's: another host must never see it.
        key = api_key or settings.api_key
        return Endpoint(address=address, key=key, key_problem="" if key else "no --api-key was given")
    key, problem = _key(settings, api_key)
    return Endpoint(address=address, key=key, key_problem=problem)


def _key(settings: Settings, api_key: str) -> tuple[str, str]:
    if api_key or settings.api_key:
        return api_key or settings.api_key, ""
    path = settings.config_dir / KEY_FILE
    try:
        return path.read_text().strip(), ""
    except OSError as error:
        return "", f"{path} can't be read ({(error.strerror or 'error').lower()})"
