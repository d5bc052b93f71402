"""What an App and its services are doing, in words for people and conditions for programs.

Pure: from the target, the containers that are there, what the controller knows of failures, downloads
and holds, and what the rollout has decided. A service is ready when the container that counts is as the
App says, runs, and its probes agree; wanted Stopped or Paused, or a job that exited with 0, counts as
ready (but does not show a release good: see `rollout.stopped`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from iotistic.api.app import AppStatus, ServiceStatus
from iotistic.api.conditions import StatusCondition
from iotistic.rollout.values import Decision, Phase, Readiness, ServiceReadiness
from iotistic.rollout.wording import severity


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """What is known of one service at one moment; plain words, so that both engines can fill it."""

    name: str
    service_id: int | None = None
    run_state: str = "Running"
    restart: str = "Always"
    image: str = ""
    """Wanted image, short form."""
    container_status: str = ""
    """Status of the container that counts; empty when there is none."""
    unchanged: bool = False
    """The container is as the App says."""
    health: str = ""
    health_message: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    container_id: str = ""
    container_image: str = ""
    image_digest: str = ""
    release: str = ""
    restarts: int = 0
    ports: tuple[str, ...] = ()
    since: str = ""
    downloading: str = ""
    """How far the download is, as `8.9 of 12.4 MB`; empty when nothing downloads."""
    failure_reason: str = ""
    failure: str = ""
    failure_hint: str = ""
    """What to do about it, where that is known."""
    failing_since: str = ""
    """RFC 3339."""
    retry_seconds: float | None = None
    """Seconds until the next try; None when it does not wait for one."""
    waits_for: str = ""
    """Why the planner lets it wait: `waits for db (healthy)`."""
    stop_waits: str = ""
    """A lock, in words, under which it goes on although it is wanted Stopped."""
    pod_serves: bool = False
    """On a cluster, where it may have several pods: one of them serves, be it an old one."""

    @property
    def stops(self) -> bool:
        """It is wanted Stopped, and nothing keeps it from that."""
        return self.run_state == "Stopped" and not self.stop_waits


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """What is known of one App at one moment."""

    name: str
    generation: int
    release: str
    """Release that may run: the wanted one, or, when it was undone, the last good one."""
    services: Sequence[ServiceFacts]
    stalled: str = ""
    """Why it is left alone, from the planner."""
    hold: str = ""
    """Why nothing is done: suspended, orphaned; empty when it is not held."""
    busy: bool = False
    """Steps are under way or were just planned."""
    deleting: bool = False
    failure: str = ""
    """A step of the App's own (network, volume) has failed."""
    failure_hint: str = ""
    """What a person can do about that."""
    left: str = ""
    """Why something that should go is there still, and is in nobody's way."""
    locked: str = ""
    """A user's lock that it waits for."""
    locked_service: str = ""
    """The service that this lock is on; empty: the whole App."""
    rollout: Decision | None = None
    """The rollout's last decision; the services are compared with the release that it lets run. None: the
    wanted release is taken as it comes."""
    digest: str = ""
    """Release digest of what is wanted; where it is not what the rollout decided on, its next turn is due."""
    previous: Mapping[str, StatusCondition] = field(default_factory=dict)


def service_status(facts: ServiceFacts) -> ServiceStatus:
    """State, readiness and reason of one service."""
    state, ready, reason = _judge(facts)
    return ServiceStatus(
        name=facts.name,
        service_id=facts.service_id,
        state=state,
        ready=ready,
        run_state=facts.run_state,
        reason=reason or facts.stop_waits,
        image=facts.container_image or facts.image,
        image_digest=facts.image_digest,
        container_id=facts.container_id,
        release=facts.release,
        restarts=facts.restarts,
        exit_code=facts.exit_code,
        ports=list(facts.ports),
        since=facts.since,
    )


def _judge(facts: ServiceFacts) -> tuple[str, bool, str]:
    if facts.stops:
        stopped = facts.container_status in {"", "exited", "created", "dead"}
        return ("Stopped", True, "") if stopped else ("Stopping", False, "")
    if facts.failure and not _runs_well(facts):
        return _failed(facts)
    if facts.downloading:
        return "Pulling", False, f"pulling {facts.image} {facts.downloading}".rstrip()
    if facts.container_status and facts.unchanged:
        return _of_container(facts)
    if facts.waits_for:
        return "Waiting", False, facts.waits_for
    if not facts.container_status:
        return "Waiting", False, "not made yet"
    return "Updating", False, facts.waits_for or "to be replaced"


def container_serves(facts: ServiceFacts) -> bool:
    """Whether the container does its work, as the App says or not."""
    return _of_container(facts)[1]


