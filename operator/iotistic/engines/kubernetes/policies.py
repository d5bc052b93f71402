"""NetworkPolicies: a service is reached by those that share a network with it, and at its declared ports.

They are only as good as the cluster's network: one without support for NetworkPolicy heeds none.
"""

from __future__ import annotations

from collections.abc import Iterable

from iotistic.api.app import App
from iotistic.api.service import ContainerPort, Service
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.networking import joined
from iotistic.engines.kubernetes.values import APP_LABEL, NETWORK_LABELS, Object, RenderContext


def policies(app: App, context: RenderContext) -> list[Object]:
    """One for each service that is not on the host's network, where none would be heeded."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": names.metadata(app, context, names.child(app.name, service.name), service.name),
            "spec": {
                "podSelector": {"matchLabels": names.selector(app.name, service.name)},
                **_rules(app, service, context),
            },
        }
        for service in app.spec.services
        if service.network_mode != "host"
    ]


def _rules(app: App, service: Service, context: RenderContext) -> Object:
    if service.network_mode == "none":
        return {"policyTypes": ["Ingress", "Egress"]}
    members = [_members(app, network) for network in joined(service)]
    rules: Object = {"policyTypes": ["Ingress"], "ingress": [{"from": members}, *_declared(app, service)]}
    if _inside_only(app, service):
        rules["policyTypes"] = ["Ingress", "Egress"]
        rules["egress"] = [{"to": members}, _to_dns(context)]
    return rules


def _members(app: App, network: str) -> Object:
    return {"podSelector": {"matchLabels": {APP_LABEL: app.name, f"{NETWORK_LABELS}{network}": "joined"}}}


def _declared(app: App, service: Service) -> list[Object]:
    """From outside: ports of the host from everywhere, the others from pods that are not of this App,
    whose own services have to share a network."""
    published = _ports(port for port in service.ports if port.host_port is not None)
    inside = [one for one in _ports(service.ports) if one not in published]
    others = {
        "namespaceSelector": {},
        "podSelector": {"matchExpressions": [{"key": APP_LABEL, "operator": "NotIn", "values": [app.name]}]},
    }
    rules: list[Object] = []
    if published:
        rules.append({"ports": published})
    if inside:
        rules.append({"from": [others], "ports": inside})
    return rules


def _ports(ports: Iterable[ContainerPort]) -> list[Object]:
    numbers = sorted({(port.container_port, port.protocol) for port in ports})
    return [{"port": number, "protocol": protocol} for number, protocol in numbers]


def _inside_only(app: App, service: Service) -> bool:
    """Whether all its networks are internal: then there is no way out."""
    internal = {network.name for network in app.spec.networks if network.internal}
    return set(joined(service)) <= internal


def _to_dns(context: RenderContext) -> Object:
    cluster_dns: Object = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    servers = [
        {"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}}
        for address in context.dns.nameservers
    ]
    ports = [{"port": 53, "protocol": protocol} for protocol in ("TCP", "UDP")]
    return {"to": [cluster_dns, *servers], "ports": ports}
