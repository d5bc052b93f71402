"""Names: what an original agent called its containers, networks and volumes, and names that are valid here.

Facts of the original, kept as they are: whoever takes over what it left behind finds it by them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

MOST_CHARACTERS = 63
APP_ID = "iotistic.app-id"
APP_NAME = "iotistic.app-name"
SERVICE_ID = "iotistic.service-id"
SERVICE_NAME = "iotistic.service-name"
MANAGED = "iotistic.managed"
"""On networks and volumes of an original, with APP_ID; `true`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalContainer:
    """What the labels of a container say that an original agent made."""

    app_id: int
    app_name: str
    service_id: int | None
    """None where the label is not a number: a user's label may have replaced it."""
    service_name: str


def original_container(labels: Mapping[str, str]) -> OriginalContainer | None:
    """The service that a container of an original belongs to; None for any other container."""
    app_id, service_id = _number(labels.get(APP_ID)), _number(labels.get(SERVICE_ID))
    if app_id is None:
        return None
    return OriginalContainer(
        app_id=app_id,
        app_name=labels.get(APP_NAME, ""),
        service_id=service_id,
        service_name=labels.get(SERVICE_NAME, ""),
    )


def original_labels(app_id: int, app_name: str, service_id: int, service_name: str) -> dict[str, str]:
    """Labels that an original gives a container, beside the user's."""
    return {
        APP_ID: str(app_id),
        APP_NAME: app_name,
        SERVICE_ID: str(service_id),
        SERVICE_NAME: service_name,
    }


def original_container_name(app_name: str, service_name: str, service_id: int) -> str:
    """Name of an original's container, from the names as the cloud writes them."""
    return f"{app_name}_{service_name}_{service_id}"


def original_network_names(app_id: int, app_uuid: str, network: str) -> tuple[str, ...]:
    """Names under which an original's network may be found: where the App has a uuid, it makes the first and
    joins (in vain) the second."""
    joined = f"{app_id}_{network}"
    return (f"{app_uuid}_{network}", joined) if app_uuid else (joined,)


def original_volume_name(volume: str) -> str:
    """The engine's volume that holds the data of a named volume: the bare name, on the whole device. Two Apps
    that use the same name share it."""
    return volume


def original_empty_volume_name(app_id: int, volume: str) -> str:
    """The labelled volume that an original makes as well and never uses."""
    return f"{app_id}_{volume}"


def valid_name(text: str, *, fallback: str, starts_with: str = "") -> str:
    """A DNS label as near to a text as can be: `Bottling Line` is `bottling-line`.

    Args:
        fallback: the name of a text in which nothing can stay; itself valid.
        starts_with: put before a name that would begin with a digit; empty: a digit may be first.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if name and starts_with and not name[0].isalpha():
        name = f"{starts_with}-{name}"
    return name[:MOST_CHARACTERS].strip("-") or fallback


def free_name(name: str, taken: Collection[str], *, number: int | None = None) -> str:
    """The name, or where it is taken the name with a number behind: the given one, else 2, 3, ..."""
    if name not in taken:
        return name
    numbers = [*([number] if number is not None else []), *range(2, len(taken) + 3)]
    return next(longer for longer in (_numbered(name, one) for one in numbers) if longer not in taken)


def _numbered(name: str, number: int) -> str:
    tail = f"-{number}"
    return name[: MOST_CHARACTERS - len(tail)].rstrip("-") + tail


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
