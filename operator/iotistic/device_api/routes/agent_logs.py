"""The agent's own log: its last lines, and with `follow` new ones as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from iotistic.api.errors import EdgeError
from iotistic.controllers.base import DeviceControl
from iotistic.device_api.route import router
from iotistic.device_api.routes.logs import MOST_LINES, Follow
from iotistic.device_api.streams import Stream

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
LOOK_SECONDS = 0.5
"""Between two looks at the log, while somebody follows it."""

Last = Annotated[int | None, Query(ge=0, le=MOST_LINES, description="Only the last lines; all when absent")]
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One such object a line; with Accept: text/event-stream, in the `data:` of events",
        "content": {
            NDJSON: {"schema": {"$ref": "#/components/schemas/AgentLine"}},
            SSE: {"schema": {"type": "string"}},
        },
    }
}


def agent_logs_router(device: DeviceControl, closing: asyncio.Event, keep_alive_seconds: float) -> APIRouter:
    """The route /v1/logs."""
    routes = router("device")

    @routes.get("/v1/logs", responses=ANSWER, response_class=Response)
    async def agent_logs(
        request: Request, n: Last = None, tail: Last = None, follow: Follow = False
    ) -> Response:
        """The agent's own lines; `n` and `tail` mean the same."""
        as_events = SSE in request.headers.get("accept", "")
        answer = Stream(
            _lines(device, tail if n is None else n, follow=follow, as_events=as_events),
            closing=closing,
            media_type=SSE if as_events else NDJSON,
            error=lambda error: _failed(error, as_events=as_events),
            silence=b": nothing new\n\n" if as_events else b"",
            silence_seconds=keep_alive_seconds,
        )
        return await answer.begin(0)

    return routes


def new_lines(before: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """What was added between two looks at a log that drops its oldest lines."""
    for dropped in range(len(before)):
        kept = len(before) - dropped
        if kept <= len(now) and before[dropped] == now[0] and before[dropped:] == now[:kept]:
            return now[kept:]
    return now


async def _lines(
    device: DeviceControl, tail: int | None, *, follow: bool, as_events: bool
) -> AsyncGenerator[bytes]:
    seen = device.agent_logs(tail=None)
    fresh: Sequence[str] = seen[len(seen) - min(tail, len(seen)) :] if tail is not None else seen
    while True:
        for line in fresh:
            yield _line(line, as_events=as_events)
        if not follow:
            return
        await asyncio.sleep(LOOK_SECONDS)
        now = device.agent_logs(tail=None)
        fresh, seen = new_lines(seen, now), now


def _failed(error: EdgeError, *, as_events: bool) -> bytes:
    return _line(f"{error.reason}: {error.message}", as_events=as_events)


def _line(text: str, *, as_events: bool) -> bytes:
    data = json.dumps({"text": text}, ensure_ascii=False).encode(errors="replace")
    return b"data: " + data + b"\n\n" if as_events else data + b"\n"
