"""The FastAPI app of the Device API, made around the controllers that answer."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from iotistic.bus import Bus
from iotistic.controllers.base import AppsControl
from iotistic.device_api import models
from iotistic.device_api.problems import MEDIA_TYPE, add_error_handlers
from iotistic.device_api.routes.apps import apps_router
from iotistic.device_api.routes.documents import documents_router
from iotistic.device_api.routes.events import events_router
from iotistic.device_api.routes.logs import logs_router
from iotistic.device_api.routes.services import services_router
from iotistic.device_api.routes.system import system_router

PROBLEM: dict[int | str, dict[str, object]] = {
    "default": {
        "model": models.ProblemBody,
        "description": "What went wrong and what to do now",
        "content": {MEDIA_TYPE: {}},
    }
}


def create_app(
    *, control: AppsControl, bus: Bus, version: str, install: str, keep_alive_seconds: float = 15.0
) -> FastAPI:
    """The whole API; OpenAPI at /openapi.json, made when somebody asks for it.

    Args:
        version: of the agent.
        install: id of this install.
        keep_alive_seconds: silence on an event stream before a comment is sent.

    Returns: an app whose `state.closing` ends all streams once it is set.
    """
    app = FastAPI(
        title="Iotistic Edge Device API",
        version=version,
        docs_url=None,  # the pages load their scripts from elsewhere, which a device may not reach
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        responses=PROBLEM,
    )
    app.state.closing = closing = asyncio.Event()
    add_error_handlers(app)
    app.include_router(system_router(control, version=version, install=install))
    app.include_router(apps_router(control))
    app.include_router(services_router(control))
    app.include_router(logs_router(control, closing))
    app.include_router(events_router(control, bus, closing, keep_alive_seconds))
    app.include_router(documents_router(control))
    return app
