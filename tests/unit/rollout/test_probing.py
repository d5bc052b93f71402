"""What a row of probe results means, as in Kubernetes."""

from __future__ import annotations

import pytest

from iotistic.api.service import Probe, Service
from iotistic.rollout.probing import (
    ProbeKind,
    ProbeState,
    Verdict,
    after_result,
    asked,
    verdict,
    wants_restart,
)

PROBE = Probe.model_validate({"tcpSocket": {"port": 80}, "failureThreshold": 3})
TWICE = Probe.model_validate({"tcpSocket": {"port": 80}, "failureThreshold": 2, "successThreshold": 2})


SERVICE = Service.model_validate(
    {"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}]}
)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"httpGet": {"port": 80, "path": "/health"}}, "GET :80/health"),
        ({"httpGet": {"port": "http", "path": "/health"}}, "GET :8080/health"),
        ({"httpGet": {"port": "other"}}, "GET :other/"),
        ({"httpGet": {"port": 80, "path": "/health?token=hunter2"}}, "GET :80/health"),
        (
            {"httpGet": {"port": 80, "httpHeaders": [{"name": "Authorization", "value": "hunter2"}]}},
            "GET :80/",
        ),
        ({"tcpSocket": {"port": "http"}}, "TCP :8080"),
        ({"exec": {"command": ["redis-cli", "-a", "hunter2", "ping"]}}, "run redis-cli"),
        ({"exec": {"command": ["/usr/bin/pg_isready", "-q"]}}, "run pg_isready"),
        ({"exec": {"command": ["sh -c hunter2"]}}, "run sh"),
        ({"exec": {"command": [" "]}}, "run its program"),
    ],
)
def test_what_a_probe_asks_is_told_without_secrets(question: dict[str, object], words: str) -> None:
    assert asked(Probe.model_validate(question), SERVICE) == words


def after(results: str, probe: Probe = PROBE) -> ProbeState:
    """The state after these answers: + is a success, - a failure."""
    state = ProbeState()
    for result in results:
        state = after_result(state, probe, ok=result == "+", message="" if result == "+" else "refused")
    return state


@pytest.mark.parametrize(
    ("results", "probe", "passed"),
    [
        ("", PROBE, None),
        ("-", PROBE, None),
        ("--", PROBE, None),
        ("---", PROBE, False),
        ("+", PROBE, True),
        ("+--", PROBE, True),
        ("+---", PROBE, False),
        ("+--+--", PROBE, True),
        ("---+", PROBE, True),
        ("+", TWICE, None),
        ("+-+", TWICE, None),
        ("++", TWICE, True),
        ("--+", TWICE, False),
        ("--++", TWICE, True),
    ],
)
def test_a_verdict_changes_when_a_threshold_is_reached(
    results: str, probe: Probe, passed: bool | None
) -> None:
    assert after(results, probe).passed is passed


def test_the_last_failure_is_told_until_a_success() -> None:
    assert after("+-").message == "refused"
    assert after("+-+").message == ""


def states(**results: str) -> dict[ProbeKind, ProbeState]:
    return {ProbeKind(kind): after(row) for kind, row in results.items()}


@pytest.mark.parametrize(
    ("probes", "health"),
    [
        ({}, ""),
        ({"readiness": ""}, "starting"),
        ({"readiness": "+"}, "healthy"),
        ({"readiness": "---"}, "unhealthy"),
        ({"liveness": ""}, "starting"),
        ({"liveness": "+"}, "healthy"),
        ({"liveness": "---"}, "unhealthy"),
        ({"liveness": "", "readiness": "+"}, "healthy"),
        ({"liveness": "---", "readiness": "+"}, "unhealthy"),
        ({"liveness": "+", "readiness": ""}, "starting"),
        ({"startup": "", "readiness": "+"}, "starting"),
        ({"startup": "---", "readiness": "+"}, "unhealthy"),
        ({"startup": "+", "readiness": "---"}, "unhealthy"),
        ({"startup": "+"}, "healthy"),
    ],
)
def test_health_of_several_probes(probes: dict[str, str], health: Verdict) -> None:
    assert verdict(states(**probes)) == health


@pytest.mark.parametrize(
    ("probes", "kind"),
    [
        ({}, None),
        ({"liveness": "--"}, None),
        ({"liveness": "---"}, ProbeKind.LIVENESS),
        ({"readiness": "---"}, None),
        ({"startup": "---"}, ProbeKind.STARTUP),
        ({"startup": "---", "liveness": "---"}, ProbeKind.STARTUP),
    ],
)
def test_startup_and_liveness_restart_readiness_does_not(
    probes: dict[str, str], kind: ProbeKind | None
) -> None:
    assert wants_restart(states(**probes)) is kind
