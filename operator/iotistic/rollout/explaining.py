"""Why an App is not as it should be: one sentence, since when, and what to type.

Pure: from its facts and its status. The causes are looked for from the one that stops everything to the
one that only one service has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotistic.api.app import AppStatus, ServiceStatus
from iotistic.rollout.status import AppFacts, ServiceFacts
from iotistic.rollout.values import Phase
from iotistic.rollout.wording import culprit


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an App is not as it should be, in one sentence, and what helps."""

    app: str
    state: str
    sentence: str
    """What is wrong, where, since when; of an App that is well, that it is."""
    since: str = ""
    """RFC 3339; empty where nothing is wrong."""
    commands: tuple[str, ...] = ()
    """What to type to clear it, the likeliest first; a line in brackets is not to be typed."""


def explain(facts: AppFacts, status: AppStatus, *, engine_error: str = "") -> Explanation:
    """Explain an App.

    Args:
        facts: what is known of it.
        status: what was made of that.
        engine_error: why the engine does not answer; empty when it does.
    """
    name = facts.name
    since = _since(facts, status)
    sentence, commands = _cause(facts, status, engine_error)
    if not sentence:
        well = _serves(name, status)
        return Explanation(app=name, state=status.state, sentence=f"{well}.")
    return Explanation(
        app=name,
        state=status.state,
        sentence=sentence.rstrip(".") + ".",
        since=since,
        commands=tuple(commands),
    )


def _cause(facts: AppFacts, status: AppStatus, engine_error: str) -> tuple[str, Sequence[str]]:
    name = facts.name
    if engine_error:
        return f"nothing can be done for {name}: {engine_error}", ("iotctl diagnostics",)
    if facts.hold.startswith("orphaned"):
        return f"{name} is {facts.hold}", (f"iotctl recover {name}", f"iotctl delete app {name}")
    if facts.hold:
        return f"{name} is {facts.hold}", ("(set spec.suspend to false in its file) iotctl apply -f FILE",)
    if facts.locked:
        of_service = f" --service {facts.locked_service}" if facts.locked_service else ""
        return f"{name} waits: {facts.locked}", (f"iotctl unlock {name}{of_service}",)
    if facts.stalled:
        return f"{name} is left alone: {facts.stalled}", (
            "(undo that change in its file, or give the volume a new name) iotctl apply -f FILE",
            f"iotctl apps purge {name}",
        )
    if facts.failure:
        return f"{name} can't go on: {facts.failure}{_hint(facts)}", (f"iotctl retry {name}",)
    stopped = _by_hand(name, status)
    if stopped:
        sentence, commands = stopped
        return sentence + _not_good_yet(facts), commands
    if facts.rollout is not None and facts.rollout.state.failure is not None:
        return _failed_release(facts, status)
    sentence, commands = _of_services(facts, status)
    return (f"{sentence}{_under_way(facts)}" if sentence else ""), commands


def _by_hand(name: str, status: AppStatus) -> tuple[str, Sequence[str]] | None:
    """What somebody has stopped or paused; None while anything else is to be told first."""
    if not all(service.ready for service in status.services):
        return None
    stopped = [service.name for service in status.services if service.run_state == "Stopped"]
    paused = [service.name for service in status.services if service.run_state == "Paused"]
    if stopped and len(stopped) == len(status.services):
        return f"{name} was stopped by hand", (f"iotctl apps start {name}",)
    if paused:
        return (
            f"{', '.join(f'{name}/{service}' for service in paused)} was paused by hand",
            [f"iotctl services unpause {name}-{service}" for service in paused],
        )
    if stopped:
        return (
            f"{', '.join(f'{name}/{service}' for service in stopped)} was stopped by hand",
            [f"iotctl services start {name}-{service}" for service in stopped],
        )
    return None


def _not_good_yet(facts: AppFacts) -> str:
    """Of what was stopped while a release came in."""
    rollout = facts.rollout
    if rollout is None or rollout.wait is None or rollout.state.attempt is None:
        return ""
    return f"; release {rollout.state.attempt.name} can't be good before it has run"


