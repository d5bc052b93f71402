"""Probes as Kubernetes has them: the fields are the same, names of ports are taken up here."""

from __future__ import annotations

from iotistic.api.service import HttpGet, Probe, Service, TcpSocket
from iotistic.engines.kubernetes.values import Object


def probe(written: Probe, service: Service) -> Object:
    """One probe of a container, every field said, so that a change by hand is seen."""
    return {
        **_question(written, service),
        **({"initialDelaySeconds": written.initial_delay_seconds} if written.initial_delay_seconds else {}),
        "periodSeconds": written.period_seconds,
        "timeoutSeconds": written.timeout_seconds,
        "successThreshold": written.success_threshold,
        "failureThreshold": written.failure_threshold,
    }


def _question(written: Probe, service: Service) -> Object:
    if written.http_get is not None:
        return {"httpGet": _http(written.http_get, service)}
    if written.tcp_socket is not None:
        return {"tcpSocket": _target(written.tcp_socket, service)}
    assert written.exec is not None, "the model wants one of the three"
    return {"exec": {"command": list(written.exec.command)}}


def _http(written: HttpGet, service: Service) -> Object:
    question = {"path": written.path or "/", "scheme": written.scheme, **_target(written, service)}
    if written.http_headers:
        question["httpHeaders"] = [{"name": one.name, "value": one.value} for one in written.http_headers]
    return question


def _target(written: HttpGet | TcpSocket, service: Service) -> Object:
    """A number always: Kubernetes wants shorter names of ports than an App may have."""
    number = next((p.container_port for p in service.ports if p.name == written.port), written.port)
    return {"port": number, **({"host": written.host} if written.host else {})}
