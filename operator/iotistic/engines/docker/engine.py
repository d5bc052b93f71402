"""The Docker engine as `engines.base.Engine`: which part does which step."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.api.image import parse_image
from iotistic.engines.base import EngineEvent, EngineInfo, Load, LogLine, Records, StepContext
from iotistic.engines.docker.adoption_search import find_originals
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.events import events
from iotistic.engines.docker.files import Files
from iotistic.engines.docker.handover import HandOver
from iotistic.engines.docker.hostpaths import HostPaths
from iotistic.engines.docker.labels import NEXT
from iotistic.engines.docker.lifecycle import Lifecycle
from iotistic.engines.docker.looking import image_sizes, load, loads, records
from iotistic.engines.docker.making import Maker, wanted_of
from iotistic.engines.docker.networks import Networks
from iotistic.engines.docker.observer import Observer
from iotistic.engines.docker.output import Inside, logs
from iotistic.engines.docker.pull import Puller
from iotistic.engines.docker.volumes import Volumes
from iotistic.planning.originals import AdoptedThing, OriginalApp
from iotistic.planning.values import Action, Container, Observed, Step


class DockerEngine:
    """See `engines.base.Engine`."""

    def __init__(
        self,
        *,
        address: str,
        install: str,
        config_dir: Path,
        docker_config: Path | None = None,
    ) -> None:
        """Nothing is connected or written before the first call.

        Args:
            address: as in DOCKER_HOST; empty for the socket of this host.
            install: id of this install: what is ours carries it.
            config_dir: CONFIG_DIR: holds mounted files and locks.
            docker_config: directory with Docker's config.json and certificates; None for ~/.docker.
        """
        self._client = Client(address, docker_config)
        self._install = install
        self._observer = Observer(self._client, install)
        files = Files(config_dir.absolute())
        paths = HostPaths(self._client)
        self._lifecycle = Lifecycle(self._client, self._observer, files, install)
        self._maker = Maker(self._client, self._observer, install=install, files=files, paths=paths)
        self._inside = Inside(self._client)
        self._adoption = self._observer.adoption
        networks = Networks(self._client, install, self._adoption)
        volumes = Volumes(self._client, install, self._adoption)
        hand_over = HandOver(self._client, self._observer, self._maker, self._lifecycle)
        self._executors: dict[Action, Callable[[Step, StepContext], Awaitable[None]]] = {
            Action.FETCH: Puller(self._client, docker_config).fetch,
            Action.START: self._start,
            Action.STOP: self._lifecycle.stop,
            Action.KILL: hand_over.kill,
            Action.REMOVE: self._lifecycle.remove,
            Action.PAUSE: self._lifecycle.pause,
            Action.UNPAUSE: self._lifecycle.unpause,
            Action.RESTART: self._lifecycle.restart,
            Action.HANDOVER: hand_over.hand_over,
            Action.CREATE_NETWORK: networks.create,
            Action.REMOVE_NETWORK: networks.remove,
            Action.CREATE_VOLUME: volumes.create,
            Action.REMOVE_VOLUME: volumes.remove,
            Action.REMOVE_IMAGE: self._remove_image,
        }

    async def info(self) -> EngineInfo:
        """Which engine it is. Raises EngineUnreachableError."""
        said: dict[str, Any] = await self._client.ask("Docker engine", lambda api: api.info())
        facts = await self._client.facts()
        details = {
            "apiVersion": facts.api,
            "architecture": facts.architecture,
            "storageDriver": said.get("Driver"),
            "rootDirectory": said.get("DockerRootDir"),
            "operatingSystem": said.get("OperatingSystem"),
            "cpus": said.get("NCPU"),
            "memoryBytes": said.get("MemTotal"),
            "containers": said.get("Containers"),
        }
        return EngineInfo(
            kind="docker",
            version=facts.version,
            address=self._client.address,
            details={key: str(value) for key, value in details.items() if value is not None},
        )

    async def observe(self, images: frozenset[str], *, full: bool = False) -> Observed:
        """The world now. Raises EngineError."""
        observed = await self._observer.look(images, full=full)
        await self._lifecycle.rename(self._left_over_names(observed.containers))
        return observed

    async def execute(self, step: Step, context: StepContext) -> None:
        """Carry out one step; cancelling it leaves a world that can be planned from again."""
        execute = self._executors.get(step.action)
        if execute is None:
            raise EngineError(f"{step.text}: no step of an engine")
        try:
            await execute(step, context)
        finally:
            self._observer.mark(
                networks=step.action in {Action.CREATE_NETWORK, Action.REMOVE_NETWORK},
                volumes=step.action in {Action.CREATE_VOLUME, Action.REMOVE_VOLUME},
                images=step.action in {Action.FETCH, Action.REMOVE_IMAGE},
            )

    def events(self) -> AsyncIterator[EngineEvent]:
        """Events from now on; raises EngineUnreachableError when the engine goes away."""
        return events(self._client, self._observer)

    def logs(self, container: str, *, follow: bool, tail: int | None) -> AsyncIterator[LogLine]:
        """Lines of a container, the last `tail` first; with `follow` until it is gone."""
        return logs(self._client, container, follow=follow, tail=tail)

    async def run(self, container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
        """Run a command inside a container. Raises TimeoutError, EngineError."""
        return await self._inside.run(container, command, timeout_seconds)

    async def records(self, app: str) -> Records:
        """What the objects of an App say that it is."""
        return await records(self._client, self._install, app)

    def know_adopted(self, things: Iterable[AdoptedThing], forget: Callable[[AdoptedThing], None]) -> None:
        """Say what an original has made and this install has taken over.

        Args:
            things: all that are kept.
            forget: keeps for good that one is gone; called from any thread.
        """
        self._adoption.know(things, forget)
        self._observer.mark(everything=True)

    async def find_originals(self, apps: Sequence[OriginalApp]) -> tuple[AdoptedThing, ...]:
        """What an original has made for these Apps. Changes nothing. Raises EngineError."""
        return await find_originals(self._client, self._install, apps)

    async def usage(self, containers: Sequence[str]) -> Mapping[str, Load]:
        """What these use now, by id."""
        return await loads(self._client, containers)

    async def image_sizes(self) -> Mapping[str, int]:
        """Bytes of each image, by `ImageRef.full` of each of its names."""
        return await image_sizes(self._client)

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        """Load an archive of `docker save`; the names in it."""
        names = await load(self._client, archive)
        self._observer.mark(images=True)
        return names

    async def close(self) -> None:
        """Let go of connections; containers stay."""
        self._client.close()

    async def _start(self, step: Step, context: StepContext) -> None:
        wanted = wanted_of(step.app, step.service, context)
        id = step.container or await self._maker.make(wanted, context)
        try:
            await self._maker.begin(wanted, id)
        finally:
            self._observer.mark(container=id)

    async def _remove_image(self, step: Step, _: StepContext) -> None:
        image = parse_image(step.name)

        def remove(api: Any) -> None:
            try:
                id = api.inspect_image(image.full)["Id"]
                rows = api.containers(all=True, filters={"ancestor": id})
                users = [row["Names"][0].removeprefix("/") for row in rows if row["ImageID"] == id]
                if users:
                    raise EngineError(
                        f"image {image.short}: containers use it: {', '.join(sorted(users))}",
                        hint="it goes when they have gone",
                    )
                api.remove_image(image.full)
            except docker.errors.NotFound:
                return

        await self._client.act(f"image {image.short}", remove)

    def _left_over_names(self, containers: Sequence[Container]) -> dict[str, str]:
        """Containers that took over and, cut off, kept the name of one who does: the name for each id."""
        counts = Counter((one.app, one.service) for one in containers)
        return {
            one.id: one.name.removesuffix(NEXT)
            for one in containers
            if one.app and one.name.endswith(NEXT) and counts[one.app, one.service] == 1
            if one.id not in self._observer.taking_over
        }
