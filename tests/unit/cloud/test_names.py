"""What an original agent called things, and names that are valid here."""

from __future__ import annotations

import pytest

from iotistic.cloud import names


def test_a_container_is_called_by_app_service_and_number() -> None:
    assert names.original_container_name("Bottling Line", "broker", 7) == "Bottling Line_broker_7"


def test_labels_say_what_a_container_is() -> None:
    labels = names.original_labels(1001, "Bottling", 7, "broker")

    assert labels == {
        "iotistic.app-id": "1001",
        "iotistic.app-name": "Bottling",
        "iotistic.service-id": "7",
        "iotistic.service-name": "broker",
    }
    assert names.original_container(labels | {"team": "ot"}) == names.OriginalContainer(
        app_id=1001, app_name="Bottling", service_id=7, service_name="broker"
    )


@pytest.mark.parametrize(
    "labels", [{}, {"iotistic.app-id": ""}, {"iotistic.app-id": "x"}, {"iotistic.io/app": "shop"}]
)
def test_other_containers_are_nobodys(labels: dict[str, str]) -> None:
    assert names.original_container(labels) is None


def test_labels_that_a_user_has_replaced() -> None:
    found = names.original_container({"iotistic.app-id": "1", "iotistic.service-id": "web"})

    assert found == names.OriginalContainer(app_id=1, app_name="", service_id=None, service_name="")


def test_a_network_has_two_names_where_the_app_has_a_uuid() -> None:
    assert names.original_network_names(1001, "b1d2", "floor") == ("b1d2_floor", "1001_floor")
    assert names.original_network_names(1001, "", "floor") == ("1001_floor",)


def test_the_data_is_in_the_volume_with_the_bare_name() -> None:
    assert names.original_volume_name("broker_data") == "broker_data"
    assert names.original_empty_volume_name(1001, "broker_data") == "1001_broker_data"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("web", "web"),
        ("Bottling Line", "bottling-line"),
        ("Abfüllung #2", "abfullung-2"),
        ("--a__b--", "a-b"),
        ("2nd", "2nd"),
        ("☃", "service-9"),
        ("", "service-9"),
        ("x" * 70, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
    ],
)
def test_valid_names(text: str, name: str) -> None:
    assert names.valid_name(text, fallback="service-9") == name


def test_a_name_that_must_begin_with_a_letter() -> None:
    assert names.valid_name("2nd", fallback="app", starts_with="app") == "app-2nd"


@pytest.mark.parametrize(
    ("taken", "number", "name"),
    [
        (set(), 7, "web"),
        ({"web"}, 7, "web-7"),
        ({"web"}, None, "web-2"),
        ({"web", "web-7"}, 7, "web-2"),
        ({"web", "web-2", "web-3"}, None, "web-4"),
    ],
)
def test_free_names(taken: set[str], number: int | None, name: str) -> None:
    assert names.free_name("web", taken, number=number) == name


def test_a_long_name_makes_room_for_the_number() -> None:
    long = "x" * 63

    assert names.free_name(long, {long}, number=1001) == "x" * 58 + "-1001"
