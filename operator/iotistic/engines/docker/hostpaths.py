"""Paths of the agent as paths of the engine's host.

An agent in a container sees its data under another path than the engine, which resolves bind mounts:
untranslated, mounted Secrets and lock folders would be empty directories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.engines.docker.client import Client

_ID = r"([0-9a-f]{64})"
_IN_MOUNTS = re.compile(rf"/containers/{_ID}/(?:hostname|hosts|resolv\.conf)")
_IN_CGROUPS = re.compile(rf"[/-]{_ID}(?:\.scope)?$", re.MULTILINE)


class HostPaths:
    """Translates; looks for the agent's own container once."""

    def __init__(self, client: Client, proc: Path = Path("/proc/self")) -> None:
        self._client = client
        self._proc = proc
        self._mounts: Sequence[Mapping[str, Any]] | None = None
        self._looked = False

    async def of(self, path: Path) -> str:
        """The host's path of one of ours. Raises EngineError when the host does not see it."""
        mounts = await self._own_mounts()
        if mounts is None:
            return str(path)
        found = translated(str(path), mounts)
        if found is None:
            raise EngineError(
                f"{path} is inside the agent's container: no other container could mount it",
                hint="start the agent with a volume at CONFIG_DIR: docker run -v iotistic:/app/data ...",
            )
        return found

    async def on_host(self) -> bool:
        """Whether the agent sees the file system of the engine's host."""
        return await self._own_mounts() is None and self._client.address.startswith("unix://")

    async def _own_mounts(self) -> Sequence[Mapping[str, Any]] | None:
        if not self._looked:
            candidates = own_ids(_text(self._proc / "mountinfo"), _text(self._proc / "cgroup"))
            self._mounts = await self._client.ask("own container", lambda api: _mounts_of(api, candidates))
            self._looked = True
        return self._mounts


def own_ids(mountinfo: str, cgroup: str) -> list[str]:
    """Ids of the container that a process may be in, from its files in /proc; none on a host."""
    return list(dict.fromkeys([*_IN_MOUNTS.findall(mountinfo), *_IN_CGROUPS.findall(cgroup)]))


def translated(path: str, mounts: Iterable[Mapping[str, Any]]) -> str | None:
    """The host's path, by the mounts of the container that sees `path`; None when it is in none."""
    best: tuple[int, str] | None = None
    for mount in mounts:
        inside = PurePosixPath(mount["Destination"])
        if mount.get("Source") and PurePosixPath(path).is_relative_to(inside):
            depth = len(inside.parts)
            rest = PurePosixPath(path).relative_to(inside)
            if best is None or depth > best[0]:
                best = (depth, str(PurePosixPath(mount["Source"]) / rest))
    return best[1] if best else None


def _mounts_of(api: Any, candidates: Sequence[str]) -> Sequence[Mapping[str, Any]] | None:
    """Mounts of the first candidate that this engine has: one of another engine says nothing here."""
    for id in candidates:
        try:
            seen = api.inspect_container(id)
        except docker.errors.NotFound:
            continue
        mounts: Sequence[Mapping[str, Any]] = seen.get("Mounts") or []
        return mounts
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
