"""What all routes share: misspelt parameters are refused, defects become a plain 500."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from difflib import get_close_matches
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from iotistic.api.errors import EdgeError
from iotistic.device_api.problems import problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
KEY_PARAMETER = "apiKey"
log = structlog.get_logger()


class Route(APIRoute):
    """A route that knows its query parameters: `?dry_run=true` must not become a real apply."""

    def get_route_handler(self) -> Handler:
        """The handler inside the checks."""
        handle = super().get_route_handler()
        known = {parameter.alias for parameter in self.dependant.query_params}
        path = self.path

        async def checked(request: Request) -> Response:
            unknown = sorted(set(request.query_params) - known - {KEY_PARAMETER})
            if unknown:
                return _unknown_parameter(unknown[0], known)
            try:
                return await handle(request)
            except (EdgeError, RequestValidationError, HTTPException):
                raise
            except Exception:
                log.exception("api_request_failed", method=request.method, path=path)
                return problem(
                    500, "the agent failed at this request", hint="its log says where; please report it"
                )

        return checked


def router(tag: str) -> APIRouter:
    """An empty router of such routes."""
    return APIRouter(route_class=Route, tags=[tag])


def _unknown_parameter(name: str, known: set[str]) -> Response:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    taken = f"this route takes {', '.join(sorted(known))}" if known else "this route takes none"
    hint = f"did you mean {close[0]}?" if close else taken
    return problem(400, f"unknown query parameter {name!r}", hint=hint)
