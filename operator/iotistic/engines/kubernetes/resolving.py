"""The cluster's DNS as a pod's own /etc/resolv.conf has it."""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.engines.kubernetes.values import Dns

SERVICES = "svc."


def dns_of(resolv_conf: str, *, nameservers: Sequence[str] = (), domain: str = "") -> Dns:
    """How pods of Apps find names.

    Args:
        resolv_conf: the file's text. Without a search domain of Services (`svc.cluster.local`) it is that of
            a machine and not of a pod, and says nothing about the cluster.
        nameservers: win over what is found.
        domain: wins over what is found.
    """
    found: dict[str, list[str]] = {"nameserver": [], "search": [], "options": []}
    for line in resolv_conf.splitlines():
        word, *rest = line.split() or [""]
        if word in found:
            found[word] = found[word] + rest if word == "nameserver" else rest
    services = [name for name in found["search"] if name.startswith(SERVICES)]
    if not services:
        return Dns(nameservers=tuple(nameservers), cluster_domain=domain or Dns().cluster_domain)
    return Dns(
        nameservers=tuple(nameservers) or tuple(found["nameserver"]),
        cluster_domain=domain or services[0].removeprefix(SERVICES).rstrip("."),
        options=tuple(found["options"]) or Dns().options,
    )
