"""The variables of a container, from what is written and from Secrets and ConfigMaps. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from iotistic.api.errors import EngineError
from iotistic.api.service import EnvFrom, EnvVar, KeyRef, Service
from iotistic.engines.base import Contents

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")


def environment(app: str, service: Service, contents: Contents) -> dict[str, str]:
    """Variables in their order; `env` wins over `envFrom`, and of these the last.

    Raises: EngineError naming the Secret or ConfigMap, and the key, that is missing. Never a value.
    """
    subject = f"App {app}, service {service.name}"
    variables: dict[str, str] = {}
    for source in service.env_from:
        variables |= _all_keys(subject, source, contents)
    for variable in service.env:
        value = _value(subject, variable, contents, variables)
        if value is not None:
            variables[variable.name] = value
    return variables


def expanded(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Words with `$(NAME)` replaced as in Kubernetes: unknown names stay, `$$` is a dollar."""
    return [_expand(word, variables) for word in words]


def referred(
    subject: str, kind: str, name: str, contents: Contents, *, optional: bool
) -> Mapping[str, bytes] | None:
    """Values of a Secret or ConfigMap; None for an optional one that is missing. Raises EngineError."""
    values = contents.contents(kind, name)
    if values is None and not optional:
        raise EngineError(
            f"{subject}: there is no {kind} {name}", hint=f"apply the {kind}, or mark the reference optional"
        )
    return values


def _all_keys(subject: str, source: EnvFrom, contents: Contents) -> dict[str, str]:
    kind, reference = (
        ("Secret", source.secret_ref) if source.secret_ref else ("ConfigMap", source.config_map_ref)
    )
    assert reference is not None, "the model wants one of the two"
    values = referred(subject, kind, reference.name, contents, optional=reference.optional) or {}
    return {
        source.prefix + key: _text(f"{subject}: key {key} of {kind} {reference.name}", value)
        for key, value in values.items()
        if key and "=" not in key and "\0" not in key
    }


def _value(subject: str, variable: EnvVar, contents: Contents, variables: Mapping[str, str]) -> str | None:
    if variable.value_from is None:
        return _expand(variable.value or "", variables)
    if variable.value_from.secret_key_ref is not None:
        return _one_key(subject, "Secret", variable.value_from.secret_key_ref, contents)
    assert variable.value_from.config_map_key_ref is not None, "the model wants one of the two"
    return _one_key(subject, "ConfigMap", variable.value_from.config_map_key_ref, contents)


def _one_key(subject: str, kind: str, reference: KeyRef, contents: Contents) -> str | None:
    values = referred(subject, kind, reference.name, contents, optional=reference.optional)
    if values is None or reference.key not in values:
        if reference.optional:
            return None
        raise EngineError(
            f"{subject}: {kind} {reference.name} has no key {reference.key}",
            hint=f"add the key to the {kind}, or mark the reference optional",
        )
    return _text(f"{subject}: key {reference.key} of {kind} {reference.name}", values[reference.key])


def _text(what: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise EngineError(f"{what} is no text", hint="mount it as a file instead of a variable")
    return text


def _expand(text: str, variables: Mapping[str, str]) -> str:
    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    replace: Callable[[re.Match[str]], str] = put
    return _REFERENCE.sub(replace, text)
