"""The API's description of itself: each answer that a route can give, with its code; made when asked for.

FastAPI says what is asked and what a success looks like; here comes what every route shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter

from iotistic.device_api import device_models, models
from iotistic.device_api.problems import MEDIA_TYPE
from iotistic.device_api.route import KEY_PARAMETER, Route
from iotistic.device_api.security import HEALTH_PATHS

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
BESIDE: tuple[type[BaseModel], ...] = (
    models.ProblemBody,
    models.EventBody,
    models.Line,
    device_models.AgentLine,
)
"""Models that no route names: of problems, and of single lines of streams."""

ALWAYS = (400, 403, 500)
WITH_KEY = (401, 429, 503)
WITH_BODY = (408, 413)
WITH_NAME = (404, 405)
"""A name with a slash leads to another path, and that may take other methods."""
ANSWERS = {
    400: ("BadRequest", "The request makes no sense: its JSON, a field or a parameter"),
    401: ("Unauthorized", "The key is missing or wrong"),
    403: ("Forbidden", "Not from this address, to this host name, or from this web page"),
    404: ("NotFound", "There is no such thing on this device; `hint` names those that there are"),
    405: ("MethodNotAllowed", "This path takes other methods"),
    408: ("TooSlow", "The body did not arrive in time"),
    409: ("Conflict", "Not possible in the present state, or the name could mean several"),
    413: ("TooLarge", "The body is larger than 10 MB"),
    422: ("Invalid", "What was sent is refused; `problems` has all of it, and nothing was changed"),
    423: ("Locked", "Somebody holds the App"),
    429: ("TooManyAttempts", "Too many wrong keys from this address"),
    500: ("Failed", "The agent failed, or its database"),
    502: ("EngineFailed", "The engine, or a registry, refused or failed"),
    503: ("Unavailable", "The engine does not answer, or too much is under way"),
    504: ("Timeout", "It did not end in time"),
    507: ("NoSpace", "The engine's disk is full"),
}
"""Per code: name of the answer, and what it means."""
HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}
KEYS: Json = {
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": KEY_PARAMETER,
        "description": "For clients that can't send headers; it lands in the logs of proxies",
    },
}
DESCRIPTION = (
    "What iotctl, the dashboard and local programs speak with the agent of one device. Over TCP every call "
    "but /ping and /v1/healthy needs the key of the device; the Unix socket agent.sock in its data "
    "directory needs none. Errors are application/problem+json (RFC 9457) and say what to do now."
)
TAGS = {
    "system": "Is the agent there and well; needs no key",
    "device": "The device itself, and its settings",
    "apps": "What should run, and what runs",
    "services": "Single services of Apps",
    "releases": "Earlier releases, what holds an App back, and what helps",
    "logs": "What containers wrote",
    "inside": "Inside containers",
    "images": "Images of ours on the engine",
    "events": "What happens",
    "documents": "Secrets and ConfigMaps that Apps refer to",
}


class DeviceApi(FastAPI):
    """FastAPI with a whole description."""

    def openapi(self) -> Json:
        """The document, made at the first call."""
        if self.openapi_schema is None:
            routes = [route for route in self.routes if isinstance(route, Route)]
            self.openapi_schema = _whole(super().openapi(), routes)
        return self.openapi_schema


def _whole(document: Json, routes: Sequence[Route]) -> Json:
    document["info"]["description"] = DESCRIPTION
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["security"] = [{name: []} for name in KEYS]
    components = document["components"]
    components["securitySchemes"] = KEYS
    components["responses"] = {name: _problem(status) for status, (name, _) in ANSWERS.items()}
    components["schemas"] |= _successes(document["paths"], routes)
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    return document


def _successes(paths: Json, routes: Sequence[Route]) -> Json:
    """Puts what successes answer into the paths; returns the schemas that they name."""
    named = [route for route in routes if route.answers_with is not None]
    adapters: list[TypeAdapter[Any]] = [TypeAdapter(route.answers_with or Any) for route in named]
    adapters += [TypeAdapter(model) for model in BESIDE]
    schemas, shared = TypeAdapter.json_schemas(
        [(number, "validation", adapter) for number, adapter in enumerate(adapters)], ref_template=REF
    )
    for number, route in enumerate(named):
        for method in route.methods or ():
            answer = paths[route.path][method.lower()]["responses"][str(route.status_code or 200)]
            answer["content"]["application/json"]["schema"] = schemas[number, "validation"]
    found: Json = shared["$defs"]
    return found


def _complete(path: str, operation: Json) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422", "")):
        del answers["422"]
    shared = [*ALWAYS]
    if path in HEALTH_PATHS:
        operation["security"] = []
    else:
        shared += WITH_KEY
    if "requestBody" in operation:
        shared += WITH_BODY
    if "{" in path:
        shared += WITH_NAME
    for status in shared:
        answers.setdefault(str(status), {})
    for status, answer in answers.items():
        if status.startswith("2") or (status == "500" and "content" in answer):
            continue
        named = {"$ref": f"#/components/responses/{ANSWERS[int(status)][0]}"}
        if "content" in answer:
            content = answer["content"] | {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemBody")}}}
            answers[status] = answer | {"content": content}
        else:
            answers[status] = named
    operation["responses"] = dict(sorted(answers.items()))


def _problem(status: int) -> Json:
    answer: Json = {
        "description": ANSWERS[status][1],
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemBody")}}},
    }
    if status in HEADERS:
        answer["headers"] = {HEADERS[status]: {"schema": {"type": "string"}}}
    return answer
