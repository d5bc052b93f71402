"""What happens on the device: kept events as a list, new ones as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Response
from starlette.responses import JSONResponse

from iotistic.api.errors import EdgeError, NotFoundError
from iotistic.bus import Bus, Event
from iotistic.controllers.base import AppsControl
from iotistic.device_api import models
from iotistic.device_api.route import router
from iotistic.device_api.streams import Stream

NUMBER = re.compile(r"[0-9]{1,18}")
Follow = Annotated[bool, Query(description="Stay and send events as they happen")]
After = Annotated[int | None, Query(ge=0, description="Only events with a greater seq; 0: all that are kept")]
OfApp = Annotated[str | None, Query(alias="app", description="Only of this App (name or number)")]
LastId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="`after` of a reader that reconnects")
]
ANSWER: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The list; with follow one event each, `id:` its seq, `data:` its JSON",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def events_router(
    control: AppsControl, bus: Bus, closing: asyncio.Event, keep_alive_seconds: float
) -> APIRouter:
    """The route /v1/events."""
    routes = router("events")

    def name_of(app: str | None) -> str:
        """Name for a name or number; of an App that is gone its events may still be there."""
        if not app or not NUMBER.fullmatch(app):
            return app or ""
        with contextlib.suppress(NotFoundError):
            return control.app(app).name
        return app

    @routes.get("/v1/events", response_model=models.Events, responses=ANSWER)
    async def events(
        follow: Follow = False, after: After = None, app: OfApp = None, last_id: LastId = None
    ) -> Response:
        """Without `follow` the kept events; with it new ones, and with `after` the kept ones first."""
        start = int(last_id) if last_id and NUMBER.fullmatch(last_id) else after
        if start is not None and start > bus.last_seq:
            start = 0  # the reader knows events of an earlier start of the agent
        name = name_of(app)
        if not follow:
            kept = [event.wire() for event in bus.recent(after=start or 0) if _wanted(event, name)]
            return JSONResponse({"items": kept})
        answer = Stream(
            _as_sse(bus.subscribe(after=start), name),
            closing=closing,
            media_type="text/event-stream",
            error=_failed,
            silence=b": nothing new\n\n",
            silence_seconds=keep_alive_seconds,
        )
        return await answer.begin(0)

    return routes


def _wanted(event: Event, app: str) -> bool:
    return not app or event.app == app or event.reason == "Lost"


async def _as_sse(source: AsyncIterator[Event], app: str) -> AsyncGenerator[bytes]:
    async with contextlib.aclosing(cast("AsyncGenerator[Event]", source)) as events:
        async for event in events:
            if _wanted(event, app):
                yield f"id: {event.seq}\ndata: {json.dumps(event.wire())}\n\n".encode()


def _failed(error: EdgeError) -> bytes:
    return f": {error.reason}\n\n".encode()
