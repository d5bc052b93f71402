"""All watches together: kopf's and those of contents, begun again when they end, and checked."""

from __future__ import annotations

import asyncio
import contextlib
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
CLOSED_SECONDS = 20.0
"""How often it is seen whether a namespace can be watched by now."""
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
            self.checks.close(await self._may_watch())
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch())
                    group.create_task(self.checks.catch_up())
                    group.create_task(self._until_opened())
            except ExceptionGroup as errors:  # kopf gives up in many ways; each is begun anew
                problem = str(errors.exceptions[0]) or type(errors.exceptions[0]).__name__
                log.warning("watching_ended", problem=problem)
            pause = 1.0 if self.checks.synced.is_set() else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self.checks.synced.clear()
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        namespaces = [one for one in self._namespaces if one not in self.checks.closed]
        await watch(registry_of(self._delivery, self._login), namespaces, self._started)
        raise RuntimeError("kopf ended")

    async def _until_opened(self) -> None:
        """Ends the watching, for another one, when a namespace can be watched that could not before."""
        while self.checks.closed:
            await asyncio.sleep(CLOSED_SECONDS)
            for namespace in self.checks.closed:
                with contextlib.suppress(RefusedError, UnreachableError):
                    await self._ask(namespace)
                    raise RuntimeError(f"namespace {namespace} may be watched again")

    async def _may_watch(self) -> Mapping[str, str]:
        """Wait until the API server knows our kinds and lets us watch them anywhere.

        Returns: namespaces where it does not, with its words: whoever deletes one of several leaves the
            others as they are.
        """
        while True:
            problem, closed = await self._closed()
            if not problem:
                break
            if problem != self.problem:
                self.problem = problem
                log.error("kinds_missing", problem=problem)
            await asyncio.sleep(ABSENT_SECONDS)
        if self.problem:
            log.info("kinds_present")
        self.problem = ""
        for namespace, words in closed.items():
            if namespace not in self.checks.closed:
                log.error("namespace_closed", namespace=namespace, problem=words)
        return closed

    async def _closed(self) -> tuple[str, Mapping[str, str]]:
        """Why nothing can be watched, or where it can't."""
        closed: dict[str, str] = {}
        where = list(self._namespaces) or [""]
        for namespace in where:
            try:
                await self._ask(namespace)
            except RefusedError as error:
                if error.status == GONE:
                    return error.message, {}
                closed[namespace] = error.message
            except UnreachableError as error:
                return str(error), {}
        return (min(closed.values()), {}) if len(closed) == len(where) else ("", closed)

    async def _ask(self, namespace: str) -> None:
        """Raises: RefusedError or UnreachableError when something can't be watched there."""
        for kind in PLACES:
            try:
                await self._client.request("GET", place_of(kind).path(namespace), query=[("limit", "1")])
            except RefusedError as error:
                if error.status != GONE:
                    raise
                words = (
                    f"the CRD of kind {kind} is missing: kubectl apply -f crds/, or install the chart "
                    "with crds.enabled=true"
                )
                raise RefusedError(GONE, error.reason, words) from error

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
