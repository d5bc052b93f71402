"""Steps on containers that are there: stop, kill, remove, pause, restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.engines.base import StepContext
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.files import Files
from iotistic.engines.docker.labels import Owner, ours_filter
from iotistic.engines.docker.observer import Observer
from iotistic.planning.values import Step

DEFAULT_GRACE_SECONDS = 10
DEAD = frozenset({"dead", "removing"})


class Lifecycle:
    """Acts on containers by id. A container that is gone, or already as it should be, is as good."""

    def __init__(self, client: Client, observer: Observer, files: Files, install: str) -> None:
        self._client = client
        self._observer = observer
        self._files = files
        self._install = install

    async def stop(self, step: Step, _: StepContext) -> None:
        """Stop within the grace period. Raises EngineError."""
        await self._on(step, _stop)

    async def restart(self, step: Step, _: StepContext) -> None:
        """Stop within the grace period, and start. Raises EngineError."""
        await self._on(
            step, lambda api, id: api.restart(id, timeout=grace_of(api, id)), missing_is_fine=False
        )

    async def pause(self, step: Step, _: StepContext) -> None:
        """Freeze its processes. Raises EngineError."""
        await self._on(step, lambda api, id: _unless(api, id, "Paused", api.pause), missing_is_fine=False)

    async def unpause(self, step: Step, _: StepContext) -> None:
        """Let its processes go on. Raises EngineError."""
        await self._on(step, lambda api, id: _if(api, id, "Paused", api.unpause), missing_is_fine=False)

    async def remove(self, step: Step, _: StepContext) -> None:
        """Remove one that does not run; a dead one at any price. Raises EngineError."""
        await self._on(step, _remove)
        await self._tidy_files(step.app, step.service)

    async def kill(self, step: Step, _: StepContext) -> None:
        """Stop within the grace period, and remove. Raises EngineError."""

        def kill(api: Any, id: str) -> None:
            _stop(api, id)
            _remove(api, id)

        await self._on(step, kill)
        await self._tidy_files(step.app, step.service)

    async def take_back(self, subject: str, id: str) -> None:
        """Stop and remove a container that a step has made itself. Raises EngineError."""

        def kill(api: Any) -> None:
            try:
                _stop(api, id)
                _remove(api, id)
            except docker.errors.NotFound:
                return

        await self._client.act(subject, kill)
        self._observer.mark(container=id)

    async def rename(self, names: Mapping[str, str]) -> None:
        """Give containers, by their ids, other names, where those are free. Raises EngineError."""

        def rename(api: Any) -> None:
            for id, name in names.items():
                try:
                    api.rename(id, name)
                except docker.errors.APIError:  # gone, or the name is taken: it serves under this one too
                    continue
                self._observer.mark(container=id)

        if names:
            await self._client.ask("Docker engine", rename)

    def of_service(self, step: Step) -> dict[str, Any]:
        """The engine's filter for the containers of a step's service that this install has made."""
        return ours_filter(self._install, app=step.app, service=step.service)

    async def _tidy_files(self, app: str, service: str) -> None:
        """After a container has gone its files go, unless another one mounts them."""
        if not self._files.has_any(app, service):
            return
        rows = await self._client.ask(
            f"App {app}, service {service}",
            lambda api: api.containers(
                all=True, filters=ours_filter(self._install, app=app, service=service)
            ),
        )
        sources = [mount.get("Source") or "" for row in rows for mount in row.get("Mounts") or ()]
        used = {source.rpartition("/")[2] for source in sources}
        await asyncio.to_thread(self._files.tidy, app, service, used)

    async def _on(self, step: Step, act: Any, *, missing_is_fine: bool = True) -> None:
        subject = f"App {step.app}, service {step.service}"

        def checked(api: Any) -> None:
            try:
                self._check_ours(api, subject, step)
                act(api, step.container)
            except docker.errors.NotFound:
                if not missing_is_fine:
                    raise EngineError(f"{subject}: container {step.container[:12]} is gone") from None

        try:
            await self._client.act(subject, checked)
        finally:
            self._observer.mark(container=step.container)

    def _check_ours(self, api: Any, subject: str, step: Step) -> None:
        labels = api.inspect_container(step.container)["Config"].get("Labels")
        owner = self._observer.adoption.owner(step.container, labels)
        if owner != Owner(app=step.app, name=step.service):
            raise EngineError(f"{subject}: container {step.container[:12]} is not of this service")


def grace_of(api: Any, id: str) -> int:
    """The grace period that a container was made with, in seconds."""
    seconds = api.inspect_container(id)["Config"].get("StopTimeout")
    return DEFAULT_GRACE_SECONDS if seconds is None else int(seconds)


def _stop(api: Any, id: str) -> None:
    api.stop(id, timeout=grace_of(api, id))


def _remove(api: Any, id: str) -> None:
    """Remove with the volumes that have no name; those of the App stay."""
    dead = api.inspect_container(id)["State"]["Status"] in DEAD
    try:
        api.remove_container(id, v=True, force=dead)
    except docker.errors.APIError as error:
        if "already in progress" not in str(error.explanation):
            raise


def _if(api: Any, id: str, state: str, act: Any) -> None:
    if api.inspect_container(id)["State"].get(state):
        act(id)


def _unless(api: Any, id: str, state: str, act: Any) -> None:
    if not api.inspect_container(id)["State"].get(state):
        act(id)
