"""What is known of Apps and their services at one moment: the target, the world as last seen, and what the
loop waits for, put together for whoever judges it (status, rollout)."""

from __future__ import annotations

from dataclasses import replace

from iotistic.api.appservice import RunState
from iotistic.api.service import Strategy
from iotistic.controllers.desired import Desired
from iotistic.controllers.failures import Failures
from iotistic.controllers.steps import Steps
from iotistic.controllers.world import World
from iotistic.engines.base import Progress
from iotistic.planning.compare import differences
from iotistic.planning.counting import count
from iotistic.planning.images import Images
from iotistic.planning.values import (
    Action,
    AppTarget,
    Container,
    Round,
    ServiceTarget,
    Status,
    Step,
    UserLock,
)
from iotistic.rollout.status import AppFacts, ServiceFacts
from iotistic.store.base import AppRecord


class Facts:
    """Puts facts together; `round` is the last planned one."""

    def __init__(self, desired: Desired, world: World, failures: Failures, steps: Steps) -> None:
        self._desired = desired
        self._world = world
        self._failures = failures
        self._steps = steps
        self._waits: dict[tuple[str, str], Step] = {}
        self._planned: set[str] = set()
        self.round = Round()

    def take(self, round: Round) -> None:
        """A new round was planned."""
        self.round = round
        self._waits = {(s.app, s.service): s for s in round.steps if s.action is Action.WAIT}
        self._planned = {s.app for s in round.steps if s.action is not Action.WAIT}

    def app(self, record: AppRecord, target: AppTarget) -> AppFacts:
        """Facts of an App, its services compared with this target."""
        name, lock = record.name, self.user_lock(record.name)
        return AppFacts(
            name=name,
            generation=record.generation,
            release=target.release,
            services=[self._service(record, target, service) for service in target.services],
            stalled=next((stall.reason for stall in self.round.stalled if stall.app == name), ""),
            hold="suspended: spec.suspend is true" if record.app.spec.suspend else "",
            busy=self.is_busy(name),
            failure=self.own_failure(name),
            failure_hint=self.own_hint(name),
            locked=lock_text(lock) if lock else "",
            locked_service=lock.service if lock else "",
            digest=record.digest,
        )

    def missing(self, target: AppTarget, facts: AppFacts) -> tuple[str, ...]:
        """Images, short, that services which still have to change need and that are not there."""
        images = Images(self._world.observed)
        needed = {
            service.spec.image
            for service, known in zip(target.services, facts.services, strict=True)
            if not known.unchanged and service.run_state is not RunState.STOPPED
        }
        return tuple(sorted(ref.short for ref in needed if not images.there(ref)))

    def fetching(self, target: AppTarget) -> bool:
        """Whether an image of this App is on its way and moves."""
        return any(self._steps.fetch_moves(service.spec.image.full) for service in target.services)

    def is_busy(self, app: str) -> bool:
        """Whether steps of an App are under way or were just planned."""
        return app in self._planned or app in self._steps.busy_apps()

    def own_failure(self, app: str) -> str:
        """Why a network or volume of the App can't be made; empty when all is well."""
        failing = self._failures.get((app, ""))
        return failing.message if failing else ""

    def own_hint(self, app: str) -> str:
        """What to do about `own_failure`; empty when nothing is known."""
        failing = self._failures.get((app, ""))
        return failing.hint if failing else ""

    def user_lock(self, app: str) -> UserLock | None:
        """The user's lock that the App waits for; None when it waits for none."""
        if (app, "") not in self._waits:
            return None
        return next((lock for lock in self._world.observed.user_locks if lock.app == app), None)

    def lock(self, app: str) -> str:
        """The same in words; empty when it waits for none."""
        lock = self.user_lock(app)
        return lock_text(lock) if lock else ""

    def counting(self, app: str, service: str, strategy: Strategy | None = None) -> Container | None:
        """The container of a service that people mean: the one that counts (R14), else the last one."""
        own = [c for c in self._world.observed.containers if c.app == app and c.service == service]
        counted = count(own, hand_over=strategy is Strategy.HAND_OVER)
        return counted.container or max(counted.leftovers, key=lambda c: c.created, default=None)

    def _service(self, record: AppRecord, target: AppTarget, service: ServiceTarget) -> ServiceFacts:
        key = (target.name, service.name)
        container = self.counting(target.name, service.name, service.strategy)
        failing = self._failures.get(key)
        wait = self._waits.get(key)
        facts = ServiceFacts(
            name=service.name,
            service_id=record.service_ids.get(service.name),
            run_state=service.run_state.value,
            restart=service.spec.restart.value,
            image=service.spec.image.short,
            downloading=_progress_text(self._steps.fetch_progress.get(service.spec.image.full)),
            failure_reason=failing.reason if failing else "",
            failure=failing.message if failing else "",
            failure_hint=failing.hint if failing else "",
            failing_since=failing.since if failing else "",
            retry_seconds=self._failures.retry_seconds(key),
            waits_for=wait.cause if wait else "",
        )
        if container is None:
            return facts
        same = not differences(container, service, target, self._world.observed)
        message = self._world.health_message(container.id)
        return with_container(facts, container, unchanged=same, message=message)


def with_container(
    facts: ServiceFacts, container: Container, *, unchanged: bool, message: str
) -> ServiceFacts:
    """The facts with what a container adds; `message`: the last failure of its probes."""
    ended = container.status in {Status.EXITED, Status.DEAD, Status.RESTARTING}
    return replace(
        facts,
        container_status=container.status.value,
        unchanged=unchanged,
        health=container.health.value,
        health_message=message,
        exit_code=container.exit_code if ended else None,
        oom_killed=container.oom_killed,
        container_id=container.id,
        container_image=container.spec.image.short,
        image_digest=container.image_digest,
        release=container.release,
        restarts=container.restarts,
        ports=container.ports,
        since=(container.finished if ended else container.started) or container.created,
    )


def lock_text(lock: UserLock) -> str:
    """Who holds what, why, and how long."""
    who = f" by {lock.owner}" if lock.owner else ""
    why = f": {lock.reason}" if lock.reason else ""
    until = f", until {lock.until}" if lock.until else ""
    what = f"{lock.app}/{lock.service}" if lock.service else lock.app
    return f"{what} is locked{who}{why}{until}"


def unlocking(lock: UserLock) -> str:
    """What to type to take it away."""
    return f"iotctl unlock {lock.app}" + (f" --service {lock.service}" if lock.service else "")


def _progress_text(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if not progress.total:
        return progress.message or "..."
    return f"{progress.current / 1e6:.1f} of {progress.total / 1e6:.1f} MB"
