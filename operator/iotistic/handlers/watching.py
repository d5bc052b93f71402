"""All watches together: kopf's and those of contents, begun again when they end, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import kopf
import structlog

from iotistic.controllers.cluster.ports import Key, RefusedError, UnreachableError
from iotistic.engines.kubernetes.cache import WatchedCache
from iotistic.engines.kubernetes.checking import WatchChecks, Watched
from iotistic.engines.kubernetes.client import Client
from iotistic.engines.kubernetes.contents import ContentsWatch
from iotistic.engines.kubernetes.kinds import CONTENTS, OWN, PLACES, place_of
from iotistic.engines.kubernetes.values import APP_LABEL
from iotistic.handlers.delivery import ContentChanged, Delivery
from iotistic.handlers.registry import registry_of
from iotistic.handlers.running import watch

log = structlog.get_logger()

ABSENT_SECONDS = 3.0
"""How often it is seen whether the CRDs are there by now."""
LONGEST_PAUSE_SECONDS = 20.0
GONE = 404


class Watching:
    """Everything that is watched, in these namespaces or (none) in the whole cluster."""

    def __init__(
        self,
        client: Client,
        cache: WatchedCache,
        namespaces: Sequence[str],
        turn: Callable[[Key], None],
        content_changed: ContentChanged,
        started: Callable[[], None],
    ) -> None:
        self.problem = ""
        """Why nothing is watched at the moment."""
        self.rivals = client.rivals
        self._client = client
        self._cache = cache
        self._namespaces = namespaces
        self._started = started
        self._delivery = Delivery(cache, turn, content_changed, client.rivals)
        where = list(namespaces) or [""]
        self._contents = [
            ContentsWatch(client, kind, namespace, self._delivery.content_changed)
            for kind in CONTENTS
            for namespace in where
        ]
        watched = [self._watched(kind, namespace) for kind in PLACES for namespace in where]
        self.checks = WatchChecks(client, [*watched, *map(_of_contents, self._contents)])

    async def run(self, check_seconds: float) -> None:
        """Watch and check until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_watching())
            group.create_task(self.checks.run(check_seconds))
            for contents in self._contents:
                group.create_task(contents.run())

    def objects(self) -> Mapping[str, int]:
        """How many are known of each kind."""
        return self._cache.counts()

    def heard(self) -> Mapping[str, float]:
        """When (monotonic) each watch last told something."""
        return self._delivery.heard | {f"{one.kind} (contents)": one.heard for one in self._contents}

    async def _keep_watching(self) -> None:
        pause = 1.0
        while True:
            await self._crds_present()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch())
                    group.create_task(self.checks.catch_up())
            except ExceptionGroup as errors:  # kopf gives up in many ways; each is begun anew
                problem = str(errors.exceptions[0]) or type(errors.exceptions[0]).__name__
                log.warning("watching_ended", problem=problem)
            pause = 1.0 if self.checks.synced.is_set() else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self.checks.synced.clear()
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        await watch(registry_of(self._delivery, self._login), self._namespaces, self._started)
        raise RuntimeError("kopf ended")

    async def _crds_present(self) -> None:
        """Wait until the API server knows our kinds."""
        while problem := await self._absent():
            if problem != self.problem:
                self.problem = problem
                log.error("kinds_missing", problem=problem)
            await asyncio.sleep(ABSENT_SECONDS)
        if self.problem:
            log.info("kinds_present")
        self.problem = ""

    async def _absent(self) -> str:
        for kind in OWN:
            path = place_of(kind).path((*self._namespaces, "")[0])
            try:
                await self._client.request("GET", path, query=[("limit", "1")])
            except RefusedError as error:
                if error.status == GONE:
                    return (
                        f"the CRD of kind {kind} is missing: kubectl apply -f crds/, or install the chart "
                        "with crds.enabled=true"
                    )
                return error.message
            except UnreachableError as error:
                return str(error)
        return ""

    async def _login(self) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(**await self._client.login())

    def _watched(self, kind: str, namespace: str) -> Watched:
        return Watched(
            kind=kind,
            namespace=namespace,
            query=() if kind in OWN else (("labelSelector", APP_LABEL),),
            versions=partial(self._cache.versions, kind, namespace),
            version=partial(self._cache.version, kind),
            delivered=partial(self._delivery.count, kind, namespace),
            missing=partial(self._delivery.missing, kind),
        )


def _of_contents(contents: ContentsWatch) -> Watched:
    return Watched(
        name="contents",
        kind=contents.kind,
        namespace=contents.namespace,
        query=contents.query,
        versions=contents.known,
        version=lambda name: contents.known().get(name, -1),
        delivered=lambda: contents.delivered,
        missing=contents.missing,
    )
