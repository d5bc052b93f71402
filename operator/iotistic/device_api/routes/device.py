"""The device itself: what it is, whether it is ready, its settings; reboot, shutdown, factory reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from starlette.responses import JSONResponse, PlainTextResponse

from iotistic.controllers.base import AppsControl, DeviceControl
from iotistic.device_api import device_models as models
from iotistic.device_api.route import also, router

METRICS_TYPE = "text/plain; version=0.0.4"
SECRETS = frozenset({"deviceApiKey", "provisioningApiKey", "apiKey", "mqttPassword"})
"""The original's GET /v1/device showed them; here they are left out even if a controller slips."""
CHANGING = frozenset({"Updating", "Deleting"})
ANY_SETTINGS = Body(openapi_examples={"log level": {"value": {"logLevel": "debug"}}})

NOT_READY = {
    "description": "It is not ready, and why",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ReadinessAnswer"}}},
}
Connection = Callable[[], Mapping[str, Any]]
"""How the connection to the cloud does, under the original's names."""


def device_router(
    control: AppsControl, device: DeviceControl, connection: Connection | None = None
) -> APIRouter:
    """/v1/device, /v1/config, /v1/readiness, /metrics, /v1/diagnostics and what ends the process."""
    routes = router("device")
    _add_reading(routes, control, device)
    _add_config(routes, device)
    _add_ending(routes, device)
    if connection is not None:
        _add_connection(routes, connection)
    return routes


def _add_reading(routes: APIRouter, control: AppsControl, device: DeviceControl) -> None:
    @routes.get("/v1/device", response_model=models.DeviceAnswer)
    async def get_device() -> Response:
        """The device, without any secret; `apps` is how many there are."""
        apps = control.apps()
        busy = any(app.status is not None and app.status.state in CHANGING for app in apps)
        shown = {name: value for name, value in device.device().items() if name not in SECRETS}
        more = {
            "apps": len(apps),
            "status": "Updating" if busy else "Idle",
            "config": dict(device.config()),
        }
        return JSONResponse(shown | more)

    @routes.get(
        "/v1/readiness",
        response_model=models.ReadinessAnswer,
        responses={503: NOT_READY},
    )
    async def get_readiness() -> Response:
        """Whether the agent is there for its Apps."""
        found = device.readiness()
        body = {**asdict(found), "criticalFailures": found.reasons}
        return JSONResponse(body, 200 if found.ready else 503)

    @routes.get("/v1/diagnostics", response_model=models.Diagnostics, responses=also(502, 503))
    async def diagnose() -> Response:
        """Look at store, engine, disk, clock and more; takes a moment."""
        checks = [dict(check) for check in await device.diagnose()]
        return JSONResponse({"ok": all(check["status"] != "FAIL" for check in checks), "items": checks})

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """For Prometheus; its `authorization` setting sends the key."""
        return PlainTextResponse(device.metrics(), media_type=METRICS_TYPE)


def _add_config(routes: APIRouter, device: DeviceControl) -> None:
    @routes.get("/v1/config", response_model=dict[str, Any])
    async def get_config() -> Response:
        """Settings that may be changed while the agent runs."""
        return JSONResponse(dict(device.config()))

    @routes.post("/v1/config", response_model=dict[str, Any], responses=also(409, 422))
    async def set_config(values: Annotated[dict[str, Any], ANY_SETTINGS]) -> Response:
        """Change some, all or nothing; answers with what holds then."""
        return JSONResponse(dict(await device.set_config(values)))

    @routes.delete("/v1/config", response_model=dict[str, Any], responses=also(409))
    async def reset_config() -> Response:
        """Back to the defaults."""
        await device.reset_config()
        return JSONResponse(dict(device.config()))


def _add_ending(routes: APIRouter, device: DeviceControl) -> None:
    @routes.post("/v1/reboot", response_model=models.OriginalDone, status_code=202, responses=also(409))
    async def reboot() -> Response:
        """End the agent soon; whoever supervises it starts it again. Containers stay up."""
        await device.reboot()
        return JSONResponse({"Data": "Agent restarting", "Error": None}, 202)

    @routes.post("/v1/shutdown", response_model=models.OriginalDone, status_code=202, responses=also(409))
    async def shutdown() -> Response:
        """End the agent for good, where its supervisor allows that. Containers stay up."""
        await device.shutdown()
        return JSONResponse({"Data": "Shutdown scheduled", "Error": None}, 202)

    @routes.post(
        "/v1/factory-reset",
        response_model=models.FactoryResetAnswer,
        responses=also(409, 423, 502, 503),
    )
    async def factory_reset() -> Response:
        """Remove all Apps with their volumes, Secrets, settings and the device's identity."""
        await device.factory_reset()
        return JSONResponse({"message": "everything is removed", "status": "factory-reset"})


def _add_connection(routes: APIRouter, connection: Connection) -> None:
    @routes.get("/v1/connection", response_model=models.ConnectionAnswer)
    async def get_connection() -> Response:
        """How the connection to the cloud does."""
        return JSONResponse(dict(connection()))
