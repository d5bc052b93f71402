"""Core v1 Secret and ConfigMap, as they are in Kubernetes: one file for both engines."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from iotistic.api.base import Model, ObjectMeta


def _decoded(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def _is_base64(text: str) -> str:
    """The message never has the value: it may be a secret in plain text."""
    try:
        _decoded(text)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; plain text goes under stringData (ConfigMap: data)") from None
    return text


Base64 = Annotated[str, AfterValidator(_is_base64)]


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
    data: dict[str, Base64] = Field(default_factory=dict)
    """Values in base64."""
    string_data: dict[str, str] = Field(default_factory=dict)
    """Values as text; they win over `data`."""
    immutable: bool | None = None
    """Accepted as in Kubernetes; changes are not refused on a Docker host."""

    def contents(self) -> dict[str, bytes]:
        """The values, decoded."""
        decoded = {key: _decoded(text) for key, text in self.data.items()}
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
    binary_data: dict[str, Base64] = Field(default_factory=dict)
    """Values in base64."""
    immutable: bool | None = None
    """Accepted as in Kubernetes; changes are not refused on a Docker host."""

    def contents(self) -> dict[str, bytes]:
        """The values, decoded."""
        binary = {key: _decoded(text) for key, text in self.binary_data.items()}
        return binary | {key: text.encode() for key, text in self.data.items()}
