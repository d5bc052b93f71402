"""Waits until Apps are ready or gone: events wake it, resources decide."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from iotctl.agent import Agent
from iotctl.endings import ending
from iotctl.exits import CommandError, ExitCode, NotFoundError
from iotctl.spans import short
from iotctl.terminal import say, warn
from iotctl.views import Nothing, View, new_view
from iotctl.watch import Verdict, Watch

Json = dict[str, Any]
LOOK_SECONDS = 0.25
"""Longest time between two looks at what is waited for."""
RETRY_SECONDS = 1.0


def wait(agent: Agent, watch: Watch, timeout_seconds: float, *, quiet: bool = False) -> ExitCode:
    """Wait for every App of the watch, showing how it goes.

    Args:
        quiet: show nothing but what went wrong: standard output is for a program.

    Returns: DONE; FAILED or UNDONE when one can't get there; TIMED_OUT.
    """
    began = time.monotonic()
    news = _listen(agent)
    view = Nothing() if quiet else new_view()
    verdicts: dict[str, Verdict] = {}
    try:
        while True:
            _look(agent, watch, verdicts, began)
            now = time.monotonic() - began
            verdicts |= {
                name: verdict
                for name in watch.apps
                if name not in verdicts and (verdict := watch.verdict(name, now))
            }
            view.show(watch, now)
            if len(verdicts) == len(watch.apps) or now >= timeout_seconds:
                break
            _sleep(news, watch, min(LOOK_SECONDS, timeout_seconds - now), view, began)
    finally:
        view.close(watch, time.monotonic() - began)
    return _tell(agent, watch, verdicts, timeout_seconds, quiet=quiet)


def _look(agent: Agent, watch: Watch, done: dict[str, Verdict], began: float) -> None:
    for name in watch.apps:
        if name in done:
            continue
        try:
            app: Json | None = agent.get(f"/v1/apps/{name}")
        except NotFoundError:
            app = None
        except CommandError as error:
            if error.code is not ExitCode.UNAVAILABLE:
                raise
            watch.trouble = error.message
            return
        watch.trouble = ""
        watch.take_app(name, app, time.monotonic() - began)


def _sleep(news: SimpleQueue[Json], watch: Watch, seconds: float, view: View, began: float) -> None:
    """Until something happens that may matter; progress alone is only shown."""
    until = time.monotonic() + seconds
    with suppress(Empty):
        while (left := until - time.monotonic()) > 0:
            event = news.get(timeout=left)
            watch.take_event(event)
            if event.get("type") != "Progress":
                return
            view.show(watch, time.monotonic() - began)


def _listen(agent: Agent) -> SimpleQueue[Json]:
    """Events, as long as this process lives; a connection that broke is made again."""
    news: SimpleQueue[Json] = SimpleQueue()

    def read() -> None:
        while True:
            with suppress(CommandError):
                for event in agent.events():
                    if event is not None:
                        news.put(event)
            time.sleep(RETRY_SECONDS)

    threading.Thread(target=read, name="events", daemon=True).start()
    return news


def _tell(
    agent: Agent, watch: Watch, verdicts: dict[str, Verdict], timeout_seconds: float, *, quiet: bool
) -> ExitCode:
    for name, verdict in verdicts.items():
        if verdict.app is not None:
            warn(ending(agent, name, verdict))
        elif verdict.code is not ExitCode.DONE:
            warn(verdict.text)
        elif not quiet:
            say(verdict.text)
    late = [name for name in watch.apps if name not in verdicts]
    if late:
        warn(f"Timed out after {short(timeout_seconds)}.")
        for name in late:
            warn(watch.unfinished(name, timeout_seconds))
        return ExitCode.TIMED_OUT
    return max((verdict.code for verdict in verdicts.values()), default=ExitCode.DONE)
