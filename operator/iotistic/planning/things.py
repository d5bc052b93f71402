"""Networks and volumes of an App that is wanted (R11, R12)."""

from __future__ import annotations

import json

from iotistic.planning.compare import listed, volume_changes
from iotistic.planning.seen import AppSeen
from iotistic.planning.situation import Situation
from iotistic.planning.values import Action, AppTarget, Stall, Step


def networks_and_volumes(app: Situation) -> list[Step]:
    """Make what is missing; remove networks that are changed or no longer wanted and that nobody uses."""
    target, seen = app.target, app.seen
    steps = [
        _step(Action.CREATE_NETWORK, target.name, name, f"network {name} missing")
        for name in target.networks
        if name not in seen.networks
    ]
    steps += [
        _step(Action.CREATE_VOLUME, target.name, name, f"volume {name} missing")
        for name in target.volumes
        if name not in seen.volumes
    ]
    if app.changed_networks or seen.networks.keys() - target.networks.keys():
        attached = seen.attached()
        for name in seen.networks:
            if name in attached:
                continue
            if name in app.changed_networks:
                steps.append(_step(Action.REMOVE_NETWORK, target.name, name, f"network {name} changed"))
            elif name not in target.networks:
                cause = f"network {name} is no longer wanted"
                steps.append(_step(Action.REMOVE_NETWORK, target.name, name, cause))
    return steps


def stalled(target: AppTarget, seen: AppSeen) -> Stall | None:
    """A volume's definition has changed: going on would lose its data."""
    changed = [
        f"volume {name}: {listed(volume_changes(json.loads(was or '{}'), json.loads(config or '{}')))}"
        for name, config in target.volumes.items()
        if (was := seen.volumes.get(name, config)) != config
    ]
    if not changed:
        return None
    return Stall(
        app=target.name,
        reason=f"{listed(changed)}, and a volume can't be changed without losing its data; put the old "
        f"definition back, or name a new volume and move the data",
    )


def _step(action: Action, app: str, name: str, cause: str) -> Step:
    return Step(action=action, subject=f"{app}/{name}", app=app, name=name, cause=cause, changes=(cause,))
