"""What an App may say that Kubernetes can't do: it is refused, never ignored.

Each message is also what docs/kubernetes-fields.md says of the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from iotistic.api.app import App, Network, Volume
from iotistic.api.appservice import RunState
from iotistic.api.service import NetworkAttachment, Service
from iotistic.api.wording import Finding
from iotistic.engines.kubernetes.networking import joined

PAUSED = "Kubernetes can't freeze a container"
PAUSED_HINT = "stop the service instead, or start it"
HOST_NETWORK = "a service that needs the host's has networkMode: host"
_HOST_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.IGNORECASE)
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)


def refused(app: App, run_states: Mapping[str, RunState] | None = None) -> list[Finding]:
    """Everything of an App that can't be had here, in the words of docs/kubernetes-fields.md.

    Args:
        app: as written.
        run_states: by service; Paused is refused as `services[NAME].runState`.

    Returns: findings with paths as in `spec.services[web].devices`.
    """
    states = run_states or {}
    return [
        *(one for service in app.spec.services for one in _service(app, service)),
        *(one for network in app.spec.networks for one in _network(network)),
        *(one for volume in app.spec.volumes for one in _volume(volume)),
        *_names(app),
        *(
            Finding(path=f"spec.services[{service.name}].runState", message=PAUSED, hint=PAUSED_HINT)
            for service in app.spec.services
            if states.get(service.name) is RunState.PAUSED
        ),
    ]


def _service(app: App, service: Service) -> Iterator[Finding]:
    path = f"spec.services[{service.name}]"
    yield from _ports(service, path)
    if service.devices and not service.security_context.privileged:
        yield Finding(
            path=f"{path}.devices",
            message="Kubernetes gives a container no single device",
            hint="set securityContext.privileged: true, which gives it all of them, or drop the device",
        )
    for name, attachment in service.networks.items():
        yield from _attachment(attachment, f"{path}.networks.{name}")
    if service.network_mode == "host" and service.hostname is not None:
        yield Finding(
            path=f"{path}.hostname",
            message="on the host's network a pod has the name of its node",
            hint="leave it out",
        )
    for host in service.extra_hosts:
        if host.partition(":")[2] == "host-gateway":
            yield Finding(
                path=f"{path}.extraHosts",
                message="host-gateway is known on Docker only",
                hint="write the address of the node",
            )
    yield from _logging(service, path)
    for key in service.labels:
        if not _LABEL_KEY.fullmatch(key):
            yield Finding(
                path=f"{path}.labels",
                message=f"{key!r} is no key of a label or annotation on Kubernetes",
                hint="write a key as in  example.com/some-name",
            )
    yield from _rights(service, path)


def _ports(service: Service, path: str) -> Iterator[Finding]:
    seen: set[tuple[int, str]] = set()
    for port in service.ports:
        key = (port.container_port, port.protocol)
        if key in seen:
            yield Finding(
                path=f"{path}.ports",
                message=f"port {port.container_port}/{port.protocol} can lead to one port of the host only",
                hint="drop the second one",
            )
        seen.add(key)


def _attachment(attachment: NetworkAttachment | None, path: str) -> Iterator[Finding]:
    if attachment is None:
        return
    if attachment.ipv4_address is not None:
        yield Finding(
            path=f"{path}.ipv4Address",
            message="Kubernetes gives pods their addresses",
            hint="reach the service by its name",
        )
    for alias in attachment.aliases:
        if not _HOST_NAME.fullmatch(alias):
            yield Finding(
                path=f"{path}.aliases",
                message=f"{alias!r} can't be a name here: letters, digits and '-', at most 63",
                hint="choose another alias",
            )


def _logging(service: Service, path: str) -> Iterator[Finding]:
    if service.logging.driver != "json-file":
        yield Finding(
            path=f"{path}.logging.driver",
            message="the kubelet keeps the output of containers; there is no other log driver",
            hint="leave it out, or write json-file",
        )
    if service.logging.options:
        yield Finding(
            path=f"{path}.logging.options",
            message="how much output is kept is a setting of the kubelet (containerLogMaxSize), for all pods",
            hint="leave them out",
        )


def _rights(service: Service, path: str) -> Iterator[Finding]:
    context = service.security_context
    if not context.allow_privilege_escalation and {"SYS_ADMIN", "ALL"} & set(context.capabilities.add):
        yield Finding(
            path=f"{path}.securityContext.allowPrivilegeEscalation",
            message="false can't be had with the capability SYS_ADMIN on Kubernetes",
            hint="leave it out, or drop that capability",
        )


def _network(network: Network) -> Iterator[Finding]:
    path = f"spec.networks[{network.name}]"
    if network.driver != "bridge":
        yield Finding(
            path=f"{path}.driver",
            message="pods are in the cluster's network; there is no other",
            hint=f"leave it out; {HOST_NETWORK}",
        )
    if network.driver_opts:
        yield Finding(
            path=f"{path}.driverOpts", message="a network has no driver on Kubernetes", hint="leave them out"
        )
    if network.ipam.driver != "default" or network.ipam.config:
        yield Finding(
            path=f"{path}.ipam",
            message="the cluster's network gives the addresses",
            hint="leave it out, and reach services by their names",
        )
    if network.labels:
        yield Finding(
            path=f"{path}.labels",
            message="a network is no object on Kubernetes that could have labels",
            hint="leave them out",
        )


def _volume(volume: Volume) -> Iterator[Finding]:
    path = f"spec.volumes[{volume.name}]"
    if volume.driver != "local":
        yield Finding(
            path=f"{path}.driver", message="a volume has no driver on Kubernetes", hint="use storageClass"
        )
    if volume.driver_opts:
        yield Finding(
            path=f"{path}.driverOpts",
            message="a volume has no driver options on Kubernetes",
            hint="use storageClass",
        )


def _names(app: App) -> Iterator[Finding]:
    """A name means one thing in the whole App here, and one thing in each network on Docker."""
    meant: dict[str, set[str]] = {}
    where: dict[tuple[str, str], set[str]] = {}
    networks = {service.name: joined(service) for service in app.spec.services}
    for service in app.spec.services:
        for network in networks[service.name]:
            attachment = service.networks.get(network)
            for name in {service.name, *(attachment.aliases if attachment else ())}:
                meant.setdefault(name.lower(), set()).add(service.name)
                where.setdefault((name.lower(), network), set()).add(service.name)
    for (name, network), found in sorted(where.items()):
        others = meant[name] - found
        if others:
            yield Finding(
                path=f"spec.services[{min(found)}].networks.{network}.aliases",
                message=f"{name!r} means {', '.join(sorted(found))} in network {network} and "
                f"{', '.join(sorted(others))} in another; a name means one thing in the whole App "
                "on Kubernetes",
                hint="choose another alias",
            )
