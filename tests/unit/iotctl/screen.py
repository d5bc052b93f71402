"""A terminal for iotctl to be on, and processes of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "iotctl.main"]


def environment(**more: str) -> dict[str, str]:
    """That of this process, with a path to the sources."""
    return os.environ | {"PYTHONPATH": f"{ROOT}/operator:{ROOT}"} | more


def in_a_process(*arguments: str) -> subprocess.Popen[str]:
    """iotctl beside this process, its standard output and standard error in pipes."""
    # A run in the background of a shell has Ctrl-C ignored, and children take that over.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def on_a_terminal(*arguments: str) -> tuple[int, subprocess.Popen[bytes]]:
    """iotctl in a process of its own on a terminal of 100 columns."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(COLUMNS="100", TERM="xterm"),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    return screen, process


def read_until(screen: int, text: str, seconds: float = 10.0) -> str:
    """What is shown until that text is there."""
    seen = b""
    until = time.monotonic() + seconds
    while text.encode() not in seen:
        left = until - time.monotonic()
        assert left > 0, f"no {text!r} in {seen.decode(errors='replace')!r}"
        if select.select([screen], [], [], left)[0]:
            seen += os.read(screen, 65536)
    return seen.decode(errors="replace")
