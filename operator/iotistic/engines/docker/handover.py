"""Hand-over: the new container is ready before the old one goes.

The new one joins the App's networks without the service's names, and gets them, by a quick disconnect
and connect, once it is ready. A port of the host can't be bound twice: there the old one is stopped
before the new one starts, and started again when that fails. Cut off at any moment, one that serves is
still there, and what is left over is seen as such.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError, EngineUnreachableError
from iotistic.engines.base import Progress, StepContext
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.containers import endpoints
from iotistic.engines.docker.labels import NEXT
from iotistic.engines.docker.lifecycle import Lifecycle, grace_of
from iotistic.engines.docker.making import Maker, Wanted, wanted_of
from iotistic.engines.docker.observer import Observer
from iotistic.planning.values import Step


class HandOver:
    """Hands services over. Those of one App that are handed over together stop their old ones together:
    a new service meets new ones as soon as it can."""

    def __init__(self, client: Client, observer: Observer, maker: Maker, lifecycle: Lifecycle) -> None:
        self._client = client
        self._observer = observer
        self._maker = maker
        self._lifecycle = lifecycle
        self._together: dict[str, _Together] = defaultdict(_Together)

    async def hand_over(self, step: Step, context: StepContext) -> None:
        """Carry out a hand-over step. Raises EngineError; then the old container serves as before."""
        wanted = wanted_of(step.app, step.service, context)
        together = self._together[step.app]
        async with together.one_of_them():
            old = await self._client.ask(wanted.subject, lambda api: _seen(api, step.container))
            if _share_a_port(old, wanted):
                await self._one_after_the_other(wanted, step, context, old)
                return
            async with self._taking_over(wanted, context, old) as new:
                await self._maker.begin(wanted, new)
                await self._ready(context, new)
                await self._take_over(wanted, context, new)
            await together.all_swapped()
            await self._retire(wanted, step, context, new, old)

    async def _take_over(self, wanted: Wanted, context: StepContext, new: str) -> None:
        context.progress(Progress(message="taking over"))
        before, after = await self._client.act(wanted.subject, lambda api: _swap(api, wanted, new))
        self._serves(new)
        if before != after:  # what it had open hangs now: it starts once more, with its new address
            await self._client.act(wanted.subject, lambda api: api.restart(new, timeout=grace_of(api, new)))
        await self._ready(context, new)

    async def _one_after_the_other(
        self, wanted: Wanted, step: Step, context: StepContext, old: Mapping[str, Any] | None
    ) -> None:
        new = await self._maker.make(wanted, context, suffix=NEXT if old else "")
        began = monotonic()
        try:
            if old is not None:
                await self._lifecycle.stop(step, context)
            await self._maker.begin(wanted, new)
            gap = monotonic() - began
            await self._ready(context, new)
        except EngineUnreachableError:
            raise
        except EngineError:
            await self._lifecycle.remove_id(wanted.subject, new)
            if old is not None:
                await self._client.act(wanted.subject, lambda api: api.start(step.container))
                self._observer.mark(container=step.container)
            raise
        context.progress(Progress(message=f"handed over, {gap:.1f} s without a container on the host's port"))
        await self._retire(wanted, step, context, new, old)

    async def _ready(self, context: StepContext, new: str) -> None:
        self._observer.mark(container=new)
        context.progress(Progress(message="waiting until ready"))
        if context.await_ready is not None:
            await context.await_ready(new)

    @asynccontextmanager
    async def _taking_over(
        self, wanted: Wanted, context: StepContext, old: Mapping[str, Any] | None
    ) -> AsyncIterator[str]:
        """A new container that does not serve yet; it goes again when it can't take over."""
        new = await self._maker.make(wanted, context, suffix=NEXT if old else "", joined=False)
        self._observer.taking_over.add(new)
        try:
            yield new
        except EngineUnreachableError:
            raise
        except EngineError:
            await self._lifecycle.remove_id(wanted.subject, new)
            raise
        finally:
            self._serves(new)

    def _serves(self, new: str) -> None:
        self._observer.taking_over.discard(new)
        self._observer.mark(container=new)

    async def _retire(
        self, wanted: Wanted, step: Step, context: StepContext, new: str, old: Mapping[str, Any] | None
    ) -> None:
        if old is None:
            return
        await self._lifecycle.kill(step, context)
        name = old["Name"].removeprefix("/").removesuffix(NEXT)
        await self._client.ask(wanted.subject, lambda api: api.rename(new, name))
        self._observer.mark(container=new)


class _Together:
    """Hand-overs of one App under way at one time."""

    def __init__(self) -> None:
        self._under_way = 0
        self._swapped = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def one_of_them(self) -> AsyncIterator[None]:
        self._under_way += 1
        before = self._swapped
        try:
            yield
        finally:
            self._under_way -= 1
            if self._swapped > before and not self._under_way:
                self._swapped = 0
            async with self._changed:
                self._changed.notify_all()

    async def all_swapped(self) -> None:
        """This one is swapped: return when the others are, or have given up."""
        self._swapped += 1
        async with self._changed:
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._swapped >= self._under_way)


def _seen(api: Any, id: str) -> Mapping[str, Any] | None:
    try:
        seen: Mapping[str, Any] = api.inspect_container(id)
    except docker.errors.NotFound:
        return None
    return seen


def _share_a_port(old: Mapping[str, Any] | None, wanted: Wanted) -> bool:
    """Whether both want what only one can have: a port of the host, or a fixed address."""
    if old is None:
        return False
    ports = {port.host_port for port in wanted.service.ports if port.host_port}
    bound = {
        int(host["HostPort"])
        for hosts in (old["HostConfig"].get("PortBindings") or {}).values()
        for host in hosts or ()
        if host.get("HostPort")
    }
    on_host = wanted.service.network_mode == "host" and old["HostConfig"].get("NetworkMode") == "host"
    fixed = {a.ipv4_address for a in wanted.service.networks.values() if a and a.ipv4_address}
    taken = {
        (one.get("IPAMConfig") or {}).get("IPv4Address")
        for one in (old["NetworkSettings"].get("Networks") or {}).values()
    }
    return bool(ports & bound or (on_host and wanted.service.ports) or fixed & taken)


def _swap(api: Any, wanted: Wanted, new: str) -> tuple[list[str], list[str]]:
    """Give a container the service's names on its networks; its addresses before and after."""
    before = _addresses(api, new)
    for network, endpoint in endpoints(wanted.app.name, wanted.service, joined=True).items():
        api.disconnect_container_from_network(new, network)
        data = {"Container": new, "EndpointConfig": endpoint}
        api._raise_for_status(api._post_json(api._url("/networks/{0}/connect", network), data=data))
    return before, _addresses(api, new)


def _addresses(api: Any, id: str) -> list[str]:
    networks = api.inspect_container(id)["NetworkSettings"].get("Networks") or {}
    return sorted(f"{name} {one.get('IPAddress')}" for name, one in networks.items())
