"""Where a caller comes from: its address as it really is, whether it is near, whom it counts with."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
LOCAL_NETWORKS = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fe80::/10",
        "fc00::/7",
    )
)
HOUSEHOLD_BITS = 64
"""One caller has all IPv6 addresses below such a prefix."""


def address_of(text: str) -> Address | None:
    """The address without brackets and zone; `::ffff:10.0.0.7` is 10.0.0.7. None when it is none."""
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_near(address: Address) -> bool:
    """Whether it belongs to this machine, its links or private networks."""
    return any(address in network for network in LOCAL_NETWORKS)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    address = address_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def counted_as(address: Address) -> str:
    """Whom its attempts count for: itself, or its IPv6 neighbourhood."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> HOUSEHOLD_BITS << HOUSEHOLD_BITS, HOUSEHOLD_BITS)))
