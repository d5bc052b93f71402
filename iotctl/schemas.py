"""JSON Schema of the kinds, from the models that validate them."""

from __future__ import annotations

from typing import Any

from iotistic.api.app import App
from iotistic.api.appservice import AppService
from iotistic.api.base import Model
from iotistic.api.core import ConfigMap, Secret

KINDS: dict[str, type[Model]] = {
    "app": App,
    "appservice": AppService,
    "secret": Secret,
    "configmap": ConfigMap,
}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of what a person writes: `status` is left out.

    Raises: KeyError for an unknown kind.
    """
    model = KINDS[kind]
    schema = model.model_json_schema(by_alias=True, mode="validation")
    schema["properties"].pop("status", None)
    schema["required"] = ["apiVersion", "kind", *[one for one in schema.get("required", [])]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
