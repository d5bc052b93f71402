"""What will be done, round by round, if all goes well: `next_steps` and `apply` in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from iotistic.api.image import parse_image
from iotistic.api.service import Condition, RestartPolicy
from iotistic.planning.apply import apply
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import (
    Action,
    AppTarget,
    Container,
    Health,
    Image,
    Observed,
    Options,
    Round,
    Stall,
    Status,
    Step,
)

Service = tuple[str, str]
"""App and service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Rounds until nothing is left to do, or nothing can be done."""

    rounds: tuple[tuple[Step, ...], ...]
    """Each as the planner returns it, waits too. The start of a service whose container was taken down
    in an earlier round has the cause of that."""
    converged: bool
    """Everything is as wanted in the end; else the last round is what is waited for, or Apps are stalled."""
    stalled: tuple[Stall, ...]
    """Apps that are left alone."""
    end: Observed
    """The world after the last round."""


def preview(
    observed: Observed, targets: Sequence[AppTarget], options: Options, *, most_rounds: int = 100
) -> Preview:
    """Go on until nothing changes any more.

    Every fetch ends at once; a container that is made or started runs and is healthy. When nothing but
    waits is left, what is under way arrives: downloads, containers that stop or restart, probes that have
    not answered yet, and jobs that others wait for, which end with 0.

    Args:
        observed: the world now.
        targets: every App that is wanted.
        options: what the caller knows beside the world.
        most_rounds: an end for a world that would never come to rest.
    """
    rounds: list[tuple[Step, ...]] = []
    causes: dict[Service, Step] = {}
    for _ in range(most_rounds):
        found = next_steps(observed, targets, options)
        if all(step.action is Action.WAIT for step in found.steps):
            later = time_passes(observed, targets)
            if later == observed or not found.steps:
                return _ended(rounds, found, observed)
            observed = later
            continue
        steps = tuple(_with_cause(step, causes) for step in found.steps)
        rounds.append(steps)
        for step in steps:
            observed = apply(observed, step, targets)
    return Preview(rounds=tuple(rounds), converged=False, stalled=(), end=observed)


def time_passes(observed: Observed, targets: Sequence[AppTarget]) -> Observed:
    """The world when what is under way has arrived."""
    there = {image.ref for image in observed.images}
    arrived = {parse_image(name) for name in observed.downloading} - there
    awaited = set(_awaited_jobs(targets))
    living = (_older(container, awaited) for container in observed.containers)
    return replace(
        observed,
        images=observed.images
        + tuple(Image(ref=ref, digest=ref.digest) for ref in sorted(arrived, key=lambda ref: ref.full)),
        downloading=frozenset(),
        containers=tuple(container for container in living if container is not None),
    )


def _ended(rounds: list[tuple[Step, ...]], found: Round, observed: Observed) -> Preview:
    if found.steps:
        rounds.append(found.steps)
    converged = not found.steps and not found.stalled
    return Preview(rounds=tuple(rounds), converged=converged, stalled=found.stalled, end=observed)


def _with_cause(step: Step, causes: dict[Service, Step]) -> Step:
    """The start that follows from taking down says why that was done."""
    service = (step.app, step.service)
    if step.action in (Action.KILL, Action.REMOVE):
        causes.setdefault(service, step)
    elif step.action is Action.START and not step.container and service in causes:
        before = causes.pop(service)
        return replace(step, cause=before.cause, changes=before.changes)
    return step


def _awaited_jobs(targets: Sequence[AppTarget]) -> Iterator[Service]:
    for target in targets:
        for service in target.services:
            for name, condition in service.spec.depends_on:
                if condition == Condition.COMPLETED:
                    yield target.name, name


def _older(container: Container, awaited: set[Service]) -> Container | None:
    if not container.app:
        return container
    job = container.spec.restart is not RestartPolicy.ALWAYS and (container.app, container.service) in awaited
    match container.status:
        case Status.STOPPING:
            return None
        case Status.RESTARTING:
            return replace(container, status=Status.RUNNING)
        case Status.RUNNING if job:
            return replace(container, status=Status.EXITED, exit_code=0, health=Health.NONE)
        case Status.RUNNING if container.health is Health.STARTING:
            return replace(container, health=Health.HEALTHY)
    return container
