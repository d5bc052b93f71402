"""Errors as application/problem+json; `error` and `message` are for the original's readers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response

from iotistic.api import errors
from iotistic.api.errors import Problem

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[errors.EdgeError], int] = {
    errors.EdgeError: 500,
    errors.InvalidResourceError: 422,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.LockedError: 423,
    errors.StoreError: 500,
    errors.EngineError: 502,
    errors.EngineUnreachableError: 503,
    errors.NoSpaceError: 507,
}
"""Kinds that are not named here have the code of the kind above them."""

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "TooSlow",
    413: "TooLarge",
    429: "TooManyAttempts",
    504: "Timeout",
}
WORDS = {400: "Bad request", 404: "Not found", 500: "Internal server error"}


def problem(
    status: int,
    detail: str,
    *,
    reason: str = "",
    hint: str = "",
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what went wrong and what to do now."""
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "reason": reason or REASONS.get(status, "Failed"),
        "hint": hint,
        "error": WORDS.get(status, title),
        "message": detail,
    }
    if problems:
        body["problems"] = [asdict(one) for one in problems]
    # Half a surrogate pair in what a caller sent becomes the escape that it came as.
    text = json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(text, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(error: errors.EdgeError) -> Response:
    """The answer to an error of ours."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    problems = error.problems if isinstance(error, errors.InvalidResourceError) else ()
    return problem(status, error.message, reason=error.reason, hint=error.hint, problems=problems)


def add_error_handlers(app: FastAPI) -> None:
    """Give every kind of error the same shape."""
    app.add_exception_handler(errors.EdgeError, _edge_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)


async def _edge_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.EdgeError)
    return problem_of(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return problem(404, f"there is no route {where}", hint="GET /openapi.json lists all routes")
    if error.status_code == 405:
        allowed = Headers(error.headers).get("allow", "other methods")
        detail = f"{where}: this path takes {allowed}"
        return problem(405, detail, headers=error.headers)
    return problem(error.status_code, error.detail, headers=error.headers)


async def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = list(error.errors())
    if found and found[0]["type"] == "json_invalid":
        return _bad_json(str(error.body), int(found[0]["loc"][-1]), str(found[0]["ctx"]["error"]))
    problems = [_as_problem(one) for one in found]
    detail = "; ".join(f"{one.path}: {one.message}" if one.path else one.message for one in problems)
    has_body = any(one["loc"][0] == "body" for one in found)
    is_json = "json" in request.headers.get("content-type", "")
    hint = "send the body with Content-Type: application/json" if has_body and not is_json else ""
    return problem(400, detail, hint=hint, problems=problems)


def _bad_json(text: str, position: int, what: str) -> Response:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return problem(400, f"the body is not JSON: {what} at line {line}, column {column}")


def _as_problem(error: Mapping[str, Any]) -> Problem:
    where, *path = error["loc"]
    resource = {"body": "request body", "query": "query"}.get(where, str(where))
    return Problem(resource=resource, path=_path(path), message=str(error["msg"]))


def _path(parts: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
