"""Ports of the host: who asks for which, and when two ask for the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from iotistic.api.places import Place

ANY_ADDRESS = {4: "0.0.0.0", 6: "::"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A port of the host that a service asks for."""

    number: int
    protocol: str
    address: str
    """Of the host; empty for all."""
    service: str
    inside: int | None
    """Port of the container that it leads to."""
    place: Place
    """Where it is written."""
    app: str = ""
    """App of the service, where several are looked at."""

    @property
    def text(self) -> str:
        """`8080`, `127.0.0.1:53/UDP`."""
        address = f"{self.address}:" if self.address else ""
        return f"{address}{self.number}{'' if self.protocol == 'TCP' else f'/{self.protocol}'}"


def host_ports(services: Iterable[Place], app: str = "") -> Iterator[HostPort]:
    """All ports of the host that these services ask for. On the host's network each port is one."""
    for service in services:
        on_host = service["networkMode"].value == "host"
        for port in service["ports"].each():
            key = "hostPort" if port["hostPort"].number is not None else "containerPort" if on_host else ""
            number = port[key].number if key else None
            if number is not None:
                yield HostPort(
                    number=number,
                    protocol=port["protocol"].text or "TCP",
                    address=port["hostIP"].text,
                    service=service["name"].text,
                    inside=port["containerPort"].number,
                    place=port[key],
                    app=app,
                )


def clashes(ports: Iterable[HostPort], taken: Iterable[HostPort] = ()) -> Iterator[tuple[HostPort, HostPort]]:
    """Ports that can't be had, each with the one that has it: of those taken, else of the ones before."""
    holders: dict[tuple[int, str], list[HostPort]] = {}
    for port in taken:
        holders.setdefault((port.number, port.protocol), []).append(port)
    for port in ports:
        others = holders.setdefault((port.number, port.protocol), [])
        holder = next((other for other in others if _overlap(port.address, other.address)), None)
        if holder is not None:
            yield port, holder
        others.append(port)


def _overlap(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return True
    try:
        first, second = ip_address(one), ip_address(other)
    except ValueError:
        return False
    if first.version != second.version:
        return False
    return first == second or ANY_ADDRESS[first.version] in (str(first), str(second))
