"""A preview as people read it: an App a block, its steps numbered, each with its cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iotistic.api.appservice import RunState
from iotistic.api.image import parse_image
from iotistic.api.service import Condition, Strategy
from iotistic.planning.compare import listed
from iotistic.planning.preview import Preview
from iotistic.planning.values import Action, AppTarget, Observed, Step

NOTHING = "Nothing to do."
_DOWN = (Action.KILL, Action.REMOVE)
_UP = (Action.START, Action.HANDOVER)


def plan_text(preview: Preview, observed: Observed, targets: Sequence[AppTarget]) -> str:
    """The whole plan.

    Args:
        preview: what will be done.
        observed: the world before it.
        targets: the Apps to tell of; Apps that are no longer wanted are told of too.
    """
    steps = list(_steps(preview))
    names = {target.name for target in targets}
    gone = dict.fromkeys(step.app for step in steps if step.app and step.app not in names)
    stalled = {stall.app: stall.reason for stall in preview.stalled}
    blocks = []
    for target in targets:
        own = [step for step in steps if step.app == target.name or _serves(step, target)]
        if target.name in stalled:
            blocks.append([f"App {target.name} is stalled: {stalled[target.name]}", *_table(own)])
        elif own:
            blocks.append(_wanted(target, own, observed))
    blocks += [_gone(app, [step for step in steps if step.app == app], preview.end) for app in gone]
    images = _tidied([step for step in steps if _is_tidying(step, targets)])
    if images:
        blocks.append(images)
    if not blocks:
        return NOTHING
    quiet = [target.name for target in targets if not _is_told(target, steps, stalled)]
    if quiet:
        blocks.append([f"Nothing to do for {', '.join(quiet)}."])
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _steps(preview: Preview) -> Iterable[Step]:
    """All steps; waits only where the plan ends in them."""
    for number, steps in enumerate(preview.rounds, 1):
        last = number == len(preview.rounds) and not preview.converged
        stuck = last and all(step.action is Action.WAIT for step in steps)
        yield from (step for step in steps if stuck or step.action is not Action.WAIT)


def _serves(step: Step, target: AppTarget) -> bool:
    """Whether a step on an image is one of this App's update."""
    if step.action is Action.FETCH:
        return any(
            service.spec.image.full == step.name and service.run_state is not RunState.STOPPED
            for service in target.services
        )
    if step.action is Action.REMOVE_IMAGE:
        repository = parse_image(step.name).name
        return any(
            service.strategy is Strategy.DELETE_THEN_DOWNLOAD and service.spec.image.name == repository
            for service in target.services
        )
    return False


def _is_tidying(step: Step, targets: Sequence[AppTarget]) -> bool:
    return step.action is Action.REMOVE_IMAGE and not any(_serves(step, target) for target in targets)


def _tidied(steps: Sequence[Step]) -> list[str]:
    """Images that go, by why."""
    whys = dict.fromkeys(step.cause for step in steps)
    return [
        f"Removed: image {', '.join(step.subject for step in steps if step.cause == why)} ({why})."
        for why in whys
    ]


def _is_told(target: AppTarget, steps: Sequence[Step], stalled: Iterable[str]) -> bool:
    return target.name in stalled or any(step.app == target.name or _serves(step, target) for step in steps)


def _wanted(target: AppTarget, steps: Sequence[Step], observed: Observed) -> list[str]:
    return [
        _title(target, observed),
        *_table(steps),
        *_unchanged(target, steps),
        *_interrupted(target, steps),
        *_assumed(target, steps, observed),
    ]


def _gone(app: str, steps: Sequence[Step], end: Observed) -> list[str]:
    lines = [f"App {app} is removed", *_table(steps)]
    kept = sorted(volume.name for volume in end.volumes if volume.app == app)
    return [*lines, f"Kept: volume {', '.join(kept)}."] if kept else lines


def _title(target: AppTarget, observed: Observed) -> str:
    releases = sorted({one.release for one in observed.containers if one.app == target.name} - {""})
    if not any(container.app == target.name for container in observed.containers):
        return f"App {target.name}, release {target.release} (new)"
    change = target.release
    if releases and releases != [target.release]:
        change = f"{', '.join(releases)} -> {target.release}"
    others = [
        f", {service.name}: {service.strategy}"
        for service in target.services
        if service.strategy is not target.strategy
    ]
    return f"App {target.name}, release {change} (strategy {target.strategy}{''.join(others)})"


def _table(steps: Sequence[Step]) -> list[str]:
    """Numbered steps; the recording of a release is told in the line below."""
    shown = [step for step in steps if step.action is not Action.UPDATE_METADATA]
    if not shown:
        return []
    action = max(len(step.action) for step in shown)
    subject = max(len(step.subject) for step in shown)
    lines, number = [], 0
    for step in shown:
        waits = step.action is Action.WAIT
        number += not waits
        cause = "" if step.action in (Action.TAKE_LOCK, Action.RELEASE_LOCK) else step.cause
        if waits and step.service and step.changes:
            cause += f" ({listed(step.changes)})"
        mark = "-" if waits else number
        lines.append(f"{mark:>2}  {step.action:<{action}}  {step.subject:<{subject}}  {cause}".rstrip())
    return lines


def _unchanged(target: AppTarget, steps: Sequence[Step]) -> list[str]:
    recorded = {step.service for step in steps if step.action is Action.UPDATE_METADATA}
    touched = {step.service for step in steps if step.action is not Action.UPDATE_METADATA}
    same = [service.name for service in target.services if service.name not in touched]
    plain = ", ".join(name for name in same if name not in recorded)
    noted = ", ".join(name for name in same if name in recorded)
    parts = [plain] if plain else []
    parts += [f"{noted} (release recorded)"] if noted else []
    return [f"Unchanged: {'; '.join(parts)}."] if parts else []


def _interrupted(target: AppTarget, steps: Sequence[Step]) -> list[str]:
    """Services that are down between two steps; how long, nobody can promise."""
    down: dict[str, int] = {}
    up: dict[str, int] = {}
    for number, step in enumerate(steps):
        if step.action is Action.KILL:
            down.setdefault(step.service, number)
        elif step.action in _UP:
            up[step.service] = number
    names = [name for name in down if up.get(name, -1) > down[name]]
    long = [name for name in names if _fetches_between(target, name, steps[down[name] : up[name]])]
    short = [name for name in names if name not in long]
    return ([f"Interrupted from kill to start: {', '.join(short)}."] if short else []) + (
        [f"Interrupted from kill to start, with the fetch in between: {', '.join(long)}."] if long else []
    )


def _fetches_between(target: AppTarget, name: str, steps: Sequence[Step]) -> bool:
    service = target.service(name)
    return service is not None and any(
        step.action is Action.FETCH and step.name == service.spec.image.full for step in steps
    )


def _assumed(target: AppTarget, steps: Sequence[Step], observed: Observed) -> list[str]:
    """Jobs that have to end well before something of the plan is done."""
    begun = {step.service for step in steps if step.action in _UP}
    jobs = {
        name
        for service in target.services
        for name, condition in service.spec.depends_on
        if service.name in begun and condition == Condition.COMPLETED
    }
    running = {
        one.service for one in observed.containers if one.app == target.name and one.status != "exited"
    }
    open_jobs = sorted(jobs & (begun | running))
    return [f"Assumes that {', '.join(open_jobs)} ends with 0."] if open_jobs else []
