"""Releases of an App: history, back to an earlier one, what holds it back and what helps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import JSONResponse

from iotistic.api.base import DnsLabel
from iotistic.controllers.base import AppsControl, ReleasesControl
from iotistic.device_api import models
from iotistic.device_api.answers import wire
from iotistic.device_api.bodies import LockBody, RetryBody, RollbackBody
from iotistic.device_api.route import also, router
from iotistic.device_api.routes.services import service_in_app

OfService = Annotated[DnsLabel | None, Query(description="Only of this service; absent: of the whole App")]


def releases_router(control: AppsControl, releases: ReleasesControl) -> APIRouter:
    """Routes below /v1/apps/NAME that are about its releases."""
    routes = router("releases")
    _add_history(routes, control, releases)
    _add_holds(routes, control, releases)
    return routes


def _add_history(routes: APIRouter, control: AppsControl, releases: ReleasesControl) -> None:
    @routes.get("/v1/apps/{name}/history", response_model=models.History, responses=also(404))
    async def get_history(name: str) -> Response:
        """Releases that are remembered, newest first."""
        found = releases.history(control.app(name).name)
        return JSONResponse({"items": [wire(models.RevisionBody, one) for one in found]})

    @routes.post(
        "/v1/apps/{name}/rollback", response_model=models.AppliedDocument, responses=also(404, 409, 422, 423)
    )
    async def rollback(name: str, body: RollbackBody | None = None) -> Response:
        """Want an earlier release again; answers when that is recorded."""
        wanted = body.release if body else None
        return JSONResponse(asdict(await releases.rollback(control.app(name).name, wanted)))

    @routes.get("/v1/apps/{name}/explain", response_model=models.ExplanationBody, responses=also(404))
    async def explain(name: str) -> Response:
        """Why it is not as it should be, and what helps."""
        return JSONResponse(wire(models.ExplanationBody, releases.explain(control.app(name).name)))

    @routes.post(
        "/v1/apps/{name}/recover",
        response_model=models.AppliedDocument,
        responses=also(404, 409, 422, 502, 503),
    )
    async def recover(name: str) -> Response:
        """Take an orphaned App over as it runs."""
        return JSONResponse(asdict(await releases.recover(control.app(name).name)))


def _add_holds(routes: APIRouter, control: AppsControl, releases: ReleasesControl) -> None:
    def names(app: str, service: str | None) -> tuple[str, str]:
        """The App's name and the service's; empty for the whole App."""
        if service is None:
            return control.app(app).name, ""
        found = service_in_app(control, app, service).spec
        return found.app, found.service

    @routes.post("/v1/apps/{name}/retry", response_model=models.RetryAnswer, responses=also(404, 409))
    async def retry(name: str, body: RetryBody | None = None) -> Response:
        """Forget back-offs and quarantine: try again now."""
        app, service = names(name, body.service if body else None)
        await releases.retry(app, service or None)
        return JSONResponse({"app": app, "service": service, "status": "retrying"})

    @routes.post("/v1/apps/{name}/lock", response_model=models.LockAnswer, responses=also(404, 409, 422, 423))
    async def lock(name: str, body: LockBody) -> Response:
        """Hold back what would interrupt; the same owner may ask again to change its lock."""
        app, service = names(name, body.service)
        await releases.lock(app, service, reason=body.reason, owner=body.owner, until=body.until or "")
        return JSONResponse({"app": app, "service": service, "status": "locked"})

    @routes.delete("/v1/apps/{name}/lock", response_model=models.LockAnswer, responses=also(404, 409, 423))
    async def unlock(name: str, service: OfService = None) -> Response:
        """Take such a lock away, whoever set it."""
        app, of_service = names(name, service)
        await releases.unlock(app, of_service)
        return JSONResponse({"app": app, "service": of_service, "status": "unlocked"})
