"""An agent that is killed at any moment of an update ends, once it is started again, where it would have
ended anyway. Every cut point of every strategy, on the simulated engine.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour.device import app
from tests.faults.copies import copy, running, told
from tests.faults.cutting import PACE, Cut, begin, cuts, steps_of
from tests.faults.seeds import SEED
from tests.faults.worlds import Serving, World, simulated_world, watching

STRATEGIES = ("DownloadThenKill", "KillThenDownload", "DeleteThenDownload", "HandOver")
AT_ONCE = 2
SECONDS = 90.0
PROBE = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}

_OVER = {"Installed", "Updated", "Deleted"}
"""Events that say the end of what was asked."""


def shop(release: int, strategy: str = "DownloadThenKill") -> dict[str, Any]:
    """Three services: an update changes the image of web, the environment of api, and nothing of db."""
    level = [{"name": "LEVEL", "value": str(release)}]
    data = [{"name": "data", "mountPath": "/data"}]
    db = {"name": "db", "image": "db:1", "volumeMounts": data, "readinessProbe": PROBE}
    api = {"name": "api", "image": "api:1", "env": level, "dependsOn": {"db": "started"}}
    web = {"name": "web", "image": f"web:{release}", "dependsOn": {"api": "healthy"}}
    return app(
        "shop",
        db,
        api | {"readinessProbe": PROBE},
        web | {"readinessProbe": PROBE},
        volumes=[{"name": "data"}],
        update={"strategy": strategy},
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a killed process needs no disk
    with tempfile.TemporaryDirectory(prefix="iot-cuts-", dir=memory) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def first_release(folder: Path) -> Path:
    """A device on which release 1 runs."""
    data = folder / "first" / "data"
    data.mkdir(parents=True)
    with running(data) as device:
        device.apply(shop(1))
        device.until(device.settled, "nothing is left to do")
    return data


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_update_that_is_cut_ends_in_the_same_world(
    folder: Path, first_release: Path, strategy: str
) -> None:
    start = told(first_release, folder / strategy, shop(2, strategy))

    steps, end = _uncut(start, folder / strategy / "uncut")

    assert _images(end) == {"db": "db:1", "api": "api:1", "web": "web:2"}
    assert sum(step.startswith(("kill", "handover")) for step in steps) == 2, steps
    _check_all_cuts(start, folder / strategy, steps, end, always="web" if strategy == "HandOver" else "")


def test_an_installation_that_is_cut_ends_in_the_same_world(folder: Path) -> None:
    empty = folder / "empty" / "data"
    empty.mkdir(parents=True)
    start = told(empty, folder / "install", shop(1))

    steps, end = _uncut(start, folder / "install" / "uncut")

    assert sorted(steps)[:2] == ["createNetwork shop/default", "createVolume shop/data"]
    _check_all_cuts(start, folder / "install", steps, end)


def test_a_deletion_that_is_cut_leaves_nothing(folder: Path, first_release: Path) -> None:
    start = told(first_release, folder / "delete", delete="shop")

    steps, end = _uncut(start, folder / "delete" / "uncut")

    assert end == {"containers": [], "images": [], "networks": [], "volumes": [], "locks": []}
    _check_all_cuts(start, folder / "delete", steps, end)


def test_a_cut_that_never_comes_is_noticed(folder: Path, first_release: Path) -> None:
    start = told(first_release, folder / "never", shop(2))
    steps, end = _uncut(start, folder / "never" / "uncut")

    problem = _cut_once(start, folder / "never", Cut(number=len(steps) + 1), end, seconds=2)

    assert "was not cut" in problem


def _uncut(start: Path, folder: Path) -> tuple[list[str], World]:
    """The steps of an agent that is not cut, and the world that it ends in."""
    data = copy(start, folder)
    with running(data) as device:
        device.until(lambda: _OVER & {event["reason"] for event in device.events()}, "it is over")
        device.until(device.settled, "nothing is left to do")
    return steps_of(data), simulated_world(data)


def _check_all_cuts(start: Path, folder: Path, steps: list[str], end: World, *, always: str = "") -> None:
    def problem_of(cut: Cut) -> str:
        return _cut_once(start, folder, cut, end, always=always)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        problems = [
            problem for problem in pool.map(problem_of, cuts(SEED, len(steps), PACE.start)) if problem
        ]
    assert not problems, f"seed {SEED}, steps {steps}\n" + "\n".join(problems)


def _cut_once(
    start: Path, folder: Path, cut: Cut, end: World, *, always: str = "", seconds: float = SECONDS
) -> str:
    """What was wrong after one cut; empty for nothing.

    Args:
        end: the world that has to come.
        always: a service that has to run all the time.
    """
    data = copy(start, folder / str(cut))
    with watching(data, always) if always else nullcontext(Serving()) as serving:
        agent = begin(data, "simulated", cut)
        agent.join(seconds)
        if agent.exitcode != -9:
            agent.kill()
            return f"{cut}: the agent was not cut (exit code {agent.exitcode})\n{_log(data)}"
        with running(data) as device:
            try:
                device.until(
                    lambda: simulated_world(data) == end and device.settled(), "the end", seconds=seconds
                )
            except AssertionError as error:
                found = simulated_world(data)
                return f"{cut}: {error}\n{json.dumps(found)}\nnot {json.dumps(end)}\n{_log(data)}"
    if always and serving.least < 1:
        return f"{cut}: {always} did not run all the time; steps {steps_of(data)}"
    return ""


def _images(world: World) -> dict[str, str]:
    return {one["service"]: one["record"]["image"] for one in world["containers"]}


def _log(data: Path) -> str:
    return data.with_name(data.name + ".log").read_text()[-4000:]
