"""What is known of a service from its Deployment or Job and its pods. Pure.

Kubernetes says a thing in several places, and says it late: a Deployment's status may be that of its former
spec, a failing container is shown as waiting, running and ended in turns. Here it becomes `ServiceFacts`,
the words that both engines share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from iotistic.api.image import parse_image
from iotistic.api.service import RestartPolicy, Service
from iotistic.controllers.cluster.ports import Object
from iotistic.engines.kubernetes.pullwords import pull_words
from iotistic.engines.kubernetes.runtimewords import runtime_words
from iotistic.rollout.probing import asked
from iotistic.rollout.status import ServiceFacts, container_serves

SETTLING_SECONDS = 10.0
"""A container that was started again has to run so long before it counts as running: one that crashes at
each start would else be ready and not ready in turns."""
SLOW_SECONDS = 30.0
"""A fetch that takes longer stops the deadline's clock; each stop and start is a write."""
_PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_QUIET_REASONS = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is of one service."""

    workload: Object | None
    """Its Deployment or Job."""
    pods: Sequence[Object] = ()
    """Its pods, also those that are going."""
    unchanged: bool = False
    """The workload is as the release says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The facts of a service, and when to look again although nothing happens."""

    facts: ServiceFacts
    settled_in: float | None = None
    """Seconds until a container that was started again counts as running; None where none was."""
    slow: bool = False
    """The kubelet has been fetching its image for long, and goes on."""


def observe(service: Service, seen: Seen, facts: ServiceFacts, *, now: datetime) -> Observation:
    """The facts of a service.

    Args:
        service: as the release that may run says.
        seen: what there is.
        facts: what is known without looking: name, run state, what it waits for.
        now: wall clock, to tell how long a container has been running.
    """
    workload = seen.workload
    if workload is None:
        return Observation(facts=facts)
    if workload.get("kind") == "Job":
        return _of_job(service, seen, facts, now)
    return _of_deployment(service, seen, facts, now)


def in_place(workload: Object) -> bool:
    """Whether a Deployment's one new pod is ready and no old one is left."""
    status = workload.get("status") or {}
    wanted = replicas(workload)
    counts = (status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0))
    return observed(workload) and all(count == wanted for count in counts)


def observed(workload: Object) -> bool:
    """Whether a Deployment's status speaks of its present spec."""
    generation = workload.get("metadata", {}).get("generation", 0)
    return int((workload.get("status") or {}).get("observedGeneration", -1)) >= int(generation)


