"""Resources as they go over the wire, and the original's shape of an App by its number."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from iotistic.api.app import App, ServiceStatus
from iotistic.api.appservice import AppService
from iotistic.api.base import Model
from iotistic.api.service import Service

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def resource(item: App | AppService) -> dict[str, Any]:
    """What was set, and the whole status."""
    body: dict[str, Any] = {"apiVersion": item.api_version, "kind": item.kind, **item.wire()}
    if item.status is not None:
        body["status"] = item.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return body


def wire(model: type[Model], value: DataclassInstance) -> dict[str, Any]:
    """A value of the controllers under the names that its model has on the wire."""
    return model.model_validate(asdict(value)).model_dump(mode="json", by_alias=True)


def original(app: App, number: int) -> dict[str, Any]:
    """The fields that the original answered for `/v1/apps/NUMBER`, with all services beside the first."""
    services = [_original_service(app, number, service) for service in app.spec.services]
    return {**services[0], "services": services}


def container_id(app: App) -> str:
    """Container of the first service; empty while there is none."""
    return next((status.container_id for status in statuses(app) if status.container_id), "")


def statuses(app: App) -> list[ServiceStatus]:
    """Status of each service."""
    return app.status.services if app.status else []


def _original_service(app: App, number: int, service: Service) -> dict[str, Any]:
    status = next((status for status in statuses(app) if status.name == service.name), None)
    return {
        "appId": number,
        "appName": app.name,
        "containerId": status.container_id if status else "",
        "serviceId": status.service_id if status else None,
        "serviceName": service.name,
        "imageName": service.image,
        "status": status.state.lower() if status else "",
        "config": _original_config(service),
    }


def _original_config(service: Service) -> dict[str, Any]:
    published = [port for port in service.ports if port.host_port is not None]
    return {
        "image": service.image,
        "ports": [
            f"{port.host_port}:{port.container_port}" + ("/udp" if port.protocol == "UDP" else "")
            for port in published
        ],
        "environment": {env.name: env.value or "" for env in service.env if env.value_from is None},
        "volumes": [f"{mount.name}:{mount.mount_path}" for mount in service.volume_mounts],
        "networks": list(service.networks),
        "labels": dict(service.labels),
    }
