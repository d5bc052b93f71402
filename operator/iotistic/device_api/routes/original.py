"""Routes of the original that name the App in the body."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.responses import PlainTextResponse

from iotistic.controllers.base import AppsControl, ReleasesControl
from iotistic.device_api.bodies import AppReference
from iotistic.device_api.route import also, router


def original_router(control: AppsControl, releases: ReleasesControl | None) -> APIRouter:
    """/v1/restart and /v1/purge."""
    routes = router("apps")

    @routes.post(
        "/v1/restart", response_class=PlainTextResponse, responses=also(404, 409, 423, 502, 503, 507)
    )
    async def restart(body: AppReference) -> Response:
        """Restart all services of an App; the same as POST /v1/apps/NAME/restart."""
        await control.restart(control.app(str(body.app_id)).name, None)
        return PlainTextResponse("OK")

    if releases is None:
        return routes

    @routes.post("/v1/purge", response_class=PlainTextResponse, responses=also(404, 409, 423, 502, 503, 507))
    async def purge(body: AppReference) -> Response:
        """Empty all volumes of an App and start it again. What was in them is gone."""
        await releases.purge_volumes(control.app(str(body.app_id)).name)
        return PlainTextResponse("OK")

    return routes
