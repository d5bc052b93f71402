"""Services of Apps: one AppService each."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from iotctl.cluster.apps import lock_of, nothing_in, one_app
from iotctl.cluster.server import Server
from iotctl.exits import BadInputError, CommandError, NotFoundError
from iotistic.engines.kubernetes.values import APP_LABEL, RESTARTED_ANNOTATION

Json = dict[str, Any]
BEGIN_SECONDS = 5.0
LOOK_SECONDS = 0.1
RUN_STATES = {"start": "Running", "stop": "Stopped"}
WORDS = {"start": "started", "stop": "stopped", "restart": "restarting"}


def all_services(server: Server, app: Any = None) -> Json:
    """Services of the namespace, or of one App."""
    if app:
        return of_app(server, str(app))
    return {"items": _sorted(server.items("AppService") or nothing_in(server))}


def of_app(server: Server, name: str) -> Json:
    """Services of an App."""
    name = str(one_app(server, name)["metadata"]["name"])
    return {"items": _sorted(server.items("AppService", f"{APP_LABEL}={name}"))}


def find(server: Server, address: str, app: Any = None) -> Json:
    """A service by `web`, `web-1`, `shop-web` or `shop-web-1`. Raises: NotFoundError, BadInputError."""
    there: list[Json] = all_services(server, app)["items"]
    found = [one for one in there if address in _addresses(one)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{one['spec']['app']}-{one['spec']['service']}" for one in (found or there))
    if found:
        raise BadInputError(f"{address!r} may be any of {names}.", hint="Say which:  --app NAME")
    raise NotFoundError(
        f"There is no service {address!r} in namespace {server.connection.namespace}.",
        hint=(f"There are: {names}." if names else "There is none.") + " Elsewhere:  --namespace NAME",
    )


def act(server: Server, app: str, service: str, action: str) -> Json:
    """Start, stop or restart one service; a restart starts what was stopped by hand, as on a device."""
    found = find(server, service, app)
    stopped = _is_stopped(found)
    _change(server, found, action)
    waits = "" if stopped else _waits(one_app(server, found["spec"]["app"]), action)
    names = {"app": found["spec"]["app"], "service": found["spec"]["service"]}
    return names | {"status": WORDS[action], "waits": waits}


def whole_app(server: Server, app: str, action: str) -> Json:
    """Start, stop or restart all services of an App."""
    found = one_app(server, app)
    name = str(found["metadata"]["name"])
    there = of_app(server, name)["items"]
    if not there:
        raise CommandError(
            f"App {name} has no services yet: no operator has looked at it.", hint="iotctl diagnostics"
        )
    for service in there:
        _change(server, service, action)
    waits = "" if all(map(_is_stopped, there)) else _waits(found, action)
    if not waits:
        _until_begun(server, name, there)
    return {
        "app": name,
        "services": [one["spec"]["service"] for one in there],
        "status": WORDS[action],
        "containerId": None,
        "waits": waits,
    }


def _waits(app: Json, action: str) -> str:
    """Whose lock a stop or restart waits for; empty when there is none."""
    held = None if action == "start" else lock_of(app)
    if held is None:
        return ""
    until = f", until {held.until}" if held.until else ""
    owner = f" by {held.owner}" if held.owner else ""
    why = held.reason or "no reason given"
    return f"locked{owner}: {why}{until} (iotctl unlock {app['metadata']['name']})"


def _until_begun(server: Server, app: str, before: list[Json]) -> None:
    """A moment for the operator to begin, so that who waits next does not see how it was before."""
    until = time.monotonic() + BEGIN_SECONDS
    was = [_shown(one) for one in before]
    while time.monotonic() < until and [_shown(one) for one in of_app(server, app)["items"]] == was:
        time.sleep(LOOK_SECONDS)


def _shown(service: Json) -> tuple[Any, ...]:
    status = service.get("status") or {}
    return service["metadata"]["name"], status.get("state"), status.get("ready"), status.get("containerId")


def _change(server: Server, service: Json, action: str) -> None:
    name = service["metadata"]["name"]
    if action in RUN_STATES:
        server.patch("AppService", name, {"spec": {"runState": RUN_STATES[action]}})
    elif action == "restart" and _is_stopped(service):
        server.patch("AppService", name, {"spec": {"runState": "Running"}})
    elif action == "restart":
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        server.patch("AppService", name, {"metadata": {"annotations": {RESTARTED_ANNOTATION: moment}}})
    else:
        raise BadInputError(
            "A service can't be paused on Kubernetes: it has no such state.",
            hint=f"iotctl services stop {name}",
        )


def _is_stopped(service: Json) -> bool:
    return bool(service["spec"].get("runState") == "Stopped")


def _sorted(found: list[Json]) -> list[Json]:
    return sorted(found, key=lambda one: (one["spec"]["app"], one["spec"]["service"]))


def _addresses(service: Json) -> set[str]:
    app, name = service["spec"]["app"], service["spec"]["service"]
    number = (service.get("status") or {}).get("serviceId")
    more = {f"{name}-{number}", f"{app}-{name}-{number}"} if number is not None else set()
    return {name, f"{app}-{name}", *more}
