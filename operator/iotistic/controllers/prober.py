"""Runs the probes of all containers and keeps what they say.

Engines differ in what they probe, so the agent does it: the same probes mean the same everywhere.
After a restart of the agent the probes of containers that are there start again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from iotistic.api.service import Probe, Service
from iotistic.controllers.asking import RunInside, ask
from iotistic.planning.values import Container, Health, Status
from iotistic.rollout.probing import ProbeKind, ProbeState, after_result, verdict, wants_restart

FIRST_PERIOD_SECONDS = 1.0
"""Until the first success a probe is asked this often, so that a quick service is soon ready; what fails
between two periods does not count."""


@dataclass(slots=True)
class _Probed:
    container: Container
    service: Service
    states: dict[ProbeKind, ProbeState]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the startup probe has passed."""
    told: bool = False


def probes_of(service: Service) -> dict[ProbeKind, Probe]:
    """The probes that a service has."""
    named = {
        ProbeKind.STARTUP: service.startup_probe,
        ProbeKind.LIVENESS: service.liveness_probe,
        ProbeKind.READINESS: service.readiness_probe,
    }
    return {kind: probe for kind, probe in named.items() if probe is not None}


class Prober:
    """Probes of running containers."""

    def __init__(self, run: RunInside) -> None:
        """Set up; nothing is probed before `sync`. `run` runs a command inside a container."""
        self._run = run
        self._on_change: Callable[[], None] = lambda: None
        self._on_failed: Callable[[Container, str], None] = lambda container, reason: None
        self._probed: dict[str, _Probed] = {}

    def tell(self, *, on_change: Callable[[], None], on_failed: Callable[[Container, str], None]) -> None:
        """Say who listens.

        Args:
            on_change: called when a container's health has changed.
            on_failed: called once with the container and a reason when it must be restarted.
        """
        self._on_change = on_change
        self._on_failed = on_failed

    def sync(self, wanted: Mapping[str, tuple[Container, Service]]) -> None:
        """Probe exactly these running containers: new ones start, gone ones end."""
        for id in [id for id in self._probed if id not in wanted]:
            self._end(id)
        for id, (container, service) in wanted.items():
            probed = self._probed.get(id)
            if probed is not None and (
                probed.container.started != container.started
                or probes_of(probed.service) != probes_of(service)
            ):
                self._end(id)
                probed = None
            if probed is None:
                self._begin(container, service)
            else:
                probed.container, probed.service = container, service

    def health(self, container: Container) -> Health:
        """What the probes of a container say; STARTING for one that has probes but was not asked yet."""
        probed = self._probed.get(container.id)
        return Health(verdict(probed.states)) if probed else Health.NONE

    def message(self, id: str) -> str:
        """The last failure of a container's probes, in a few words; empty when there is none."""
        probed = self._probed.get(id)
        messages = [state.message for state in probed.states.values() if state.message] if probed else []
        return messages[0] if messages else ""

    def stop(self) -> None:
        """End all probes."""
        for id in list(self._probed):
            self._end(id)

    def _begin(self, container: Container, service: Service) -> None:
        probes = probes_of(service)
        if not probes or container.status is not Status.RUNNING:
            return
        probed = _Probed(container, service, {kind: ProbeState() for kind in probes})
        self._probed[container.id] = probed
        probed.tasks = [
            asyncio.create_task(self._loop(probed, kind, probe)) for kind, probe in probes.items()
        ]

    def _end(self, id: str) -> None:
        for task in self._probed.pop(id).tasks:
            task.cancel()

    async def _loop(self, probed: _Probed, kind: ProbeKind, probe: Probe) -> None:
        if kind is not ProbeKind.STARTUP and ProbeKind.STARTUP in probed.states:
            await probed.started.wait()
        await asyncio.sleep(probe.initial_delay_seconds)
        since_counted = float(probe.period_seconds)
        while True:
            ok, message = await ask(probe, probed.container, probed.service, self._run)
            counts = ok or since_counted >= probe.period_seconds
            if counts:
                since_counted = 0.0
            self._record(probed, kind, probe, ok=ok, counts=counts, message=message)
            if kind is ProbeKind.STARTUP and probed.states[kind].passed:
                probed.started.set()
                return
            first = probed.states[kind].passed is None
            period = min(probe.period_seconds, FIRST_PERIOD_SECONDS) if first else probe.period_seconds
            since_counted += period
            await asyncio.sleep(period * random.uniform(0.95, 1.05))

    def _record(
        self, probed: _Probed, kind: ProbeKind, probe: Probe, *, ok: bool, counts: bool, message: str
    ) -> None:
        if not counts:
            probed.states[kind] = replace(probed.states[kind], message=message)
            return
        before = verdict(probed.states)
        probed.states[kind] = after_result(probed.states[kind], probe, ok=ok, message=message)
        failed = wants_restart(probed.states)
        if failed is not None and not probed.told:
            probed.told = True
            self._on_failed(probed.container, f"{failed} probe failed: {probed.states[failed].message}")
        if verdict(probed.states) != before:
            self._on_change()
