"""Figures of the agent and its Apps as Prometheus reads them. Made when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from iotistic.api.app import App


def render(apps: Iterable[App], *, version: str, engine_answers: bool, events: int, uptime: float) -> str:
    """Prometheus text.

    Args:
        apps: with status.
        version: of the agent.
        engine_answers: whether the engine answered at the last look.
        events: how many events there were since the start.
        uptime: seconds since the start.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(_families(list(apps), version, engine_answers, events, uptime)))
    return generate_latest(registry).decode()


class _Snapshot:
    """A collector of what was put into it."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(
    apps: list[App], version: str, engine_answers: bool, events: int, uptime: float
) -> list[Metric]:
    info = GaugeMetricFamily("iotistic_agent_info", "Version of the agent.", labels=["version"])
    info.add_metric([version], 1)
    up = GaugeMetricFamily("iotistic_engine_up", "Whether the engine answered.", value=engine_answers)
    running = GaugeMetricFamily("iotistic_agent_uptime_seconds", "Since the agent started.", value=uptime)
    told = CounterMetricFamily("iotistic_events", "Events since the agent started.", value=events)
    ready = GaugeMetricFamily("iotistic_app_ready", "Whether the wanted release is ready.", labels=["app"])
    state = GaugeMetricFamily("iotistic_app_state", "1 for the App's state.", labels=["app", "state"])
    service_ready = GaugeMetricFamily(
        "iotistic_service_ready", "Whether the service is ready.", labels=["app", "service"]
    )
    restarts = CounterMetricFamily(
        "iotistic_service_restarts", "Restarts of its container.", labels=["app", "service"]
    )
    for app in apps:
        status = app.status
        if status is None:
            continue
        holds = any(c.type == "Ready" and c.status == "True" for c in status.conditions)
        ready.add_metric([app.name], holds)
        state.add_metric([app.name, status.state], 1)
        for service in status.services:
            service_ready.add_metric([app.name, service.name], service.ready)
            restarts.add_metric([app.name, service.name], service.restarts)
    return [info, up, running, told, ready, state, service_ready, restarts]
