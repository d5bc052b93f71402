"""kopf's settings, and the two of its memories that are not needed: it would keep 2 to 8 kB for each object
and compare each event with the last one, for handlers of another sort than ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from iotistic.engines.kubernetes.kinds import GROUP, OWN, PLACES
from iotistic.engines.kubernetes.values import APP_LABEL

SERVER_SECONDS = 300
"""A watch is ended by the server and taken up again after so long, even if all is well."""
SILENCE_SECONDS = 70
"""The server says something each minute; a connection that is silent for longer is dead."""
PAGE = 100
"""Objects of a listing that are in memory at once, for each of a dozen kinds: 500 took 30 MB more."""
BACKOFFS = (1, 1, 2, 3, *[4] * 10)
"""A watch that still waits when the API server answers again must not pass for a deaf one."""


class Backoffs:
    """Seconds between tries of one request, up to a third longer at random: not all at the same moment."""

    def __iter__(self) -> Iterator[float]:
        for seconds in BACKOFFS:
            yield seconds * random.uniform(1, 4 / 3)


class NothingToCompare(kopf.DiffBaseStorage):
    """Handlers that only see events need no difference to what was there before."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> Any:
        return None

    def store(self, **_: Any) -> None:
        return None


class Forgetful(ResourceMemories):
    """Keeps nothing for the objects that were seen."""

    async def recall(self, raw_body: Any, **options: Any) -> ResourceMemory:
        return await super().recall(raw_body, **{**options, "ephemeral": True})


def settings_of() -> kopf.OperatorSettings:
    """For watching alone: no finalizers, no posts, no peers, nothing written into objects."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.watching.server_timeout = SERVER_SECONDS
    settings.watching.client_timeout = SERVER_SECONDS + 10
    settings.watching.connect_timeout = 10
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.watching.reconnect_backoff = 1
    settings.watching.chunk_size = PAGE
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = Backoffs()
    settings.queueing.idle_timeout = 0.1
    settings.queueing.exit_timeout = 1
    settings.process.ultimate_exiting_timeout = None
    settings.execution.max_workers = 1
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=f"kopf.{GROUP}")
    settings.persistence.diffbase_storage = NothingToCompare()
    for kind, place in PLACES.items():
        if kind not in OWN:
            settings.watching.label_selectors[place.group, place.version, place.plural] = APP_LABEL
    return settings
