"""What a row of probe results means. Pure; times are not needed, only counts.

As in Kubernetes: readiness and liveness wait for startup; liveness counts as well until it has failed
`failureThreshold` times in a row; readiness counts as not ready until it has succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from iotistic.api.service import Probe, Service

Verdict = Literal["", "starting", "healthy", "unhealthy"]


class ProbeKind(StrEnum):
    """Which of the three probes."""

    STARTUP = "startup"
    LIVENESS = "liveness"
    READINESS = "readiness"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeState:
    """Results of one probe so far."""

    successes: int = 0
    """In a row."""
    failures: int = 0
    """In a row."""
    passed: bool | None = None
    """Last verdict: thresholds reached; None before the first."""
    message: str = ""
    """The last failure, in a few words."""


def asked(probe: Probe, service: Service) -> str:
    """What a probe asks, in a few words: `GET :8080/health`.

    Arguments of a program, what follows a `?` and headers may be secret: they are left out.
    """
    named = {port.name: port.container_port for port in service.ports if port.name}
    if probe.http_get is not None:
        path = probe.http_get.path.partition("?")[0]
        return f"GET :{named.get(str(probe.http_get.port), probe.http_get.port)}{path}"
    if probe.tcp_socket is not None:
        return f"TCP :{named.get(str(probe.tcp_socket.port), probe.tcp_socket.port)}"
    words = probe.exec.command[0].split() if probe.exec and probe.exec.command else []
    return f"run {words[0].rpartition('/')[2]}" if words else "run its program"


def after_result(state: ProbeState, probe: Probe, *, ok: bool, message: str) -> ProbeState:
    """The state after one more answer."""
    if ok:
        successes = state.successes + 1
        passed = True if successes >= probe.success_threshold else state.passed
        return replace(state, successes=successes, failures=0, passed=passed, message="")
    failures = state.failures + 1
    passed = False if failures >= probe.failure_threshold else state.passed
    return replace(state, successes=0, failures=failures, passed=passed, message=message)


def verdict(states: Mapping[ProbeKind, ProbeState]) -> Verdict:
    """Health of a container from its probes' states; empty without a probe."""
    if not states:
        return ""
    startup = states.get(ProbeKind.STARTUP)
    if startup is not None and startup.passed is not True:
        return "unhealthy" if startup.passed is False else "starting"
    liveness, readiness = states.get(ProbeKind.LIVENESS), states.get(ProbeKind.READINESS)
    if liveness is not None and liveness.passed is False:
        return "unhealthy"
    judge = readiness or liveness
    if judge is None or judge.passed is True:
        return "healthy"
    return "unhealthy" if judge.passed is False else "starting"


def wants_restart(states: Mapping[ProbeKind, ProbeState]) -> ProbeKind | None:
    """The probe whose failure means that the container must be restarted, if one has failed."""
    for kind in (ProbeKind.STARTUP, ProbeKind.LIVENESS):
        state = states.get(kind)
        if state is not None and state.passed is False:
            return kind
    return None
