"""What an interrupted update must end in: everything that there is of a device, in a form that compares."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

World = dict[str, Any]


def simulated_world(data: Path) -> World:
    """The world of the simulated engine, without what differs between two runs of the same: ids and times."""
    path = data / "simulated.json"
    world = json.loads(path.read_text()) if path.exists() else {}
    containers = [
        {key: one.get(key) for key in ("app", "service", "status", "name", "record", "imageDigest")}
        for one in world.get("containers", [])
    ]
    return {
        "containers": sorted(containers, key=lambda one: json.dumps(one, sort_keys=True)),
        "images": sorted(one["ref"] for one in world.get("images", [])),
        "networks": sorted(f"{one['app']}/{one['name']}" for one in world.get("networks", [])),
        "volumes": sorted(f"{one['app']}/{one['name']}" for one in world.get("volumes", [])),
        "locks": sorted(str(path.relative_to(data)) for path in data.glob("locks/**/update.lock")),
    }


class Serving:
    """How many containers of a service ran, at its worst."""

    def __init__(self) -> None:
        self.least = 99
        self.looks = 0


@contextmanager
def watching(data: Path, service: str) -> Iterator[Serving]:
    """Look at the simulated world at each change of its file: how many containers of that service run."""
    serving, done = Serving(), threading.Event()
    path = data / "simulated.json"

    def watch() -> None:
        seen = None
        while not done.is_set():
            found = path.stat()
            if (signature := (found.st_ino, found.st_mtime_ns)) != seen:
                seen = signature
                running = _running(path)[service]
                serving.least, serving.looks = min(serving.least, running), serving.looks + 1
            time.sleep(0.001)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        done.set()
        thread.join()


def _running(path: Path) -> Counter[str]:
    containers = json.loads(path.read_text()).get("containers", [])
    return Counter(one["service"] for one in containers if one.get("status", "running") == "running")
