"""The last lines of a release that is undone, kept before its pods go; in a Secret, as they may hold some."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from iotistic.controllers.cluster.children import Whose, metadata, ref_of, service_of, whose
from iotistic.controllers.cluster.looking import pods_of, serves
from iotistic.controllers.cluster.observing import container_of, newest
from iotistic.controllers.cluster.ports import (
    Api,
    ConflictError,
    Object,
    Reason,
    RefusedError,
    UnreachableError,
)
from iotistic.controllers.cluster.telling import wall
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.values import KEPT_AT_ANNOTATION, RELEASE_ANNOTATION
from iotistic.store.base import MOST_SAVED_LINES

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

log = structlog.get_logger()

READ_SECONDS = 2.0
MOST_BYTES = 16_384
"""Of one service: a Secret of all an App's services stays far below what the API server takes (1 MiB)."""
MOST_SERVICES = 40


async def keep_last_lines(turn: Turn, release: str) -> None:
    """Keep what the services that are not ready have written last; failing at that never stops the undo."""
    children = turn.children()
    pods = list(failing(children).items())[:MOST_SERVICES]
    read = await asyncio.gather(*(_read(turn.api, turn.key.namespace, *one) for one in pods))
    lines = {service: text for (service, _), text in zip(pods, read, strict=True) if text}
    if not lines:
        return
    wanted = _secret(turn, release, lines)
    where = {"namespace": turn.key.namespace, "app": turn.key.name, "release": release}
    try:
        found = await turn.api.get(ref_of(wanted))
        if found is not None and whose(found, turn.key.name, turn.memory.uid) is not Whose.OURS:
            log.warning("lines_lost", **where, problem=f"Secret {wanted['metadata']['name']} is not ours")
            return
        await turn.applier.record(wanted, Reason.LINES)
    except (RefusedError, ConflictError, UnreachableError) as error:
        log.warning("lines_lost", **where, problem=str(error))


def failing(children: Sequence[Object]) -> dict[str, Object]:
    """The newest pod of each service where that is not ready, by service."""
    found = {}
    for service in sorted({service_of(child) for child in children} - {""}):
        pod = newest(pods_of(children, service))
        if pod is None or serves([pod]) or (pod.get("status") or {}).get("phase") == "Succeeded":
            continue
        found[service] = pod
    return found


async def _read(api: Api, namespace: str, service: str, pod: Object) -> str:
    """A service's last lines, those of the container before too; a node that does not answer has none."""
    container = container_of(pod, service)
    if container is None:
        return ""
    again = int(container.get("restartCount") or 0) > 0 and "running" in (container.get("state") or {})
    texts = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            for previous in (True, False) if again else (False,):
                name, of = pod["metadata"]["name"], container["name"]
                texts.append(await api.logs(namespace, name, of, previous=previous, lines=MOST_SAVED_LINES))
    except (TimeoutError, UnreachableError) as error:
        log.warning("lines_lost", namespace=namespace, pod=pod["metadata"]["name"], problem=str(error))
    lines = "".join(texts).splitlines()[-MOST_SAVED_LINES:]
    return "\n".join(lines).encode()[-MOST_BYTES:].decode(errors="ignore")


def _secret(turn: Turn, release: str, lines: dict[str, str]) -> dict[str, Any]:
    own = metadata(turn.key, turn.memory.uid)
    annotations = {RELEASE_ANNOTATION: release, KEPT_AT_ANNOTATION: wall(turn.now)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**own, "name": names.last_lines(turn.key.name), "annotations": annotations},
        "data": {service: base64.b64encode(text.encode()).decode() for service, text in lines.items()},
    }
