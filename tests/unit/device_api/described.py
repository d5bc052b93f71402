"""Holds answers against the API's own description of them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from iotistic.bus import Bus
from tests.unit.device_api.conftest import make_app
from tests.unit.device_api.memory import Memory


@cache
def openapi() -> dict[str, Any]:
    """The description of the whole API."""
    return make_app(Memory(), Bus()).openapi()


def check(answer: httpx.Response, status: int = 200) -> Any:
    """The body of an answer of the described code, type and shape."""
    assert answer.status_code == status, answer.text
    document = openapi()
    path = answer.request.url.path
    operation = _operation(document, answer.request.method.lower(), path)
    described = _resolved(document, operation["responses"][str(status)])
    schema = described["content"][answer.headers["content-type"].split(";")[0]]["schema"]
    jsonschema_rs.validate({**schema, "components": document["components"]}, answer.json())
    return answer.json()


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found = [
        operations[method]
        for template, operations in document["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in operations
    ]
    assert found, path
    return min(found, key=lambda one: "{" in str(one.get("parameters", "")))


def _resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    name: str = answer["$ref"].rsplit("/", 1)[1]
    return document["components"]["responses"][name]
