"""Logs of services as lines of JSON, on and on with `follow`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from iotistic.api.errors import EdgeError, NotFoundError
from iotistic.controllers.base import AppsControl, InsideControl
from iotistic.controllers.clock import now_text
from iotistic.device_api.route import also, router
from iotistic.device_api.routes.services import OfApp, service_anywhere, service_in_app
from iotistic.device_api.streams import Stream
from iotistic.engines.base import LogLine

MEDIA_TYPE = "application/x-ndjson"
FIRST_LINE_SECONDS = 1.0
"""How long an error of the engine can still become a proper answer."""

MOST_LINES = 1_000_000
Follow = Annotated[bool, Query(description="Stay and send lines as they are written")]
Tail = Annotated[int | None, Query(ge=0, le=MOST_LINES, description="Only the last lines; all when absent")]
Previous = Annotated[bool, Query(description="The last lines of the container before this one")]
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One such object a line",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Line"}}},
    },
    **also(404, 409, 502, 503),
}


def logs_router(
    control: AppsControl, closing: asyncio.Event, inside: InsideControl | None = None
) -> APIRouter:
    """Routes of Apps and services that end in /logs."""
    routes = router("logs")

    async def stream(
        app: str, service: str | None, follow: bool, tail: int | None, previous: bool = False
    ) -> Response:
        if previous and follow:
            raise HTTPException(400, "previous and follow don't go together: that container is gone")
        lines: AsyncIterator[tuple[str, LogLine]] = (
            _earlier(inside, app, service or "", tail)
            if previous
            else control.logs(app, service, follow=follow, tail=tail)
        )
        answer = Stream(
            _as_json(lines),
            closing=closing,
            media_type=MEDIA_TYPE,
            error=lambda error: _failed(service or "", error),
        )
        return await answer.begin(FIRST_LINE_SECONDS)

    @routes.get("/v1/apps/{name}/logs", responses=ANSWER, response_class=Response)
    async def logs_of_app(name: str, follow: Follow = False, tail: Tail = None) -> Response:
        """Lines of all services of an App."""
        return await stream(control.app(name).name, None, follow, tail)

    @routes.get("/v1/apps/{name}/services/{service}/logs", responses=ANSWER, response_class=Response)
    async def logs_of_service_of_app(
        name: str, service: str, follow: Follow = False, tail: Tail = None, previous: Previous = False
    ) -> Response:
        found = service_in_app(control, name, service).spec
        return await stream(found.app, found.service, follow, tail, previous)

    @routes.get("/v1/services/{address}/logs", responses=ANSWER, response_class=Response)
    async def logs_of_service(
        address: str,
        app: OfApp = None,
        follow: Follow = False,
        tail: Tail = None,
        previous: Previous = False,
    ) -> Response:
        found = service_anywhere(control, address, app).spec
        return await stream(found.app, found.service, follow, tail, previous)

    return routes


async def _earlier(
    inside: InsideControl | None, app: str, service: str, tail: int | None
) -> AsyncGenerator[tuple[str, LogLine]]:
    if inside is None:
        raise NotFoundError(f"no lines of an earlier container of {app}/{service} are kept")
    lines = inside.previous_logs(app, service)
    for line in lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]:
        yield service, line


async def _as_json(lines: AsyncIterator[tuple[str, LogLine]]) -> AsyncGenerator[bytes]:
    try:
        async for service, line in lines:
            yield _line(service, line.time, line.stream, line.text)
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


def _failed(service: str, error: EdgeError) -> bytes:
    text = f"{error.message} ({error.hint})" if error.hint else error.message
    return _line(service, now_text(), "error", text)


def _line(service: str, time: str, stream: str, text: str) -> bytes:
    line = {"service": service, "time": time, "stream": stream, "text": text}
    return json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n"
