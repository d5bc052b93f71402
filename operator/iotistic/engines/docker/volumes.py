"""Volumes of Apps. One of the same name that is not ours is never touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.engines.base import StepContext
from iotistic.engines.docker.adoption import Adoption
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.labels import owner_of, thing_labels, volume_name
from iotistic.planning.originals import AdoptedThing, Kind
from iotistic.planning.values import AppTarget, Step


class Volumes:
    """Makes and removes volumes."""

    def __init__(self, client: Client, install: str, adoption: Adoption) -> None:
        self._client = client
        self._install = install
        self._adoption = adoption

    async def create(self, step: Step, context: StepContext) -> None:
        """Make a volume of an App; one that is there already is as good. Raises EngineError."""
        adopted = self._adoption.thing(Kind.VOLUME, step.app, step.name)
        request = create_request(step.app, step.name, context.target, self._install)
        if adopted is not None:
            request["Name"] = adopted.id
        subject = f"App {step.app}, volume {step.name}"

        def create(api: Any) -> None:
            # The engine answers a second creation with the volume that is there, whosever it is.
            made = api._result(api._post_json(api._url("/volumes/create"), data=request), True)
            owner = owner_of(made.get("Labels"), self._install)
            if adopted is None and (owner is None or (owner.app, owner.name) != (step.app, step.name)):
                raise _foreign(subject, request["Name"])

        await self._client.act(subject, create)

    async def remove(self, step: Step, _: StepContext) -> None:
        """Remove a volume of an App with its data; one that is gone is as good. Raises EngineError.

        An adopted one that others have as well stays, with its data: it is the App's no longer.
        """
        subject = f"App {step.app}, volume {step.name}"
        name = self._adoption.volume_name(step.app, step.name)
        adopted = self._adoption.thing(Kind.VOLUME, step.app, step.name)

        def remove(api: Any) -> None:
            self._remove(api, subject, step.app, name, adopted)
            if adopted is not None:
                self._adoption.forget(adopted)

        await self._client.act(subject, remove)

    def _remove(self, api: Any, subject: str, app: str, name: str, adopted: AdoptedThing | None) -> None:
        try:
            labels = api.inspect_volume(name).get("Labels")
            if adopted is not None and not self._adoption.is_own(adopted, labels):
                return
            owner = owner_of(labels, self._install)
            if adopted is None and (owner is None or owner.app != app):
                raise _foreign(subject, name)
            api.remove_volume(name)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            users = api.containers(all=True, filters={"volume": name})
            if not users:
                raise
            names = ", ".join(sorted(row["Names"][0].removeprefix("/") for row in users))
            raise EngineError(
                f"{subject}: containers use it: {names}", hint="remove those that are not ours: docker rm"
            ) from error


def create_request(app: str, name: str, target: AppTarget | None, install: str) -> dict[str, Any]:
    """The body of `POST /volumes/create`. Pure."""
    record = _record(name, target)
    return {
        "Name": volume_name(app, name),
        "Driver": record.get("driver") or "local",
        "DriverOpts": record.get("driverOpts") or {},
        "Labels": thing_labels(app=app, name=name, install=install, record=record, users={}),
    }


def _record(name: str, target: AppTarget | None) -> Mapping[str, Any]:
    """The volume's definition as written."""
    written = target.app.volume(name) if target and target.app else None
    if written is not None:
        return {key: value for key, value in written.wire().items() if key != "name"}
    config = target.volumes.get(name, "") if target else ""
    record: dict[str, Any] = json.loads(config or "{}")
    return record


def _foreign(subject: str, name: str) -> EngineError:
    return EngineError(
        f"{subject}: the engine has a volume {name} that is not of this install",
        hint=f"if nobody needs its data, docker volume rm {name}; else give the App another name",
    )
