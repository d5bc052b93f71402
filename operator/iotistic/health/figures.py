"""Figures of the operator as Prometheus reads them. Made when somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from iotistic.engines.kubernetes.writes import Writes

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The operator at one moment."""

    version: str
    synced: bool
    queued: int
    """Apps that wait for a turn."""
    busy: bool
    """Whether any waits or has its turn now."""
    turns: int
    failed_turns: int
    lag_seconds: float
    """The event loop's longest delay of the last minute."""
    objects: Mapping[str, int]
    """By kind, how many are known."""
    heard: Mapping[str, float]
    """By watch, when (monotonic) it last told something."""
    deaf: Iterable[str]
    """Watches that left something untold."""
    checks: int
    """How often a watch was compared with a listing."""


class Figures:
    """What is counted while it happens, and the page."""

    def __init__(self, writes: Writes) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._writes = writes
        self.turn_seconds = Histogram(
            "iotistic_reconcile_seconds", "Turns of Apps.", registry=self._registry, buckets=BUCKETS
        )
        ProcessCollector(registry=self._registry)

    def page(self, now: Snapshot) -> str:
        """Prometheus text."""
        once = CollectorRegistry(auto_describe=False)
        once.register(_Families([*_writes(self._writes), *_state(now)]))
        return (generate_latest(self._registry) + generate_latest(once)).decode()


class _Families:
    """A collector of what was put into it."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _writes(writes: Writes) -> list[Metric]:
    done = CounterMetricFamily(
        "iotistic_api_writes", "Writes to the API server.", labels=["verb", "kind", "reason"]
    )
    for write, count in list(writes.done.items()):
        done.add_metric([write.verb, write.kind, str(write.reason)], count)
    failed = CounterMetricFamily(
        "iotistic_api_write_failures", "Writes that were not taken.", labels=["verb", "kind", "error"]
    )
    for failure, count in list(writes.failed.items()):
        failed.add_metric([failure.verb, failure.kind, failure.error], count)
    return [done, failed]


def _state(now: Snapshot) -> list[Metric]:
    moment = time.monotonic()
    info = GaugeMetricFamily("iotistic_operator_info", "Version of the operator.", labels=["version"])
    info.add_metric([now.version], 1)
    objects = GaugeMetricFamily("iotistic_objects", "Objects that are known.", labels=["kind"])
    for kind, count in now.objects.items():
        objects.add_metric([kind], count)
    heard = GaugeMetricFamily(
        "iotistic_watch_age_seconds", "Since a watch last told something.", labels=["kind"]
    )
    for kind, when in now.heard.items():
        heard.add_metric([kind], moment - when)
    deaf = GaugeMetricFamily("iotistic_watch_deaf", "Watches that left something untold.", labels=["watch"])
    for watch in now.deaf:
        deaf.add_metric([watch], 1)
    return [
        info,
        objects,
        heard,
        deaf,
        GaugeMetricFamily("iotistic_synced", "Whether all there was has been delivered.", value=now.synced),
        GaugeMetricFamily("iotistic_queue_depth", "Apps that wait for a turn.", value=now.queued),
        GaugeMetricFamily("iotistic_busy", "Whether any App waits or has its turn.", value=now.busy),
        GaugeMetricFamily(
            "iotistic_loop_lag_seconds", "The event loop's longest delay of a minute.", value=now.lag_seconds
        ),
        CounterMetricFamily("iotistic_reconciles", "Turns that came to their end.", value=now.turns),
        CounterMetricFamily("iotistic_failed_reconciles", "Turns that failed.", value=now.failed_turns),
        CounterMetricFamily("iotistic_watch_checks", "Watches compared with a listing.", value=now.checks),
    ]
