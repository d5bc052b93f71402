"""Networks of Apps. One of the same name that is not ours is never touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import docker.errors

from iotistic.api.app import Network
from iotistic.api.errors import EngineError
from iotistic.engines.base import StepContext
from iotistic.engines.docker.adoption import Adoption
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.labels import network_name, owner_of, thing_labels
from iotistic.planning.originals import Kind
from iotistic.planning.values import AppTarget, Step


class Networks:
    """Makes and removes networks."""

    def __init__(self, client: Client, install: str, adoption: Adoption) -> None:
        self._client = client
        self._install = install
        self._adoption = adoption

    async def create(self, step: Step, context: StepContext) -> None:
        """Make a network of an App; one that is there already is as good. Raises EngineError."""
        name = self._adoption.network_name(step.app, step.name)
        request = create_request(step.app, step.name, context.target, self._install) | {"Name": name}
        subject = f"App {step.app}, network {step.name}"

        def create(api: Any) -> None:
            try:
                api._result(api._post_json(api._url("/networks/create"), data=request), True)
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise
                self._is_ours(api, subject, request["Name"], step)

        await self._client.act(subject, create)

    async def remove(self, step: Step, _: StepContext) -> None:
        """Remove a network of an App; one that is gone is as good. Raises EngineError."""
        subject = f"App {step.app}, network {step.name}"
        name = self._adoption.network_name(step.app, step.name)
        adopted = self._adoption.thing(Kind.NETWORK, step.app, step.name)

        def remove(api: Any) -> None:
            for row in api.networks(filters={"name": f"^{name}$"}):
                owner = owner_of(row.get("Labels"), self._install)
                ours = adopted is not None or (owner is not None and owner.app == step.app)
                if row["Name"] == name and ours:
                    self._remove(api, subject, row["Id"])
            if adopted is not None:
                self._adoption.forget(adopted)

        await self._client.act(subject, remove)

    def _remove(self, api: Any, subject: str, id: str) -> None:
        try:
            api.remove_network(id)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            attached = api.inspect_network(id).get("Containers") or {}
            if not attached:
                raise
            names = ", ".join(sorted(one.get("Name") or "?" for one in attached.values()))
            raise EngineError(
                f"{subject}: containers are attached: {names}",
                hint="take those that are not ours off it: docker network disconnect",
            ) from error

    def _is_ours(self, api: Any, subject: str, name: str, step: Step) -> None:
        seen = api.inspect_network(name)
        owner = owner_of(seen.get("Labels"), self._install)
        if owner is None or (owner.app, owner.name) != (step.app, step.name):
            raise EngineError(
                f"{subject}: the engine has a network {name} that is not of this install",
                hint=f"remove it (docker network rm {name}), or give the App another name",
            )


def create_request(app: str, name: str, target: AppTarget | None, install: str) -> dict[str, Any]:
    """The body of `POST /networks/create`. Pure."""
    record = _record(name, target)
    ipam = record.get("ipam") or {}
    return {
        "Name": network_name(app, name),
        "CheckDuplicate": True,
        "Driver": record.get("driver") or "bridge",
        "Options": record.get("driverOpts") or {},
        "Internal": bool(record.get("internal")),
        "IPAM": {
            "Driver": ipam.get("driver") or "default",
            "Config": [_pool(pool) for pool in ipam.get("config") or ()],
        },
        "Labels": thing_labels(
            app=app, name=name, install=install, record=record, users=record.get("labels") or {}
        ),
    }


def _record(name: str, target: AppTarget | None) -> Mapping[str, Any]:
    """The network's definition as written."""
    app = target.app if target else None
    written: Network | None = (
        next((one for one in app.spec.networks if one.name == name), None) if app else None
    )
    if written is not None:
        return {key: value for key, value in written.wire().items() if key != "name"}
    config = target.networks.get(name, "") if target else ""
    record: dict[str, Any] = json.loads(config or "{}")
    return record


def _pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    names = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange"}
    return {names[key]: value for key, value in pool.items() if key in names and value}
