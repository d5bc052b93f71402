"""A world that lives: steps end late, out of order, half or never, and time passes meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from iotistic.api.appservice import RunState
from iotistic.api.errors import EngineError
from iotistic.api.image import parse_image
from iotistic.api.service import RestartPolicy
from iotistic.engines.simulated.advance import Facts, advance
from iotistic.engines.simulated.world import World
from iotistic.planning.apply import apply
from iotistic.planning.cases import read_apps, read_observed, read_options
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import (
    Action,
    AppTarget,
    Container,
    Health,
    Image,
    Network,
    Observed,
    Options,
    Round,
    Status,
    Step,
    Volume,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FACTS = Facts(seed=1, now=NOW, service_ids={})
AGENTS_OWN = frozenset({Action.TAKE_LOCK, Action.RELEASE_LOCK, Action.UPDATE_METADATA})
"""What no engine does."""


@dataclass(kw_only=True)
class Luck:
    """What goes wrong."""

    late: float = 0.0
    """Chance that a step takes longer than a round."""
    never: float = 0.0
    """Chance that a step does not happen, or half."""
    until: int = 0
    """Number of rounds after which all goes well."""


@dataclass(kw_only=True)
class Living:
    """Targets, a world, and what is under way in it."""

    observed: Observed
    targets: list[AppTarget]
    options: Options
    random: Random
    luck: Luck = field(default_factory=Luck)
    made: int = 0
    rounds: int = 0
    under_way: list[tuple[int, Step]] = field(default_factory=list)
    """(rounds left, step)."""
    done: list[Step] = field(default_factory=list)

    def plan(self) -> Round:
        """What the planner says now; Apps with steps under way are in hold."""
        busy = {step.app for _, step in self.under_way if step.app}
        options = replace(self.options, hold=self.options.hold | busy)
        return next_steps(self.observed, self.targets, options)

    def turn(self) -> Round:
        """Plan, begin the steps, let time pass."""
        found = self.plan()
        check_round(found, self)
        for step in found.steps:
            self._begin(step)
        self.under_way = [(left - 1, step) for left, step in self.under_way]
        due = [step for left, step in self.under_way if left < 0]
        self.under_way = [(left, step) for left, step in self.under_way if left >= 0]
        self.random.shuffle(due)
        for step in due:
            self._end(step)
        self._pass_time()
        self.rounds += 1
        return found

    def settle(self, *, most_rounds: int = 120) -> Round:
        """Turn until nothing is done and nothing changes any more; the last round."""
        while True:
            before, busy, lucky = self.observed, bool(self.under_way), self._lucky()
            found = self.turn()
            active = any(step.action is not Action.WAIT for step in found.steps)
            if lucky and not busy and not active and self.observed == before:
                return found
            assert self.rounds < most_rounds, [step.text for step in found.steps]

    def _lucky(self) -> bool:
        return self.rounds >= self.luck.until

    def _begin(self, step: Step) -> None:
        if step.action is Action.WAIT:
            return
        late = not self._lucky() and self.random.random() < self.luck.late
        if step.action is Action.FETCH:
            self.observed = replace(self.observed, downloading=self.observed.downloading | {step.name})
        self.under_way.append((self.random.randint(1, 4) if late else 0, step))

    def _end(self, step: Step) -> None:
        if not self._lucky() and self.random.random() < self.luck.never:
            if step.action is Action.FETCH:
                left = self.observed.downloading - {step.name}
                self.observed = replace(self.observed, downloading=left)
            elif self.random.random() < 0.5:
                self._half(step)
            return
        self.do(step)

    def do(self, step: Step) -> None:
        """Carry out a step as the simulated engine does; what that refuses is not done."""
        target = self.target(step.app)
        if step.action in AGENTS_OWN:
            self.observed = apply(self.observed, step, self.targets)
        else:
            try:
                world = World(observed=self.observed, records={}, made=self.made)
                after = advance(world, step, target, FACTS)
            except EngineError:
                return
            # digests are the registry's to say: here those of the random world
            self.observed, self.made = replace(after.observed, images=self._images(step)), after.made
        self.done.append(step)

    def target(self, app: str) -> AppTarget | None:
        """The target of an App."""
        return next((target for target in self.targets if target.name == app), None)

    def _images(self, step: Step) -> tuple[Image, ...]:
        return apply(self.observed, step, self.targets).images

    def _half(self, step: Step) -> None:
        """The step was cut off in the middle."""
        match step.action:
            case Action.KILL | Action.STOP:
                self._set(step.container, self.random.choice((Status.EXITED, Status.STOPPING, Status.DEAD)))
            case Action.REMOVE:
                self._set(step.container, Status.DEAD)
            case Action.START if not step.container:
                self._add_new(step, Status.CREATED)
            case Action.HANDOVER:
                self._add_new(step, self.random.choice((Status.CREATED, Status.RUNNING, Status.EXITED)))
                if self.random.random() < 0.3:
                    self._set(step.container, Status.EXITED)

    def _add_new(self, step: Step, status: Status) -> None:
        before = {container.id for container in self.observed.containers}
        beside = replace(step, action=Action.START, container="")
        self.do(beside)
        for container in self.observed.containers:
            if container.id not in before:
                self._set(container.id, status)

    def _set(self, id: str, status: Status) -> None:
        self.observed = replace(
            self.observed,
            containers=tuple(
                replace(container, status=status) if container.id == id else container
                for container in self.observed.containers
            ),
        )

    def _pass_time(self) -> None:
        """What is on its way arrives: downloads of before, stopping, restarting, probes, jobs."""
        ours = {step.name for _, step in self.under_way}
        arrived = [
            name
            for name in sorted(self.observed.downloading - ours)
            if self._lucky() or self.random.random() < 0.5
        ]
        for name in arrived:
            image = Image(ref=parse_image(name), digest=parse_image(name).digest)
            there = any(one.ref == image.ref for one in self.observed.images)
            self.observed = replace(
                self.observed,
                downloading=self.observed.downloading - {name},
                images=self.observed.images if there else (*self.observed.images, image),
            )
        living = [self._older(container) for container in self.observed.containers]
        self.observed = replace(self.observed, containers=tuple(one for one in living if one is not None))

    def _older(self, container: Container) -> Container | None:
        if not container.app or (not self._lucky() and self.random.random() < 0.5):
            return container
        match container.status:
            case Status.STOPPING:
                return None
            case Status.RESTARTING:
                return replace(container, status=Status.RUNNING)
            case Status.RUNNING if _is_job(container):
                return replace(container, status=Status.EXITED, exit_code=0, health=Health.NONE)
            case Status.RUNNING if container.health is not Health.NONE or self._probed(container):
                return replace(container, health=Health.HEALTHY)
        return container

    def _probed(self, container: Container) -> bool:
        """Probes are the target's, whatever the container was made with."""
        target = self.target(container.app)
        wanted = target.service(container.service) if target else None
        return wanted is not None and wanted.service is not None and bool(wanted.service.probes)


