"""The description of the API is whole: each answer with its code, each field with its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.device_api.described import openapi
from tests.unit.device_api.test_errors import CODES

DOCUMENT = openapi()
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_route_says_what_it_answers(path: str, method: str, operation: dict[str, Any]) -> None:
    codes = set(operation["responses"])
    open_to_all = path in ("/ping", "/v1/healthy")

    assert "default" not in codes
    assert {"400", "403", "500"} <= codes
    assert ("401" in codes, "429" in codes) == (not open_to_all,) * 2
    assert operation.get("security", DOCUMENT["security"]) == ([] if open_to_all else DOCUMENT["security"])
    assert ({"408", "413"} <= codes) == ("requestBody" in operation)
    assert "{" not in path or "404" in codes
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    success = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
    assert all("schema" in content and content["schema"] for content in success["content"].values())


def test_nothing_is_named_that_is_not_there() -> None:
    for reference in set(references(DOCUMENT)):
        found: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        assert found

    assert "HTTPValidationError" not in str(DOCUMENT)


def test_all_codes_of_errors_have_an_answer() -> None:
    described = {answer["description"] for answer in DOCUMENT["components"]["responses"].values()}

    assert len(described) == len(DOCUMENT["components"]["responses"])
    used = {code for path in DOCUMENT["paths"].values() for one in path.values() for code in one["responses"]}
    assert {str(code) for code in CODES.values()} <= used
    assert all(
        list(answer["content"]) == ["application/problem+json"]
        for answer in DOCUMENT["components"]["responses"].values()
    )


def test_keys_can_be_shown_in_three_ways() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]

    assert {(one["type"], one.get("in", one.get("scheme"))) for one in schemes.values()} == {
        ("apiKey", "header"),
        ("http", "bearer"),
        ("apiKey", "query"),
    }
    assert [list(one) for one in DOCUMENT["security"]] == [[name] for name in schemes]


def test_the_originals_routes_are_there() -> None:
    assert DOCUMENT["paths"].keys() >= {
        "/ping",
        "/v1/healthy",
        "/v1/device",
        "/v1/apps/{name}",
        "/v1/apps/{name}/start",
        "/v1/apps/{name}/stop",
        "/v1/restart",
        "/v1/purge",
        "/v1/reboot",
        "/v1/shutdown",
        "/v1/factory-reset",
        "/v1/readiness",
        "/v1/config",
    }


def test_the_page_names_every_path_and_no_other() -> None:
    text = (Path(__file__).parents[3] / "docs" / "device-api.md").read_text()
    table = text.split("## Routes")[1].split("## Streams")[0]
    named = set(re.findall(r"`(/[\w{}/-]+)`", table))
    in_words = {
        *(f"/v1/services/{{address}}/{word}" for word in ("stop", "pause", "unpause")),
        *(
            f"/v1/apps/{{name}}/services/{{service}}/{word}"
            for word in ("start", "stop", "pause", "unpause", "restart", "logs", "exec")
        ),
    }

    assert named | in_words == DOCUMENT["paths"].keys()
