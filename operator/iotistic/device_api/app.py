"""The FastAPI app of the Device API, made around the controllers that answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, FastAPI

from iotistic.bus import Bus
from iotistic.controllers.base import AppsControl, DeviceControl, InsideControl, ReleasesControl
from iotistic.device_api.openapi import DeviceApi
from iotistic.device_api.problems import add_error_handlers
from iotistic.device_api.routes.agent_logs import agent_logs_router
from iotistic.device_api.routes.apps import apps_router
from iotistic.device_api.routes.device import Connection, device_router
from iotistic.device_api.routes.documents import documents_router
from iotistic.device_api.routes.events import events_router
from iotistic.device_api.routes.images import images_router
from iotistic.device_api.routes.inside import inside_router
from iotistic.device_api.routes.logs import logs_router
from iotistic.device_api.routes.original import original_router
from iotistic.device_api.routes.pages import DASHBOARD, pages_router
from iotistic.device_api.routes.releases import releases_router
from iotistic.device_api.routes.services import services_router
from iotistic.device_api.routes.system import system_router


def create_app(
    *,
    control: AppsControl,
    bus: Bus,
    version: str,
    install: str,
    releases: ReleasesControl | None = None,
    inside: InsideControl | None = None,
    device: DeviceControl | None = None,
    connection: Connection | None = None,
    dashboard: Path = DASHBOARD,
    keep_alive_seconds: float = 15.0,
) -> FastAPI:
    """The whole API; OpenAPI at /openapi.json, made when somebody asks for it.

    Args:
        version: of the agent.
        install: id of this install.
        releases, inside, device, connection: what has none has no routes.
        dashboard: folder of the page; without an index.html there is none.
        keep_alive_seconds: silence on an event stream before a comment is sent.

    Returns: an app whose `state.closing` ends all streams once it is set.
    """
    app = DeviceApi(
        title="Iotistic Edge Device API",
        version=version,
        docs_url=None,  # these pages load their scripts from elsewhere, which a device may not reach
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.closing = closing = asyncio.Event()
    add_error_handlers(app)
    routers: list[APIRouter] = [
        system_router(control, version=version, install=install),
        apps_router(control),
        original_router(control, releases),
        services_router(control),
        logs_router(control, closing, inside),
        events_router(control, bus, closing, keep_alive_seconds),
        documents_router(control),
        pages_router(dashboard=dashboard),
    ]
    if releases is not None:
        routers.append(releases_router(control, releases))
    if inside is not None:
        routers += [inside_router(control, inside), images_router(inside)]
    if device is not None:
        routers += [
            device_router(control, device, connection),
            agent_logs_router(device, closing, keep_alive_seconds),
        ]
    for one in routers:
        # include_router would make a second one of each route.
        app.router.routes += one.routes
    return app
