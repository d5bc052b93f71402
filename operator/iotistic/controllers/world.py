"""The observed world as the planner gets it: the engine's containers with the prober's health, the
store's release facts, our locks and the downloads under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from iotistic.api.service import Service
from iotistic.controllers.desired import Desired
from iotistic.controllers.prober import Prober
from iotistic.engines.base import Engine
from iotistic.planning.images import Images
from iotistic.planning.values import AppTarget, Container, Health, NormalSpec, Observed, Status, UserLock
from iotistic.store.base import Locks, Store


class World:
    """Looks at the engine and lays over it what the agent knows."""

    def __init__(
        self, engine: Engine, store: Store, locks: Locks, desired: Desired, prober: Prober | None
    ) -> None:
        """`prober` None: the engine says itself what probes would (the simulated one)."""
        self._engine = engine
        self._store = store
        self._locks = locks
        self._desired = desired
        self._prober = prober
        self._releases = store.releases()
        self._images = store.images()
        self.observed = Observed()
        self.seen = False
        """False until the engine has answered once."""
        self._looked_for: frozenset[str] = frozenset()

    def tell_health(
        self, *, on_change: Callable[[], None], on_failed: Callable[[Container, str], None]
    ) -> None:
        """Say who wants to know of changed health, and of containers whose probes want them restarted."""
        if self._prober is not None:
            self._prober.tell(on_change=on_change, on_failed=on_failed)

    async def look(self, downloading: frozenset[str], *, full: bool) -> Observed:
        """Observe. Raises EngineError."""
        wanted = _images_of(self._desired.targets())
        raw = await self._engine.observe(wanted | self._images, full=full)
        if self._prober is not None:
            self._prober.sync(self._probed(raw))
        images = Images(raw)
        counts = Counter((one.app, one.service) for one in raw.containers)
        containers = tuple(
            self._overlaid(one, images, several=counts[one.app, one.service] > 1) for one in raw.containers
        )
        apps = {container.app for container in containers}
        self.observed = replace(
            raw,
            containers=containers,
            downloading=downloading,
            held=self._locks.held(),
            user_locks=tuple(lock for lock in self._locks.user_locks() if lock.app in apps),
        )
        self._looked_for = wanted
        self.seen = True
        return self.observed

    async def seen_for(self, targets: Iterable[AppTarget]) -> Observed:
        """The world as last seen, with the images that these want besides. Raises EngineError."""
        if self.covers(targets := list(targets)):
            return self.observed
        raw = await self._engine.observe(_images_of(targets) | self._images)
        return replace(self.observed, images=raw.images)

    def covers(self, targets: Iterable[AppTarget]) -> bool:
        """Whether the last look was for every image of these: one that it was not for seems missing."""
        return _images_of(targets) <= self._looked_for

    def stop_probes(self) -> None:
        """End all probes."""
        if self._prober is not None:
            self._prober.stop()

    def user_lock(self, app: str) -> UserLock | None:
        """The user's lock on an App as it is now, whatever was seen last."""
        return next((lock for lock in self._locks.user_locks() if lock.app == app), None)

    def container(self, id: str) -> Container | None:
        """The container of that id, as last seen."""
        return next((container for container in self.observed.containers if container.id == id), None)

    def health(self, container: Container) -> Health:
        """What its probes say, whatever the engine thinks of its part in a hand-over."""
        return container.health if self._prober is None else self._prober.health(container)

    def health_message(self, id: str) -> str:
        """The last failure of a container's probes."""
        return self._prober.message(id) if self._prober else ""

    def record_release(self, container: str, release: str) -> None:
        """A container belongs to another release now; durable when it returns."""
        self._store.set_release(container, release)
        self._releases[container] = release

    def image_fetched(self, ref: str) -> None:
        """An image was fetched for us."""
        if ref not in self._images:
            self._store.add_image(ref)
            self._images.add(ref)

    def image_removed(self, ref: str) -> None:
        """An image of ours is gone."""
        if ref in self._images:
            self._store.remove_image(ref)
            self._images.discard(ref)

    def forget_gone(self) -> None:
        """Drop release facts of containers that are no longer there."""
        there = {container.id for container in self.observed.containers}
        gone = [id for id in self._releases if id not in there]
        if gone:
            self._store.forget_releases(gone)
            for id in gone:
                del self._releases[id]

    def _overlaid(self, container: Container, images: Images, *, several: bool) -> Container:
        release = self._releases.get(container.id, container.release)
        health = container.health or self._probed_health(container, several=several)
        spec = self._renamed(container, images)
        if release == container.release and health == container.health and spec is container.spec:
            return container
        return replace(container, release=release, health=health, spec=spec)

    def _probed_health(self, container: Container, *, several: bool) -> Health:
        """What its probes say; of several, which a cut hand-over has left, one serves until they have said
        otherwise: after a start of the agent they have said nothing yet, and it must not be taken down for
        one that never served."""
        health = self._prober.health(container) if self._prober else Health.NONE
        return Health.HEALTHY if several and health is Health.STARTING else health

    def _renamed(self, container: Container, images: Images) -> NormalSpec:
        """Its spec under the name that its image has in the release it was recorded for (R15): only the
        label, which can't be changed, still has the old one."""
        if container.id not in self._releases or container.app not in self._desired.records:
            return container.spec
        service = self._desired.target(container.app).service(container.service)
        if service is None or service.spec.image == container.spec.image:
            return container.spec
        if not images.same(container, service.spec.image):
            return container.spec
        return replace(container.spec, image=service.spec.image)

    def _probed(self, raw: Observed) -> dict[str, tuple[Container, Service]]:
        found = {}
        for container in raw.containers:
            if container.status is not Status.RUNNING:
                continue
            app = self._desired.app(container.app)
            service = app.service(container.service) if app else None
            if service is not None and service.probes:
                found[container.id] = (container, service)
        return found


def _images_of(targets: Iterable[AppTarget]) -> frozenset[str]:
    return frozenset(service.spec.image.full for target in targets for service in target.services)
