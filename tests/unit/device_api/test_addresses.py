"""Names of services."""

from __future__ import annotations

import pytest

from iotistic.api.app import ServiceStatus
from iotistic.api.appservice import AppService, AppServiceSpec
from iotistic.api.base import ObjectMeta
from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.device_api.addresses import find_service


def service(app: str, name: str, number: int | None) -> AppService:
    status = ServiceStatus(name=name, service_id=number, state="Running")
    return AppService(
        metadata=ObjectMeta(name=f"{app}-{name}"), spec=AppServiceSpec(app=app, service=name), status=status
    )


SERVICES = [
    service("myapp", "web", 1),
    service("myapp", "db", 2),
    service("till", "web", 3),
    service("till", "db-2", 4),
    service("new", "ui", None),
]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("web-1", ("myapp", "web")),
        ("myapp-web", ("myapp", "web")),
        ("myapp-web-1", ("myapp", "web")),
        ("web-3", ("till", "web")),
        ("db", ("myapp", "db")),
        ("till-db-2", ("till", "db-2")),
        ("db-2-4", ("till", "db-2")),
        ("ui", ("new", "ui")),
        ("new-ui", ("new", "ui")),
        ("web", ConflictError),
        ("db-2", ConflictError),
        ("web-2", NotFoundError),
        ("ui-None", NotFoundError),
        ("", NotFoundError),
        ("myapp", NotFoundError),
    ],
)
def test_find_service(address: str, found: tuple[str, str] | type[Exception]) -> None:
    if isinstance(found, type):
        with pytest.raises(found):
            find_service(SERVICES, address, where="this device")
    else:
        one = find_service(SERVICES, address, where="this device")
        assert (one.spec.app, one.spec.service) == found


def test_candidates_are_named_so_that_each_is_unique() -> None:
    with pytest.raises(ConflictError, match="'db-2' could be myapp-db-2, till-db-2-4"):
        find_service(SERVICES, "db-2", where="this device")


def test_nothing_there() -> None:
    with pytest.raises(NotFoundError, match="no service 'web' in App shop") as caught:
        find_service([], "web", where="App shop")

    assert caught.value.hint == "services there: none"
