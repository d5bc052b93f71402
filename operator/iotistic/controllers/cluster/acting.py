"""Brings an App's children to what may run: what is around the workloads, images, workloads, leftovers.

A workload waits for the images of all, for a user's lock, and for what it depends on; its Service and
policies wait with it. What is dropped goes when nothing waits any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from iotistic.api.appservice import RunState
from iotistic.api.service import Service
from iotistic.controllers.cluster.children import WORKLOADS, may_be_removed, ref_of, service_of
from iotistic.controllers.cluster.effective import Effective
from iotistic.controllers.cluster.fetching_again import fetch_again
from iotistic.controllers.cluster.looking import Look, dropped, host_ports, in_the_way, pods_of, unmet
from iotistic.controllers.cluster.ports import Object, Reason, Ref
from iotistic.controllers.cluster.pulling import Pulls, fetch
from iotistic.controllers.cluster.remembering import forget
from iotistic.controllers.cluster.volumes import own_claims, tell_of_going
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.networking import names_slice, spoken_of_pods
from iotistic.engines.kubernetes.strategies import hands_over
from iotistic.engines.kubernetes.values import PodAddress
from iotistic.rollout.values import Decision

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn, Want

PRUNED = frozenset(
    {"AppService", "Deployment", "Job", "Service", "EndpointSlice", "NetworkPolicy", "ServiceAccount"}
)
"""Kinds of children that go when they are rendered no longer. Volumes stay."""
GOING = "its old pod is going"
LOOK_SECONDS = 15.0
"""Between two looks at an old pod that is going."""


async def act(
    turn: Turn, want: Want, may_run: Effective, seen: Look, fetches: Pulls, decision: Decision
) -> float | None:
    """Do what can be done now.

    Returns: seconds until more can be done although nothing happens; None when something will happen.
    """
    await _bring(turn, want, may_run, seen, fetches)
    if fetches.missing:
        return _look_in(turn)
    pruned = not turn.memory.waits and not _unfinished(turn, may_run)
    if pruned:
        await _prune(turn, want, may_run)
    await forget(turn, want, decision.state)
    if pruned:
        turn.applier.forget_removals()
    return _look_in(turn)


async def look_after(turn: Turn, want: Want, may_run: Effective, seen: Look, fetches: Pulls) -> float | None:
    """Put back what is missing or was changed of a release that runs; nothing of another one goes.

    Returns: as `act`.
    """
    await _bring(turn, want, may_run, seen, fetches)
    return _look_in(turn)


async def _bring(turn: Turn, want: Want, may_run: Effective, seen: Look, fetches: Pulls) -> None:
    held = _held(turn, want, may_run, seen, fetches)
    await turn.applier.apply_all(_base(turn, may_run, held), Reason.CHANGED)
    await own_claims(turn, want.app)
    await tell_of_going(turn)
    await keep_names(turn, may_run)
    await fetch_again(turn, may_run.app)
    await fetch(
        seen.pulls,
        fetches.missing,
        may_run,
        turn.children(),
        applier=turn.applier,
        memory=turn.memory,
        registry_names=asked_names(may_run),
    )
    if not fetches.missing and not seen.pulls:
        turn.memory.pulled.clear()
    await _workloads(turn, want, may_run, held)


def asked_names(may_run: Effective) -> dict[str, str]:
    """The name under which each image is asked for, by the name as written."""
    workloads = may_run.rendered.workloads
    return {
        service.image: str(workloads[service.name]["spec"]["template"]["spec"]["containers"][0]["image"])
        for service in may_run.app.spec.services
    }


def _held(turn: Turn, want: Want, may_run: Effective, seen: Look, fetches: Pulls) -> dict[str, str]:
    """Services that differ and have to wait, and what for: a lock, an image, other services."""
    facts = {service.name: service for service in seen.services}
    image = f"waits for image {fetches.missing[0]}" if fetches.missing else ""
    held = {}
    for service in may_run.app.spec.services:
        if not turn.applier.differs(may_run.rendered.workloads[service.name]):
            continue
        why = want.lock.text(want.app.name) if want.lock and service.name in seen.interrupting else ""
        stopped = may_run.context.run_states.get(service.name) is RunState.STOPPED
        why = why or ("" if stopped else image or unmet(service, facts))  # a stop needs nothing
        if why:
            held[service.name] = why
    return held


def _base(turn: Turn, may_run: Effective, held: Collection[str]) -> list[Object]:
    """What is around the workloads, to be applied. While an old pod has to serve on, its Service and policies
    stay as they are: another port would lead nowhere."""
    return [
        one
        for one in may_run.rendered.base
        if one["kind"] not in {"Service", "NetworkPolicy"}
        or service_of(one) not in held
        or turn.cache.get(ref_of(one)) is None
    ]


async def _workloads(turn: Turn, want: Want, may_run: Effective, held: Mapping[str, str]) -> None:
    """Bring those up to date that need not wait."""
    waits: dict[str, str] = {}
    due = []
    for service in may_run.app.spec.services:
        wanted = may_run.rendered.workloads[service.name]
        if not turn.applier.differs(wanted):
            turn.memory.refusals.pop(ref_of(wanted), None)
            continue
        why = held.get(service.name) or await _make_room(turn, want, may_run, service)
        if why:
            waits[service.name] = why
        else:
            due.append(wanted)
    await turn.applier.apply_all(due, Reason.CHANGED)
    turn.memory.waits = waits


async def _make_room(turn: Turn, want: Want, may_run: Effective, service: Service) -> str:
    """Remove what can't be changed into what is wanted, or holds a port of the host that it wants.

    Returns: what is waited for, in words; empty for nothing.
    """
    wanted = may_run.rendered.workloads[service.name]
    for other in dropped(may_run, turn.children()):
        if service_of(other) == service.name:
            await turn.applier.delete(other, Reason.CHANGED, f"it is a {wanted['kind']} now")
            return GOING
        if host_ports(other) & host_ports(wanted):
            if want.lock and pods_of(turn.children(), service_of(other)):
                return want.lock.text(want.app.name)
            await turn.applier.delete(other, Reason.PRUNE, f"{service.name} has its port of the host now")
    live = turn.cache.get(ref_of(wanted))
    if live is None:
        beside = hands_over(may_run.app, service)
        old = in_the_way(pods_of(turn.children(), service.name), wanted, beside=beside, now=turn.now)
        return GOING if old else ""
    if live["metadata"].get("deletionTimestamp"):
        return GOING
    fixed = ("spec.template", "spec.backoffLimit", "spec.completion", "spec.selector")
    differs = wanted["kind"] == "Job" and any(one.startswith(fixed) for one in turn.applier.differs(wanted))
    if differs and not await turn.applier.may_stay(wanted):
        await turn.applier.delete(live, Reason.CHANGED, "a job can't be changed, only made anew")
        return GOING
    return ""


def _look_in(turn: Turn) -> float | None:
    """A pod whose node is lost never tells that it has gone."""
    return LOOK_SECONDS if GOING in turn.memory.waits.values() else None


def _unfinished(turn: Turn, may_run: Effective) -> bool:
    return any(turn.applier.differs(wanted) for wanted in may_run.rendered.workloads.values())


async def _prune(turn: Turn, want: Want, may_run: Effective) -> None:
    rendered = {(one["kind"], one["metadata"]["name"]) for one in may_run.rendered.objects}
    rendered.add(("EndpointSlice", names.names_object(may_run.app.name)))
    for child in turn.children():
        kind, name = child["kind"], child["metadata"]["name"]
        if kind not in PRUNED or (kind, name) in rendered:
            continue
        if not may_be_removed(child, turn.key.name, turn.memory.uid):
            continue
        if kind in WORKLOADS and want.lock and pods_of(turn.children(), service_of(child)):
            continue
        await turn.applier.delete(child, Reason.PRUNE, "it is not in the App any more")


async def keep_names(turn: Turn, may_run: Effective) -> None:
    """Keep the addresses behind the names inside the App: of the Services that have one. It interrupts
    nothing, so an App that is held needs it too: its pods get other addresses when a node fails."""
    app, children = may_run.app, turn.children()
    addresses: dict[str, str] = {}
    pods: dict[str, Sequence[PodAddress]] = {}
    for service in app.spec.services:
        ref = Ref("Service", turn.key.namespace, names.service_object(app.name, service.name))
        address = str(((turn.cache.get(ref) or {}).get("spec") or {}).get("clusterIP") or "None")
        if address != "None":
            addresses[service.name] = address
        if spoken_of_pods(app, service):
            pods[service.name] = _pod_addresses(pods_of(children, service.name))
    wanted = names_slice(app, may_run.context, addresses, pods)
    if not wanted["endpoints"]:
        # Its family can't be changed, and only an address tells it: none is made, and one that is there stays
        # of its own.
        live = turn.cache.get(ref_of(wanted))
        if live is None:
            turn.applier.forget(ref_of(wanted))
            return
        wanted = {**wanted, "addressType": live["addressType"]}
    await turn.applier.apply(wanted, Reason.NAMES)


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
