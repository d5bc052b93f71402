"""What containers write and what the agent tells, read while it happens."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.behaviour.device import BIN, Device, app
from tests.behaviour.grounds import DockerGround, Ground


def first_words(ground: Ground) -> str:
    """What each container writes when it starts."""
    return "listening on port 8080" if ground.real else "web: ready"


@contextmanager
def following(box: Device, *arguments: str) -> Iterator[queue.Queue[str]]:
    """Lines of an `iotctl` that stays, as they come."""
    process = subprocess.Popen(
        [BIN / "iotctl", *arguments],
        env={**os.environ, "CONFIG_DIR": str(box.data)},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    output = process.stdout

    def read() -> None:
        for line in output:
            lines.put(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(10)
        reader.join(10)


def until_line(lines: queue.Queue[str], words: str, seconds: float = 15) -> None:
    """Read up to the next line with these words."""
    deadline, read = time.monotonic() + seconds, []
    while not (read and words in read[-1]):
        try:
            read.append(lines.get(timeout=max(0, deadline - time.monotonic())))
        except queue.Empty:
            raise AssertionError(f"no line with {words!r} within {seconds} s; only {read}") from None


def test_lines_of_services_are_told_apart(box: Device, ground: Ground, name: str) -> None:
    box.apply(
        app(name, {"name": "web", "image": ground.image("web")}, {"name": "db", "image": ground.image("db")})
    )

    def who() -> set[str]:
        ran = box.iotctl("logs", name)
        assert ran.code == 0, ran.err
        return {line.split()[0] for line in ran.out.splitlines()}

    box.until(lambda: who() == {"web", "db"}, "both are told apart, once both have written")


def test_lines_are_followed_from_one_container_to_the_next(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web", 1)}))
    words = first_words(ground)

    with following(box, "logs", name, "web", "--follow") as lines:
        until_line(lines, words)
        box.apply(app(name, {"name": "web", "image": ground.image("web", 2)}))
        until_line(lines, words)
        box.api("POST", f"/v1/apps/{name}/services/web/restart")
        until_line(lines, words)


def test_events_are_followed(box: Device, ground: Ground, name: str) -> None:
    with following(box, "events", name, "--follow") as lines:
        box.apply(app(name, {"name": "web", "image": ground.image("web")}))
        until_line(lines, f"started {name}/web")


def test_a_command_runs_inside_a_service(box: Device, on_real: None, ground: Ground, name: str) -> None:
    assert isinstance(ground, DockerGround)
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))

    ran = box.iotctl("exec", f"{name}-web", "--", "cat", "/www/index.html")

    assert (ran.code, ran.out) == (0, "web 1\n"), ran.err
