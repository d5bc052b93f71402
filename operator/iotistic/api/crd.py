"""The kinds as CustomResourceDefinitions: what `crds/` and the chart hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.api.app import App, AppSpec, AppStatus, ServiceStatus
from iotistic.api.appservice import AppService, AppServiceSpec
from iotistic.api.base import GROUP, VERSION, Model
from iotistic.api.cel import app_name
from iotistic.api.structural import structural

CATEGORY = "iotistic"
"""`kubectl get iotistic` lists all kinds."""


class AppStatusOnCluster(AppStatus):
    """What is so now. Written by Iotistic Edge only."""

    rollout: str = ""
    """Where the update is, for the operator after its own restart; its form may change."""


def crds() -> dict[str, dict[str, Any]]:
    """Each definition by its plural name."""
    return {"apps": _app(), "appservices": _app_service()}


def _app() -> dict[str, Any]:
    status = structural(AppStatusOnCluster)
    status["default"] = {"observedGeneration": -1}
    schema = _schema(App, structural(AppSpec), status)
    schema["x-kubernetes-validations"] = [app_name().wire()]
    columns = [
        _column("Ready", ".status.ready"),
        _column("Release", ".status.release"),
        _column("State", ".status.state"),
        _column("Why", ".status.why"),
    ]
    return _definition("App", "eapp", schema, columns)


def _app_service() -> dict[str, Any]:
    status = structural(ServiceStatus)
    schema = _schema(AppService, structural(AppServiceSpec), status)
    columns = [
        _column("App", ".spec.app"),
        _column("Image", ".status.image"),
        _column("State", ".status.state"),
        _column("Ready", ".status.ready", "boolean"),
        _column("Restarts", ".status.restarts", "integer"),
        _column("Why", ".status.reason"),
    ]
    return _definition("AppService", "eappservice", schema, columns)


def _schema(model: type[Model], spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": " ".join((model.__doc__ or "").split()),
        "required": ["spec"],
        "properties": {
            "apiVersion": {
                "type": "string",
                "description": _of(model, "api_version"),
            },
            "kind": {"type": "string", "description": _of(model, "kind")},
            "metadata": {"type": "object"},
            "spec": {**spec, "description": _of(model, "spec")},
            "status": {**status, "description": _of(model, "status")},
        },
    }


def _of(model: type[Model], field: str) -> str:
    return " ".join((model.model_fields[field].description or "").split())


def _column(name: str, path: str, kind: str = "string") -> dict[str, str]:
    return {"name": name, "type": kind, "jsonPath": path}


def _definition(
    kind: str, short_name: str, schema: Mapping[str, Any], columns: list[dict[str, str]]
) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [*columns, age],
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": dict(schema)},
                }
            ],
        },
    }
