"""What an original agent has made and this one takes over: how it is found, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from iotistic.planning.values import AppTarget


class Kind(StrEnum):
    """What there is on an engine."""

    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalApp:
    """An App that an original ran, and how what it made is found."""

    target: AppTarget
    """As it is wanted here; with `app`."""
    services: Mapping[str, Mapping[str, str]]
    """By service: labels that its container has, all of them."""
    networks: Mapping[str, tuple[str, ...]]
    """By network: names that it may have on the engine, the best first."""
    made: Mapping[str, str]
    """Labels that its networks have, all of them."""
    volumes: Mapping[str, str]
    """By named volume: the name of the engine's volume that holds its data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedThing:
    """One container, network or volume that was there before and is this install's now. Its labels can't be
    changed on the engine: they are kept beside it."""

    kind: Kind
    id: str
    """Of a container; the name of a network or volume."""
    app: str
    name: str
    """Service, or name of the network or volume in the App."""
    labels: Mapping[str, str] = field(repr=False)
    """What it would carry if it had been made here."""
