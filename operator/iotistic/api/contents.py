"""What Secrets and ConfigMaps may hold. Findings name keys, never values."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from iotistic.api.places import Place
from iotistic.api.wording import Finding

LARGEST_BYTES = 2**20
"""As in Kubernetes, which keeps them in etcd."""
DOCKER_CONFIG = ".dockerconfigjson"
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_NEEDED = {"kubernetes.io/dockerconfigjson": (DOCKER_CONFIG,), "kubernetes.io/tls": ("tls.crt", "tls.key")}


def check_contents(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is wrong with a Secret or ConfigMap though each field alone is right."""
    root = Place(data, "")
    values = [
        (key, place) for field in ("data", "stringData", "binaryData") for key, place in root[field].members()
    ]
    for key, place in values:
        if not _KEY.fullmatch(key) or key in {".", ".."}:
            yield place.wrong("a key has letters, digits, '-', '_' and '.', at most 253, as a file's name")
    if data.get("kind") == "ConfigMap":
        for key, place in root["binaryData"].members():
            if root["data"][key].value is not None:
                yield place.wrong("is in data too", "keep one of them")
    size = sum(len(place.text.encode("utf-8", "replace")) for _, place in values)
    if size > LARGEST_BYTES:
        yield Finding(path="", message=f"holds {size} bytes, more than {LARGEST_BYTES} (1 MiB)")
    for needed in _NEEDED.get(root["type"].text, ()):
        if not any(key == needed for key, _ in values):
            yield Finding(path="data", message=f"type {root['type'].text} needs the key {needed}")
    if root["type"].text == "kubernetes.io/dockerconfigjson":
        yield from _check_logins(root)


def _check_logins(root: Place) -> Iterator[Finding]:
    """A login file that can't be read would be found out by a failing pull, hours later."""
    place = root["stringData"][DOCKER_CONFIG]
    text = place.text
    if place.value is None:
        place = root["data"][DOCKER_CONFIG]
        try:
            text = base64.b64decode("".join(place.text.split()), validate=True).decode()
        except (binascii.Error, ValueError):
            return
    if not text:
        return
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("auths"), dict):
        yield place.wrong('is no login file: expected JSON like {"auths": {"registry:5000": {"auth": ...}}}')
