"""Finds the one App or service that somebody named: by name, by number, by any of its addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from iotctl.agent import Agent
from iotctl.exits import BadInputError, CommandError, ExitCode, NotFoundError

Json = dict[str, Any]


def find_app(agent: Agent, name: str) -> Json:
    """An App by its name or number, as the resource."""
    found = agent.get(f"/v1/apps/{segment(name)}")
    # By number the agent answers in the words of its predecessor.
    return agent.get(f"/v1/apps/{found['appName']}") if "appName" in found else found


def find_service(agent: Agent, address: str, app: str | None = None) -> Json:
    """A service by `web`, `web-1`, `shop-web` or `shop-web-1`, as the resource.

    Raises: BadInputError naming all that the address could mean.
    """
    try:
        return agent.get(f"/v1/services/{segment(address)}", app=app)
    except NotFoundError:
        raise
    except CommandError as error:
        if error.code is not ExitCode.FAILED:
            raise
        raise BadInputError(error.message, hint=error.hint) from error


def service_path(service: Json) -> str:
    """Its path in the Device API."""
    return f"/v1/apps/{service['spec']['app']}/services/{service['spec']['service']}"


def segment(name: str) -> str:
    """A name as one part of a path. Raises: BadInputError for an empty one."""
    if not name.strip("./"):
        raise BadInputError(f"{name!r} is no name.")
    return quote(name, safe="")


def log_of(path: str) -> str:
    """Whose log that path gives, as `App shop` or `shop/web`."""
    _, _, _, app, *service = path.removesuffix("/logs").split("/")
    return f"{app}/{service[1]}" if service else f"App {app}"


def logs_path(agent: Agent, name: str, service: str | None) -> tuple[str, bool]:
    """Path of the log of an App, of one of its services, or of a service alone.

    Returns: the path, and whether lines of several services come from there.
    """
    if service is not None:
        return f"{service_path(find_service(agent, service, name))}/logs", False
    try:
        app = find_app(agent, name)
    except NotFoundError as no_app:
        try:
            return f"{service_path(find_service(agent, name))}/logs", False
        except NotFoundError as no_service:
            message = f"There is neither an App nor a service {name!r} {agent.endpoint.place}."
            raise NotFoundError(message, hint=no_service.hint or no_app.hint) from no_service
    return f"/v1/apps/{app['metadata']['name']}/logs", len(app["spec"].get("services", [])) > 1
