"""What Apps and documents may not be side by side: known only where all of them are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from iotistic.api.app import App
from iotistic.api.errors import InvalidResourceError, Problem
from iotistic.api.host_ports import clashes, host_ports
from iotistic.api.networks import subnet_of
from iotistic.api.places import Place
from iotistic.api.wording import Finding, closest

Reference = tuple[str, str]
"""Kind and name of a Secret or ConfigMap."""


def check_together(apps: Sequence[App], others: Sequence[App], documents: Collection[Reference]) -> None:
    """Check Apps against each other and against the Secrets and ConfigMaps that there are.

    Args:
        apps: what is applied now; only these are told of.
        others: the Apps that there are; those with the name of an applied one are what it was.
        documents: (kind, name) of all Secrets and ConfigMaps as they would be.

    Raises: InvalidResourceError with every problem.
    """
    applied = {app.name for app in apps}
    beside = [app for app in others if app.name not in applied]
    problems: list[Problem] = []
    for app in apps:
        spec = Place(app.wire(), "")["spec"]
        findings = [
            *_missing(spec, documents),
            *_ports(spec, beside),
            *_numbers(spec, app, beside),
            *_subnets(spec, beside),
        ]
        problems += [
            Problem(resource=f"App {app.name}", path=one.path, message=one.message, hint=one.hint)
            for one in findings
        ]
        beside.append(app)
    if problems:
        raise InvalidResourceError(problems)


def references_of(spec: Place) -> Iterator[tuple[Reference, Place]]:
    """Every Secret and ConfigMap that an App can't do without, and where it is named."""
    for service in spec["services"].each():
        for var in service["env"].each():
            yield from _named("Secret", var["valueFrom"]["secretKeyRef"], "name")
            yield from _named("ConfigMap", var["valueFrom"]["configMapKeyRef"], "name")
        for source in service["envFrom"].each():
            yield from _named("Secret", source["secretRef"], "name")
            yield from _named("ConfigMap", source["configMapRef"], "name")
        for login in service["imagePullSecrets"].each():
            yield from _named("Secret", login, "name")
    for volume in spec["volumes"].each():
        yield from _named("Secret", volume["secret"], "secretName")
        yield from _named("ConfigMap", volume["configMap"], "name")


def _named(kind: str, place: Place, key: str) -> Iterator[tuple[Reference, Place]]:
    if place[key].text and place["optional"].value is not True:
        yield (kind, place[key].text), place[key]


def _missing(spec: Place, documents: Collection[Reference]) -> Iterator[Finding]:
    for (kind, name), place in references_of(spec):
        if (kind, name) in documents:
            continue
        near = closest(name, [known for known_kind, known in documents if known_kind == kind])
        hint = f"did you mean {near}?" if near else f"apply the {kind} first, or in the same command"
        yield place.wrong(f'there is no {kind} "{name}"', hint)


def _ports(spec: Place, beside: Sequence[App]) -> Iterator[Finding]:
    taken = [
        port
        for app in beside
        for port in host_ports(Place(app.wire(), "")["spec"]["services"].each(), app.name)
    ]
    for port, holder in clashes(host_ports(spec["services"].each()), taken):
        if holder.app:
            message = f"host port {port.text} is taken by App {holder.app}, service {holder.service}"
            yield port.place.wrong(message, "choose another")


def _numbers(spec: Place, app: App, beside: Sequence[App]) -> Iterator[Finding]:
    for other in beside:
        if app.spec.app_id is not None and app.spec.app_id == other.spec.app_id:
            yield spec["appId"].wrong(
                f"{app.spec.app_id} is the number of App {other.name}", "choose another"
            )


def _subnets(spec: Place, beside: Sequence[App]) -> Iterator[Finding]:
    taken = [
        (subnet, f"network {network.name} of App {app.name}")
        for app in beside
        for network in app.spec.networks
        for config in network.ipam.config
        if (subnet := subnet_of(config.subnet))
    ]
    for network in spec["networks"].each():
        for config in network["ipam"]["config"].each():
            subnet = subnet_of(config["subnet"].text)
            for other, owner in taken:
                if subnet is not None and subnet.overlaps(other):
                    yield config["subnet"].wrong(f"{subnet} overlaps {other} of {owner}", "choose another")
