"""YAML and JSON text as plain data, with the line of everything in it.

Data is what JSON can say, read as kubectl reads it: keys are text, dates are text, and `yes` is true.
What this can't be is told as faults; nothing but data and faults comes out, whatever goes in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from iotistic.api.positions import MOST_DEEP, Fault, Parsed, member

MOST_VALUES = 100_000
"""Values of one text, aliases spelled out: a few lines of aliases of aliases make billions."""

_TAG = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_PLAIN_WORDS = {
    "mapping values are not allowed here": "a ':' can't stand here: indent it, or use quotes",
    "could not find expected ':'": "a ':' is missing after a key",
    "expected <block end>, but found '<block mapping start>'": "indented otherwise than the lines above",
    "expected <block end>, but found '<block sequence start>'": "indented otherwise than the lines above",
    "expected <block end>, but found '-'": "indented otherwise than the lines above",
    "found unexpected end of stream": "the text ends too early: a quote is not closed",
}


def parse(text: str) -> Iterator[Parsed]:
    """All documents of a text. One that can't be read is the last, with data None and a fault."""
    text = text.removeprefix("\ufeff")
    if "\t" in text and _is_json(text):
        text = text.replace("\t", " ")  # only between values: inside, JSON writes \t
    budget = [MOST_VALUES]
    try:
        loader = _Loader(text)
        while loader.check_node():
            walk = _Walk(budget=budget)
            node = loader.get_node()
            assert node is not None
            data = walk.value(node, "", 0)
            walk.lines[""] = _line(node)
            yield Parsed(data=data, lines=walk.lines, faults=tuple(walk.faults))
    except yaml.MarkedYAMLError as error:
        yield _unreadable(_words(error), _error_line(error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        yield _unreadable(f"the character U+{int(error.character):04X} can't stand in YAML", line)
    except RecursionError:
        yield _unreadable(f"nested more than {MOST_DEEP} levels deep", 1)
    except _TooLargeError as error:
        yield _unreadable(str(error), 1)
    except (ValueError, OverflowError):
        yield _unreadable("an escape (\\x, \\u, \\U) stands for no character", 1)


class _TooLargeError(Exception):
    pass


class _Loader(yaml.SafeLoader):
    """The words that mean something other than text; without dates and numbers to the base of 60."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _pattern, _first in (
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("int", r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        _TAG + _name, re.compile(rf"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes through the nodes of one document."""

    budget: list[int]
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.budget[0] -= 1
        if self.budget[0] < 0:
            raise _TooLargeError(
                f"more than {MOST_VALUES} values; aliases (*name) count as what they stand for"
            )
        if depth > MOST_DEEP:
            self._fault(node, path, f"nested more than {MOST_DEEP} levels deep")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, member(path, index), depth) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _item(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.lines[path] = _line(node)
        return self.value(node, path, depth + 1)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                data |= self._merged(value, path, depth)
        written: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, path, "a key must be text, not a list or mapping")
                continue
            where = member(path, key.value)
            if key.value in written:
                message = f"is there twice, first in line {written[key.value]}"
                self._fault(key, where, message, "keep one of them")
                continue
            written[key.value] = _line(key)
            data[key.value] = self.value(value, where, depth + 1)
            self.lines[where] = _line(key)
        return data

    def _merged(self, node: yaml.Node, path: str, depth: int) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for source in reversed(sources):
            if not isinstance(source, yaml.MappingNode):
                self._fault(source, path, "<< takes mappings only")
                continue
            merged |= self.value(source, path, depth + 1) or {}
        return merged

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool" if text.lower() in {"yes", "true", "on", "no", "false", "off"}:
                return text.lower() in {"yes", "true", "on"}
            case "int" if (number := _whole_number(text)) is not None:
                return number
            case "float" if (real := _real_number(text)) is not None:
                return real
            case "str":
                return _joined_surrogates(text)
            case "bool" | "int" | "float":
                self._fault(node, path, "not a value of the type that its tag says, or far too large")
            case _:
                self._fault(
                    node, path, "has a tag that means nothing here", "text that begins with ! needs quotes"
                )
        return None

    def _fault(self, node: yaml.Node, path: str, message: str, hint: str = "") -> None:
        self.faults.append(Fault(path=path, line=_line(node), message=message, hint=hint))


def _whole_number(text: str) -> int | None:
    digits = text.replace("_", "").lower()
    sign, digits = (-1, digits[1:]) if digits[:1] == "-" else (1, digits.removeprefix("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1:].isdigit():
        digits = f"0o{digits[1:]}"
    try:
        return sign * int(digits, 0) if len(digits) < 80 else None
    except ValueError:
        return None


def _real_number(text: str) -> float | None:
    words = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
    try:
        return float(words)
    except ValueError:
        return None


def _joined_surrogates(text: str) -> str:
    r"""JSON writes a character beyond U+FFFF as two escapes, "\ud83d\ude00", which YAML keeps apart."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _unreadable(message: str, line: int) -> Parsed:
    return Parsed(data=None, lines={"": line}, faults=(Fault(path="", line=line, message=message),))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _error_line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark else 1


def _words(error: yaml.MarkedYAMLError) -> str:
    """Without names from the text: a password that begins with * is read as an alias."""
    problem = str(error.problem or error.context or "unreadable")
    if "'\\t'" in problem:
        return "not YAML: a tab can't indent; use spaces"
    if "alias" in problem:
        return "not YAML: an alias (*name) without its anchor (&name); text that begins with * needs quotes"
    problem = re.sub(r"'[^'<]*\w[^']*'", "that", problem) if "," not in problem else problem
    return f"not YAML: {_PLAIN_WORDS.get(problem, problem)}"
