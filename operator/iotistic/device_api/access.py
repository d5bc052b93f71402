"""From where the API may be reached: API_SECURITY_MODE and what goes with it, checked before listening."""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from iotistic.api.errors import EdgeError
from iotistic.device_api.peers import is_loopback

Mode = Literal["LOCALHOST_ONLY", "LOCAL_NETWORK", "API_KEY", "OPEN"]
"""This machine; private networks; everybody; everybody, said loudly. Only the first may go without a key."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the door asks of callers over TCP."""

    mode: Mode
    host: str
    """Address to listen on."""
    hosts: frozenset[str]
    """What the Host header may name, beside the address that was called."""
    require_key: bool

    @property
    def near_only(self) -> bool:
        """Callers from public addresses are refused."""
        return self.mode == "LOCAL_NETWORK"


def access_of(
    mode: str, *, require_key: bool = True, host: str = "", allowed_hosts: Collection[str] = ()
) -> Access:
    """What a mode means.

    Args:
        require_key: False (ENABLE_AUTH=false) is for LOCALHOST_ONLY alone.
        host: address to listen on in place of the mode's own.
        allowed_hosts: names of this device that it does not know itself.

    Raises: EdgeError for an unknown mode and for one that would open more than it says.
    """
    found = next((one for one in get_args(Mode) if one == mode), None)
    if found is None:
        raise EdgeError(
            f"API_SECURITY_MODE is {mode!r}, and there is no such mode",
            hint=f"set it to one of {', '.join(get_args(Mode))}",
        )
    host = host.strip("[]") or ("127.0.0.1" if found == "LOCALHOST_ONLY" else "0.0.0.0")
    if found == "LOCALHOST_ONLY" and not is_loopback(host):
        raise EdgeError(
            f"API_SECURITY_MODE=LOCALHOST_ONLY listens on loopback only, not on {host}",
            hint="set API_SECURITY_MODE=LOCAL_NETWORK or API_KEY, or leave DEVICE_API_HOST out",
        )
    if found != "LOCALHOST_ONLY" and not require_key:
        raise EdgeError(
            f"without a key (ENABLE_AUTH=false) the API listens on loopback only, "
            f"and API_SECURITY_MODE={found} is reached from elsewhere",
            hint="leave ENABLE_AUTH out, or set API_SECURITY_MODE=LOCALHOST_ONLY",
        )
    own = frozenset() if found == "LOCALHOST_ONLY" else _own_names()
    named = {name.strip().strip("[]").lower() for name in allowed_hosts}
    return Access(mode=found, host=host, hosts=LOOPBACK_HOSTS | own | (named - {""}), require_key=require_key)


def _own_names() -> frozenset[str]:
    """The hostname, its first part, and that in .local (mDNS)."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({name, short, f"{short}.local"}) if short else frozenset()