def replicas(workload: Object) -> int:
    """How many pods a Deployment should have."""
    wanted = (workload.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def alive(pods: Sequence[Object]) -> bool:
    """Whether any container of these pods may still be running."""
    return any(_phase(pod) not in {"Succeeded", "Failed"} for pod in pods)


def _of_deployment(service: Service, seen: Seen, facts: ServiceFacts, now: datetime) -> Observation:
    workload = seen.workload
    assert workload is not None
    if facts.stops:
        gone = replicas(workload) == 0 and observed(workload) and not alive(seen.pods)
        return Observation(facts=replace(facts, container_status="" if gone else "running"))
    facts = replace(facts, unchanged=seen.unchanged and observed(workload))
    pod = newest(seen.pods)
    refused = _condition(workload, "ReplicaFailure") if observed(workload) else None
    if refused is not None and refused.get("status") == "True" and (pod is None or not in_place(workload)):
        message = str(refused.get("message") or refused.get("reason") or "")
        facts = replace(facts, failure_reason="Refused", failure=_without_name(message))
    if pod is None:
        old = "running" if alive(seen.pods) and not seen.unchanged else ""
        return Observation(facts=replace(facts, container_status=old))
    observation = _of_pod(service, pod, facts, now)
    others = [one for one in seen.pods if one is not pod]
    serve = container_serves(observation.facts) or _any_serves(service, others, facts, now)
    facts = replace(observation.facts, pod_serves=serve)
    if facts.unchanged and not in_place(workload) and facts.container_status == "running":
        # The old pod still serves, or goes; the newest may even be the old one.
        old_left = int((workload.get("status") or {}).get("replicas", 0)) > replicas(workload)
        waiting = "an old pod is going" if old_left else facts.health_message
        facts = replace(facts, health=facts.health or "starting", health_message=waiting)
        if facts.health == "healthy":
            facts = replace(facts, health="starting")
    return replace(observation, facts=facts)


def _any_serves(service: Service, pods: Sequence[Object], facts: ServiceFacts, now: datetime) -> bool:
    """Whether one of those that stay serves: an old one does until the new one is ready."""
    staying = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return any(container_serves(_of_pod(service, pod, facts, now).facts) for pod in staying)


def _of_job(service: Service, seen: Seen, facts: ServiceFacts, now: datetime) -> Observation:
    workload = seen.workload
    assert workload is not None
    if facts.stops:
        stopped = bool((workload.get("spec") or {}).get("suspend")) or _job_ended(workload)
        gone = stopped and not alive(seen.pods)
        return Observation(facts=replace(facts, container_status="" if gone else "running"))
    facts = replace(facts, unchanged=seen.unchanged)
    pod = newest(seen.pods) or newest(seen.pods, going=True)
    done, failed = _condition(workload, "Complete"), _condition(workload, "Failed")
    if pod is not None:
        observation = _of_pod(service, pod, facts, now)
        facts = observation.facts
        if not _job_ended(workload):
            return observation
    if done is not None and done.get("status") == "True":
        since = str(done.get("lastTransitionTime") or "")
        facts = replace(
            facts, container_status="exited", exit_code=0, since=since, failure="", failure_reason=""
        )
    elif failed is not None and failed.get("status") == "True":
        code = facts.exit_code if facts.exit_code else None
        facts = replace(facts, container_status="exited", exit_code=code)
        if code is None:
            facts = replace(facts, failure_reason="JobFailed", failure=str(failed.get("message") or "failed"))
    return Observation(facts=facts)


def _of_pod(service: Service, pod: Object, facts: ServiceFacts, now: datetime) -> Observation:
    status = pod.get("status") or {}
    container = container_of(pod, service.name)
    facts = replace(facts, ports=_ports(service), since=str(status.get("startTime") or ""))
    if container is None:
        return Observation(facts=_without_container(pod, facts))
    state = container.get("state") or {}
    last = (container.get("lastState") or {}).get("terminated") or {}
    facts = replace(
        facts,
        container_id=_after(str(container.get("containerID") or ""), "://"),
        container_image=_image(service, container, pod) or facts.image,
        image_digest=_digest(str(container.get("imageID") or "")),
        restarts=int(container.get("restartCount") or 0),
    )
    if "running" in state:
        return _running(service, pod, facts, state["running"] or {}, last, now)
    if "terminated" in state:
        ended = state["terminated"] or {}
        again = facts.restarts > 0 and _ended_at_once(service, ended)
        return Observation(facts=_crash_loop(facts, ended) if again else _ended(facts, ended, "exited"))
    waiting = state.get("waiting") or {}
    sandbox = _condition(pod, "PodReadyToStartContainers")
    if waiting.get("reason") == "ContainerCreating" and sandbox and sandbox.get("status") == "True":
        return _fetching(facts, _age(str(sandbox.get("lastTransitionTime") or ""), now))
    if waiting.get("reason") in _PULL_REASONS:
        return Observation(facts=_not_had(service, facts, waiting))
    return Observation(facts=_waiting(pod, facts, waiting, last))


def _fetching(facts: ServiceFacts, age: float) -> Observation:
    """Everything is there but the image: the kubelet does not say how far it is."""
    facts = replace(facts, container_status="created", downloading="...")
    slow = SLOW_SECONDS <= age < float("inf")
    return Observation(
        facts=facts, slow=slow, settled_in=SLOW_SECONDS - age if 0 <= age < SLOW_SECONDS else None
    )


def _running(
    service: Service,
    pod: Object,
    facts: ServiceFacts,
    running: Mapping[str, Any],
    last: Mapping[str, Any],
    now: datetime,
) -> Observation:
    started = str(running.get("startedAt") or "")
    facts = replace(facts, container_status="running", since=started)
    age = _age(started, now)
    if _unsteady(service, last.get("exitCode")) and 0 <= age < SETTLING_SECONDS:
        again = _ended(facts, last, "restarting")
        return Observation(facts=again, settled_in=SETTLING_SECONDS - age)
    ready = _condition(pod, "Ready")
    if ready is not None and ready.get("status") == "True":
        return Observation(facts=replace(facts, health="healthy" if service.probes else ""))
    probe = service.readiness_probe or service.startup_probe or service.liveness_probe
    if probe is None:
        return Observation(facts=replace(facts, health="starting", health_message="not ready yet"))
    patience = probe.initial_delay_seconds + probe.period_seconds * probe.failure_threshold
    startup = service.startup_probe
    if startup is not None and not (container_of(pod, service.name) or {}).get("started"):
        patience = startup.initial_delay_seconds + startup.period_seconds * startup.failure_threshold
        probe = startup
    early = 0 <= age <= patience
    if early and not facts.restarts:
        return Observation(facts=replace(facts, health="starting"), settled_in=patience - age + 1.0)
    message = f"its probe fails: {asked(probe, service)}"
    return Observation(facts=replace(facts, health="unhealthy", health_message=message))


def _unsteady(service: Service, code: int | None) -> bool:
    """Whether a container that ended so before may end again; one that never should, whatever its code."""
    return code is not None and (code != 0 or service.restart_policy is RestartPolicy.ALWAYS)


def _ended(facts: ServiceFacts, ended: Mapping[str, Any], status: str) -> ServiceFacts:
    code = ended.get("exitCode")
    reason = str(ended.get("reason") or "")
    killed = reason == "OOMKilled"
    facts = replace(
        facts,
        container_status=status,
        exit_code=None if code is None else int(code),
        oom_killed=killed,
        since=str(ended.get("finishedAt") or facts.since),
    )
    if code not in {0, None} and reason not in {"", "Error", "Completed", "OOMKilled"}:
        said = runtime_words(reason, str(ended.get("message") or ""))
        facts = replace(facts, failure_reason=reason, failure=said)
    return facts


def _ended_at_once(service: Service, ended: Mapping[str, Any]) -> bool:
    """Whether one that never should end has done so before it settled. The kubelet calls it a crash loop some
    seconds later; two words in turns at each start would be two writes."""
    try:
        finished = datetime.fromisoformat(str(ended.get("finishedAt") or ""))
    except ValueError:
        return False
    ran = _age(str(ended.get("startedAt") or ""), finished)
    return service.restart_policy is RestartPolicy.ALWAYS and 0 <= ran < SETTLING_SECONDS


def _crash_loop(facts: ServiceFacts, ended: Mapping[str, Any]) -> ServiceFacts:
    facts = _ended(facts, ended, "restarting")
    code = "" if facts.exit_code is None else f"exit {facts.exit_code}"
    how = f"{code} (OOMKilled)" if facts.oom_killed else facts.failure or code or "it ends at once"
    return replace(facts, failure_reason="CrashLoop", failure=how)


def _not_had(service: Service, facts: ServiceFacts, waiting: Mapping[str, Any]) -> ServiceFacts:
    logins = [secret.name for secret in service.image_pull_secrets]
    said = pull_words(str(waiting.get("message") or ""), logins) or str(waiting["reason"])
    return replace(facts, container_status="created", failure_reason="ImagePullFailed", failure=said)


def _waiting(
    pod: Object, facts: ServiceFacts, waiting: Mapping[str, Any], last: Mapping[str, Any]
) -> ServiceFacts:
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason == "CrashLoopBackOff":
        return _crash_loop(facts, last)
    if reason in _QUIET_REASONS:
        return _without_container(pod, facts)
    said = runtime_words(reason, message)
    return replace(facts, container_status="created", failure_reason=reason, failure=said)


def _without_container(pod: Object, facts: ServiceFacts) -> ServiceFacts:
    status = pod.get("status") or {}
    facts = replace(facts, container_status="created")
    if _phase(pod) == "Failed":
        said = str(status.get("message") or status.get("reason") or "the pod failed")
        reason = str(status.get("reason") or "PodFailed")
        return replace(facts, container_status="exited", failure_reason=reason, failure=_brief(said))
    scheduled = _condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        message = str(scheduled.get("message") or scheduled.get("reason") or "")
        return replace(facts, failure_reason="Unschedulable", failure=f"can't be placed: {_brief(message)}")
    return facts


def newest(pods: Sequence[Object], *, going: bool = False) -> Object | None:
    """The youngest of those that stay, or of those that go; None when there is none."""
    staying = [pod for pod in pods if bool(pod["metadata"].get("deletionTimestamp")) == going]
    return max(staying, key=_birth, default=None)


def _birth(pod: Object) -> tuple[str, str]:
    metadata = pod["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata.get("name") or "")


def container_of(pod: Object, service: str) -> Mapping[str, Any] | None:
    """What the kubelet says of a service's container in its pod; None before it has looked.

    An admission webhook may have put others beside it, and the kubelet sorts them by name.
    """
    return _named(service, (pod.get("status") or {}).get("containerStatuses") or ())


def _named(service: str, containers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The one with the service's name, else the first."""
    return next((one for one in containers if one.get("name") == service), next(iter(containers), None))


def _condition(of: Object, type: str) -> Mapping[str, Any] | None:
    conditions = (of.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == type), None)


def _job_ended(job: Object) -> bool:
    ends = (_condition(job, "Complete"), _condition(job, "Failed"))
    return any(end is not None and end.get("status") == "True" for end in ends)


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def _ports(service: Service) -> tuple[str, ...]:
    return tuple(
        f"{port.host_port}->{port.container_port}/{port.protocol.lower()}"
        for port in service.ports
        if port.host_port
    )


def _image(service: Service, container: Mapping[str, Any], pod: Object) -> str:
    """Short form of the image that a container was made from; empty where that can't be told."""
    said = str(container.get("image") or "")
    if not said or said.startswith("sha256:"):
        made = _named(service.name, (pod.get("spec") or {}).get("containers") or ())
        said = str((made or {}).get("image") or "")
    try:
        return parse_image(said).short
    except ValueError:
        return ""


def _digest(image_id: str) -> str:
    return image_id[image_id.index("sha256:") :] if "sha256:" in image_id else ""


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2] or text


def _age(since: str, now: datetime) -> float:
    """Seconds since a moment; endless where it can't be read."""
    try:
        return (now - datetime.fromisoformat(since)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return float("inf")


def _without_name(message: str) -> str:
    """`pods "web-7d-x2x" is forbidden: ...` names another pod at each try; the words after it stay true."""
    return _brief(re.sub(r'^pods "[^"]*" is forbidden', "its pod is forbidden", message))


def _brief(message: str) -> str:
    return " ".join(message.split())[:500]
