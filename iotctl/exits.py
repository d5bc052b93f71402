"""How a command ends: exit codes, and the one exception that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iotistic.api.errors import Problem


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    UNAVAILABLE = 3
    UNDONE = 4
    TIMED_OUT = 5
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done; also help, and nothing to do",
    ExitCode.FAILED: "failed: the agent refused, or something went wrong",
    ExitCode.BAD_INPUT: "bad usage or bad input: nothing was changed",
    ExitCode.UNAVAILABLE: "not available here: no agent answers, or its engine does not",
    ExitCode.UNDONE: "undone: the release did not become ready and the last good one is back",
    ExitCode.TIMED_OUT: "timed out waiting: what was asked goes on without you",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C: what was asked goes on without you",
}


class CommandError(Exception):
    """A command ends here: said on standard error, then this exit code."""

    def __init__(self, message: str, *, hint: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to type now; empty when the message says so."""
        self.code = code

    def text(self) -> str:
        """As a person reads it."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class BadInputError(CommandError):
    """What was typed makes no sense here."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=ExitCode.BAD_INPUT)


class ProblemsError(CommandError):
    """Documents are wrong: every problem with its file and line, and nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(problem.text() for problem in self.problems)
        super().__init__(lines, hint="Nothing was changed.", code=ExitCode.BAD_INPUT)


class NotFoundError(CommandError):
    """The agent has no such thing."""
