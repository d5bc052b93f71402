"""The observed world, indexed once: what belongs to which App and service (R1: foreign things are left
out here, so that no rule can touch them)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from iotistic.planning.values import Container, Observed, Status, UserLock

ALIVE = (Status.RUNNING, Status.PAUSED, Status.RESTARTING)
"""A container in one of these has a process to interrupt (R9)."""


@dataclass(slots=True, kw_only=True)
class AppSeen:
    """What there is of one App."""

    containers: dict[str, list[Container]] = field(default_factory=dict)
    """By service, in the order of the observation."""
    networks: dict[str, str] = field(default_factory=dict)
    """Name -> canonical config."""
    volumes: dict[str, str] = field(default_factory=dict)
    """Name -> canonical config."""
    held: bool = False
    """Its lock is ours."""
    user_lock: UserLock | None = None
    """The first lock that is somebody else's."""

    def attached(self) -> set[str]:
        """Networks that a container of the App is attached to."""
        return {name for own in self.containers.values() for one in own for name in one.spec.networks}


def by_app(observed: Observed) -> dict[str, AppSeen]:
    """What there is of each App, of those of which there is anything but a user's lock."""
    apps: defaultdict[str, AppSeen] = defaultdict(AppSeen)
    for container in observed.containers:
        if container.app:
            apps[container.app].containers.setdefault(container.service, []).append(container)
    for network in observed.networks:
        if network.app:
            apps[network.app].networks[network.name] = network.config
    for volume in observed.volumes:
        if volume.app:
            apps[volume.app].volumes[volume.name] = volume.config
    for app in observed.held:
        apps[app].held = True
    for lock in observed.user_locks:
        if lock.app in apps and apps[lock.app].user_lock is None:
            apps[lock.app].user_lock = lock
    return dict(apps)