def _serves(facts: ServiceFacts, status: ServiceStatus) -> bool:
    """Whether the service serves: an old container does, whatever the new one waits for or fails at."""
    if status.ready or facts.pod_serves:
        return True
    return not facts.stops and not facts.unchanged and container_serves(facts)


def _runs_well(facts: ServiceFacts) -> bool:
    healthy = facts.health in {"", "healthy"}
    return facts.unchanged and facts.container_status == "running" and healthy and facts.retry_seconds is None


def _failed(facts: ServiceFacts) -> tuple[str, bool, str]:
    state = "CrashLoop" if facts.failure_reason == "CrashLoop" else "Failed"
    retry = f", next try in {facts.retry_seconds:.0f} s" if facts.retry_seconds else ""
    return state, False, f"{facts.failure}{retry}"


def _of_container(facts: ServiceFacts) -> tuple[str, bool, str]:
    match facts.container_status:
        case "running" if facts.run_state == "Paused":
            return "Pausing", False, ""
        case "running" if facts.health == "starting":
            return "Starting", False, facts.health_message or "its probes have not answered yet"
        case "running" if facts.health == "unhealthy":
            return "Unhealthy", False, facts.health_message or "its probe fails"
        case "running":
            return "Running", True, ""
        case "paused":
            return "Paused", facts.run_state == "Paused", ""
        case "restarting":
            return "Restarting", False, _exit_text(facts)
        case "exited" if facts.restart != "Always":
            done = facts.exit_code == 0
            return ("Completed", True, "") if done else ("Failed", False, _exit_text(facts))
        case "exited" | "dead":
            return "Exited", False, _exit_text(facts)
        case "created":
            return "Created", False, facts.waits_for or "not started yet"
        case other:
            return other.capitalize(), False, ""


def _exit_text(facts: ServiceFacts) -> str:
    if facts.exit_code is None:
        return ""
    return f"exit {facts.exit_code}" + (" (OOMKilled)" if facts.oom_killed else "")


def readiness_of(
    facts: AppFacts, *, digest: str, missing: Sequence[str] = (), fetching: bool = False
) -> Readiness:
    """What the rollout has to know of these facts.

    Args:
        facts: services compared with one release.
        digest: that release's digest.
        missing: images that services which still have to change need and that are not there.
        fetching: a fetch for the App makes progress.
    """
    return Readiness(
        digest=digest,
        services=tuple(_service_readiness(service) for service in facts.services),
        blocked=facts.stalled or facts.failure,
        missing=tuple(missing),
        fetching=fetching,
        locked=facts.locked,
    )


def _service_readiness(facts: ServiceFacts) -> ServiceReadiness:
    status = service_status(facts)
    state, reason = status.state, status.reason
    if state in {"CrashLoop", "Failed"} and facts.failure:
        reason = facts.failure
    if state == "Pulling":
        reason = f"pulling {facts.image}"
    return ServiceReadiness(
        name=facts.name,
        ready=status.ready,
        current=facts.unchanged or status.ready,
        state=state,
        reason=f"crash loop, {reason}" if state == "CrashLoop" else reason,
    )


def app_status(facts: AppFacts, *, now: str) -> AppStatus:
    """Status of an App.

    Args:
        facts: what is known.
        now: RFC 3339; becomes the transition time of conditions that changed.
    """
    services = [service_status(service) for service in facts.services]
    to_run = [one for one, known in zip(services, facts.services, strict=True) if not known.stops]
    held = facts.deleting or bool(facts.hold) or bool(facts.stalled)
    all_ready = all(one.ready for one in services) and not held and not _rolling(facts)
    state, why = _app_state(facts, services, all_ready)
    conditions = _conditions(facts, services, all_ready=all_ready, why=why, now=now)
    return AppStatus(
        observed_generation=facts.generation,
        release=facts.release,
        state=state,
        ready=f"{sum(one.ready for one in to_run)}/{len(to_run)}",
        why=why,
        services=services,
        conditions=conditions,
    )


