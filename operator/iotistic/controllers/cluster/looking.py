"""An App's services as they are, compared with the release that may run. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from iotistic.api.appservice import RunState
from iotistic.api.image import parse_image
from iotistic.api.service import Condition, RestartPolicy, Service, Strategy
from iotistic.controllers.cluster.children import (
    WORKLOADS,
    Whose,
    controller_of,
    may_be_removed,
    ref_of,
    service_of,
    whose,
)
from iotistic.controllers.cluster.effective import Effective
from iotistic.controllers.cluster.memory import Refusal
from iotistic.controllers.cluster.observing import Seen, alive, observe, replicas
from iotistic.controllers.cluster.overruling import Overruled, to_write
from iotistic.controllers.cluster.ports import Object, Ref
from iotistic.engines.kubernetes.values import RELEASE_ANNOTATION
from iotistic.rollout.status import ServiceFacts

_STOP = ("spec.replicas", "spec.suspend")
"""What a stop changes of a workload."""
OVERDUE_SECONDS = 60.0
"""After the moment at which a pod that is going has to have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of an App."""

    services: Sequence[ServiceFacts] = ()
    differing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Where workloads that are there are not as wanted, by service."""
    interrupting: frozenset[str] = frozenset()
    """Services that bringing them up to date, or taking them away, would interrupt."""
    pulls: Mapping[str, Service] = field(default_factory=dict)
    """Images to get first, with a service that needs it."""
    slow: bool = False
    """The kubelet has been fetching an image for long, and goes on."""
    refused: str = ""
    """What the API server has said about an object of the App as a whole, or one that has to go."""
    left: str = ""
    """What it has said about one that should go and is in nobody's way."""
    settled_in: float | None = None
    """Look again after so long although nothing happens."""


def look(
    now_may_run: Effective,
    children: Sequence[Object],
    refusals: Mapping[Ref, Refusal],
    waits: Mapping[str, str],
    *,
    now: datetime,
    lock: str = "",
    overruled: Mapping[Ref, Overruled] | None = None,
) -> Look:
    """Look at an App.

    Args:
        now_may_run: what it is compared with.
        children: all objects with its label.
        refusals: what the API server has refused.
        waits: why services were not brought up to date in the last turn.
        now: wall clock.
        lock: a user's lock, in words; empty when there is none.
        overruled: what the cluster makes of objects whenever they are written.
    """
    known = {(child["kind"], child["metadata"]["name"]): child for child in children}
    facts, differing, interrupting, moments, slow = [], {}, set(), [], False
    pulls: dict[str, Service] = {}
    for service in now_may_run.app.spec.services:
        wanted = now_may_run.rendered.workloads[service.name]
        live = known.get((wanted["kind"], wanted["metadata"]["name"]))
        found = [] if live is None else to_write(wanted, live, overruled or {})
        pods = pods_of(children, service.name)
        interrupts = live is not None and found and _interrupts(wanted, live, found) and alive(pods)
        same = live is not None and not found
        start = _begin(service, now_may_run, live, unchanged=same, waits=waits)
        if lock and interrupts and start.run_state == RunState.STOPPED.value:
            start = replace(start, stop_waits=lock)
            same = all(one.startswith(_STOP) for one in found)
        seen = Seen(workload=live, pods=pods, unchanged=same)
        observation = observe(service, seen, start, now=now)
        slow = slow or observation.slow
        facts.append(_with_refusal(observation.facts, wanted, refusals))
        if observation.settled_in is not None:
            moments.append(observation.settled_in)
        if found:
            differing[service.name] = found
        if live is not None and interrupts:
            interrupting.add(service.name)
            if serves(pods) and needs_pull(service, now_may_run, wanted, live):
                pulls.setdefault(service.image, service)
    gone = {service_of(child) for child in dropped(now_may_run, children)}
    told = {ref_of(workload) for workload in now_may_run.rendered.workloads.values()}  # by its service
    others = [refusal for ref, refusal in refusals.items() if ref not in told]
    return Look(
        services=facts,
        differing=differing,
        interrupting=frozenset(interrupting | gone),
        pulls=pulls,
        slow=slow,
        refused=min((one.message for one in others if one.stands), default=""),
        left=min((one.message for one in others if not one.stands), default=""),
        settled_in=min(moments, default=None),
    )


def pods_of(children: Sequence[Object], service: str) -> list[Object]:
    """The pods of a service's workloads."""
    return [
        child
        for child in children
        if child["kind"] == "Pod"
        and service_of(child) == service
        and (controller_of(child) or {}).get("kind") in {"ReplicaSet", "Job"}
    ]


