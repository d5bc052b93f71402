"""Apps: apply, plan, list, delete, start and stop all services of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import WithJsonSchema
from starlette.responses import JSONResponse

from iotistic.api.app import App, DeletionPolicy
from iotistic.api.appservice import RunState
from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.controllers.base import ApplyResult, AppsControl
from iotistic.device_api import models
from iotistic.device_api.answers import container_id, original, resource
from iotistic.device_api.bodies import Documents, MaybeDocuments
from iotistic.device_api.route import also, router

DryRun = Annotated[bool, Query(alias="dryRun", description="Check everything, change nothing")]
Purge = Annotated[bool | None, Query(description="Its volumes go too; absent: as its deletionPolicy says")]
AppDocument = Annotated[dict[str, Any], WithJsonSchema({"$ref": "#/components/schemas/App"})]
"""Checked at apply, with all problems at once; here it only has to be an object."""
CHANGE = also(409, 422, 423)
RUN = also(404, 409, 423, 502, 503)


def apps_router(control: AppsControl) -> APIRouter:
    """Routes below /v1/apps, and /v1/apply and /v1/plan."""
    routes = router("apps")
    _add_reading(routes, control)
    _add_changing(routes, control)
    _add_running(routes, control)
    return routes


def _add_reading(routes: APIRouter, control: AppsControl) -> None:
    @routes.get("/v1/apps", response_model=models.Apps)
    async def list_apps() -> Response:
        return JSONResponse({"items": [resource(app) for app in control.apps()]})

    @routes.get("/v1/apps/{name}", response_model=App | models.OriginalApp, responses=also(404))
    async def get_app(name: str) -> Response:
        """By name: the resource with its status. By number: the fields of the first agent."""
        app = control.app(name)
        return JSONResponse(original(app, int(name)) if name != app.name else resource(app))

    @routes.get("/v1/volumes", response_model=models.Volumes)
    async def list_volumes() -> Response:
        """Volumes on the engine, with the Apps that have or had them."""
        return JSONResponse({"items": [asdict(volume) for volume in control.volumes()]})

    @routes.post("/v1/plan", response_model=models.PlanAnswer, responses=also(409, 422, 503))
    async def plan(body: MaybeDocuments | None = None) -> Response:
        """What applying these would do now. Changes nothing."""
        found = await control.plan(body.documents if body else [])
        return JSONResponse(asdict(found))


def _add_changing(routes: APIRouter, control: AppsControl) -> None:
    @routes.post("/v1/apply", response_model=models.ApplyAnswer, responses=CHANGE)
    async def apply(body: Documents, dry_run: DryRun = False) -> Response:
        """Take documents, all or nothing; durable when it answers."""
        return _applied(await control.apply(body.documents, dry_run=dry_run))

    @routes.put("/v1/apps/{name}", response_model=models.ApplyAnswer, responses=CHANGE)
    async def put_app(
        name: str, document: Annotated[AppDocument, Body()], dry_run: DryRun = False
    ) -> Response:
        """The same as applying this one App."""
        _check_is_app(document, name)
        return _applied(await control.apply([document], dry_run=dry_run))

    @routes.delete(
        "/v1/apps/{name}",
        response_model=models.DeleteAnswer,
        status_code=202,
        responses=also(404, 409, 423),
    )
    async def delete_app(name: str, purge: Purge = None) -> Response:
        """Take an App out of the target; its containers go after this answer. With `purge=true` also what a
        deleted App has left."""
        if purge and any(volume.kept and volume.app == name for volume in control.volumes()):
            await control.delete(name, purge=True)
            return JSONResponse({"name": name, "purge": True}, 202)
        app = control.app(name)
        await control.delete(app.name, purge=purge)
        gone = app.spec.deletion_policy is DeletionPolicy.DELETE if purge is None else purge
        return JSONResponse({"name": app.name, "purge": gone}, 202)


def _add_running(routes: APIRouter, control: AppsControl) -> None:
    @routes.post("/v1/apps/{name}/start", response_model=models.AppAction, responses=RUN)
    async def start_app(name: str) -> Response:
        """Start all services; holds over reboots."""
        app = control.app(name)
        await control.set_run_state(app.name, None, RunState.RUNNING)
        return _acted(app, "started")

    @routes.post("/v1/apps/{name}/stop", response_model=models.AppAction, responses=RUN)
    async def stop_app(name: str) -> Response:
        """Stop all services; holds over reboots and new versions of the App. Under a user's lock it waits."""
        app = control.app(name)
        waits = await control.set_run_state(app.name, None, RunState.STOPPED)
        return _acted(app, "stopped", waits)

    @routes.post("/v1/apps/{name}/restart", response_model=models.AppAction, responses=RUN)
    async def restart_app(name: str) -> Response:
        """Restart all services in the order of dependsOn; answers when it has begun. 423 under a user's
        lock: nothing of it is kept for later."""
        app = control.app(name)
        await control.restart(app.name, None)
        return _acted(app, "restarting")


def _applied(result: ApplyResult) -> Response:
    return JSONResponse(asdict(result))


def _acted(app: App, status: str, waits: str = "") -> Response:
    services = [service.name for service in app.spec.services]
    answer = {"app": app.name, "services": services, "status": status, "containerId": container_id(app)}
    return JSONResponse(answer | ({"waits": waits} if waits else {}))


def _check_is_app(document: Mapping[str, Any], name: str) -> None:
    """What the address says must be what the document says; the rest is checked at apply."""
    metadata = document.get("metadata")
    inside = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind = document.get("kind")
    problems = []
    if kind is not None and kind != "App":
        problems.append(
            Problem(
                resource=f"App {name}", path="kind", message=f"is {kind!r}", hint="send it to POST /v1/apply"
            )
        )
    if inside is not None and inside != name:
        message = f"is {inside!r}, but the address says {name!r}"
        problems.append(
            Problem(
                resource=f"App {inside}", path="metadata.name", message=message, hint="make them the same"
            )
        )
    if problems:
        raise InvalidResourceError(problems)
