"""How waiting ends when an App did not get ready: the whole story, its last lines, what to type."""

from __future__ import annotations

import pytest

from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served

WHY = "release 2: web never became ready (GET :8080/health -> 500)"
TOLD = (
    "App shop: release 2 was undone after 20 s: web never became ready (GET :8080/health -> 500); "
    "all 3 services are back on release 1. Release 2 will not be tried again until its spec changes or "
    "somebody asks for a retry"
)
WHAT_NOW = "What now:  iotctl explain app shop   |   iotctl services logs shop-web --previous\n"


@pytest.fixture
def undone(served_device: Served) -> Served:
    """App shop of web, db and api, whose release 2 was undone."""
    device = served_device.device
    apps, _ = device._parse([shop("web", "db", "api")])
    device.stored["shop"], device.numbers["shop"] = apps[0], 1001
    device.why["shop"] = ("Undone", "Undone", WHY)
    return served_device


def test_a_release_that_was_undone(iotctl: Iotctl, undone: Served) -> None:
    undone.say("Undone", TOLD.replace("release 2", "release 0"), app="shop", type="Warning")
    undone.say("Undone", TOLD, app="shop", type="Warning")
    undone.say("Undone", TOLD.replace("shop", "till"), app="till", type="Warning")
    ran = iotctl("wait", "app/shop", "--timeout", "5s")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == (
        "App shop: release 2 was undone after 20 s: web never became ready (GET :8080/health -> 500).\n"
        "All 3 services are back on release 1. Release 2 will not be tried again until its spec changes or "
        "somebody asks for a retry.\n"
        "Last lines of web:\n"
        "  | dying\n"
        "  | dead\n" + WHAT_NOW
    )


def test_an_undo_that_nobody_remembers_the_story_of(iotctl: Iotctl, undone: Served) -> None:
    undone.say("Undone", TOLD.replace("release 2", "release 1"), app="shop", type="Warning")
    ran = iotctl("wait", "app/shop")
    assert ran.code == 4
    assert ran.err == (
        f"App shop was undone: {WHY}.\n"
        "Release 1 serves (3 of 3 services ready).\n"
        "Last lines of web:\n"
        "  | dying\n"
        "  | dead\n" + WHAT_NOW
    )


def test_an_undo_for_which_no_service_is_to_blame(iotctl: Iotctl, undone: Served) -> None:
    undone.device.why["shop"] = ("Undone", "Undone", "release 2: the device rebooted 3 times")
    ran = iotctl("wait", "app/shop")
    assert ran.err == (
        "App shop was undone: release 2: the device rebooted 3 times.\n"
        "Release 1 serves (3 of 3 services ready).\n"
        "What now:  iotctl explain app shop\n"
    )


def test_a_service_that_left_no_lines(iotctl: Iotctl, undone: Served) -> None:
    undone.device.why["shop"] = ("Undone", "Undone", "release 2: db never became ready")
    err = iotctl("wait", "app/shop").err
    assert "Last lines" not in err
    assert err.endswith("iotctl services logs shop-db --previous\n")


def test_an_install_that_failed_and_stays(iotctl: Iotctl, undone: Served) -> None:
    undone.device.why["shop"] = ("Failed", "DeadlineExceeded", "release 1: db never became ready (exit 1)")
    message = (
        "release 1 failed: db never became ready (exit 1); there is no earlier good release to go back to"
    )
    undone.say("DeadlineExceeded", f"App shop: {message}", app="shop", type="Warning")
    for number in range(9):
        undone.write_line("db", f"line {number}")
    ran = iotctl("wait", "app/shop")
    assert ran.code == 1
    assert ran.err == (
        "App shop: release 1 failed: db never became ready (exit 1).\n"
        "There is no earlier good release to go back to.\n"
        "Last lines of db:\n"
        + "".join(f"  | line {number}\n" for number in range(4, 9))
        + "What now:  iotctl explain app shop   |   iotctl services logs shop-db\n"
    )


def test_an_app_that_would_lose_data(iotctl: Iotctl, undone: Served) -> None:
    undone.device.why["shop"] = ("Stalled", "WouldLoseData", "volume data changed; delete it first")
    ran = iotctl("wait", "app/shop")
    assert ran.code == 1
    assert ran.err == (
        "App shop is stalled: volume data changed; delete it first.\nWhat now:  iotctl explain app shop\n"
    )


def test_the_worst_end_of_several_apps_is_the_exit_code(iotctl: Iotctl, undone: Served) -> None:
    device = undone.device
    apps, _ = device._parse([shop("pay", name="till")])
    device.stored["till"], device.numbers["till"] = apps[0], 1002
    ran = iotctl("wait", "app/till", "app/shop")
    assert ran.code == 4
    assert ran.out.startswith("App till is ready (1 of 1 services, ")
