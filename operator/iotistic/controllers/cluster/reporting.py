"""Statuses of an App and of its AppServices as they are written. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from iotistic.api.app import AppStatus, ServiceStatus
from iotistic.api.conditions import StatusCondition
from iotistic.controllers.cluster.ports import Object
from iotistic.rollout.record import from_text, to_text
from iotistic.rollout.status import AppFacts, app_status
from iotistic.rollout.values import RolloutState

Content = dict[str, Any]


def shown(live: Object) -> Content:
    """The status that an object has, without what says nothing."""
    return _lean(live.get("status") or {})


def conditions(live: Object) -> dict[str, StatusCondition]:
    """The conditions that an App has, by type; those that can't be read are passed over."""
    found = {}
    for condition in (live.get("status") or {}).get("conditions") or ():
        try:
            read = StatusCondition.model_validate(condition)
        except ValueError:
            continue
        found[read.type] = read
    return found


def record(state: RolloutState, *, retried: str, machine: str) -> str:
    """What `status.rollout` keeps: the rollout's state, the retry that was heeded last, and, while a
    deadline's clock runs, by which machine's clock."""
    kept = json.loads(to_text(state))
    if retried:
        kept["retried"] = retried
    if state.clock is not None:
        kept["machine"] = machine
    return json.dumps(kept)


def recorded(text: str, *, machine: str) -> tuple[RolloutState, str]:
    """The state and the retry that `record` kept; of another machine's clock nothing is known.

    Raises: ValueError for anything that `record` never writes.
    """
    state = from_text(text)
    kept = json.loads(text)
    if state.clock is not None and kept.get("machine") != machine:
        state = replace(state, clock=replace(state.clock, boot=str(kept.get("machine"))))
    return state, str(kept.get("retried") or "")


def app_content(facts: AppFacts, rollout: str, *, now: str) -> tuple[AppStatus, Content]:
    """The status of an App, for its AppServices and as it is written."""
    status = app_status(facts, now=now)
    return status, _lean(status.wire() | {"rollout": rollout})


def service_content(status: ServiceStatus) -> Content:
    """The status of an AppService as it is written."""
    return _lean(status.wire())


def stalled_content(
    live: Object,
    *,
    reason: str,
    why: str,
    generation: int,
    now: str,
    rollout: str,
    seen: AppStatus | None = None,
) -> Content:
    """The status of an App that only a person can get any further; `seen`: what is so of the release that
    runs. None: nobody has looked, and what was known of its services stays."""
    before = shown(live)
    was = conditions(live)
    if seen is not None:
        running = seen.wire()
        before |= {key: running.get(key) for key in ("release", "ready", "services")}
        serves = next((one for one in seen.conditions if one.type == "Available"), None)
    else:
        serves = was.get("Available")
    available = (serves.status == "True", serves.reason) if serves else (False, "NotServing")
    wanted = (
        ("Ready", False, reason),
        ("Reconciling", False, "Settled"),
        ("Stalled", True, reason),
        ("Available", *available),
    )
    new = []
    for type, holds, word in wanted:
        status = "True" if holds else "False"
        old = was.get(type)
        since = old.last_transition_time if old and old.status == status else now
        new.append(
            {
                "type": type,
                "status": status,
                "reason": word,
                "message": why,
                "lastTransitionTime": since,
                "observedGeneration": generation,
            }
        )
    return _lean(
        before
        | {"observedGeneration": generation, "state": "Stalled", "why": why, "conditions": new}
        | ({"rollout": rollout} if rollout else {})
    )


def _lean(content: Mapping[str, Any]) -> Content:
    """Without what is empty; false and 0 say something."""
    lean: Content = {}
    for key, value in content.items():
        if isinstance(value, list):
            value = [_lean(item) if isinstance(item, Mapping) else item for item in value]  # noqa: PLW2901
        if value is None or value in ("", [], {}):
            continue
        lean[key] = value
    return lean
