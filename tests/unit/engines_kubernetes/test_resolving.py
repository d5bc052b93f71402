"""The cluster's DNS, from what the kubelet writes into a pod."""

from __future__ import annotations

from iotistic.engines.kubernetes.resolving import dns_of
from iotistic.engines.kubernetes.values import Dns

IN_A_POD = """\
search iotistic.svc.edge.example svc.edge.example edge.example
nameserver 10.43.0.10
nameserver fd00::10
options ndots:5 rotate
"""
ON_A_MACHINE = "# made by somebody\nnameserver 192.0.2.1\nsearch example.org\n"


def test_a_pod_knows_the_cluster() -> None:
    assert dns_of(IN_A_POD) == Dns(
        nameservers=("10.43.0.10", "fd00::10"),
        cluster_domain="edge.example",
        options=("ndots:5", "rotate"),
    )


def test_a_machine_knows_nothing_of_the_cluster() -> None:
    assert dns_of(ON_A_MACHINE) == Dns()
    assert dns_of("") == Dns()


def test_settings_win() -> None:
    dns = dns_of(IN_A_POD, nameservers=("10.0.0.1",), domain="other.example")

    assert (dns.nameservers, dns.cluster_domain) == (("10.0.0.1",), "other.example")
    assert dns_of(ON_A_MACHINE, nameservers=("10.0.0.1",)).nameservers == ("10.0.0.1",)
