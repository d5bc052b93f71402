"""Writes what is so: statuses of an App and its AppServices where they are worth it, and Events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from iotistic.api.app import AppStatus
from iotistic.controllers.clock import boot_id, monotonic
from iotistic.controllers.cluster.children import ref_of
from iotistic.controllers.cluster.ports import Object, Ref, RefusedError
from iotistic.controllers.cluster.reporting import (
    app_content,
    conditions,
    record,
    service_content,
    shown,
    stalled_content,
)
from iotistic.controllers.cluster.statuses import Due, Urgency, due, urgency_of
from iotistic.engines.kubernetes import names
from iotistic.rollout.status import AppFacts, app_status
from iotistic.rollout.values import Decision, Phase

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

log = structlog.get_logger()

REFUSED_LOOK_SECONDS = 60.0
"""A status that the API server refuses is offered again after so long."""
PROBLEM_LENGTH = 300
_UNDER_WAY = frozenset({Phase.PREPARING, Phase.APPLYING, Phase.VERIFYING, Phase.UNDOING})
"""What goes on by itself, and ends with a write. A wait may last for days: what is so meanwhile is told."""


def wall(now: datetime) -> str:
    """The wall clock as RFC 3339, in whole seconds as Kubernetes has it."""
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")


async def store(turn: Turn, facts: AppFacts, decision: Decision) -> None:
    """Write the status now, with what was decided."""
    _, content = _of_app(turn, facts, decision)
    await _write(turn, turn.live, content)
    _spend(turn, "")


async def tell(turn: Turn, facts: AppFacts, decision: Decision) -> float | None:
    """Write what is worth it. Returns: seconds until more will be worth it; None for never."""
    turn.memory.stalled = ""
    under_way = decision.phase in _UNDER_WAY
    status, content = _of_app(turn, facts, decision)
    refusals = [
        *(one.message for one in turn.memory.refusals.values()),
        *(one.failure for one in facts.services if one.failure_reason == "Refused"),
    ]
    was, once = shown(_app(turn)), turn.memory.refused_once
    urgency = urgency_of(was, content, under_way=under_way, refusals=refusals, once=once)
    still = {one for one in once if one in str(was.get("why") or "")}
    turn.memory.refused_once = frozenset([*refusals, *still])
    again = await _tell(turn, "", _app(turn), content, urgency, counts=not under_way)
    # An end: whoever waited for it looks at the services next.
    ended = decision.persist and not under_way
    return soonest(again, await _tell_services(turn, status, under_way=under_way, ended=ended))


async def stalled(turn: Turn, reason: str, why: str, facts: AppFacts | None = None) -> float | None:
    """Write that only a person can get the App any further.

    Args:
        facts: what is so of the release that runs; None when nobody has looked.

    Returns: as `tell`.
    """
    live = _app(turn)
    status = app_status(replace(facts, previous=conditions(live)), now=wall(turn.now)) if facts else None
    content = stalled_content(
        live,
        reason=reason,
        why=why,
        generation=int(live["metadata"].get("generation") or 0),
        now=wall(turn.now),
        rollout=str((live.get("status") or {}).get("rollout") or ""),
        seen=status,
    )
    said = f"{reason}: {why}"
    refused = False
    try:
        again = await _tell(turn, "", live, content, Urgency.SOON, counts=status is not None)
    except RefusedError as error:
        # An App of a shape that its definition does not have any more can't be given a status.
        again, refused = None, True
        if turn.memory.stalled != said:
            key = turn.key
            problem = error.message[:PROBLEM_LENGTH]
            log.warning("status_refused", namespace=key.namespace, app=key.name, why=why, problem=problem)
    if again is None and turn.memory.stalled != said and _is_news(live, reason):
        await turn.api.event(turn.live, reason=reason, message=why, warning=True)
    if again is None:
        turn.memory.stalled = said
    services = await _tell_services(turn, status, under_way=False, ended=False) if status else None
    return soonest(REFUSED_LOOK_SECONDS if refused else again, services)


async def events(turn: Turn, decision: Decision) -> None:
    """Tell what has happened, once."""
    for event in decision.events:
        await turn.api.event(turn.live, reason=event.reason, message=event.message, warning=event.warning)


async def _tell_services(turn: Turn, status: AppStatus, *, under_way: bool, ended: bool) -> float | None:
    """Write statuses of AppServices. Returns: as `tell`."""
    moments: list[float | None] = []
    for service in status.services:
        ref = Ref("AppService", turn.key.namespace, names.child(turn.key.name, service.name))
        live = turn.cache.get(ref)
        if live is None:
            continue
        soon = service.ready or not under_way or service.run_state == "Stopped"
        urgency = Urgency.NOW if ended else Urgency.SOON if soon else Urgency.PASSING
        content = service_content(service)
        moments.append(await _tell(turn, service.name, live, content, urgency, counts=not under_way))
    return soonest(*moments)


def soonest(*moments: float | None) -> float | None:
    """The first of these moments, in seconds from now; None when none comes."""
    return min((moment for moment in moments if moment is not None), default=None)


def _is_news(live: Object, reason: str) -> bool:
    """After a start of the operator, what the status says already was told already."""
    was = conditions(live).get("Stalled")
    return was is None or was.status != "True" or was.reason != reason


def _of_app(turn: Turn, facts: AppFacts, decision: Decision) -> tuple[AppStatus, dict[str, Any]]:
    facts = replace(facts, previous=conditions(_app(turn)))
    text = record(decision.state, retried=turn.retried, machine=boot_id())
    return app_content(facts, text, now=wall(turn.now))


def _app(turn: Turn) -> Object:
    """The App as it is known now: an earlier write of this turn counts."""
    return turn.cache.get(Ref("App", turn.key.namespace, turn.key.name)) or turn.live


async def _tell(
    turn: Turn, name: str, live: Object, content: dict[str, Any], urgency: Urgency, *, counts: bool
) -> float | None:
    spent = turn.memory.spent.get(name, 0)
    answer = due(
        shown(live),
        content,
        urgency,
        monotonic(),
        before=turn.memory.due.get(name),
        counts=counts,
        spent=spent,
    )
    turn.memory.due[name] = Due() if answer.write else answer
    if answer.write:
        await _write(turn, live, content)
        _spend(turn, name)
    return answer.in_seconds


async def _write(turn: Turn, live: Object, content: dict[str, Any]) -> None:
    wanted = {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {"name": live["metadata"]["name"], "namespace": live["metadata"]["namespace"]},
        "status": content,
    }
    turn.cache.put(await turn.api.apply_status(wanted))
    # The answer may show a newer spec than the one that was looked at, and then no watch tells of it.
    known = turn.cache.get(ref_of(live))
    turn.behind = turn.behind or (known is not None and _asked(known) != _asked(live))


def _asked(found: Object) -> tuple[Any, ...]:
    """What people ask of an object."""
    metadata = found["metadata"]
    gone = metadata.get("deletionTimestamp")
    return metadata.get("uid"), gone, metadata.get("annotations") or {}, found.get("spec") or {}


def _spend(turn: Turn, name: str) -> None:
    turn.memory.spent[name] = turn.memory.spent.get(name, 0) + 1
