"""The agent itself: is it there, is it well, what is it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from starlette.responses import JSONResponse, PlainTextResponse

from iotistic.api.base import API_VERSION
from iotistic.api.errors import EngineError
from iotistic.controllers.base import AppsControl
from iotistic.device_api import device_models as models
from iotistic.device_api.route import router

WHY_NOT = {
    "description": "Unhealthy, and why, one reason a line",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


def system_router(control: AppsControl, *, version: str, install: str) -> APIRouter:
    """/ping, /v1/healthy, /v1/version."""
    routes = router("system")

    @routes.get("/ping", response_class=PlainTextResponse)
    async def ping() -> Response:
        return PlainTextResponse("OK")

    @routes.get(
        "/v1/healthy",
        response_class=PlainTextResponse,
        responses={500: WHY_NOT},
    )
    async def healthy() -> Response:
        """Whether the agent does its job; needs no key."""
        return _healthy(control)

    @routes.head("/ping", name="ping_head", response_class=PlainTextResponse)
    async def ping_head() -> Response:
        """For checks that ask for no body, as `wget --spider` does."""
        return PlainTextResponse("OK")

    @routes.head(
        "/v1/healthy", name="healthy_head", response_class=PlainTextResponse, responses={500: WHY_NOT}
    )
    async def healthy_head() -> Response:
        """For checks that ask for no body, as `wget --spider` does."""
        return _healthy(control)

    @routes.get("/v1/version", response_model=models.VersionAnswer)
    async def get_version() -> Response:
        """What answers here; `engine.error` says why the engine does not."""
        return JSONResponse(
            {
                "version": version,
                "engine": await _engine(control),
                "apiVersion": API_VERSION,
                "installId": install,
            }
        )

    return routes


def _healthy(control: AppsControl) -> Response:
    health = control.health()
    if health.ok:
        return PlainTextResponse("OK")
    return PlainTextResponse("\n".join(("Unhealthy", *health.reasons)), 500)


async def _engine(control: AppsControl) -> dict[str, Any]:
    try:
        info = await control.engine()
    except EngineError as error:
        return {"kind": "", "version": "", "address": "", "details": {}, "error": error.message}
    return {
        "kind": info.kind,
        "version": info.version,
        "address": info.address,
        "details": dict(info.details),
    }
