"""Questions before something that can't be undone."""

from __future__ import annotations

import sys

from iotctl.exits import BadInputError, CommandError


def confirm(what: str, *, yes: bool) -> None:
    """Go on only when somebody says so.

    Args:
        what: one or two sentences: what will happen.
        yes: it was said on the command line.

    Raises: BadInputError where nobody can be asked; CommandError when the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInputError(what, hint="Nobody can be asked here: add --yes if that is what you want.")
    print(f"{what}\nGo on? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if answer.strip().lower() in {"y", "yes"}:
        return
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    raise CommandError("Nothing was changed.")
