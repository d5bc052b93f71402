"""A look inside containers and at images; see `controllers.base.InsideControl`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.api.image import parse_image
from iotistic.controllers.base import ImageInfo, Usage
from iotistic.controllers.desired import Desired
from iotistic.controllers.journal import Journal
from iotistic.controllers.reconciler import Reconciler
from iotistic.engines.base import Engine, LogLine
from iotistic.planning.images import Images
from iotistic.planning.values import Action, Image, Status, Step
from iotistic.store.base import Store


class Inside:
    """Answers for all containers of ours."""

    def __init__(
        self, *, engine: Engine, store: Store, desired: Desired, loop: Reconciler, journal: Journal
    ) -> None:
        self._engine = engine
        self._store = store
        self._desired = desired
        self._loop = loop
        self._journal = journal

    def previous_logs(self, app: str, service: str) -> list[LogLine]:
        """The last lines of the container before this one."""
        saved = self._store.saved_lines(app, service)
        if saved is None:
            raise NotFoundError(
                f"no lines of an earlier container of {app}/{service} are kept",
                hint="none was replaced or stopped yet, or it wrote nothing",
            )
        return [LogLine(time=saved.time, stream="stdout", text=line) for line in saved.lines]

    async def run(
        self, app: str, service: str, command: Sequence[str], timeout_seconds: float
    ) -> tuple[int, str]:
        """Run a command inside a service's container: exit code, output. Raises TimeoutError."""
        container = self._loop.facts.counting(app, service)
        if container is None or container.status is not Status.RUNNING:
            status = container.status.value if container else "not there"
            raise ConflictError(
                f"the container of {app}/{service} does not run: it is {status}",
                hint=f"see why: iotctl explain app {app}",
            )
        return await self._engine.run(container.id, command, timeout_seconds)

    async def usage(self) -> list[Usage]:
        """What all running containers of ours use now."""
        running = {
            container.id: container
            for container in self._loop.world.observed.containers
            if container.app and container.status is Status.RUNNING
        }
        loads = await self._engine.usage(list(running))
        return [
            Usage(
                app=running[id].app,
                service=running[id].service,
                cpu_percent=load.cpu_percent,
                memory_bytes=load.memory_bytes,
                memory_limit_bytes=load.memory_limit_bytes,
            )
            for id, load in loads.items()
        ]

    async def images(self) -> list[ImageInfo]:
        """Images of ours."""
        sizes = await self._engine.image_sizes()
        listed = [
            ImageInfo(
                ref=image.ref.short,
                digest=image.digest,
                size_bytes=sizes.get(image.ref.full, 0),
                users=tuple(sorted(self._users(image))),
            )
            for image in self._loop.world.observed.images
        ]
        return sorted(listed, key=lambda image: image.ref)

    def _users(self, image: Image) -> set[str]:
        """Who runs an image, wants it, or would go back to it."""
        running = {
            f"{container.app}/{container.service}"
            for container in self._loop.world.observed.containers
            if container.app
            and (
                container.spec.image == image.ref or (image.digest and container.image_digest == image.digest)
            )
        }
        return running | {
            f"{target.name}/{service.name}"
            for target in (*self._desired.targets(), *self._loop.rollouts.last_good())
            for service in target.services
            if service.spec.image == image.ref
        }

    async def prune_images(self) -> list[str]:
        """Remove what nothing needs now."""
        garbage = Images(
            self._loop.world.observed, self._desired.targets(), self._loop.rollouts.keep()
        ).garbage
        steps = [
            Step(
                action=Action.REMOVE_IMAGE,
                subject=image.ref.short,
                name=image.ref.full,
                cause="asked for by hand",
            )
            for image in garbage
        ]
        await self._loop.steps.remove_images(steps)
        return [step.subject for step in steps]

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        """Load a `docker save` archive."""
        names = await self._engine.load_images(archive)
        for name in names:
            self._loop.world.image_fetched(parse_image(name).full)
        self._journal.say("Loaded", f"loaded {', '.join(names) or 'nothing'}")
        self._loop.look_at_everything()
        return names
