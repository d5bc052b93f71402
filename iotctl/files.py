"""Documents that -f names: files, folders and standard input, checked before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iotctl.exits import BadInputError, ProblemsError

if TYPE_CHECKING:
    from iotctl.agent import Agent
    from iotistic.api.documents import Document
    from iotistic.api.errors import Problem

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


def read_documents(paths: Sequence[str], agent: Agent | None = None) -> list[Document]:
    """All documents of these files, in their order.

    Args:
        agent: of the place that they are for, where some things can't be had.

    Raises: BadInputError for what can't be read; ProblemsError with every problem of all files.
    """
    from iotistic.api.documents import load_documents, split_documents
    from iotistic.api.errors import InvalidResourceError

    found: list[Document] = []
    problems: list[Problem] = []
    for text, source in _texts(paths):
        wrong = []
        try:
            found += load_documents(text, source)
        except InvalidResourceError as error:
            wrong += error.problems
        if agent is not None:
            wrong += [
                one for document in split_documents(text, source)[0] for one in agent.problems_of(document)
            ]
        problems += sorted(wrong, key=lambda problem: problem.line)
    if problems:
        raise ProblemsError(problems)
    if not found:
        raise BadInputError(f"There is no document in {', '.join(paths)}.")
    return found


def _texts(paths: Sequence[str]) -> list[tuple[str, str]]:
    if paths.count(STDIN) > 1:
        raise BadInputError("-f - stands for standard input and can be given once.")
    return [one for path in paths for one in _texts_of(path)]


def _texts_of(path: str) -> list[tuple[str, str]]:
    if path == STDIN:
        return [(sys.stdin.read(), "stdin")]
    found = Path(path)
    files = [found]
    try:
        if found.is_dir():
            files = sorted(file for file in found.iterdir() if file.suffix in SUFFIXES)
            if not files:
                raise BadInputError(f"Folder {path} has no {', '.join(SUFFIXES)} file.")
        return [(file.read_text(encoding="utf-8"), str(file)) for file in files]
    except OSError as error:
        raise BadInputError(
            f"{error.filename or path}: {(error.strerror or 'unreadable').lower()}"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: not a text file (byte {error.start} is no UTF-8)") from error
