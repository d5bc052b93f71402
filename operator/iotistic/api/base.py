"""What every model of a resource shares: camelCase on the wire, unknown fields refused."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

GROUP = "iotistic.io"
VERSION = "v1alpha1"
API_VERSION: Final = "iotistic.io/v1alpha1"

DnsLabel = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)
]
"""A name that is a DNS label: lower case letters, digits and dashes."""

AppName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)
]
"""As a DNS label, but starting with a letter: a number alone means the cloud's appId."""


class Model(BaseModel):
    """Base of all parts of a resource."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        use_attribute_docstrings=True,
        frozen=True,
    )

    def wire(self) -> dict[str, Any]:
        """What was set, under its names on the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that has a meaning here."""

    name: DnsLabel
    """Name of the resource."""
    namespace: str | None = None
    """Accepted everywhere; it selects nothing on a Docker host."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the resource."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the resource."""
    uid: str | None = None
    """Set by the server."""
    generation: int | None = None
    """Set by the server: counts changes of the spec."""
    resource_version: str | None = None
    """Set by the server."""
    creation_timestamp: str | None = None
    """Set by the server."""
    deletion_timestamp: str | None = None
    """Set by the server."""
    managed_fields: list[Any] | None = None
    """Set by the server."""
    owner_references: list[Any] | None = None
    """Set by the server or an operator."""
    finalizers: list[str] | None = None
    """Set by operators."""