def _app_state(facts: AppFacts, services: Sequence[ServiceStatus], all_ready: bool) -> tuple[str, str]:
    if facts.deleting:
        return "Deleting", facts.locked or facts.failure or "what it has here is being removed"
    if facts.hold:
        return ("Orphaned" if facts.hold.startswith("orphaned") else "Held"), facts.hold
    if facts.stalled:
        return "Stalled", facts.stalled
    if facts.rollout is not None and facts.rollout.phase in _ROLLOUT_STATES and not _due(facts):
        return _ROLLOUT_STATES[facts.rollout.phase], _rollout_why(facts.rollout, services)
    stopped = bool(services) and all(service.state == "Stopped" for service in services)
    if stopped and facts.rollout is not None and facts.rollout.wait is not None and not _due(facts):
        return "Stopped", facts.rollout.why
    if all_ready:
        return ("Stopped" if stopped else "Ready"), facts.locked or facts.failure or facts.left
    why = facts.locked or facts.failure or _first_reason(services)
    if facts.rollout is not None and _rolling(facts) and not why:
        why = "what is wanted has just changed" if _due(facts) else facts.rollout.why
    failing = any(service.state in {"CrashLoop", "Failed", "Unhealthy", "Exited"} for service in services)
    if failing or facts.failure:
        return "Degraded", why
    return "Updating", why


_ROLLOUT_STATES = {Phase.UNDOING: "Undoing", Phase.UNDONE: "Undone", Phase.FAILED: "Failed"}
_SETTLED = frozenset({Phase.IDLE, Phase.DONE})


def _rolling(facts: AppFacts) -> bool:
    """The wanted release is not good, whatever its services are doing."""
    if facts.rollout is None:
        return False
    return facts.rollout.phase not in _SETTLED or _due(facts)


def _due(facts: AppFacts) -> bool:
    """Something else is wanted than what the rollout decided on last: its decision says nothing of it."""
    return facts.rollout is not None and bool(facts.digest) and facts.rollout.wanted != facts.digest


def _rollout_why(rollout: Decision, services: Sequence[ServiceStatus]) -> str:
    """Why a release has failed, and what is wrong with the one that serves instead, if anything."""
    here = _first_reason(services)
    return f"{rollout.why}; now {here}" if here and rollout.phase is Phase.UNDONE else rollout.why


def _first_reason(services: Sequence[ServiceStatus]) -> str:
    waiting = sorted(
        (service for service in services if not service.ready), key=lambda service: severity(service.state)
    )
    if not waiting:
        return ""
    first = waiting[0]
    return f"{first.name}: {_in_words(first)}"


def _in_words(service: ServiceStatus) -> str:
    if service.state == "CrashLoop":
        return f"crash loop, {service.reason}"
    return service.reason or service.state.lower()


def _conditions(
    facts: AppFacts, services: Sequence[ServiceStatus], *, all_ready: bool, why: str, now: str
) -> list[StatusCondition]:
    failed = next((s for s in services if s.state in {"CrashLoop", "Failed", "Unhealthy"}), None)
    reason = _progress_reason(facts, failed)
    stalled_reason = _stalled_reason(facts)
    stalled = bool(stalled_reason)
    available = bool(services) and all(map(_serves, facts.services, services))
    reconciling = not all_ready and not stalled and not facts.hold
    held_reason = "Suspended" if "suspend" in facts.hold else "Held"
    ready_reason = (
        "AllServicesReady"
        if all_ready
        else held_reason
        if facts.hold
        else stalled_reason
        if stalled
        else reason
    )
    wanted: tuple[tuple[str, bool, str], ...] = (
        ("Ready", all_ready, ready_reason),
        ("Reconciling", reconciling, reason if reconciling else "Settled"),
        ("Stalled", stalled, stalled_reason or "NotStalled"),
        ("Available", available, "Serving" if available else "NotServing"),
    )
    return [
        _condition(facts, type, holds, reason, "" if type == "Ready" and holds else why, now)
        for type, holds, reason in wanted
    ]


def _progress_reason(facts: AppFacts, failed: ServiceStatus | None) -> str:
    """Why it is not ready yet, in one word."""
    if failed is not None:
        return failed.state
    if facts.rollout is None or _due(facts) or facts.rollout.phase in _SETTLED:
        return "Progressing"
    return facts.rollout.phase.value


def _stalled_reason(facts: AppFacts) -> str:
    """Why only a person can get it any further, in one word; empty when it goes on by itself."""
    if facts.stalled:
        return "WouldLoseData"
    rollout = facts.rollout
    if rollout is not None and rollout.state.failure is not None and not facts.deleting and not _due(facts):
        if rollout.phase is Phase.UNDONE:
            return "Undone"
        if rollout.phase is Phase.FAILED:
            return rollout.state.failure.reason
    return ""


def _condition(
    facts: AppFacts, type: str, holds: bool, reason: str, message: str, now: str
) -> StatusCondition:
    status: Literal["True", "False"] = "True" if holds else "False"
    before = facts.previous.get(type)
    return StatusCondition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=before.last_transition_time if before and before.status == status else now,
        observed_generation=facts.generation,
    )
