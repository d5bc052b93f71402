"""Where an App stands: each service beside its target, changed networks, the barrier (R6), dependencies
(R10)."""

from __future__ import annotations

from dataclasses import dataclass

from iotistic.api.appservice import RunState
from iotistic.api.service import Condition, RestartPolicy, Strategy
from iotistic.planning.compare import changes
from iotistic.planning.counting import Counted, count
from iotistic.planning.images import Images
from iotistic.planning.seen import AppSeen
from iotistic.planning.values import AppTarget, Container, Health, ServiceTarget, Status

IMAGES_FIRST = (Strategy.DOWNLOAD_THEN_KILL, Strategy.HAND_OVER)
"""Strategies that stand behind the barrier."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """One service of the target beside what there is of it."""

    target: ServiceTarget
    counted: Counted
    changed: bool = False
    """The container that counts is not the same, or uses a changed network."""
    image_changed: bool = False
    """It runs another image, as far as that is known."""
    renamed: bool = False
    """Its image has another name, be it the same image or not."""

    @property
    def needs_new(self) -> bool:
        """A new container has to be made: absent or changed, and not wanted Stopped."""
        return (self.changed or self.counted.container is None) and (
            self.target.run_state is not RunState.STOPPED
        )

    @property
    def idle(self) -> bool:
        """A wait of it waits for no interruption (R8)."""
        return not self.changed and not self.counted.stopping


class Situation:
    """One App of the target beside what there is of it."""

    def __init__(self, target: AppTarget, seen: AppSeen, images: Images) -> None:
        self.target = target
        self.seen = seen
        self.images = images
        self.changed_networks = frozenset(
            name for name, config in seen.networks.items() if target.networks.get(name, config) != config
        )
        self.services = [self._standing(service) for service in target.services]
        self._by_name = {standing.target.name: standing for standing in self.services}
        self.barrier = self._barrier()
        """What closes it, in words; empty when it is open."""

    def dropped(self) -> list[tuple[str, Counted]]:
        """Services that there are containers of and that the App no longer has; they have its strategy."""
        if len(self.seen.containers) <= len(self._by_name) and self.seen.containers.keys() <= (
            self._by_name.keys()
        ):
            return []
        hand_over = self.target.strategy is Strategy.HAND_OVER
        return [
            (name, count(own, hand_over=hand_over))
            for name, own in self.seen.containers.items()
            if name not in self._by_name
        ]

    def changes(self, standing: Standing) -> tuple[str, ...]:
        """What makes a service changed, in words."""
        container = standing.counted.container
        if container is None:
            return ()
        return changes(
            container.spec,
            standing.target.spec,
            same_image=not standing.image_changed,
            networks=self.changed_networks,
        )

    def lacks(self, service: ServiceTarget) -> str:
        """What a start has to wait for, in words: networks, volumes, dependencies; empty for nothing."""
        spec = service.spec
        for name in spec.networks:
            if name not in self.seen.networks:
                return f"waits for network {name}"
            if name in self.changed_networks:
                return f"waits for network {name} to be made anew"
        for name in spec.volumes:
            if name not in self.seen.volumes:
                return f"waits for volume {name}"
        return self.lacks_dependency(service)

    def lacks_dependency(self, service: ServiceTarget) -> str:
        """The first dependency that is not as far as it has to be, in words; empty when all are (R10)."""
        for name, condition in service.spec.depends_on:
            if not self._reached(self._by_name.get(name), condition):
                return f"waits for {name} ({condition})"
        return ""

    def hands_over(self, standing: Standing) -> bool:
        """Whether a changed service can be handed over (R7)."""
        container = standing.counted.container
        if standing.target.strategy is not Strategy.HAND_OVER or container is None:
            return False
        used = container.spec.networks | standing.target.spec.networks
        return container.status is Status.RUNNING and not used & self.changed_networks

    def _standing(self, service: ServiceTarget) -> Standing:
        own = self.seen.containers.get(service.name)
        counted = count(own, hand_over=service.strategy is Strategy.HAND_OVER)
        container = counted.container
        if container is None:
            return Standing(target=service, counted=counted)
        has, wants = container.spec, service.spec
        renamed = has.image is not wants.image and has.image != wants.image
        image_changed = renamed and not self.images.same(container, wants.image)
        changed = (
            image_changed
            or has.config != wants.config
            or (bool(self.changed_networks) and bool(has.networks & self.changed_networks))
        )
        return Standing(
            target=service, counted=counted, changed=changed, image_changed=image_changed, renamed=renamed
        )

    def _barrier(self) -> str:
        for standing in self.services:
            if not standing.needs_new or standing.target.strategy not in IMAGES_FIRST:
                continue
            spec = standing.target.spec
            if not self.images.there(spec.image):
                return f"waits for image {spec.image.short} of {standing.target.name}"
            for name in spec.networks:
                if name not in self.seen.networks:
                    return f"waits for network {name} of {standing.target.name}"
            for name in spec.volumes:
                if name not in self.seen.volumes:
                    return f"waits for volume {name} of {standing.target.name}"
        return ""

    def _reached(self, standing: Standing | None, condition: str) -> bool:
        if standing is None or standing.changed or standing.counted.leftovers:
            return False
        container = standing.counted.container
        return container is not None and _is_at(container, condition)


def _is_at(container: Container, condition: str) -> bool:
    running = container.status is Status.RUNNING
    exited = container.status is Status.EXITED
    match condition:
        case Condition.HEALTHY:
            return running and container.health is Health.HEALTHY
        case Condition.COMPLETED:
            return exited and container.exit_code == 0
        case _:
            return running or (exited and container.spec.restart is not RestartPolicy.ALWAYS)
