"""What the fields of an App mean together. Works on what is written, right or wrong, so that these
problems are told together with those of its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iotistic.api.app import Update
from iotistic.api.dependencies import check_dependencies
from iotistic.api.host_ports import clashes, host_ports
from iotistic.api.mounts import check_mounts, check_volumes
from iotistic.api.networks import check_networks
from iotistic.api.one_service import check_service
from iotistic.api.places import Place, repeated
from iotistic.api.wording import Finding

RESERVED = "iotistic.io/"
"""Labels that begin so are how the agent knows what is its own."""


def check_app(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is wrong with an App though each field alone is right.

    Args:
        data: what JSON can say; its shape may be wrong.
    """
    spec = Place(data, "")["spec"]
    services, networks, volumes = (spec[key].each() for key in ("services", "networks", "volumes"))
    yield from _not_yet(spec)
    yield from _check_deadline(spec["update"])
    for places in (services, networks, volumes):
        yield from repeated(((place["name"].text, place["name"]) for place in places), "the name")
    yield from repeated(((one["serviceId"].number, one["serviceId"]) for one in services), "the number")
    yield from check_dependencies(services)
    yield from check_networks(networks, services)
    yield from check_volumes(volumes)
    for service in services:
        yield from check_service(service)
        yield from check_mounts(service, volumes)
    for port, holder in clashes(host_ports(services)):
        if (port.service, port.inside, port.address) != (holder.service, holder.inside, holder.address):
            yield port.place.wrong(f"host port {port.text} is taken by service {holder.service}")
    for place in (*services, *networks):
        yield from _check_labels(place["labels"])


def _not_yet(spec: Place) -> Iterator[Finding]:
    """Fields that nothing acts on: refused, so that nobody relies on them."""
    update = spec["update"]
    if update["windows"].given:
        yield update["windows"].wrong("not supported yet", "leave it out: updates begin at once")
    if update["approval"].value == "Manual":
        yield update["approval"].wrong("Manual is not supported yet", "leave it out: updates begin at once")


def _check_deadline(update: Place) -> Iterator[Finding]:
    """A release that may never be good in time would always be undone."""
    defaults = Update()
    deadline, ready = update["progressDeadlineSeconds"], update["minReadySeconds"]
    longest = defaults.progress_deadline_seconds if deadline.value is None else deadline.number
    least = defaults.min_ready_seconds if ready.value is None else ready.number
    if longest is not None and least is not None and longest <= least:
        place = deadline if deadline.value is not None else ready
        message = f"no release is ever good: {least} s of readiness don't fit into a deadline of {longest} s"
        yield place.wrong(message, "make progressDeadlineSeconds longer than minReadySeconds")


def _check_labels(labels: Place) -> Iterator[Finding]:
    for key, place in labels.members():
        if key.startswith(RESERVED):
            yield place.wrong(f"labels that begin with {RESERVED} are the agent's own", "choose another")
