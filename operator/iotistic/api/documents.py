"""Documents coming in: read, checked as a whole, and every problem told at once.

Files come through `load_documents`, which knows lines; bodies of requests through `check_documents`.
Both check the same. What only a device knows (other Apps, Secrets that are there) is `check_together`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from iotistic.api.app import App
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.api.examining import examine, resource_name
from iotistic.api.positions import Parsed, member
from iotistic.api.together import check_together
from iotistic.api.warnings import warnings_of
from iotistic.api.wording import printable

__all__ = [
    "Document",
    "check_documents",
    "check_together",
    "load_documents",
    "split_documents",
    "warnings_of",
]


@dataclass(frozen=True, slots=True)
class Document:
    """One valid document of a file."""

    data: dict[str, Any] = field(repr=False)
    """As written, without status and nulls; with the values of Secrets, so it is never logged."""
    resource: str
    """`App shop`."""
    source: str
    """The file, or `stdin`."""
    lines: Mapping[str, int] = field(repr=False, compare=False)
    """Line of each path of the file's document."""
    base: str = ""
    """Path of this document in that one: `items[2]` in a List."""

    def line(self, path: str) -> int:
        """Line of a path such as `spec.services[1].image`; of what is around it when it is not there."""
        where = member(self.base, path) if self.base and path else self.base or path
        while where and where not in self.lines:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.lines.get(where, 0)


def split_documents(text: str, source: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a YAML or JSON text as they are written, and what is wrong with the text itself."""
    from iotistic.api.reading import parse

    documents: list[Document] = []
    problems: list[Problem] = []
    for number, parsed in enumerate(parse(text), start=1):
        found, faults = _documents_of(parsed, source, f"document {number}")
        documents += found
        problems += faults
    return documents, problems


def load_documents(text: str, source: str) -> list[Document]:
    """The documents of a YAML or JSON text, checked.

    Args:
        source: the file's name, for messages.

    Raises: InvalidResourceError with every problem, each with file and line.
    """
    documents, problems = split_documents(text, source)
    right = []
    for document in documents:
        examined = examine(document.data, document.resource)
        told = {(problem.resource, problem.path) for problem in problems}
        new = [problem for problem in examined.problems if (problem.resource, problem.path) not in told]
        problems += [_located(problem, document) for problem in new]
        right.append(replace(document, data=examined.data))
    problems += [_located(problem, document) for document, problem in _repeated(documents)]
    if problems:
        raise InvalidResourceError(sorted(problems, key=lambda problem: problem.line))
    return right


def check_documents(documents: Sequence[Mapping[str, Any]]) -> tuple[list[App], list[Secret | ConfigMap]]:
    """The resources that these bodies are.

    Raises: InvalidResourceError with every problem.
    """
    apps: list[App] = []
    core: list[Secret | ConfigMap] = []
    problems: list[Problem] = []
    whole = [Parsed(data=document, lines={}) for document in documents]
    found = [
        document
        for number, parsed in enumerate(whole, start=1)
        for document in _documents_of(parsed, "", f"document {number}")[0]
    ]
    for document in found:
        examined = examine(document.data, document.resource)
        problems += examined.problems
        if isinstance(examined.resource, App):
            apps.append(examined.resource)
        elif examined.resource is not None:
            core.append(examined.resource)
    problems += [problem for _, problem in _repeated(found)]
    if problems:
        raise InvalidResourceError(problems)
    return apps, core


def _documents_of(parsed: Parsed, source: str, title: str) -> tuple[list[Document], list[Problem]]:
    """The documents in one document (several in a List), and what is wrong with its text."""
    found = list(_flat(parsed, source, title))
    problems = []
    for fault in parsed.faults:
        around = next((one for one in found if one.base and fault.path.startswith(one.base)), None)
        resource = (around or found[0]).resource if found else title
        problems.append(
            Problem(
                resource=resource,
                path=printable(fault.path.removeprefix(around.base).lstrip(".") if around else fault.path),
                message=fault.message,
                hint=fault.hint,
                source=source,
                line=fault.line,
            )
        )
    return found, problems


def _flat(parsed: Parsed, source: str, title: str) -> Iterator[Document]:
    data = parsed.data
    if data is None:
        return
    is_list = isinstance(data, Mapping) and data.get("kind") == "List" and isinstance(data.get("items"), list)
    items = data["items"] if is_list else [data]
    for index, item in enumerate(items):
        base = f"items[{index}]" if is_list else ""
        name = f"{title}, {base}" if base else title
        yield Document(
            data=item, resource=resource_name(item, name), source=source, lines=parsed.lines, base=base
        )


def _located(problem: Problem, document: Document) -> Problem:
    return replace(problem, source=document.source, line=document.line(problem.path))


def _repeated(documents: Sequence[Document]) -> Iterator[tuple[Document, Problem]]:
    first: dict[str, Document] = {}
    for document in documents:
        if document.resource.startswith("document "):
            continue
        before = first.setdefault(document.resource, document)
        if before is not document:
            where = f", first in line {before.line('')}" if before.line("") else ""
            yield (
                document,
                Problem(
                    resource=document.resource,
                    path="metadata.name",
                    message=f"is there twice{where}",
                    hint="keep one of them",
                ),
            )
