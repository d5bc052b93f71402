"""Whatever comes in: an answer, never a crash; and what was taken goes out as it came."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iotistic.api.app import App
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.documents import check_documents, check_together, load_documents, warnings_of
from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.api.places import Place
from iotistic.api.quantity import cpu_nanos, duration_seconds, memory_bytes
from iotistic.api.shape import schema_of
from iotistic.api.together import references_of

WORDS = st.sampled_from(
    ["web", "db", "default", "shop", "App", "Secret", "List", "v1", "8080"]
) | st.sampled_from(
    ["TCP", "host", "healthy", "completed", "HandOver", "Never", "64Mi", "10.5.0.0/24", "/data"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 70000)
    | st.floats()
    | WORDS
    | st.text(max_size=8)
    | st.characters(categories=["Cs", "Cc"])
)


def fields(schema: Any) -> list[str]:
    return [name for one in [schema, *schema["$defs"].values()] for name in one.get("properties", {})]


NAMES = sorted({name for model in (App, Secret, ConfigMap) for name in fields(schema_of(model))})
KEYS = st.sampled_from(NAMES) | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def from_schema(root: Any, node: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values near those of a schema: mostly of the right shape."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    if "anyOf" in node:
        return st.one_of([from_schema(root, one, depth) for one in node["anyOf"]])
    if "const" in node or "enum" in node:
        return st.sampled_from(node.get("enum") or [node["const"]])
    match node.get("type"):
        case "object" if "properties" in node:
            return _mapping(root, node, depth)
        case "object":
            values = [*node.get("patternProperties", {}).values(), {"type": "string"}]
            return st.dictionaries(WORDS, from_schema(root, values[0], depth + 1), max_size=2)
        case "array":
            return st.lists(from_schema(root, node.get("items", {}), depth + 1), max_size=2)
        case "integer":
            return st.integers(node.get("minimum", 0), min(node.get("maximum", 100), 10**6))
        case "boolean":
            return st.booleans()
        case "string":
            return WORDS | st.text(max_size=4)
    return st.none() | st.floats(0, 10)


def _mapping(root: Any, node: Any, depth: int) -> st.SearchStrategy[Any]:
    if depth > 7:
        return st.just({})
    inner = {key: from_schema(root, value, depth + 1) for key, value in node["properties"].items()}
    needed = {key: value for key, value in inner.items() if key in node.get("required", ())}
    optional = {key: value for key, value in inner.items() if key not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


def document(model: type[App | Secret | ConfigMap]) -> st.SearchStrategy[Any]:
    schema: Any = schema_of(model)
    written = {key: value for key, value in schema["properties"].items() if key != "status"}
    near = from_schema(schema, {**schema, "properties": written})
    version = "iotistic.io/v1alpha1" if model is App else "v1"
    return near.map(lambda data: {**data, "apiVersion": version, "kind": model.__name__})


DOCUMENTS = document(App) | document(Secret) | document(ConfigMap)


def problems_of(act: Callable[[], object]) -> list[Problem]:
    """What is told; anything else that is raised fails the test."""
    try:
        act()
    except InvalidResourceError as error:
        return error.problems
    return []


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(alphabet=":-[]{}&*!|>'\"%@`,?# \n\tab1.~<=\\ux\0"))
@example("a: !!int 0x")
@example("a: !!float 1_")
@example("a: !!bool maybe")
@example("? [a]\n: b")
@example("? {a: b}\n: b")
@example("<<: 1")
@example("<<: [1, {a: 1}]")
@example("&a a: *a")
@example("a: !<tag:yaml.org,2002:merge> x")
@example("%YAML 3.0\n---\na: 1")
@example("a: 9" + "9" * 5000)
@example('{"a": ' + "9" * 5000 + "}")
@example('{"kind": "App", "kind": "App"}')
@example("a: 2026-13-45")
@example("\ufeff\ufeff")
@example("- - - - " * 40)
@example('"' + "k" * 2000 + '": 1')
@example("a: .inf\nkind: Secret\napiVersion: v1")
def test_any_text_is_answered(text: str) -> None:
    for problem in problems_of(lambda: load_documents(text, "f")):
        assert problem.source == "f"
        assert problem.line >= 1
        assert problem.message


@settings(max_examples=200, deadline=None)
@given(VALUES | DOCUMENTS, st.booleans())
def test_any_document_is_answered(data: Any, as_json: bool) -> None:
    try:
        text = json.dumps(data) if as_json else yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    except (UnicodeError, yaml.YAMLError):
        return
    for problem in problems_of(lambda: load_documents(text, "f")):
        assert problem.line >= 1
        assert problem.text().isprintable()


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES | DOCUMENTS, max_size=3))
def test_any_body_is_answered(data: list[Any]) -> None:
    if problems_of(lambda: check_documents(data)):
        return
    apps, _ = check_documents(data)
    assert all(warning for app in apps for warning in warnings_of(app))
    missing = [one for app in apps for one, _ in references_of(Place(app.wire(), "")["spec"])]
    assert len(problems_of(lambda: check_together(apps, [], ()))) >= len(missing)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_what_was_taken_goes_out_as_it_came(data: Any) -> None:
    try:
        apps, core = check_documents([data])
    except InvalidResourceError:
        return
    (resource,) = [*apps, *core]
    wire = resource.wire()
    again = type(resource).model_validate(wire)
    assert again == resource
    assert again.wire() == wire
    apps, core = check_documents([{"apiVersion": resource.api_version, "kind": resource.kind, **wire}])
    assert [*apps, *core] == [resource]


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(r"[0-9.eE+\-kMGTPimu_ ]{0,12}|\d{1,30}([.]\d{0,30})?(e\d{1,9}|[A-Z]i?)?", fullmatch=True)
)
@example("1e999999")
@example("9" * 5000)
@example("64Mi\n")
@example("٣Mi")
def test_amounts_are_judged_at_once(text: str) -> None:
    for parse, most in ((memory_bytes, 2**63), (cpu_nanos, 10**13), (duration_seconds, 4 * 10**8)):
        try:
            value = parse(text)
        except ValueError:
            continue
        assert 0 <= value <= most
        assert "\n" not in text
