"""Hand-over: the new container is ready before the old one goes.

The new one joins the App's networks without the service's names, and gets them, by a quick disconnect
and connect, once it is ready. The old one loses them the same way and is stopped a moment later: nobody
is sent to one that stops. A port of the host can't be bound twice: there the old one is stopped before
the new one starts, and started again when that fails. Cut off at any moment, one that serves is still
there, and what is left over is seen as such. An old one that is left over goes in the same way: it loses
the service's names before it is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError, EngineUnreachableError
from iotistic.engines.base import Progress, StepContext
from iotistic.engines.docker.adoption import Adoption
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.containers import endpoints
from iotistic.engines.docker.labels import NEXT
from iotistic.engines.docker.lifecycle import Lifecycle, grace_of
from iotistic.engines.docker.making import Maker, Wanted, wanted_of
from iotistic.engines.docker.observer import Observer
from iotistic.planning.values import Step

DRAIN_SECONDS = 1.0
"""For requests that are under way when the old container loses the service's names."""

Seen = Mapping[str, Any]
"""A container as the engine shows it."""


class HandOver:
    """Hands services over. Those of one App that are handed over together stop their old containers
    together, when all new ones serve: a new service meets new ones."""

    def __init__(self, client: Client, observer: Observer, maker: Maker, lifecycle: Lifecycle) -> None:
        self._client = client
        self._observer = observer
        self._maker = maker
        self._lifecycle = lifecycle
        self._together: dict[str, _Together] = defaultdict(_Together)

    async def hand_over(self, step: Step, context: StepContext) -> None:
        """Carry out a hand-over step. Raises EngineError; then the old container serves as before."""
        wanted = wanted_of(step.app, step.service, context)
        async with self._together[step.app].one_of_them(step.service) as others_serve:
            old = await self._client.ask(wanted.subject, lambda api: _seen(api, step.container))
            if old is None:
                raise EngineError(f"{wanted.subject}: the container to take over from is gone")
            if _share_what_one_can_have(old, wanted):
                await self._one_after_the_other(wanted, step, context, old)
                return
            async with self._taking_over(wanted, context) as new:
                await self._maker.begin(wanted, new)
                await self._ready(context, new)
                await self._take_over(wanted, context, new)
            await others_serve()
            await self._send_nobody_to(step)
            await self._replace(wanted, step, context, new, old)

    async def kill(self, step: Step, context: StepContext) -> None:
        """Stop and remove a container, of several of its service one that nobody is sent to any more.
        Raises EngineError."""
        if await self._client.ask(_subject(step), lambda api: self._is_one_of_several(api, step)):
            with contextlib.suppress(EngineError):  # it goes in any case
                await self._send_nobody_to(step)
        await self._lifecycle.kill(step, context)

    def _is_one_of_several(self, api: Any, step: Step) -> bool:
        """Whether it runs, under the service's name, beside another one of ours."""
        running = {row["Id"] for row in api.containers(filters=self._lifecycle.of_service(step))}
        if step.container not in running or len(running) == 1:
            return False
        seen = _seen(api, step.container)
        networks = seen["NetworkSettings"].get("Networks") or {} if seen else {}
        return any(step.service in (one.get("Aliases") or ()) for one in networks.values())

    async def _take_over(self, wanted: Wanted, context: StepContext, new: str) -> None:
        context.progress(Progress(message="taking over"))
        adoption = self._observer.adoption
        before, after = await self._client.act(wanted.subject, lambda api: _join(api, adoption, wanted, new))
        self._serves(new)
        if before != after:  # what it had open hangs now: it starts once more, with its new address
            await self._client.act(wanted.subject, lambda api: api.restart(new, timeout=grace_of(api, new)))
        await self._ready(context, new)

    async def _one_after_the_other(self, wanted: Wanted, step: Step, context: StepContext, old: Seen) -> None:
        new = await self._maker.make(wanted, context, suffix=NEXT)
        try:
            gap = await _to_the_end(self._stop_and_begin(wanted, step, context, new))
            await self._ready(context, new)
        except EngineUnreachableError:
            raise
        except EngineError:
            with contextlib.suppress(EngineError):  # it is a leftover then, and goes as such
                await self._lifecycle.take_back(wanted.subject, new)
            await self._client.act(wanted.subject, lambda api: api.start(step.container))
            self._observer.mark(container=step.container)
            raise
        context.progress(Progress(message=f"handed over; nothing ran for {gap:.1f} s"))
        await self._replace(wanted, step, context, new, old)

    async def _stop_and_begin(self, wanted: Wanted, step: Step, context: StepContext, new: str) -> float:
        """Seconds between the end of the old one and the start of the new one."""
        await self._lifecycle.stop(step, context)
        began = monotonic()
        await self._maker.begin(wanted, new)
        return monotonic() - began

    async def _ready(self, context: StepContext, new: str) -> None:
        self._observer.mark(container=new)
        context.progress(Progress(message="waiting until ready"))
        if context.await_ready is not None:
            await context.await_ready(new)

    @asynccontextmanager
    async def _taking_over(self, wanted: Wanted, context: StepContext) -> AsyncIterator[str]:
        """A new container that does not serve yet; it goes again when it can't take over."""
        new = await self._maker.make(wanted, context, suffix=NEXT, joined=False)
        self._observer.taking_over.add(new)
        try:
            yield new
        except EngineUnreachableError:
            raise
        except EngineError:
            with contextlib.suppress(EngineError):  # it is a leftover then, and goes as such
                await self._lifecycle.take_back(wanted.subject, new)
            raise
        finally:
            self._serves(new)

    def _serves(self, new: str) -> None:
        self._observer.taking_over.discard(new)
        self._observer.mark(container=new)

    async def _send_nobody_to(self, step: Step) -> None:
        left = await self._client.act(
            _subject(step),
            lambda api: _leave(api, self._observer.adoption, step.app, step.container),
        )
        if left:
            await asyncio.sleep(DRAIN_SECONDS)

    async def _replace(self, wanted: Wanted, step: Step, context: StepContext, new: str, old: Seen) -> None:
        """Stop and remove the old one; the new one gets its name."""
        await self._lifecycle.kill(step, context)
        name = old["Name"].removeprefix("/").removesuffix(NEXT)
        await self._lifecycle.rename({new: name})


