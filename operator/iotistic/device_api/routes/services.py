"""Services: list, start, stop, restart, pause; inside an App or by an address alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import JSONResponse

from iotistic.api.appservice import AppService, RunState
from iotistic.controllers.base import AppsControl
from iotistic.device_api import models
from iotistic.device_api.addresses import find_service
from iotistic.device_api.answers import resource
from iotistic.device_api.route import also, router

OfApp = Annotated[str | None, Query(alias="app", description="Only of this App (name or number)")]
FIND = also(404, 409)
RUN = also(404, 409, 423, 502, 503)
RUN_STATES = {
    "start": (RunState.RUNNING, "started"),
    "stop": (RunState.STOPPED, "stopped"),
    "pause": (RunState.PAUSED, "paused"),
    "unpause": (RunState.RUNNING, "unpaused"),
}


def services_router(control: AppsControl) -> APIRouter:
    """Routes below /v1/services and /v1/apps/NAME/services."""
    routes = router("services")
    _add_reading(routes, control)
    for action in (*RUN_STATES, "restart"):
        _add_action(routes, control, action)
    return routes


def service_in_app(control: AppsControl, app: str, address: str) -> AppService:
    """A service of one App. Raises NotFoundError, ConflictError."""
    name = control.app(app).name
    return find_service(control.services(name), address, where=f"App {name}")


def service_anywhere(control: AppsControl, address: str, app: str | None) -> AppService:
    """A service of this device, or of one App. Raises NotFoundError, ConflictError."""
    if app is not None:
        return service_in_app(control, app, address)
    return find_service(control.services(), address, where="this device")


def _add_reading(routes: APIRouter, control: AppsControl) -> None:
    @routes.get("/v1/services", response_model=models.AppServices, responses=also(404))
    async def list_services(app: OfApp = None) -> Response:
        name = control.app(app).name if app is not None else None
        return _listed(control.services(name))

    @routes.get("/v1/apps/{name}/services", response_model=models.AppServices, responses=also(404))
    async def list_services_of_app(name: str) -> Response:
        return _listed(control.services(control.app(name).name))

    @routes.get("/v1/services/{address}", response_model=AppService, responses=FIND)
    async def get_service(address: str, app: OfApp = None) -> Response:
        """By `web`, `web-1`, `shop-web` or `shop-web-1`; 409 names all that it could mean."""
        return JSONResponse(resource(service_anywhere(control, address, app)))

    @routes.get("/v1/apps/{name}/services/{service}", response_model=AppService, responses=FIND)
    async def get_service_of_app(name: str, service: str) -> Response:
        return JSONResponse(resource(service_in_app(control, name, service)))


def _add_action(routes: APIRouter, control: AppsControl, action: str) -> None:
    async def act(service: AppService) -> Response:
        app, name, waits = service.spec.app, service.spec.service, ""
        if action == "restart":
            await control.restart(app, name)
            status = "restarting"
        else:
            state, status = RUN_STATES[action]
            waits = await control.set_run_state(app, name, state)
        answer = {"app": app, "service": name, "status": status}
        return JSONResponse(answer | ({"waits": waits} if waits else {}))

    async def by_address(address: str, app: OfApp = None) -> Response:
        return await act(service_anywhere(control, address, app))

    async def in_app(name: str, service: str) -> Response:
        return await act(service_in_app(control, name, service))

    for path, handler, name in (
        (f"/v1/services/{{address}}/{action}", by_address, f"{action}_service"),
        (f"/v1/apps/{{name}}/services/{{service}}/{action}", in_app, f"{action}_service_of_app"),
    ):
        routes.add_api_route(
            path, handler, methods=["POST"], name=name, response_model=models.ServiceAction, responses=RUN
        )


def _listed(services: list[AppService]) -> Response:
    return JSONResponse({"items": [resource(service) for service in services]})
