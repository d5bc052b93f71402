"""Names inside an App, its Services, and who may talk to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iotistic.api.app import App
from iotistic.api.service import ContainerPort, Service
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.strategies import hands_over
from iotistic.engines.kubernetes.values import (
    APP_LABEL,
    NAMED_LABEL,
    OPERATOR,
    Object,
    PodAddress,
    RenderContext,
)


def joined(service: Service) -> tuple[str, ...]:
    """Networks of the App that a service is in, sorted."""
    if service.network_mode is not None:
        return ()
    return tuple(sorted(service.networks or {"default"}))


def aliases(service: Service) -> tuple[str, ...]:
    """Further names of a service, each once, its own name left out."""
    found = [alias.lower() for one in service.networks.values() if one for alias in one.aliases]
    return tuple(sorted(set(found) - {service.name}))


def has_service(service: Service) -> bool:
    """Whether it is reached through a Service of its own: with declared ports, in networks of the App."""
    return service.network_mode is None and bool(service.ports)


def named_by_pod(service: Service) -> bool:
    """Whether its name is the hostname of its pods: no declared ports, no hostname of its own."""
    return service.network_mode is None and not service.ports and service.hostname in (None, service.name)


def spoken_of_pods(app: App, service: Service) -> tuple[str, ...]:
    """Names of a service for which `names_slice` needs the addresses of its pods.

    Those are the aliases of a service without declared ports, and its own name when it has another
    hostname, or when the hostnames of pods lead to ready ones only, for the sake of another service; a
    service with ports is reached through its Service.
    """
    if service.network_mode is not None or service.ports:
        return ()
    hidden = _only_ready(app) and not hands_over(app, service)
    own = () if named_by_pod(service) and not hidden else (service.name,)
    return (*own, *aliases(service))


def makes_slice(app: App) -> bool:
    """Whether `names_slice` will have anything to say, once there are addresses."""
    return any(has_service(service) or spoken_of_pods(app, service) for service in app.spec.services)


def dns(app: App, context: RenderContext) -> Object:
    """How a pod finds names: those of its App come first, so that no foreign Service can shadow them."""
    ours = f"{names.names_object(app.name)}.{context.namespace}.svc.{context.dns.cluster_domain}"
    if not context.dns.nameservers:
        return {"dnsPolicy": "ClusterFirst", "dnsConfig": {"searches": [ours]}}
    domain = context.dns.cluster_domain
    config: Object = {
        "nameservers": list(context.dns.nameservers),
        "searches": [ours, f"{context.namespace}.svc.{domain}", f"svc.{domain}", domain],
    }
    options = [_option(text) for text in context.dns.options]
    return {"dnsPolicy": "None", "dnsConfig": config | ({"options": options} if options else {})}


def services(app: App, context: RenderContext) -> list[Object]:
    """The Service behind the names inside the App, and one for each service with declared ports."""
    found = [_service(app, service, context) for service in app.spec.services if has_service(service)]
    networked = any(service.network_mode is None for service in app.spec.services)
    return [_names_service(app, context), *found] if networked else []


def names_slice(
    app: App,
    context: RenderContext,
    addresses: Mapping[str, str],
    pods: Mapping[str, Sequence[PodAddress]] | None = None,
) -> Object:
    """The EndpointSlice behind the names inside an App.

    Args:
        app: as rendered.
        context: as rendered with.
        addresses: cluster IP by service, of the Services that there are; others are left out.
        pods: by service, of those that `spoken_of_pods` has names of.
    """
    found = sorted(_endpoints(app, addresses, pods or {}))
    family = "IPv6" if found and ":" in found[0][1] else "IPv4"
    name = names.names_object(app.name)
    metadata = names.metadata(app, context, name)
    metadata["labels"] |= {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": OPERATOR,
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        "endpoints": [
            {"addresses": [address], "hostname": hostname, "conditions": {"ready": ready}}
            for hostname, address, ready in found
            if (":" in address) == (family == "IPv6")
        ],
    }


def _endpoints(
    app: App, addresses: Mapping[str, str], pods: Mapping[str, Sequence[PodAddress]]
) -> Iterator[tuple[str, str, bool]]:
    """Name, address and whether it may be used; as on Docker a name leads to what is not ready yet too,
    but for one that is handed over."""
    for service in app.spec.services:
        address = addresses.get(service.name)
        if has_service(service) and address:
            yield from ((name, address, True) for name in (service.name, *aliases(service)))
        for pod in pods.get(service.name, ()):
            ready = pod.ready or not hands_over(app, service)
            yield from ((name, pod.address, ready) for name in spoken_of_pods(app, service))


def _only_ready(app: App) -> bool:
    """Whether hostnames lead to ready pods only: the one Service behind them can't tell services apart, and
    one of them is handed over."""
    return any(named_by_pod(service) and hands_over(app, service) for service in app.spec.services)


def _option(text: str) -> Object:
    name, colon, value = text.partition(":")
    return {"name": name} | ({"value": value} if colon else {})


def _names_service(app: App, context: RenderContext) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(app, context, names.names_object(app.name)),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "ipFamilyPolicy": "SingleStack",
            "publishNotReadyAddresses": not _only_ready(app),
            "selector": {APP_LABEL: app.name, NAMED_LABEL: "pod"},
        },
    }


def _service(app: App, service: Service, context: RenderContext) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(app, context, names.service_object(app.name, service.name), service.name),
        "spec": {
            "type": "ClusterIP",
            "ipFamilyPolicy": "SingleStack",
            "publishNotReadyAddresses": not hands_over(app, service),
            "selector": names.selector(app.name, service.name),
            "ports": _service_ports(service.ports),
        },
    }


def _service_ports(ports: Sequence[ContainerPort]) -> list[Object]:
    """One each, though the container's may lead to several of the host; every one needs a name."""
    written = {port.name for port in ports if port.name}
    found: dict[tuple[int, str], Object] = {}
    for port in ports:
        name = port.name or f"{port.protocol.lower()}-{port.container_port}"
        if not port.name and name in written:
            name += "-port"
        number = port.container_port
        found.setdefault(
            (number, port.protocol),
            {"name": name, "port": number, "targetPort": number, "protocol": port.protocol},
        )
    return list(found.values())
