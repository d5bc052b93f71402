"""Follows that a Secret or ConfigMap changed, by its metadata alone: what is in them is none of our business
until an App refers to it. kopf can't ask for metadata only, so this is a watch of our own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from iotistic.controllers.cluster.ports import RefusedError, UnreachableError
from iotistic.engines.kubernetes.answers import ExpiredError
from iotistic.engines.kubernetes.cache import version_of
from iotistic.engines.kubernetes.client import Client, Query
from iotistic.engines.kubernetes.values import APP_LABEL

log = structlog.get_logger()

SERVER_SECONDS = 300
SILENCE_SECONDS = 70.0
"""Bookmarks come each minute."""
REFUSED_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
"""As in `handlers.settings.BACKOFFS`."""
Name = tuple[str, str]
"""Namespace and name."""


class ContentsWatch:
    """One kind in one namespace (or in all); objects that carry an App's label are none of its business."""

    def __init__(
        self, client: Client, kind: str, namespace: str, changed: Callable[[str, str, str], None]
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self.heard = time.monotonic()
        """When it last heard from the API server."""
        self.delivered = 0
        """Events so far, bookmarks left out."""
        self._client = client
        self._changed = changed
        self._versions: dict[Name, int] | None = None
        self._since = ""
        """The version from which to go on; empty before the first listing."""
        self._refused = ""

    @property
    def query(self) -> Query:
        """What both the listing and the watch ask for."""
        # Helm keeps releases in Secrets, which are large, many, and referred to by nobody.
        not_helm = [("fieldSelector", "type!=helm.sh/release.v1")] if self.kind == "Secret" else []
        return [("labelSelector", f"!{APP_LABEL}"), *not_helm]

    def known(self) -> Mapping[Name, int]:
        """The version of all that was delivered."""
        return self._versions or {}

    def missing(self, name: Name, version: int) -> None:
        """A listing has it no more, and the watch has not said so."""
        if self._versions and self._versions.get(name, version + 1) <= version:
            del self._versions[name]
            self._changed(self.kind, *name)

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if not self._since:
                    await self._list()
                await self._follow()
                pause = FIRST_PAUSE_SECONDS
                continue
            except ExpiredError:
                self._since = ""
            except UnreachableError as error:
                log.debug("watch_interrupted", kind=self.kind, namespace=self.namespace, problem=str(error))
            except RefusedError as error:
                self._tell_refused(error.message)
                pause, self._since = REFUSED_SECONDS, ""
            await asyncio.sleep(pause * random.uniform(1, 4 / 3))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _tell_refused(self, problem: str) -> None:
        """Once, not with each try."""
        if problem != self._refused:
            log.warning("watch_refused", kind=self.kind, namespace=self.namespace, problem=problem)
        self._refused = problem

    async def _list(self) -> None:
        """Take over all there is and tell of what is new, changed or gone since the last listing."""
        listed: dict[Name, int] = {}
        since = ""
        async for page in self._client.metadata_pages(self.kind, self.namespace, query=self.query):
            since = page["metadata"]["resourceVersion"]
            listed |= {_name(item): version_of(item) for item in page["items"] or ()}
        before, self._versions = self._versions, listed
        self._heard()
        if before is not None:
            differing = set(before.items()) ^ set(listed.items())
            for namespace, name in {one for one, _ in differing}:
                self._changed(self.kind, namespace, name)
        self._since, self._refused = since, ""

    async def _follow(self) -> None:
        """Follow until the server ends it."""
        seconds = SERVER_SECONDS + random.randrange(30)
        query = [*self.query, ("resourceVersion", self._since), ("timeoutSeconds", str(seconds))]
        async with self._client.metadata_watch(
            self.kind, self.namespace, query=query, silence_seconds=SILENCE_SECONDS
        ) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        self._heard()
        delivered = event["object"]
        self._since = delivered["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return
        self.delivered += 1
        name = _name(delivered)
        versions = self._versions if self._versions is not None else {}
        if event["type"] == "DELETED":
            versions.pop(name, None)
        else:
            versions[name] = version_of(delivered)
        self._changed(self.kind, *name)

    def _heard(self) -> None:
        self.heard = time.monotonic()


def _name(written: Mapping[str, Any]) -> Name:
    return written["metadata"].get("namespace", ""), written["metadata"]["name"]