def dropped(now_may_run: Effective, children: Sequence[Object]) -> list[Object]:
    """Workloads of this App, or of a former one of its name, that the release does not have.

    A Job or Deployment that somebody has made with the App's labels has another owner, or none.
    """
    wanted = {(one["kind"], one["metadata"]["name"]) for one in now_may_run.rendered.workloads.values()}
    app, uid = now_may_run.app.name, now_may_run.context.app_uid
    return [
        child
        for child in children
        if child["kind"] in WORKLOADS
        and (child["kind"], child["metadata"]["name"]) not in wanted
        and (whose(child, app, uid) is Whose.GOING or may_be_removed(child, app, uid))
    ]


def host_ports(workload: Object) -> set[tuple[int, str]]:
    """Ports of the host that a workload's pods take."""
    containers = workload["spec"]["template"]["spec"].get("containers") or ()
    ports = [port for container in containers for port in container.get("ports") or ()]
    return {(port["hostPort"], port.get("protocol", "TCP")) for port in ports if port.get("hostPort")}


def in_the_way(pods: Sequence[Object], wanted: Object, *, beside: bool, now: datetime) -> bool:
    """Whether old pods must end before a workload that is not there can be made: two would write to one
    volume.

    Args:
        pods: of the service.
        wanted: its Deployment or Job.
        beside: the new pod may run beside the old one.
        now: wall clock.
    """
    for pod in pods:
        going = pod["metadata"].get("deletionTimestamp")
        if not alive([pod]) or (going and _overdue(str(going), now)):
            continue
        # A new Deployment takes over the pods of one that was removed without them; a Job takes over none.
        if "Job" in (wanted["kind"], (controller_of(pod) or {}).get("kind")):
            return True
        if going and not beside:
            return True
    return False


def unmet(service: Service, known: Mapping[str, ServiceFacts]) -> str:
    """The first dependency that is not as far as it has to be, in words; empty when all are."""
    for name, condition in sorted(service.depends_on.items()):
        facts = known.get(name)
        if facts is None or not _reached(facts, condition):
            return f"waits for {name} ({condition})"
    return ""


def serves(pods: Sequence[Object]) -> bool:
    """Whether any of these pods is ready."""
    conditions = [one for pod in pods for one in (pod.get("status") or {}).get("conditions") or ()]
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def needs_pull(service: Service, now_may_run: Effective, wanted: Object, live: Object) -> bool:
    """Whether a service's new image has to come before its old pod goes."""
    update = service.update or now_may_run.app.spec.update
    if update.strategy is not Strategy.DOWNLOAD_THEN_KILL or wanted["kind"] != "Deployment":
        return False
    return replicas(wanted) > 0 and _image(wanted) != _image(live)


def _begin(
    service: Service,
    now_may_run: Effective,
    live: Object | None,
    *,
    unchanged: bool,
    waits: Mapping[str, str],
) -> ServiceFacts:
    """What is known of a service without looking at its pods."""
    release = now_may_run.release
    if live is not None and not unchanged:
        release = str((live["metadata"].get("annotations") or {}).get(RELEASE_ANNOTATION) or "")
    state = now_may_run.context.run_states.get(service.name)
    return ServiceFacts(
        name=service.name,
        service_id=service.service_id,
        run_state=state.value if state else "Running",
        restart=service.restart_policy.value,
        image=parse_image(service.image).short,
        release=release if live is not None else "",
        waits_for=waits.get(service.name, ""),
    )


def _with_refusal(facts: ServiceFacts, wanted: Object, refusals: Mapping[Ref, Refusal]) -> ServiceFacts:
    ref = Ref(wanted["kind"], wanted["metadata"]["namespace"], wanted["metadata"]["name"])
    refusal = refusals.get(ref)
    if refusal is None:
        return facts
    return replace(facts, failure_reason="Refused", failure=refusal.message)


def _interrupts(wanted: Object, live: Object, found: Sequence[str]) -> bool:
    """Whether bringing a workload up to date stops what runs."""
    if wanted["kind"] == "Job":
        return True
    return any(one.startswith("spec.template") for one in found) or replicas(wanted) < replicas(live)


def _reached(facts: ServiceFacts, condition: Condition) -> bool:
    if not facts.unchanged:
        return False
    running = facts.container_status == "running"
    match condition:
        case Condition.HEALTHY:
            return running and facts.health == "healthy"
        case Condition.COMPLETED:
            return facts.container_status == "exited" and facts.exit_code == 0
        case _:
            ended = facts.container_status == "exited" and facts.restart != RestartPolicy.ALWAYS.value
            return running or ended


def _overdue(going: str, now: datetime) -> bool:
    """Whether a pod should have ended long ago: its node does not answer, and may never again."""
    try:
        return (now - datetime.fromisoformat(going)).total_seconds() > OVERDUE_SECONDS
    except (ValueError, TypeError):
        return False


def _image(workload: Object) -> str:
    return str(workload["spec"]["template"]["spec"]["containers"][0].get("image") or "")
