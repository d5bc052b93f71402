"""`make bench`: the product's figures against their bars, each with its baseline of the same run.

Agent and operator are real processes, the engine is a real Docker, the API server a real one without nodes.
BENCH_IDLE_SECONDS (300), BENCH_ROUNDS (7), BENCH_UPDATES (2000) and BENCH_APPS (1000) shorten it; the bars
stay. `make bench ARGS="--only answers rollouts"` runs some parts.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import answers
import churning
import cluster
import deploy
import docker
import everything
import idle
import planner
import pod
import rollouts
import start
from figure import Figure, Skipped, table
from process import agent, ten_services

PARTS = (
    "planner",
    "deploy",
    "idle",
    "answers",
    "rollouts",
    "everything",
    "churning",
    "start",
    "cluster",
    "pod",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="a local image with `sleep`")
    parser.add_argument("--compose", default="", help="docker compose v2; its row is skipped without")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    options = parser.parse_args()

    work = Path(tempfile.mkdtemp(prefix="iotistic-bench-"))
    figures: list[Figure | Skipped] = []
    try:
        if "planner" in options.only:
            say("the planner")
            figures += planner.measure()
        if {*PARTS[1:6], "start"} & {*options.only}:
            figures += on_docker(work, options.image, options.compose or None, options.only)
        if "churning" in options.only:
            say(f"{churning.UPDATES} updates on the simulated engine")
            figures += churning.measure(work / "churn" / "data")
        if "cluster" in options.only:
            say("the operator on an API server alone; the start of a thousand Apps takes minutes")
            figures += cluster.measure(work / "cluster")
        if "pod" in options.only:
            say(f"the installed operator on a node, {pod.FEW} Apps")
            figures += pod.measure()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(table(figures))
    return 0 if all(figure.passed for figure in figures) else 1


def on_docker(work: Path, image: str, compose: str | None, only: Sequence[str]) -> list[Figure | Skipped]:
    """What one agent with ten services shows, then how soon the next one answers."""
    docker.from_env().images.get(image)
    figures: list[Figure | Skipped] = []
    data = work / "agent" / "data"
    app = ten_services(image)
    try:
        with agent(data) as running:
            if "deploy" in only:
                say("ten services, three ways")
                figures += deploy.measure(running, image, work, compose)
            running.bring_up(app)
            if "idle" in only:
                say(f"idle for {idle.WINDOW_SECONDS:.0f} s")
                figures += idle.measure(running)
            if "answers" in only:
                say("answers at 100 requests a second")
                figures += answers.measure(running)
            if "rollouts" in only:
                say("a good update, a bad update")
                figures += rollouts.measure(running, image)
            if "everything" in only:
                say("everything in use")
                figures += everything.measure(running)
        if "start" in only:
            say("starts")
            figures += start.measure(work / "fresh", data)
    finally:
        with agent(data) as running:
            # An agent that has not looked at the engine yet does not know what there is to wait for.
            running.bring_up(app)
            running.delete(app["metadata"]["name"])
    return figures


def say(what: str) -> None:
    print(f"measuring: {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
