"""What every model of a resource shares: camelCase on the wire, unknown fields refused."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

GROUP = "iotistic.io"
VERSION = "v1alpha1"
API_VERSION: Final = "iotistic.io/v1alpha1"


def shaped(pattern: str, words: str, *, longest: int | None = None) -> tuple[StringConstraints, FieldInfo]:
    """What makes a text one of a pattern, with words for people and editors: `expected WORDS`."""
    constraints = StringConstraints(pattern=pattern, min_length=1 if longest else None, max_length=longest)
    return constraints, Field(json_schema_extra={"patternErrorMessage": words})


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

DnsLabel = Annotated[
    str, *shaped(rf"^{_LABEL}$", "a name of lower case letters, digits and '-', at most 63", longest=63)
]
"""A name that is a DNS label: lower case letters, digits and dashes."""

DnsName = Annotated[
    str,
    *shaped(
        rf"^{_LABEL}(\.{_LABEL})*$",
        "a name of lower case letters, digits, '-' and '.', at most 253",
        longest=253,
    ),
]
"""Names of DNS labels with dots between them, as Kubernetes has for Secrets and ConfigMaps."""

AppName = Annotated[
    str,
    *shaped(
        r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
        "a name of lower case letters, digits and '-' that begins with a letter, at most 63",
        longest=63,
    ),
]
"""As a DNS label, but starting with a letter: a number alone means the cloud's appId."""

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""A number that the cloud gives."""

Seconds = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Whole seconds."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""How many; none is possible."""


def _untitled(schema: dict[str, Any]) -> None:
    """Editors show titles; those that are only the field's name again say nothing."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)


class Model(BaseModel):
    """Base of all parts of a resource."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra=_untitled,
        frozen=True,
    )

    def wire(self) -> dict[str, Any]:
        """What was set, under its names on the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that has a meaning here."""

    name: DnsName
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
