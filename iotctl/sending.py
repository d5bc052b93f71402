"""Sends documents to the agent; problems that it finds are told with the file and line they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iotctl.agent import Agent
from iotctl.exits import ProblemsError

if TYPE_CHECKING:
    from iotistic.api.documents import Document
    from iotistic.api.errors import Problem


def send(agent: Agent, path: str, documents: Sequence[Document], **query: object) -> dict[str, Any]:
    """POST the documents. Raises: ProblemsError with files and lines."""
    try:
        return agent.post(path, {"documents": [document.data for document in documents]}, **query)
    except ProblemsError as error:
        raise ProblemsError([located(problem, documents) for problem in error.problems]) from error


def located(problem: Problem, documents: Sequence[Document]) -> Problem:
    """The problem with the place in the file that it is about."""
    for document in documents:
        if document.resource == problem.resource:
            return replace(problem, source=document.source, line=document.line(problem.path))
    return problem
