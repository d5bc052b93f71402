"""Entry point of iotctl: reads the command line, runs one command, ends with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, or leaves with SystemExit where typer does."""
    from iotctl.cli import root
    from iotctl.exits import CommandError, ExitCode
    from iotctl.frame import take_options
    from iotctl.settings import forbids_color
    from iotctl.terminal import forbid_color, warn

    try:
        options, rest = take_options(sys.argv[1:] if arguments is None else arguments)
        if options.no_color or forbids_color():
            forbid_color()
        root(args=rest, prog_name="iotctl", obj=options)
    except CommandError as error:
        warn(error.text())
        return int(error.code)
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
