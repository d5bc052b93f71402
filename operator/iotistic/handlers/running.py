"""kopf inside a process that is not its own: started, ended, and started again when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import kopf

from iotistic.handlers.settings import Forgetful, settings_of

ENDING_SECONDS = 3.0


async def watch(
    registry: kopf.OperatorRegistry, namespaces: Collection[str], started: Callable[[], None]
) -> None:
    """Watch until this is cancelled.

    Args:
        registry: the handlers.
        namespaces: those to watch; the whole cluster when there are none.
        started: is called once kopf is under way (and has taken the process's signals for itself).

    Raises: whatever made kopf give up: a kind that is gone, rights that are missing, a server that did not
        answer for too long.
    """
    # kopf's own way to wait ends by cancelling every task of the loop, not only its own.
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings_of(),
        memories=Forgetful(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=list(namespaces),
    )
    try:
        started()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=ENDING_SECONDS)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # seen: else it is told of as never having been retrieved
