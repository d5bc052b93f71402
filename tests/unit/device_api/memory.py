"""AppsControl in memory: takes documents, remembers what was asked, writes no containers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from iotistic.api.app import App, AppStatus, ServiceStatus
from iotistic.api.appservice import AppService, AppServiceSpec, RunState
from iotistic.api.base import ObjectMeta
from iotistic.api.errors import ConflictError, InvalidResourceError, NotFoundError, Problem
from iotistic.controllers.base import Applied, ApplyResult, Health, Plan, VolumeInfo
from iotistic.engines.base import EngineInfo, LogLine

FIRST_APP_ID = 1001


class Memory:
    """Apps of a device without an engine."""

    def __init__(self) -> None:
        self.stored: dict[str, App] = {}
        self.numbers: dict[str, int] = {}
        self.run_states: dict[tuple[str, str], RunState] = {}
        self.held_by = ""
        self.left: list[VolumeInfo] = []
        self.core: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.restarted: list[tuple[str, str | None]] = []
        self.purged: dict[str, bool | None] = {}
        self.written: list[tuple[str, str]] = []
        self.new_line = asyncio.Condition()
        self.open_logs = 0
        self.unwell: tuple[str, ...] = ()
        self.failure: Exception | None = None
        """What every question is answered with, when set."""

    async def apply(self, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> ApplyResult:
        self._fail()
        apps, core = self._parse(documents)
        applied = [self._applied(app) for app in apps]
        applied += [Applied(kind=kind, name=name, result="created") for kind, name in core]
        if not dry_run:
            self.core |= core
            for app in apps:
                self.stored[app.name] = app
                self.numbers.setdefault(app.name, app.spec.app_id or FIRST_APP_ID + len(self.numbers))
        return ApplyResult(applied=tuple(applied), warnings=())

    async def plan(self, documents: Sequence[Mapping[str, Any]]) -> Plan:
        self._fail()
        apps, _ = self._parse(documents)
        steps = tuple(
            {"action": "start", "subject": f"{app.name}/{service.name}", "app": app.name, "cause": "new"}
            for app in apps or self.stored.values()
            for service in app.spec.services
        )
        return Plan(
            text="\n".join(step["subject"] for step in steps),
            rounds=(steps,) if steps else (),
            converged=True,
        )

    async def delete(self, app: str, *, purge: bool | None = None) -> None:
        self._fail()
        self.left = [volume for volume in self.left if volume.app != app]
        self.stored.pop(app, None)
        self.purged[app] = purge

    def apps(self) -> list[App]:
        self._fail()
        return [self._with_status(app) for app in self.stored.values()]

    def app(self, name: str) -> App:
        self._fail()
        for app in self.stored.values():
            if name in (app.name, str(self.numbers[app.name])):
                return self._with_status(app)
        raise NotFoundError(f"no App {name!r} on this device", hint="Apps here: " + ", ".join(self.stored))

    def services(self, app: str | None = None) -> list[AppService]:
        self._fail()
        return [
            AppService(
                metadata=ObjectMeta(name=f"{one.name}-{status.name}"),
                spec=AppServiceSpec(
                    app=one.name, service=status.name, run_state=self._run_state(one.name, status.name)
                ),
                status=status,
            )
            for one in self.apps()
            if app in (None, one.name)
            for status in one.status.services
        ]

    def volumes(self) -> list[VolumeInfo]:
        self._fail()
        mine = [(app.name, one.name) for app in self.stored.values() for one in app.spec.volumes]
        return [VolumeInfo(app=app, name=name, kept=False) for app, name in mine] + self.left

    async def set_run_state(self, app: str, service: str | None, state: RunState) -> str:
        self._fail()
        for one in self.stored[app].spec.services:
            if service in (None, one.name):
                self.run_states[app, one.name] = state
        return self.held_by

    async def restart(self, app: str, service: str | None) -> None:
        self._fail()
        self.restarted.append((app, service))

    async def logs(
        self, app: str, service: str | None, *, follow: bool, tail: int | None
    ) -> AsyncIterator[tuple[str, LogLine]]:
        self._fail()
        self.open_logs += 1
        try:
            lines = [line for line in self.written if service in (None, line[0])]
            next_line = len(self.written)
            for name, text in lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]:
                yield name, LogLine(time="2026-01-01T00:00:00Z", stream="stdout", text=text)
            while follow:
                async with self.new_line:
                    while len(self.written) == next_line:
                        await self.new_line.wait()
                        self._fail()
                name, text = self.written[next_line]
                next_line += 1
                yield name, LogLine(time="2026-01-01T00:00:00Z", stream="stderr", text=text)
        finally:
            self.open_logs -= 1

    async def write_line(self, service: str, text: str) -> None:
        """A container writes a line."""
        async with self.new_line:
            self.written.append((service, text))
            self.new_line.notify_all()

    def documents(self) -> list[Mapping[str, Any]]:
        self._fail()
        return [
            document if kind == "ConfigMap" else {**document, "data": dict.fromkeys(document["data"], "")}
            for (kind, _), document in self.core.items()
        ]

    async def delete_document(self, kind: str, name: str) -> None:
        self._fail()
        if (kind, name) not in self.core:
            raise NotFoundError(f"no {kind} {name!r} on this device")
        if name == "used":
            raise ConflictError(f"{kind} used is used by App shop", hint="delete the App first")
        del self.core[kind, name]

    async def engine(self) -> EngineInfo:
        self._fail()
        return EngineInfo(kind="simulated", version="1", address="memory", details={"disk": "none"})

    def health(self) -> Health:
        return Health(ok=not self.unwell, reasons=self.unwell)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _parse(
        self, documents: Sequence[Mapping[str, Any]]
    ) -> tuple[list[App], dict[tuple[str, str], Mapping[str, Any]]]:
        apps, core, problems = [], {}, []
        for document in documents:
            if document.get("kind") in ("Secret", "ConfigMap"):
                core[document["kind"], document["metadata"]["name"]] = document
                continue
            try:
                apps.append(App.model_validate(document))
            except ValidationError as error:
                problems += [
                    Problem(
                        resource="App", path=".".join(map(str, one["loc"])), message=one["msg"], hint="look"
                    )
                    for one in error.errors()
                ]
        if problems:
            raise InvalidResourceError(problems)
        return apps, core

    def _applied(self, app: App) -> Applied:
        before = self.stored.get(app.name)
        result = "created" if before is None else "unchanged" if before == app else "configured"
        return Applied(kind="App", name=app.name, result=result, release="1", generation=1)

    def _run_state(self, app: str, service: str) -> RunState:
        return self.run_states.get((app, service), RunState.RUNNING)

    def _with_status(self, app: App) -> App:
        services = [
            ServiceStatus(
                name=service.name,
                service_id=service.service_id or number,
                state=str(self._run_state(app.name, service.name)),
                ready=True,
                image=service.image,
                container_id=f"id-{app.name}-{service.name}",
            )
            for number, service in enumerate(app.spec.services, 1)
        ]
        status = AppStatus(state="Ready", ready=f"{len(services)}/{len(services)}", services=services)
        return app.model_copy(update={"status": status})


def shop(*services: str, name: str = "shop", **spec: Any) -> dict[str, Any]:
    """An App document."""
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": [{"name": s, "image": f"{s}:1"} for s in services or ("web", "db")], **spec},
    }
