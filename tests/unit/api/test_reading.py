"""YAML and JSON are read as kubectl reads them; what is no document is told with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iotistic.api.documents import load_documents
from iotistic.api.reading import parse
from tests.unit.api.writing import HEAD, app_text, said

SERVICES = "services: [{name: web, image: 'web:1'}]"


def data(text: str) -> Any:
    """The one document of a text without faults."""
    (parsed,) = parse(text)
    assert parsed.faults == ()
    return parsed.data


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("0644", 420),
        ("0x1F", 31),
        ("0b101", 5),
        ("-1_000", -1000),
        ("+7", 7),
        ("08", "08"),
        ("22:22", "22:22"),
        ("1e5", 1e5),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'8080'", "8080"),
        ("!!str 8080", "8080"),
        ("!!int '7'", 7),
        ("=", "="),
    ],
)
def test_what_a_word_means(written: str, read: object) -> None:
    value = data(f"a: {written}")["a"]
    assert (value, type(value)) == (read, type(read))


def test_keys_are_text() -> None:
    assert data("8080: a\nyes: b\nnull: c\n") == {"8080": "a", "yes": "b", "null": "c"}


def test_merge_keys_give_way_to_what_is_written() -> None:
    text = "base: &base {a: 1, b: 1}\nother: &other {b: 2, c: 2}\nall:\n  <<: [*base, *other]\n  a: 3\n"
    assert data(text)["all"] == {"a": 3, "b": 1, "c": 2}


@pytest.mark.parametrize("indent", ["\t", "  ", None])
def test_json_reads_as_it_is(indent: str | None) -> None:
    value = {"a": ["\U0001f600", "tab\there", "/", 1e5, -2, None, True], "b": {"c": {}}}
    assert data(json.dumps(value, indent=indent)) == value
    assert data("\ufeff" + json.dumps(value, indent=indent, ensure_ascii=False)) == value


def test_lines_of_everything() -> None:
    text = "# first\na:\n- b: 1\n\n  c: {d: 1,\n    e: 2}\n- 3\n---\nf: 1\n"
    first, second = parse(text)
    assert first.lines == {
        "": 2, "a": 2, "a[0]": 3, "a[0].b": 3, "a[0].c": 5, "a[0].c.d": 5, "a[0].c.e": 6, "a[1]": 7,
    }  # fmt: skip
    assert second.lines == {"": 9, "f": 9}


def test_a_document_knows_the_lines_of_its_paths() -> None:
    text = f"---\n# nothing yet\n---\n{app_text(SERVICES)}---\n{app_text(SERVICES, 'till')}"
    shop, till = load_documents(text, "apps.yaml")
    assert (shop.resource, till.resource, shop.source) == ("App shop", "App till", "apps.yaml")
    assert (shop.line(""), till.line("")) == (4, 10)
    assert till.line("metadata.name") == 12
    assert till.line("spec.services[0].image") == 14
    assert till.line("spec.services[0].nothing.there") == 14
    assert till.line("nowhere") == 10


def test_a_list_is_its_items() -> None:
    shop = app_text(SERVICES).replace("\n", "\n  ").rstrip()
    text = f"apiVersion: v1\nkind: List\nitems:\n- {shop}\n- {shop.replace('shop', 'till')}\n"
    first, second = load_documents(text, "list.yaml")
    assert [first.resource, second.resource] == ["App shop", "App till"]
    assert second.line("spec.services[0].image") == text[: text.rindex("image:")].count("\n") + 1
    broken = text.replace("image", "imgae")
    assert said(broken, "list.yaml") == [
        "list.yaml:8  App shop  spec.services[0].imgae: unknown field; did you mean image?",
        "list.yaml:13  App till  spec.services[0].imgae: unknown field; did you mean image?",
    ]


@pytest.mark.parametrize("text", ["", "\n", "# only words\n", "---\n---\n"])
def test_nothing_is_no_document(text: str) -> None:
    assert load_documents(text, "empty.yaml") == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a:\n\t- 1\n", ["f:2  document 1: not YAML: a tab can't indent; use spaces"]),
        ("a: 'b\nc: 1\n", ["f:3  document 1: not YAML: the text ends too early: a quote is not closed"]),
        ("a: b: c\n", ["f:1  document 1: not YAML: a ':' can't stand here: indent it, or use quotes"]),
        ("a:\n  b: 1\n c: 2\n", ["f:3  document 1: not YAML: indented otherwise than the lines above"]),
        ("a: [1\n", ["f:2  document 1: not YAML: expected ',' or ']', but got '<stream end>'"]),
        ("a: \0\n", ["f:1  document 1: the character U+0000 can't stand in YAML"]),
        ('a: "\\U99999999"\n', ["f:1  document 1: an escape (\\x, \\u, \\U) stands for no character"]),
        ("[" * 3000, ["f:1  document 1: nested more than 60 levels deep"]),
        ("- 1\n", ["f:1  document 1: is a list, not a mapping with apiVersion, kind and metadata"]),
        ("hunter2\n", ["f:1  document 1: is text, not a mapping with apiVersion, kind and metadata"]),
    ],
)
def test_what_can_not_be_read(text: str, problems: list[str]) -> None:
    assert said(text, "f") == problems


def test_documents_before_a_broken_one_are_checked_too() -> None:
    text = app_text(SERVICES.replace("image", "imgae")) + "---\na: [\n"
    assert said(text, "f") == [
        "f:5  App shop  spec.services[0].imgae: unknown field; did you mean image?",
        "f:8  document 2: not YAML: expected the node content, but found '<stream end>'",
    ]


def test_a_key_that_comes_again() -> None:
    assert said(f"{HEAD}spec:\n  {SERVICES}\n  suspend: true\n  suspend: false\n") == [
        "app.yaml:7  App shop  spec.suspend: is there twice, first in line 6; keep one of them"
    ]


def test_aliases_of_aliases_end() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert said("\n".join(levels), "f") == [
        "f:1  document 1: more than 100000 values; aliases (*name) count as what they stand for"
    ]
    assert "nested more than 60 levels deep" in said("a: &a [*a]", "f")[0]


@pytest.mark.parametrize(
    "text",
    [
        "password: *hunter2\n",
        "password: !hunter2 x\n",
        "password: !hunter2!x y\n",
        "%TAG hunter2\n---\na: 1\n",
        "password: &hunter2\n",
        "password: hunter2: hunter2\n",
        "password: 'hunter2\n",
        "password: hunter2\n  x: 1\n",
        "password: |hunter2\n",
    ],
)
def test_what_can_not_be_read_is_not_shown(text: str) -> None:
    """It may be a Secret."""
    assert "hunter" not in "\n".join(said(f"kind: Secret\napiVersion: v1\n{text}"))


def test_the_same_document_twice() -> None:
    text = app_text(SERVICES) + "---\n" + app_text(SERVICES)
    assert said(text) == [
        "app.yaml:9  App shop  metadata.name: is there twice, first in line 1; keep one of them"
    ]


KNOWN = "known: App (iotistic.io/v1alpha1), Secret (v1), ConfigMap (v1)"
WRITE = "write  apiVersion: iotistic.io/v1alpha1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\n", f"document 1  kind: is missing; {KNOWN}"),
        ("kind: Ap\nmetadata: {name: x}\n", "Ap x  kind: 'Ap' is not known here; did you mean App?"),
        ("kind: Pod\nmetadata: {name: x}\n", f"Pod x  kind: 'Pod' is not known here; {KNOWN}"),
        ("kind: [App]\n", f"document 1  kind: a list is not known here; {KNOWN}"),
        ("kind: App\nmetadata: {name: x}\n", f"App x  apiVersion: is missing; {WRITE}"),
        ("kind: App\napiVersion: v1\n", f"App without a name  apiVersion: 'v1' is not known here; {WRITE}"),
        (
            "kind: AppService\nmetadata: {name: shop-web}\n",
            "AppService shop-web  kind: 'AppService' is not known here; it is made from its App; "
            "iotctl services start, stop and pause change it",
        ),
    ],
)
def test_what_kind_it_is(text: str, problem: str) -> None:
    assert [line.partition("  ")[2] for line in said(text, "f")] == [problem]
