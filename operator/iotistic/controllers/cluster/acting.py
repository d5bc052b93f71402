"""Brings an App's children to what may run: what is around the workloads, images, workloads, leftovers.

A workload waits for the images of all, for a user's lock, and for what it depends on; what is dropped goes
when nothing waits any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from iotistic.api.appservice import RunState
from iotistic.api.service import Service
from iotistic.controllers.cluster.children import WORKLOADS, Whose, ref_of, service_of, whose
from iotistic.controllers.cluster.effective import Effective
from iotistic.controllers.cluster.fetching_again import fetch_again
from iotistic.controllers.cluster.looking import Look, dropped, pods_of, unmet
from iotistic.controllers.cluster.ports import Object, Reason, Ref
from iotistic.controllers.cluster.pulling import Pulls, fetch
from iotistic.controllers.cluster.remembering import forget
from iotistic.controllers.cluster.volumes import own_claims
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.networking import names_slice, spoken_of_pods
from iotistic.engines.kubernetes.values import PodAddress
from iotistic.rollout.values import Decision

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn, Want

PRUNED = frozenset(
    {"AppService", "Deployment", "Job", "Service", "EndpointSlice", "NetworkPolicy", "ServiceAccount"}
)
"""Kinds of children that go when they are rendered no longer. Volumes stay."""


async def act(
    turn: Turn, want: Want, may_run: Effective, seen: Look, fetches: Pulls, decision: Decision
) -> float | None:
    """Do what can be done now.

    Returns: seconds until more can be done although nothing happens; None when something will happen.
    """
    await turn.applier.apply_all(may_run.rendered.base, Reason.CHANGED)
    await own_claims(turn, want.app, may_run)
    await _names(turn, may_run)
    await fetch_again(turn, may_run.app)
    turn.memory.pull_refused = await fetch(
        seen.pulls,
        fetches.missing,
        may_run,
        turn.children(),
        api=turn.api,
        cache=turn.cache,
        applier=turn.applier,
        memory=turn.memory,
        registry_names=asked_names(may_run),
    )
    if fetches.missing:
        # A stop needs no image.
        await _workloads(turn, want, may_run, seen, first=f"waits for image {fetches.missing[0]}")
        return None
    if not seen.pulls:
        turn.memory.pulled.clear()
    await _workloads(turn, want, may_run, seen)
    if not turn.memory.waits and not _unfinished(turn, may_run):
        await _prune(turn, want, may_run)
    await forget(turn, want, decision.state)
    return None


def asked_names(may_run: Effective) -> dict[str, str]:
    """The name under which each image is asked for, by the name as written."""
    workloads = may_run.rendered.workloads
    return {
        service.image: str(workloads[service.name]["spec"]["template"]["spec"]["containers"][0]["image"])
        for service in may_run.app.spec.services
    }


async def _workloads(turn: Turn, want: Want, may_run: Effective, seen: Look, *, first: str = "") -> None:
    """Bring those up to date that need not wait: for a lock, for what comes `first`, for others."""
    facts = {service.name: service for service in seen.services}
    waits: dict[str, str] = {}
    leaving = {service_of(child): child for child in dropped(may_run, turn.children())}
    due = []
    for service in may_run.app.spec.services:
        wanted = may_run.rendered.workloads[service.name]
        if not turn.applier.differs(wanted):
            turn.memory.refusals.pop(ref_of(wanted), None)
            continue
        stopped = may_run.context.run_states.get(service.name) is RunState.STOPPED
        why = want.lock.text(want.app.name) if want.lock and service.name in seen.interrupting else ""
        why = why or ("" if stopped else first or unmet(service, facts))
        why = why or await _make_room(turn, service, wanted, leaving)
        if why:
            waits[service.name] = why
        else:
            due.append(wanted)
    await turn.applier.apply_all(due, Reason.CHANGED)
    turn.memory.waits = waits


async def _make_room(turn: Turn, service: Service, wanted: Object, leaving: Mapping[str, Object]) -> str:
    """Remove what can't be changed into what is wanted; in words what is waited for, empty for nothing."""
    other = leaving.get(service.name)
    if other is not None and whose(other, turn.key.name, turn.memory.uid) is not Whose.FOREIGN:
        await turn.applier.delete(other, Reason.CHANGED, f"it is a {wanted['kind']} now")
        return "its old pod is going"
    live = turn.cache.get(ref_of(wanted))
    if live is None:
        return ""
    if live["metadata"].get("deletionTimestamp"):
        return "its old pod is going"
    fixed = ("spec.template", "spec.backoffLimit", "spec.completion", "spec.selector")
    if wanted["kind"] == "Job" and any(one.startswith(fixed) for one in turn.applier.differs(wanted)):
        await turn.applier.delete(live, Reason.CHANGED, "a job can't be changed, only made anew")
        return "its old pod is going"
    return ""


def _unfinished(turn: Turn, may_run: Effective) -> bool:
    return any(turn.applier.differs(wanted) for wanted in may_run.rendered.workloads.values())


async def _prune(turn: Turn, want: Want, may_run: Effective) -> None:
    rendered = {(one["kind"], one["metadata"]["name"]) for one in may_run.rendered.objects}
    rendered.add(("EndpointSlice", names.names_object(may_run.app.name)))
    for child in turn.children():
        kind, name = child["kind"], child["metadata"]["name"]
        if kind not in PRUNED or (kind, name) in rendered:
            continue
        if whose(child, turn.key.name, turn.memory.uid) is not Whose.OURS:
            continue
        if kind in WORKLOADS and want.lock and pods_of(turn.children(), service_of(child)):
            continue
        await turn.applier.delete(child, Reason.PRUNE, "it is not in the App any more")


async def _names(turn: Turn, may_run: Effective) -> None:
    """Addresses behind the names inside the App: of the Services that have one."""
    app, children = may_run.app, turn.children()
    addresses: dict[str, str] = {}
    pods: dict[str, Sequence[PodAddress]] = {}
    for service in app.spec.services:
        ref = Ref("Service", turn.key.namespace, names.service_object(app.name, service.name))
        address = str(((turn.cache.get(ref) or {}).get("spec") or {}).get("clusterIP") or "None")
        if address != "None":
            addresses[service.name] = address
        if spoken_of_pods(service):
            pods[service.name] = _pod_addresses(pods_of(children, service.name))
    await turn.applier.apply(names_slice(app, may_run.context, addresses, pods), Reason.NAMES)


def _pod_addresses(pods: Sequence[Object]) -> list[PodAddress]:
    found = []
    for pod in pods:
        status = pod.get("status") or {}
        if not status.get("podIP") or pod["metadata"].get("deletionTimestamp"):
            continue
        if status.get("phase") in {"Succeeded", "Failed"}:
            continue
        ready = any(
            one.get("type") == "Ready" and one.get("status") == "True"
            for one in status.get("conditions") or ()
        )
        found.append(PodAddress(address=status["podIP"], ready=ready))
    return sorted(found, key=lambda one: one.address)
