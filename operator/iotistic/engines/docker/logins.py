"""Logins of registries: Docker's own config.json first, then the Secrets that services name."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.auth import AuthConfig, encode_header
from docker.errors import DockerException

from iotistic.api.errors import EngineError
from iotistic.api.image import ImageRef
from iotistic.engines.base import Contents

CONFIG_JSON = "config.json"
KEYS = (".dockerconfigjson", ".dockercfg")
"""Of Secrets of type kubernetes.io/dockerconfigjson and, older, kubernetes.io/dockercfg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One way to be let in."""

    source: str
    """Where it comes from, as `Secret reg`; empty for none at all."""
    header: str = field(default="", repr=False)
    """X-Registry-Auth."""


NO_LOGIN = Login(source="")


def logins(
    image: ImageRef, secrets: Sequence[str], contents: Contents, docker_config: Path | None
) -> list[Login]:
    """Logins to try one after the other, at least one: without any, none at all. Blocks on files and on
    Docker's credential helpers.

    Args:
        image: what is fetched.
        secrets: names of the Secrets of the services that use it.
        contents: the Secrets.
        docker_config: directory with Docker's config.json; None for ~/.docker.

    Raises: EngineError naming a file or Secret that can't be read.
    """
    folder = config_folder(docker_config)
    found = [*_of_file(image, folder / CONFIG_JSON)] if folder else []
    for name in secrets:
        found += _of_secret(image, name, contents)
    return found or [NO_LOGIN]


def config_folder(given: Path | None) -> Path | None:
    """The directory of Docker's config.json; None for a user without a home."""
    if given is not None:
        return given
    try:
        return Path.home() / ".docker"
    except RuntimeError:
        return None


def _of_file(image: ImageRef, path: Path) -> Iterator[Login]:
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"{path} can't be read: {error}", hint="let the agent's user read it") from error
    config = _parsed(text, str(path))
    login = _resolved(config, image, str(path))
    if login is not None:
        yield Login(source=str(path), header=login)


def _of_secret(image: ImageRef, name: str, contents: Contents) -> Iterator[Login]:
    values = contents.contents("Secret", name)
    if values is None:
        raise EngineError(
            f"image {image.short}: imagePullSecrets names Secret {name}, which is not there",
            hint="apply the Secret, or take it out of imagePullSecrets",
        )
    source = f"Secret {name}"
    key = next((key for key in KEYS if key in values), None)
    if key is None:
        raise EngineError(
            f"image {image.short}: {source} in imagePullSecrets holds no login of a registry",
            hint=f"it needs type kubernetes.io/dockerconfigjson and the key {KEYS[0]}",
        )
    config = _parsed(values[key].decode("utf-8", "replace"), f"{source}, key {key}")
    config = config if key == KEYS[0] else {"auths": config}
    config = {"auths": config.get("auths") or {}}  # a Secret must not choose a program to run here
    login = _resolved(config, image, source)
    if login is not None:
        yield Login(source=source, header=login)


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise EngineError(f"{source} is no JSON object with logins", hint='expected like {"auths": {...}}')
    return config


def _resolved(config: Mapping[str, Any], image: ImageRef, source: str) -> str | None:
    """The header for an image's registry; None when the config has no login for it."""
    try:
        auths = AuthConfig(
            {
                "auths": AuthConfig.parse_auth(_with_auth(config.get("auths") or {}), raise_on_error=True),
                "credsStore": config.get("credsStore"),
                "credHelpers": config.get("credHelpers") or {},
            }
        )
        login = auths.resolve_authconfig(image.registry)
    except (DockerException, ValueError, TypeError, AttributeError):
        raise EngineError(
            f"the login for {image.registry} in {source} can't be read",
            hint=f"make it again: docker login {image.registry}",
        ) from None
    return encode_header(login).decode() if login else None


def _with_auth(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries with user and password in the one form that the SDK reads."""
    return {registry: _entry_with_auth(entry) for registry, entry in entries.items()}


def _entry_with_auth(entry: Any) -> Any:
    if not isinstance(entry, dict) or "auth" in entry or not entry.get("username"):
        return entry
    pair = f"{entry['username']}:{entry.get('password') or ''}"
    return {**entry, "auth": b64encode(pair.encode()).decode()}
