"""What the fields of one service may say together, and what the engine takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from iotistic.api.dependencies import PROBES
from iotistic.api.networks import address_of
from iotistic.api.places import Place, names_of, quoted_list, repeated
from iotistic.api.quantity import cpu_nanos, memory_bytes
from iotistic.api.wording import Finding, closest

LEAST_MEMORY = 6 * 2**20
"""Docker makes no container with a lower limit."""
SYSCTL = r"[a-z0-9_]+([./][A-Za-z0-9_*-]+)+"
OWN_SYSCTLS = r"net[./].+|fs[./]mqueue[./].+|kernel[./](shm.*|msg.*|sem)"
"""Those that a container has of its own."""
CAPABILITIES = frozenset({
    "ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE",
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL",
    "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE",
    "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN",
    "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
})  # fmt: skip


def check_service(service: Place) -> Iterator[Finding]:
    """Everything that is wrong with a service, seen alone."""
    yield from repeated(((var["name"].text, var["name"]) for var in service["env"].each()), "the variable")
    yield from repeated(((one.text, one) for one in service["devices"].each()), "the device")
    yield from _check_ports(service)
    yield from _check_network_mode(service)
    for probe in PROBES:
        yield from _check_probe(service[probe], service, probe)
    yield from _check_resources(service["resources"])
    yield from _check_security(service["securityContext"])
    yield from _check_sysctls(service)
    for host in service["extraHosts"].each():
        name, _, address = host.text.partition(":")
        if name and address and address != "host-gateway" and address_of(address.strip("[]")) is None:
            yield host.wrong(f"{address!r} is no address", "write  name:10.0.0.7  or  name:host-gateway")
    if service["workingDir"].text and not service["workingDir"].text.startswith("/"):
        yield service["workingDir"].wrong(
            f"expected an absolute path like /app, got {service['workingDir'].text!r}"
        )


def _check_ports(service: Place) -> Iterator[Finding]:
    ports = service["ports"].each()
    yield from repeated(((port["name"].text, port["name"]) for port in ports), "the name")
    asked = [
        ((port["containerPort"].number, port["hostPort"].number, _protocol(port), port["hostIP"].text), port)
        for port in ports
        if port["containerPort"].number is not None
    ]
    yield from repeated(asked, "the port")
    for port in ports:
        if port["hostIP"].text and address_of(port["hostIP"].text) is None:
            yield port["hostIP"].wrong(f"expected an address like 127.0.0.1, got {port['hostIP'].text!r}")
        elif port["hostIP"].text and not port["hostPort"].given:
            yield port["hostIP"].wrong("means nothing without hostPort")


def _protocol(port: Place) -> str:
    return port["protocol"].text or "TCP"


def _check_network_mode(service: Place) -> Iterator[Finding]:
    mode = service["networkMode"].text
    if mode not in {"host", "none"}:
        return
    if service["networks"].given:
        aliases = any(attachment["aliases"].given for _, attachment in service["networks"].members())
        what = "networks and aliases" if aliases else "networks"
        yield service["networks"].wrong(f"{what} can't be had with networkMode {mode}", "drop one of them")
    for port in service["ports"].each():
        if not port["hostPort"].given:
            continue
        if mode == "none":
            yield port["hostPort"].wrong("can't be had with networkMode none", "drop one of them")
        elif port["hostPort"].value != port["containerPort"].value:
            hint = "drop hostPort: on the host's network the containerPort is the host's"
            yield port["hostPort"].wrong("is not the containerPort, but networkMode is host", hint)


def _check_probe(probe: Place, service: Place, kind: str) -> Iterator[Finding]:
    if kind != "readinessProbe" and (probe["successThreshold"].number or 1) != 1:
        yield probe["successThreshold"].wrong(f"must be 1 for a {kind}")
    for question in (probe["httpGet"], probe["tcpSocket"]):
        if not question.given:
            continue
        yield from _check_probe_port(question["port"], service)
        if service["networkMode"].value == "none" and not question["host"].given:
            yield question.wrong("can't reach a service with networkMode none", "use exec")
    path = probe["httpGet"]["path"]
    if path.text and not path.text.startswith("/"):
        yield path.wrong(f"expected a path like /health, got {path.text!r}")
    for header in probe["httpGet"]["httpHeaders"].each():
        for part in (header["name"], header["value"]):
            if "\r" in part.text or "\n" in part.text:
                yield part.wrong("a header can't have a line break")


def _check_probe_port(port: Place, service: Place) -> Iterator[Finding]:
    if not port.text:
        return
    if port.text.isdigit():
        yield port.wrong(f"expected a number or the name of a port, got {port.text!r}", "write it unquoted")
        return
    known = names_of(service["ports"].each())
    if port.text not in known:
        near = closest(port.text, known)
        message = f'no port "{port.text}" in this service (named ports: {quoted_list(known)})'
        yield port.wrong(message, f"did you mean {near}?" if near else "")


def _check_resources(resources: Place) -> Iterator[Finding]:
    for what, parse in (("cpu", cpu_nanos), ("memory", memory_bytes)):
        request, limit = resources["requests"][what], resources["limits"][what]
        asked, most = _amount(request, parse), _amount(limit, parse)
        if most is None:
            continue
        if asked is not None and asked > most:
            yield request.wrong(f"{request.value} is more than the limit, {limit.value}")
        if what == "memory" and most < LEAST_MEMORY:
            yield limit.wrong(f"{limit.value} is too little", "Docker needs at least 6Mi")
        if what == "cpu" and most == 0:
            yield limit.wrong("0 is no limit", "leave it out")


def _amount(place: Place, parse: Callable[[str | int | float], int]) -> int | None:
    if place.value is None or isinstance(place.value, bool | list | dict):
        return None
    try:
        return parse(place.value)
    except ValueError:
        return None


def _check_security(context: Place) -> Iterator[Finding]:
    if context["privileged"].value is True and context["allowPrivilegeEscalation"].value is False:
        yield context["allowPrivilegeEscalation"].wrong("false can't be had with privileged: true")
    for which in ("add", "drop"):
        for capability in context["capabilities"][which].each():
            name = capability.text.upper()
            plain = name.removeprefix("CAP_")
            if not capability.text or capability.text in CAPABILITIES:
                continue
            near = plain if plain in CAPABILITIES else closest(plain, CAPABILITIES)
            hint = f"did you mean {near}?" if near else "as in  NET_ADMIN"
            yield capability.wrong(f"{capability.text!r} is no capability", hint)


def _check_sysctls(service: Place) -> Iterator[Finding]:
    for name, place in service["sysctls"].members():
        if not re.fullmatch(SYSCTL, name):
            yield place.wrong(f"{name!r} is no sysctl", "as in  net.core.somaxconn")
        elif not re.fullmatch(OWN_SYSCTLS, name):
            yield place.wrong("a container has none of its own of this", "set it on the host")
        elif name.startswith("net") and service["networkMode"].value == "host":
            yield place.wrong("belongs to the host with networkMode host", "set it on the host")
