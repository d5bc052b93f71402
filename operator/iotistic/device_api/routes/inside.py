"""A look inside containers: run a command, see what they use."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.responses import JSONResponse

from iotistic.api.appservice import AppService
from iotistic.controllers.base import AppsControl, InsideControl
from iotistic.device_api import models
from iotistic.device_api.answers import wire
from iotistic.device_api.bodies import ExecBody
from iotistic.device_api.problems import problem
from iotistic.device_api.route import also, router
from iotistic.device_api.routes.services import OfApp, service_anywhere, service_in_app

CODES = also(404, 409, 502, 503, 504)


def inside_router(control: AppsControl, inside: InsideControl) -> APIRouter:
    """Routes that end in /exec, and /v1/usage."""
    routes = router("inside")

    async def run(service: AppService, body: ExecBody) -> Response:
        app, name = service.spec.app, service.spec.service
        try:
            code, output = await inside.run(app, name, body.command, body.timeout_seconds)
        except TimeoutError:
            return problem(
                504,
                f"the command in {app}/{name} did not end within {body.timeout_seconds:g} s",
                hint="give it longer with timeoutSeconds; whether it goes on inside is not known",
            )
        answer = {"app": app, "service": name, "exitCode": code, "output": output}
        return JSONResponse(answer)

    @routes.post("/v1/services/{address}/exec", response_model=models.ExecAnswer, responses=CODES)
    async def exec_in_service(address: str, body: ExecBody, app: OfApp = None) -> Response:
        """Run a command inside a service's container; it is no shell."""
        return await run(service_anywhere(control, address, app), body)

    @routes.post("/v1/apps/{name}/services/{service}/exec", response_model=models.ExecAnswer, responses=CODES)
    async def exec_in_service_of_app(name: str, service: str, body: ExecBody) -> Response:
        return await run(service_in_app(control, name, service), body)

    @routes.get("/v1/usage", response_model=models.UsageAnswer, responses=also(404, 502, 503))
    async def usage(app: OfApp = None) -> Response:
        """CPU and memory of running containers."""
        name = control.app(app).name if app is not None else None
        found = [wire(models.UsageBody, one) for one in await inside.usage() if name in (None, one.app)]
        return JSONResponse({"items": found})

    return routes
