"""What networks and fixed addresses may say."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from iotistic.api.places import Place, names_of, quoted_list, repeated
from iotistic.api.wording import Finding, closest

Subnet = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def check_networks(networks: list[Place], services: list[Place]) -> Iterator[Finding]:
    """Everything that is wrong with an App's networks, and with how its services join them."""
    before: list[tuple[Subnet, Place]] = []
    for network in networks:
        for config in network["ipam"]["config"].each():
            yield from _check_config(config, before)
    known = sorted({"default", *names_of(networks)})
    for service in services:
        for name, attachment in service["networks"].members():
            if name not in known:
                yield _unknown(attachment, name, known)
    yield from _check_fixed(networks, services)


def address_of(text: str) -> Address | None:
    """The address that a text is; None when it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def subnet_of(text: str) -> Subnet | None:
    """The subnet that a text is; None when it is none."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def _check_config(config: Place, before: list[tuple[Subnet, Place]]) -> Iterator[Finding]:
    yield from _check_subnet(config["subnet"])
    yield from _check_subnet(config["ipRange"])
    gateway = address_of(config["gateway"].text)
    if config["gateway"].text and gateway is None:
        yield config["gateway"].wrong(f"expected an address like 10.5.0.1, got {config['gateway'].text!r}")
    subnet = subnet_of(config["subnet"].text)
    if subnet is None:
        return
    if subnet.version == 6:
        yield config["subnet"].wrong("IPv6 is not supported yet", "write a subnet like 10.5.0.0/24")
    for other, place in before:
        if subnet.overlaps(other):
            yield config["subnet"].wrong(f"overlaps {other} of {place.path}", "choose another")
    before.append((subnet, config["subnet"]))
    if gateway is not None and gateway not in subnet:
        yield config["gateway"].wrong(f"{gateway} is not in {subnet}")
    pool = subnet_of(config["ipRange"].text)
    if pool is not None and not _is_part(pool, subnet):
        yield config["ipRange"].wrong(f"{pool} is not a part of {subnet}")


def _check_subnet(place: Place) -> Iterator[Finding]:
    if not place.text or subnet_of(place.text) is not None:
        return
    try:
        hint = f"did you mean {ip_network(place.text, strict=False)}?"
    except ValueError:
        hint = ""
    yield place.wrong(f"expected a subnet like 10.5.0.0/24, got {place.text!r}", hint)


def _is_part(part: Subnet, whole: Subnet) -> bool:
    return part.version == whole.version and part[0] in whole and part[-1] in whole


def _unknown(attachment: Place, name: str, known: list[str]) -> Finding:
    message = f'no network "{name}" in this App (networks: {quoted_list(known)})'
    if name in {"host", "none"}:
        return attachment.wrong(message, f"write  networkMode: {name}")
    near = closest(name, known)
    return attachment.wrong(message, f"did you mean {near}?" if near else "")


def _check_fixed(networks: list[Place], services: list[Place]) -> Iterator[Finding]:
    """Fixed addresses: in a subnet of their network, and nobody else's."""
    configs = {network["name"].text: network["ipam"]["config"].each() for network in networks}
    fixed: list[tuple[object, Place]] = []
    for service in services:
        for name, attachment in service["networks"].members():
            place = attachment["ipv4Address"]
            if not place.text:
                continue
            address = address_of(place.text)
            if not isinstance(address, IPv4Address):
                yield place.wrong(f"expected an address like 10.5.0.7, got {place.text!r}")
                continue
            fixed.append(((name, address), place))
            yield from _check_address(place, address, name, configs.get(name, []))
    yield from repeated(fixed, "this address")


def _check_address(place: Place, address: IPv4Address, name: str, configs: list[Place]) -> Iterator[Finding]:
    subnets = [subnet for config in configs if (subnet := subnet_of(config["subnet"].text))]
    if not subnets:
        if not any(config["subnet"].given for config in configs):
            hint = f"add  networks: [{{name: {name}, ipam: {{config: [{{subnet: 10.5.0.0/24}}]}}}}]"
            yield place.wrong(f'a fixed address needs a subnet, and network "{name}" has none', hint)
        return
    if not any(address in subnet for subnet in subnets):
        yield place.wrong(f'{address} is not in network "{name}" ({quoted_list(map(str, subnets))})')
    elif any(address_of(config["gateway"].text) == address for config in configs):
        yield place.wrong(f'{address} is the gateway of network "{name}"', "choose another")
    elif any(address in (s.network_address, s.broadcast_address) for s in subnets if s.num_addresses > 2):
        yield place.wrong(f"{address} is no address of a host", "choose another")