def _under_way(facts: AppFacts) -> str:
    """Of an update that is not good yet: what comes, and until when."""
    rollout = facts.rollout
    if rollout is None or rollout.seconds_left is None or rollout.state.attempt is None:
        return ""
    good = rollout.state.last_good
    if good is None or good.digest == rollout.state.attempt.digest:
        return ""
    return (
        f"; release {rollout.state.attempt.name} is being brought in over release {good.name}, and has "
        f"{rollout.seconds_left:.0f} s left to get ready"
    )


def _failed_release(facts: AppFacts, status: AppStatus) -> tuple[str, Sequence[str]]:
    assert facts.rollout is not None
    assert facts.rollout.state.failure is not None
    failure, phase = facts.rollout.state.failure, facts.rollout.phase
    if phase is Phase.UNDONE:
        fate = "was undone and is quarantined"
    elif phase is Phase.UNDOING:
        fate = "is being undone"
    else:
        fate = "failed and stays"
    commands = ["(change its file) iotctl apply -f FILE", f"iotctl retry {facts.name}"]
    worst = next((service.name for service in status.services if not service.ready), "")
    gone = culprit(failure.message, [service.name for service in status.services])
    if worst:
        commands.insert(0, f"iotctl services logs {facts.name}-{worst}")
    elif gone and phase is Phase.UNDONE:
        commands.insert(0, f"iotctl services logs {facts.name}-{gone} --previous")
    return (
        f"{_serves(facts.name, status)}; release {failure.release} {fate} since {failure.since} "
        f"({failure.message})",
        commands,
    )


def _of_services(facts: AppFacts, status: AppStatus) -> tuple[str, Sequence[str]]:
    known = {service.name: service for service in facts.services}
    waiting = [service for service in status.services if not service.ready]
    if not waiting:
        return "", ()
    worst = min(waiting, key=lambda service: _order(known[service.name], service))
    return _of_service(facts.name, known[worst.name], worst)


def _order(facts: ServiceFacts, status: ServiceStatus) -> int:
    if facts.failure:
        return 0
    states = ("Unhealthy", "Exited", "Restarting", "Pulling", "Starting")
    return 1 + (states.index(status.state) if status.state in states else len(states))


def _of_service(app: str, facts: ServiceFacts, status: ServiceStatus) -> tuple[str, Sequence[str]]:
    service = f"{app}-{facts.name}"
    where = f"{app}/{facts.name}"
    logs, retry = f"iotctl services logs {service}", f"iotctl retry {app}"
    if facts.failure_reason == "CrashLoop":
        return f"{where} is in a crash loop: {status.reason}", (f"{logs} --previous", retry)
    if facts.failure_reason == "NoSpace":
        return f"{where} can't be made: {status.reason}", ("iotctl images prune", retry)
    if facts.failure:
        return f"{where} can't be made: {status.reason}{_hint(facts)}", (retry,)
    if status.state in {"Unhealthy", "Exited", "Restarting", "Failed", "Starting"}:
        return f"{where} is not ready: {status.reason or status.state.lower()}", (logs,)
    return f"{where}: {status.reason or status.state.lower()}", (f"iotctl wait app/{app}",)


def _hint(facts: AppFacts | ServiceFacts) -> str:
    return f" ({facts.failure_hint})" if facts.failure_hint else ""


def _serves(name: str, status: AppStatus) -> str:
    ready = sum(1 for service in status.services if service.ready)
    if not ready:
        return f"nothing of {name} serves (release {status.release}, 0 of {len(status.services)} ready)"
    return f"{name} serves release {status.release} ({ready} of {len(status.services)} ready)"


def _since(facts: AppFacts, status: AppStatus) -> str:
    if facts.rollout is not None and facts.rollout.state.failure is not None:
        return facts.rollout.state.failure.since
    failing = [service.failing_since for service in facts.services if service.failing_since]
    if failing:
        return min(failing)
    return next((c.last_transition_time for c in status.conditions if c.type == "Ready"), "")