def alive(case: dict[str, Any], random: Random, luck: Luck | None = None) -> Living:
    """The living world of a case."""
    targets = read_apps(case["apps"])
    return Living(
        observed=read_observed(case["observed"], targets),
        targets=targets,
        options=read_options(case["options"]),
        random=random,
        luck=luck or Luck(),
    )


def check_round(found: Round, living: Living) -> None:
    """What must be so of every round, whatever the world."""
    seen, options = living.observed, living.options
    ours = {container.id for container in seen.containers if container.app}
    containers = Counter(step.container for step in found.steps if step.container)
    subjects = Counter(step.subject for step in found.steps)
    assert all(count == 1 for count in containers.values()), containers
    assert all(count == 1 for count in subjects.values()), subjects
    wanted = {target.name for target in living.targets}
    networks = {(network.app, network.name) for network in seen.networks}
    for step in found.steps:
        assert step.cause, step
        assert step.app not in options.hold, step
        assert not step.container or step.container in ours, step
        if step.action is Action.REMOVE_VOLUME:
            assert step.app in options.purge, step
            assert step.app not in wanted, step
        if step.action is Action.REMOVE_NETWORK:
            assert (step.app, step.name) in networks, step
        if step.action is Action.REMOVE_IMAGE:
            assert not options.keep_images
            assert all(container.spec.image.full != step.name for container in seen.containers), step
        if step.action in {Action.KILL, Action.STOP, Action.PAUSE, Action.HANDOVER}:
            assert step.app in seen.held, step
    _check_images(found, living)


def _check_images(found: Round, living: Living) -> None:
    """No image is removed that a step of the same round is made from or fetches."""
    removed = {step.name for step in found.steps if step.action is Action.REMOVE_IMAGE}
    fetched = {step.name for step in found.steps if step.action is Action.FETCH}
    assert not removed & fetched
    left = [image for image in living.observed.images if image.ref.full not in removed]
    for step in found.steps:
        target = living.target(step.app)
        service = target.service(step.service) if target else None
        if (
            step.action in {Action.START, Action.HANDOVER}
            and service
            and (not step.container or step.action is Action.HANDOVER)
        ):
            ref = service.spec.image
            assert any(
                image.ref == ref or (ref.digest and image.ref.name == ref.name and image.digest == ref.digest)
                for image in left
            ), step


def outcome(living: Living) -> object:
    """A world without what depends on who did what when: ids, times, whether a job was paused before it
    ended, whether a service wanted Stopped has a container, and whether the image of a container that
    stays was fetched for another one."""
    observed = living.observed
    stopped = {
        (target.name, service.name)
        for target in living.targets
        for service in target.services
        if service.run_state is RunState.STOPPED
    }
    return (
        Counter(
            (one.app, one.service, one.release, "" if _is_job(one) else one.status, one.spec)
            for one in observed.containers
            if (one.app, one.service) not in stopped or one.status is not Status.EXITED
        ),
        frozenset(observed.networks),
        frozenset(observed.volumes),
        observed.held,
    )


def _is_job(container: Container) -> bool:
    return container.spec.restart is not RestartPolicy.ALWAYS


def foreign(observed: Observed) -> tuple[list[Container], list[Network], list[Volume]]:
    """What is not ours."""
    return (
        [one for one in observed.containers if not one.app],
        [one for one in observed.networks if not one.app],
        [one for one in observed.volumes if not one.app],
    )
