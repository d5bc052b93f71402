"""Which service is meant: `web`, `web-1` (with its number), `shop-web` or `shop-web-1`."""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.api.appservice import AppService
from iotistic.api.errors import ConflictError, NotFoundError


def find_service(services: Sequence[AppService], address: str, *, where: str) -> AppService:
    """The one service that `address` names.

    Args:
        where: what was searched, for the error: `App shop` or `this device`.

    Raises: NotFoundError naming those that there are; ConflictError naming all that it could mean.
    """
    found = [service for service in services if address in names_of(service)]
    if len(found) == 1:
        return found[0]
    if not found:
        known = ", ".join(sorted(full_name(service) for service in services)) or "none"
        raise NotFoundError(f"no service {address!r} in {where}", hint=f"services there: {known}")
    candidates = ", ".join(sorted(full_name(service) for service in found))
    raise ConflictError(f"{address!r} could be {candidates}", hint="name one of these in full")


def names_of(service: AppService) -> frozenset[str]:
    """All names that lead to it."""
    app, name = service.spec.app, service.spec.service
    number = service.status.service_id if service.status else None
    numbered = {f"{name}-{number}", f"{app}-{name}-{number}"} if number is not None else set()
    return frozenset({name, f"{app}-{name}"} | numbered)


def full_name(service: AppService) -> str:
    """The longest of its names."""
    return max(names_of(service), key=len)
