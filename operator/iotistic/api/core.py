"""Core v1 Secret and ConfigMap, as they are in Kubernetes: one file for both engines."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from pydantic import Field, field_validator

from iotistic.api.base import Model, ObjectMeta


class Secret(Model):
    """Values that must not be shown: for env, envFrom, imagePullSecrets and read-only mounts."""

    api_version: Literal["v1"] = "v1"
    """Version of the form of this document."""
    kind: Literal["Secret"] = "Secret"
    """What it is."""
    metadata: ObjectMeta
    """Its name, and what else may be said about it."""
    type: str = "Opaque"
    """`kubernetes.io/dockerconfigjson` for imagePullSecrets."""
    data: dict[str, str] = Field(default_factory=dict)
    """Values in base64."""
    string_data: dict[str, str] = Field(default_factory=dict)
    """Values as text; they win over `data`."""
    immutable: bool | None = None
    """Accepted as in Kubernetes; changes are not refused on a Docker host."""

    @field_validator("data")
    @classmethod
    def _is_base64(cls, value: dict[str, str]) -> dict[str, str]:
        for key, text in value.items():
            try:
                base64.b64decode("".join(text.split()), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError(
                    f"value of {key!r} is not base64; plain text goes under stringData"
                ) from None
        return value

    def contents(self) -> dict[str, bytes]:
        """The values, decoded."""
        decoded = {key: base64.b64decode("".join(text.split())) for key, text in self.data.items()}
        return decoded | {key: text.encode() for key, text in self.string_data.items()}


class ConfigMap(Model):
    """Values that may be shown: for env, envFrom and read-only mounts."""

    api_version: Literal["v1"] = "v1"
    """Version of the form of this document."""
    kind: Literal["ConfigMap"] = "ConfigMap"
    """What it is."""
    metadata: ObjectMeta
    """Its name, and what else may be said about it."""
    data: dict[str, str] = Field(default_factory=dict)
    """Values as text."""
    binary_data: dict[str, str] = Field(default_factory=dict)
    """Values in base64."""
    immutable: bool | None = None
    """Accepted as in Kubernetes; changes are not refused on a Docker host."""

    def contents(self) -> dict[str, bytes]:
        """The values, decoded."""
        binary = {key: base64.b64decode(text) for key, text in self.binary_data.items()}
        return binary | {key: text.encode() for key, text in self.data.items()}
