"""Looks that nobody needs all the time: what objects say of their App, what containers use, how large images
are, and images from an archive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, BinaryIO

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.api.image import parse_image
from iotistic.engines.base import Load, Records
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.labels import NAME, SERVICE, SPEC, ours_filter, read_spec

_LOADED = re.compile(r"Loaded image(?: ID)?: (\S+)")


async def records(client: Client, install: str, app: str) -> Records:
    """What the labels of an App's objects say that it is. Raises EngineError."""

    def look(api: Any) -> Records:
        filters = ours_filter(install, app=app)
        containers = sorted(api.containers(all=True, filters=filters), key=lambda row: row["Created"])
        volumes = api.volumes(filters=filters).get("Volumes") or []
        return Records(
            services=_specs(containers, SERVICE),
            networks=_specs(api.networks(filters=filters), NAME),
            volumes=_specs(volumes, NAME),
        )

    return await client.ask(f"App {app}", look)


async def loads(client: Client, containers: Sequence[str]) -> dict[str, Load]:
    """What these use now; those that don't run are left out. Raises EngineError."""
    found = await asyncio.gather(*(_load_of(client, id) for id in containers))
    return {id: load for id, load in zip(containers, found, strict=True) if load is not None}


async def image_sizes(client: Client) -> dict[str, int]:
    """Bytes of each image, by `ImageRef.full` of each of its names. Raises EngineError."""

    def look(api: Any) -> dict[str, int]:
        sizes = {}
        for image in api.images():
            for name in [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]:
                with contextlib.suppress(ValueError):  # <none>:<none>
                    sizes[parse_image(name).full] = int(image["Size"])
        return sizes

    return await client.ask("images", look)


async def load(client: Client, archive: AsyncIterator[bytes]) -> list[str]:
    """Load an archive of `docker save`; the names in it. Raises EngineError.

    The archive goes through a file: the engine reads it in one go, however slowly it comes.
    """
    with tempfile.TemporaryFile() as file:
        async for chunk in archive:
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
        return await client.act("image archive", lambda api: _load(api, file))


def _load(api: Any, file: BinaryIO) -> list[str]:
    names = []
    for said in api.load_image(file):
        if error := said.get("error"):
            raise EngineError(
                f"the archive can't be loaded: {error}", hint="it must be what docker save writes"
            )
        names += _LOADED.findall(said.get("stream") or "")
    return names


async def _load_of(client: Client, id: str) -> Load | None:
    def look(api: Any) -> Mapping[str, Any] | None:
        try:
            stats: Mapping[str, Any] = api.stats(id, stream=False)
        except docker.errors.NotFound:
            return None
        return stats

    stats = await client.ask(f"container {id[:12]}", look)
    if not stats or not stats.get("memory_stats"):
        return None
    memory = stats["memory_stats"]
    cache = memory.get("stats", {}).get(
        "total_inactive_file", memory.get("stats", {}).get("inactive_file", 0)
    )
    return Load(
        cpu_percent=round(_cpu_percent(stats), 1),
        memory_bytes=max(0, int(memory.get("usage", 0)) - int(cache)),
        memory_limit_bytes=_limit(memory),
    )


def _cpu_percent(stats: Mapping[str, Any]) -> float:
    """Of one core, between the two samples that the engine took a second apart."""
    now, before = stats["cpu_stats"], stats["precpu_stats"]
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"].get("total_usage", 0)
    passed = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    return 100.0 * used / passed * int(now.get("online_cpus") or 1) if passed > 0 and used > 0 else 0.0


def _limit(memory: Mapping[str, Any]) -> int:
    """Without one of its own the engine names all of the machine's memory."""
    limit = int(memory.get("limit") or 0)
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0 if limit >= machine else limit


def _specs(rows: Sequence[Mapping[str, Any]], label: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        labels = row.get("Labels") or {}
        record = read_spec(labels.get(SPEC))
        if record is not None and labels.get(label):
            found[labels[label]] = record
    return found
