"""One service as the engine's API wants to have it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iotistic.api.quantity import cpu_nanos, duration_seconds, memory_bytes
from iotistic.api.service import RestartPolicy, SecurityContext, Service
from iotistic.engines.docker.environment import expanded
from iotistic.engines.docker.labels import network_name

SHARES_OF_ONE_CPU = 1024
LEAST_SHARES = 2
LEAST_NANOS = 10**7
BOUNDED_LOG = {"max-size": "10m", "max-file": "3"}
POLICIES = {
    RestartPolicy.ALWAYS: "unless-stopped",
    RestartPolicy.ON_FAILURE: "on-failure",
    RestartPolicy.NEVER: "no",
}
"""Always is unless-stopped: what somebody has stopped stays so over a reboot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """What a container mounts, as the API wants it."""

    mounts: Sequence[Mapping[str, Any]] = ()
    """Sources that must be there."""
    binds: Sequence[str] = ()
    """Paths of the host that the engine makes directories of when they are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A service with everything that its container needs looked up."""

    app: str
    service: Service
    image: str
    """Name or id by which the engine knows it."""
    labels: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    mounts: Mounts = Mounts()
    cpus: int = 0
    """Of the engine's host; 0 when unknown."""


def body(parts: Parts, *, joined: bool) -> dict[str, Any]:
    """The body of `POST /containers/create`; attaches to the first network only.

    Args:
        parts: what goes in.
        joined: under the service's name and aliases; False for one that only takes over later.
    """
    service = parts.service
    content: dict[str, Any] = {
        "Image": parts.image,
        "Env": [f"{name}={value}" for name, value in parts.variables.items()],
        "Labels": dict(parts.labels),
        "ExposedPorts": {f"{p.container_port}/{p.protocol.lower()}": {} for p in service.ports},
        "StopTimeout": grace_seconds(service.stop_grace_period),
        "HostConfig": _host_config(parts),
    }
    if service.command:
        content["Entrypoint"] = expanded(service.command, parts.variables)
    if service.args:
        content["Cmd"] = expanded(service.args, parts.variables)
    if service.working_dir:
        content["WorkingDir"] = service.working_dir
    if service.hostname:
        content["Hostname"] = service.hostname
    if user := _user(service.security_context):
        content["User"] = user
    first = next(iter(endpoints(parts.app, service, joined=joined).items()), None)
    if first is not None:
        content["NetworkingConfig"] = {"EndpointsConfig": {first[0]: first[1]}}
    return content


def endpoints(app: str, service: Service, *, joined: bool) -> dict[str, dict[str, Any]]:
    """How a service is attached to the engine's networks, by their names; none with a networkMode."""
    if service.network_mode is not None:
        return {}
    result = {}
    for name, attachment in (service.networks or {"default": None}).items():
        aliases = [service.name, *(attachment.aliases if attachment else ())] if joined else []
        endpoint: dict[str, Any] = {"Aliases": list(dict.fromkeys(aliases))}
        if attachment and attachment.ipv4_address:
            endpoint["IPAMConfig"] = {"IPv4Address": attachment.ipv4_address}
        result[network_name(app, name)] = endpoint
    return result


def limits(resources: Mapping[str, Any] | None, cpus: int) -> dict[str, int]:
    """What the engine is told of `resources`, as it is written; amounts that are not there are 0.

    A limit beyond the host's processors is all of them, and one below what the engine takes is that: an
    App written for another board still runs.
    """
    limit = (resources or {}).get("limits") or {}
    request = (resources or {}).get("requests") or {}
    memory = _amount(limit.get("memory"), memory_bytes)
    nanos = _amount(limit.get("cpu"), cpu_nanos)
    nanos = max(nanos, LEAST_NANOS) if nanos else 0
    shares = math.ceil(_amount(request.get("cpu"), cpu_nanos) * SHARES_OF_ONE_CPU / 10**9)
    return {
        "Memory": memory,
        "NanoCpus": min(nanos, cpus * 10**9) if cpus else nanos,
        "MemoryReservation": _amount(request.get("memory"), memory_bytes),
        "CpuShares": max(shares, LEAST_SHARES) if shares else 0,
    }


def grace_seconds(period: str | int | float) -> int:
    """Whole seconds between SIGTERM and SIGKILL."""
    return math.ceil(duration_seconds(period))


def policy_name(policy: RestartPolicy) -> str:
    """The engine's word for a restart policy."""
    return POLICIES[policy]


def _amount(value: Any, parse: Any) -> int:
    return int(parse(value)) if value is not None else 0


def _user(security: SecurityContext) -> str:
    if security.run_as_user is None:
        return ""
    group = "" if security.run_as_group is None else f":{security.run_as_group}"
    return f"{security.run_as_user}{group}"


def _host_config(parts: Parts) -> dict[str, Any]:
    service, security = parts.service, parts.service.security_context
    resources = limits(service.wire().get("resources"), parts.cpus)
    config: dict[str, Any] = {
        "NetworkMode": service.network_mode or next(iter(endpoints(parts.app, service, joined=True))),
        "RestartPolicy": {"Name": policy_name(service.restart_policy)},
        "LogConfig": _log_config(service),
        "Mounts": [dict(mount) for mount in parts.mounts.mounts],
        "Binds": list(parts.mounts.binds),
        "Tmpfs": {m.mount_path: f"size={memory_bytes(m.size)}" if m.size else "" for m in service.tmpfs},
        "Devices": [_device(text) for text in service.devices],
        "ExtraHosts": list(service.extra_hosts),
        "Sysctls": dict(service.sysctls),
        "Privileged": security.privileged,
        "ReadonlyRootfs": security.read_only_root_filesystem,
        "CapAdd": list(security.capabilities.add),
        "CapDrop": list(security.capabilities.drop),
        "SecurityOpt": [] if security.allow_privilege_escalation else ["no-new-privileges:true"],
    }
    if service.network_mode is None:
        config["PortBindings"] = _port_bindings(service)
    config |= {key: value for key, value in resources.items() if value}
    if resources["Memory"]:
        config["MemorySwap"] = resources["Memory"]  # as much again in swap would be no limit
    return config


def _log_config(service: Service) -> dict[str, Any]:
    logging = service.logging
    bounded = BOUNDED_LOG if logging.driver == "json-file" else {}
    return {"Type": logging.driver, "Config": bounded | logging.options}


def _device(text: str) -> dict[str, str]:
    host, _, rest = text.partition(":")
    inside, _, rights = rest.partition(":")
    return {"PathOnHost": host, "PathInContainer": inside or host, "CgroupPermissions": rights or "rwm"}


def _port_bindings(service: Service) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in service.ports:
        if port.host_port is None:
            continue
        key = f"{port.container_port}/{port.protocol.lower()}"
        bindings.setdefault(key, []).append({"HostIp": port.host_ip or "", "HostPort": str(port.host_port)})
    return bindings
