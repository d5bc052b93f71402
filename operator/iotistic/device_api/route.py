"""What all routes share: misspelt parameters are refused, defects become a plain 500."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from difflib import get_close_matches
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from iotistic.api.errors import EdgeError
from iotistic.device_api.problems import problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
KEY_PARAMETER = "apiKey"
log = structlog.get_logger()


class Route(APIRoute):
    """A route that knows its query parameters: `?dry_run=true` must not become a real apply.

    Args:
        response_model: what a success answers, for the description. FastAPI does not see it: it would build
            a validator that nobody uses, as all routes answer with a Response.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, response_model: Any = None, **options: Any
    ) -> None:
        self.answers_with = None if isinstance(response_model, DefaultPlaceholder) else response_model
        super().__init__(path, endpoint, response_model=None, **options)

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
                return await handle(_StrictRequest(request.scope, request.receive))
            except (EdgeError, RequestValidationError, HTTPException):
                raise
            except ClientDisconnect:
                return problem(400, "the request broke off")  # for nobody: the caller is gone
            except Exception:
                log.exception("api_request_failed", method=request.method, path=path)
                return problem(
                    500, "the agent failed at this request", hint="its log says where; please report it"
                )

        return checked


class _StrictRequest(Request):
    """Takes only JSON that can be written as JSON again: no NaN, no 1e999, no half of a surrogate pair."""

    async def json(self) -> Any:
        """The body. Raises HTTPException 400 for what only Python's reader takes."""
        value = await super().json()
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise HTTPException(
                400,
                "the body holds what no JSON may: a number without a value, text that is no Unicode, "
                "or hundreds of levels",
            ) from None
        return value


def router(tag: str) -> APIRouter:
    """An empty router of such routes."""
    return APIRouter(route_class=Route, tags=[tag])


def also(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers these too, as problems; `openapi` fills them in."""
    return {status: {} for status in statuses}


def _unknown_parameter(name: str, known: set[str]) -> Response:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    taken = f"this route takes {', '.join(sorted(known))}" if known else "this route takes none"
    hint = f"did you mean {close[0]}?" if close else taken
    return problem(400, f"unknown query parameter {name!r}", hint=hint)
