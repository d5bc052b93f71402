"""Tells what happened: one event on the bus and one log line, in the same words."""

from __future__ import annotations

from typing import Any

import structlog

from iotistic.api.errors import EdgeError, EngineError
from iotistic.bus import Bus
from iotistic.controllers.clock import now_text
from iotistic.engines.base import Progress
from iotistic.planning.values import Action, Step

_DONE: dict[Action, tuple[str, str]] = {
    Action.FETCH: ("Pulled", "pulled {subject}"),
    Action.START: ("Started", "started {subject}"),
    Action.STOP: ("Stopped", "stopped {subject}"),
    Action.KILL: ("Killed", "took {subject} down"),
    Action.REMOVE: ("Removed", "removed {subject}"),
    Action.PAUSE: ("Paused", "paused {subject}"),
    Action.UNPAUSE: ("Unpaused", "resumed {subject}"),
    Action.RESTART: ("Restarted", "restarted {subject}"),
    Action.HANDOVER: ("HandedOver", "handed {subject} over to a new container"),
    Action.UPDATE_METADATA: ("ReleaseRecorded", "{subject} belongs to the new release as it is"),
    Action.CREATE_NETWORK: ("NetworkCreated", "created network {subject}"),
    Action.REMOVE_NETWORK: ("NetworkRemoved", "removed network {subject}"),
    Action.CREATE_VOLUME: ("VolumeCreated", "created volume {subject}"),
    Action.REMOVE_VOLUME: ("VolumeRemoved", "removed volume {subject}"),
    Action.REMOVE_IMAGE: ("ImageRemoved", "removed image {subject}, which nothing needs"),
    Action.TAKE_LOCK: ("Locked", "took the update lock of {subject}"),
    Action.RELEASE_LOCK: ("Unlocked", "gave the update lock of {subject} back"),
}
_DOING = {
    Action.FETCH: "Pulling",
    Action.START: "Starting",
    Action.STOP: "Stopping",
    Action.KILL: "Stopping",
    Action.HANDOVER: "HandingOver",
    Action.RESTART: "Restarting",
}


class Journal:
    """Writes events and log lines."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._log = structlog.get_logger()

    def done(self, step: Step, seconds: float) -> None:
        """A step has ended well."""
        reason, text = _DONE[step.action]
        cause = f" ({step.cause})" if step.cause else ""
        quiet = step.action in {Action.TAKE_LOCK, Action.RELEASE_LOCK}
        write = self._log.debug if quiet else self._log.info
        write("step_done", step=step.text, cause=step.cause or None, seconds=round(seconds, 2))
        self._bus.publish(
            time=now_text(),
            type="Normal",
            reason=reason,
            message=text.format(subject=step.subject) + cause,
            app=step.app,
            service=step.service,
            action=step.action.value,
            subject=step.subject,
            cause=step.cause,
            seconds=round(seconds, 3),
        )

    def failed(self, step: Step, error: EdgeError, retry_seconds: float | None) -> None:
        """A step has failed."""
        retry = f"; next try in {retry_seconds:.0f} s" if retry_seconds else ""
        self._log.warning(
            "step_failed", step=step.text, reason=error.reason, error=error.message, hint=error.hint
        )
        self._bus.publish(
            time=now_text(),
            type="Warning",
            reason=error.reason,
            message=f"{step.text} failed: {error.message}{retry}",
            app=step.app,
            service=step.service,
            action=step.action.value,
            subject=step.subject,
            hint=error.hint,
        )

    def defect(self, step: Step, error: Exception) -> EngineError:
        """A step has failed by a defect of ours: keep the trace in the log, go on with its error."""
        self._log.error("step_defect", step=step.text, exc_info=error)
        return EngineError(f"internal error: {type(error).__name__}; the trace is in the agent's log")

    def loop_defect(self, error: Exception) -> None:
        """A turn of the loop has failed by a defect of ours; it will be tried again."""
        self._log.error("loop_defect", exc_info=error)

    def lines_lost(self, step: Step, error: Exception) -> None:
        """The last lines of a container could not be kept; the step goes on."""
        self._log.warning("lines_lost", step=step.text, error=str(error) or type(error).__name__)

    def progress(self, step: Step, progress: Progress) -> None:
        """A step is on its way."""
        self._bus.publish(
            time=now_text(),
            type="Progress",
            reason=_DOING.get(step.action, "Working"),
            message=f"{step.text}: {progress.message}",
            app=step.app,
            service=step.service,
            action=step.action.value,
            subject=step.subject,
            image=step.name if step.action is Action.FETCH else "",
            current=progress.current,
            total=progress.total,
        )

    def say_rollout(self, reason: str, message: str, app: str, *, warning: bool) -> None:
        """A release has got further; the reasons are the rollout's (docs/rollout.md)."""
        self.say(reason, message, app=app, warning=warning)

    def say(
        self,
        reason: str,
        message: str,
        *,
        app: str = "",
        service: str = "",
        warning: bool = False,
        **data: Any,
    ) -> None:
        """Something else worth telling."""
        write = self._log.warning if warning else self._log.info
        write(reason, app=app or None, service=service or None, message=message)
        self._bus.publish(
            time=now_text(),
            type="Warning" if warning else "Normal",
            reason=reason,
            message=message,
            app=app,
            service=service,
            **data,
        )