async def _to_the_end(work: Coroutine[Any, Any, float]) -> float:
    """Work that must not be left in the middle: an agent that is told to stop ends it first."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(EngineError):
            await task
        raise


class _Together:
    """Hand-overs of one App under way at one time."""

    def __init__(self) -> None:
        self._not_serving: set[str] = set()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def one_of_them(self, service: str) -> AsyncIterator[Any]:
        """Yields what is awaited when this one serves: it returns when the others do, or have given up."""
        self._not_serving.add(service)
        try:
            yield lambda: self._others_serve(service)
        finally:
            await self._done(service)

    async def _others_serve(self, service: str) -> None:
        await self._done(service)
        async with self._changed:
            await self._changed.wait_for(lambda: not self._not_serving)

    async def _done(self, service: str) -> None:
        self._not_serving.discard(service)
        async with self._changed:
            self._changed.notify_all()


def _subject(step: Step) -> str:
    return f"App {step.app}, service {step.service}"


def _seen(api: Any, id: str) -> Seen | None:
    try:
        seen: Seen = api.inspect_container(id)
    except docker.errors.NotFound:
        return None
    return seen


def _share_what_one_can_have(old: Seen, wanted: Wanted) -> bool:
    """Whether both want the same port of the host, or the same fixed address."""
    ports = {(port.host_port, port.protocol.lower()) for port in wanted.service.ports if port.host_port}
    bound = {
        (int(host["HostPort"]), inside.partition("/")[2])
        for inside, hosts in (old["HostConfig"].get("PortBindings") or {}).items()
        for host in hosts or ()
        if host.get("HostPort")
    }
    on_host = wanted.service.network_mode == "host" and old["HostConfig"].get("NetworkMode") == "host"
    fixed = {one.ipv4_address for one in wanted.service.networks.values() if one and one.ipv4_address}
    taken = {
        (one.get("IPAMConfig") or {}).get("IPv4Address")
        for one in (old["NetworkSettings"].get("Networks") or {}).values()
    }
    return bool(ports & bound or (on_host and wanted.service.ports) or fixed & taken)


def _join(api: Any, adoption: Adoption, wanted: Wanted, id: str) -> tuple[list[str], list[str]]:
    """Give a container the service's names on its networks; its addresses before and after."""
    before = _addresses(api, id)
    joined = endpoints(wanted.app.name, wanted.service, joined=True)
    for network, endpoint in adoption.on_engine(joined).items():
        _attach_again(api, id, network, endpoint)
    return before, _addresses(api, id)


def _leave(api: Any, adoption: Adoption, app: str, id: str) -> bool:
    """Take the service's names on the App's networks from a container; False when it has none."""
    seen = _seen(api, id)
    if seen is None or not seen["State"]["Running"]:
        return False
    networks = adoption.networks_of(app, seen["NetworkSettings"]["Networks"])
    for network in networks:
        _attach_again(api, id, network, {"Aliases": []})
    return bool(networks)


def _attach_again(api: Any, id: str, network: str, endpoint: Mapping[str, Any]) -> None:
    """The engine knows no other way to change names; connections outlast it while the address stays."""
    api.disconnect_container_from_network(id, network)
    data = {"Container": id, "EndpointConfig": endpoint}
    api._raise_for_status(api._post_json(api._url("/networks/{0}/connect", network), data=data))


def _addresses(api: Any, id: str) -> list[str]:
    networks = api.inspect_container(id)["NetworkSettings"].get("Networks") or {}
    return sorted(f"{name} {one.get('IPAddress')}" for name, one in networks.items())
