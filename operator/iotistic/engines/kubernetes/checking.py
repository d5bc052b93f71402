"""Whether a watch tells all there is to tell. One can be deaf while everything looks well: its connection
open, the API server answering. So what it has delivered is compared with a listing of metadata now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from iotistic.controllers.cluster.ports import RefusedError, UnreachableError
from iotistic.engines.kubernetes.answers import ExpiredError
from iotistic.engines.kubernetes.cache import version_of
from iotistic.engines.kubernetes.client import Client, Query

log = structlog.get_logger()

GRACE_SECONDS = 10.0
"""What a watch has not told so long after a listing showed it, it will not tell any more."""
ARRIVAL_SECONDS = 0.1
AGAIN_SECONDS = 30.0
"""Time after which a listing is made anew: what is waited for may be gone by now."""
RETRY_SECONDS = 2.0

Name = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A watch that is checked."""

    kind: str
    namespace: str
    """Empty for the whole cluster."""
    query: Query
    """What the watch asks for, and the listing therefore too."""
    versions: Callable[[], Mapping[Name, int]]
    """What it has delivered and not taken back."""
    version: Callable[[Name], int]
    """The same of one; -1 when there is none."""
    delivered: Callable[[], int]
    """How many events there were."""
    missing: Callable[[Name, int], None]
    """Takes over that an object was missing in a listing of this version."""
    name: str = ""
    """Tells two watches of one kind apart."""

    def __str__(self) -> str:
        what = f"{self.kind} ({self.name})" if self.name else self.kind
        return f"{what} in {self.namespace}" if self.namespace else what


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a listing has and the watch has not delivered (yet)."""

    late: Mapping[Name, int] = field(default_factory=dict)
    """Versions that it has not delivered."""
    gone: Mapping[Name, int] = field(default_factory=dict)
    """What it has delivered and is there no more: by name the version of the listing."""

    def __bool__(self) -> bool:
        return bool(self.late or self.gone)

    def still(self, later: Difference, versions: Mapping[Name, int]) -> Difference:
        """What of this a later listing has not settled: it was not only under way at the moment.

        Args:
            later: what that listing found.
            versions: what the watch has delivered by then.
        """
        late = {
            name: version
            for name, version in self.late.items()
            if name in later.late and versions.get(name, -1) < version
        }
        return Difference(
            late=late, gone={name: later.gone[name] for name in self.gone if name in later.gone}
        )


async def difference(client: Client, watched: Watched) -> Difference:
    """Compare a watch with a listing. Raises: as `Client.metadata_pages`."""
    listed: dict[Name, int] = {}
    version = 0
    async for page in client.metadata_pages(watched.kind, watched.namespace, query=watched.query):
        version = version_of(page)
        for item in page["items"] or ():  # an empty list of metadata is null
            listed[item["metadata"].get("namespace", ""), item["metadata"]["name"]] = version_of(item)
    delivered = watched.versions()
    return Difference(
        late={name: seen for name, seen in listed.items() if delivered.get(name, -1) < seen},
        gone={name: version for name, seen in delivered.items() if name not in listed and seen <= version},
    )


class WatchChecks:
    """The checks of all watches."""

    def __init__(self, client: Client, watched: Sequence[Watched]) -> None:
        self.synced = asyncio.Event()
        """Whether all that was there at the start has been delivered."""
        self.deaf: dict[str, int] = {}
        """Watches that left something untold, and how many events they had delivered by then."""
        self.problem = ""
        """Why the API server could not be asked the last time."""
        self.checks = 0
        """How many there were."""
        self.closed: Mapping[str, str] = {}
        """Namespaces where nothing may be watched, with the API server's words. Nothing is known of them."""
        self._client = client
        self._watched = watched

    def close(self, namespaces: Mapping[str, str]) -> None:
        """Leave these out, and forget what is known of them."""
        self.closed = namespaces
        for watched in self._watched:
            if watched.namespace in namespaces:
                for name, version in dict(watched.versions()).items():
                    watched.missing(name, version)

    async def catch_up(self) -> None:
        """Wait until every watch has delivered what is there now; take over what is there no more."""
        self.synced.clear()
        deaf = list(self.deaf)
        self.deaf.clear()
        await asyncio.gather(*(self._catch_up(one) for one in self._open()))
        for name in deaf:
            log.info("watch_hears_again", watch=name)
        self.synced.set()

    async def run(self, period_seconds: float) -> None:
        """Check one watch after the other until cancelled.

        Args:
            period_seconds: in which each has its turn once.
        """
        while True:
            for watched in self._watched:
                await asyncio.sleep(period_seconds / len(self._watched))
                await self.synced.wait()
                if watched.namespace not in self.closed:
                    await self._check(watched, min(GRACE_SECONDS, period_seconds))

    def _open(self) -> list[Watched]:
        return [one for one in self._watched if one.namespace not in self.closed]

    async def _catch_up(self, watched: Watched) -> None:
        while True:
            found = await self._look(watched)
            if found is None:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for name, version in found.gone.items():
                watched.missing(name, version)
            if await _arrives(watched, found.late):
                return

    async def _check(self, watched: Watched, grace_seconds: float) -> None:
        found = await self._look(watched)
        name = str(watched)
        if found:
            await asyncio.sleep(grace_seconds)
            later = await self._look(watched)
            if later is None:
                return
            still = found.still(later, watched.versions())
            for gone, version in still.gone.items():
                watched.missing(gone, version)
            if still:
                self.deaf[name] = watched.delivered()
                log.error("watch_deaf", watch=name, untold=_some(still))
                return
        if found is not None and name in self.deaf and watched.delivered() > self.deaf[name]:
            log.info("watch_hears_again", watch=name)
            del self.deaf[name]

    async def _look(self, watched: Watched) -> Difference | None:
        """None when the API server could not be asked."""
        try:
            found = await difference(self._client, watched)
        except (RefusedError, UnreachableError, ExpiredError) as error:
            if not self.problem:
                log.warning("api_not_answering", watch=str(watched), problem=str(error))
            self.problem = str(error)
            return None
        if self.problem:
            log.info("api_answers_again")
        self.problem = ""
        self.checks += 1
        return found


async def _arrives(watched: Watched, late: Mapping[Name, int]) -> bool:
    """Whether all this is delivered before long."""
    left = dict(late)
    for _ in range(int(AGAIN_SECONDS / ARRIVAL_SECONDS)):
        left = {name: version for name, version in left.items() if watched.version(name) < version}
        if not left:
            return True
        await asyncio.sleep(ARRIVAL_SECONDS)
    return False


def _some(differing: Difference) -> list[str]:
    """A few names, for people."""
    return [f"{namespace}/{name}" for namespace, name in [*differing.late, *differing.gone][:5]]
