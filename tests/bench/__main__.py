"""`make bench`: the product's figures against their bars, each with its baseline of the same run.

The agent is a real process, the engine a real Docker. BENCH_IDLE_SECONDS (300) and BENCH_ROUNDS (7)
shorten it; the bars stay.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import answers
import churning
import deploy
import docker
import idle
import planner
import rollouts
import start
from figure import Figure, Skipped, table
from process import agent, ten_services


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="a local image with `sleep`")
    parser.add_argument("--compose", default="", help="docker compose v2; its row is skipped without")
    options = parser.parse_args()
    docker.from_env().images.get(options.image)

    work = Path(tempfile.mkdtemp(prefix="iotistic-bench-"))
    figures: list[Figure | Skipped] = []
    try:
        say("the planner")
        figures += planner.measure()
        figures += on_docker(work, options.image, options.compose or None)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(table(figures))
    return 0 if all(figure.passed for figure in figures) else 1


def on_docker(work: Path, image: str, compose: str | None) -> list[Figure | Skipped]:
    data = work / "agent" / "data"
    app = ten_services(image)
    with agent(data) as running:
        say("ten services, three ways")
        figures = deploy.measure(running, image, work, compose)
        running.put(app)
        say(f"idle for {idle.WINDOW_SECONDS:.0f} s")
        figures += idle.measure(running)
        say("answers at 100 requests a second")
        figures += answers.measure(running)
        say("a good update, a bad update")
        figures += rollouts.measure(running, image)
    say(f"{churning.UPDATES} updates on the simulated engine")
    figures += churning.measure(work / "churn" / "data")
    say("starts")
    figures += start.measure(work / "fresh", data)
    with agent(data) as running:
        running.delete(app["metadata"]["name"])
    return figures


def say(what: str) -> None:
    print(f"measuring: {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
