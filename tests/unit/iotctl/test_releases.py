"""explain, history, rollback, retry, lock, unlock, recover: why an App is as it is, and what helps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from iotistic.controllers.base import Explanation
from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served
from tests.unit.iotctl.test_showing import cells


@pytest.fixture
def shop_device(served_device: Served) -> Served:
    """App shop (1001) of web and db; its release 2 was undone."""
    device = served_device.device
    apps, _ = device._parse([shop("web", "db")])
    device.stored["shop"], device.numbers["shop"] = apps[0], 1001
    return served_device


def explained(served: Served, sentence: str, *, since: str = "") -> None:
    """What the agent says from now on."""
    served.releases.explanation = Explanation(app="shop", state="Undone", sentence=sentence, since=since)


@pytest.mark.parametrize("words", [["app", "shop"], ["shop"], ["app/shop"], ["1001"], ["apps", "1001"]])
def test_an_explanation_is_a_sentence_since_when_and_what_to_type(
    iotctl: Iotctl, shop_device: Served, words: list[str]
) -> None:
    ran = iotctl("explain", *words)
    assert (ran.code, ran.err) == (0, "")
    sentence, since, now, command = ran.out.splitlines()
    assert sentence == "shop serves release 1; release 2 was undone"
    assert since.startswith("Since 2026-01-0")
    assert since.endswith(" d ago.")
    assert (now, command) == ("What now:", "  iotctl retry shop")


def test_a_moment_inside_the_sentence_is_said_by_the_clock_and_once(
    iotctl: Iotctl, shop_device: Served
) -> None:
    moment = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    explained(shop_device, f"release 2 is quarantined since {moment} (web: no)", since=moment)
    out = iotctl("explain", "shop").out
    here = datetime.fromisoformat(moment).astimezone()
    assert out.startswith(f"release 2 is quarantined since {here:%H:%M}, ")
    assert out.endswith(" s ago (web: no)\n")
    assert moment not in out


def test_an_app_that_is_well_needs_one_line(iotctl: Iotctl, shop_device: Served) -> None:
    explained(shop_device, "shop serves release 1 (2 of 2 ready).")
    assert iotctl("explain", "shop").out == "shop serves release 1 (2 of 2 ready).\n"


def test_an_explanation_for_programs(iotctl: Iotctl, shop_device: Served) -> None:
    found = json.loads(iotctl("explain", "app", "shop", "-o", "json").out)
    assert (found["state"], found["since"]) == ("Undone", "2026-01-02T00:00:00Z")
    assert found["commands"] == ["iotctl retry shop"]
    assert iotctl("explain", "shop", "-o", "name").out == "app/shop\n"


@pytest.mark.parametrize("words", [["shop", "till"], ["app"], ["app", "a", "b"], ["secret/web"]])
def test_what_can_not_be_explained(iotctl: Iotctl, shop_device: Served, words: list[str]) -> None:
    assert iotctl("explain", *words).code == (1 if words == ["app"] else 2)


@pytest.mark.parametrize("words", [["service", "shop-web"], ["svc", "web-1"], ["service/shop-web-1"]])
def test_of_a_service_its_app_is_explained(iotctl: Iotctl, shop_device: Served, words: list[str]) -> None:
    ran = iotctl("explain", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("shop serves release 1;")


def test_history(iotctl: Iotctl, shop_device: Served) -> None:
    table = cells(iotctl("history", "1001").out)
    assert table[0] == ["RELEASE", "STATE", "AGE", "IMAGES", "WHY"]
    assert [table[1][0], table[1][1], table[1][3:]] == ["2", "quarantined", ["web:2", "web: never ready"]]
    assert table[2][:2] == ["1", "serving"]
    assert iotctl("history", "shop", "-o", "wide").out.splitlines()[1].endswith("d2")
    assert [row["release"] for row in json.loads(iotctl("history", "shop", "-o", "json").out)] == ["2", "1"]
    assert iotctl("history", "app", "shop", "-o", "name").out == "release/2\nrelease/1\n"


def test_rollback(iotctl: Iotctl, shop_device: Served) -> None:
    assert iotctl("rollback", "shop").out == ("app/shop goes back to the last good release (as release 1)\n")
    assert iotctl("rollback", "1001", "--to", "2").out == "app/shop goes back to release 2 (as release 2)\n"
    assert iotctl("rollback", "shop", "1").out == "app/shop goes back to release 1 (as release 1)\n"
    assert iotctl("rollback", "app", "shop", "2").out == "app/shop goes back to release 2 (as release 2)\n"
    assert shop_device.releases.asked == [("rollback", "shop", release) for release in ("", "2", "1", "2")]


@pytest.mark.parametrize("words", [["shop", "1", "2"], ["shop", "1", "--to", "2"], ["app", "a", "b", "c"]])
def test_one_release_is_rolled_back_to(iotctl: Iotctl, shop_device: Served, words: list[str]) -> None:
    ran = iotctl("rollback", *words)
    assert (ran.code, ran.err) == (2, "Which App?\niotctl rollback app NAME\n")
    assert shop_device.releases.asked == []


def test_rollback_to_what_is_not_remembered(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("rollback", "shop", "9")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "App shop has no release '9'.\nThere are: 1, 2.\n"


def test_rollback_and_wait(iotctl: Iotctl, shop_device: Served) -> None:
    shop_device.device.generations["shop"] = 2
    ran = iotctl("rollback", "shop", "--wait", "--timeout", "5s")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("App shop is ready (2 of 2 services, ")


def test_rollback_waits_for_its_own_generation(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("rollback", "shop", "--wait", "--timeout", "300ms")
    assert ran.code == 5


def test_retry(iotctl: Iotctl, shop_device: Served) -> None:
    assert iotctl("retry", "1001").out == "app/shop is tried again\n"
    assert iotctl("retry", "shop", "--service", "web-1").code == 0
    assert iotctl("retry", "shop", "-s", "web").out == "service/shop/web is tried again\n"
    assert shop_device.releases.asked == [("retry", "shop", "")] + [("retry", "shop", "web")] * 2


def test_lock_and_unlock(iotctl: Iotctl, shop_device: Served) -> None:
    said = iotctl("lock", "1001", "--reason", "stocktaking", "--owner", "eva")
    assert (said.code, said.out) == (0, "app/shop is locked\n")
    assert shop_device.releases.locks == {
        ("shop", ""): {"reason": "stocktaking", "owner": "eva", "until": ""}
    }
    said = iotctl("lock", "shop", "--reason", "mine", "--owner", "adam")
    assert (said.code, said.err) == (1, "App shop is locked already by eva.\nUnlock it first.\n")
    assert iotctl("lock", "shop", "-s", "db", "--reason", "backup").out == "service/shop/db is locked\n"
    assert shop_device.releases.locks["shop", "db"]["owner"]
    assert iotctl("unlock", "shop").out == "app/shop is unlocked\n"
    assert iotctl("unlock", "shop", "--service", "db").out == "service/shop/db is unlocked\n"
    assert shop_device.releases.locks == {}
    assert iotctl("unlock", "shop").code == 1


def test_a_lock_that_ends_by_itself(iotctl: Iotctl, shop_device: Served) -> None:
    def until(text: str) -> datetime:
        assert iotctl("lock", "shop", "--reason", "x", "--owner", "eva", "--until", text).code == 0
        return datetime.fromisoformat(shop_device.releases.locks["shop", ""]["until"])

    assert until("2030-01-31T18:00:00Z") == datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert until("2030-01-31T18:00:00+01:00") == datetime(2030, 1, 31, 17, tzinfo=UTC)
    assert until("2030-01-31T18:00").tzinfo is not None
    left = until("2h") - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)


@pytest.mark.parametrize("text", ["tomorrow", "18 o'clock", "99999999999999d"])
def test_a_lock_until_what_is_no_moment(iotctl: Iotctl, shop_device: Served, text: str) -> None:
    ran = iotctl("lock", "shop", "--reason", "x", "--until", text)
    assert ran.code == 2
    assert ran.err.startswith("--until is ")
    assert "2h" in ran.err
    assert shop_device.releases.locks == {}


def test_recover(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("recover", "shop")
    assert (ran.code, ran.err) == (1, "App shop is not orphaned.\n")
    device = shop_device.device
    device.stored["lost"], device.numbers["lost"] = device.stored["shop"].model_copy(), 1002
    apps, _ = device._parse([shop("web", name="lost")])
    device.stored["lost"] = apps[0]
    assert iotctl("recover", "lost").out == "app/lost is taken over (release 1)\n"


@pytest.mark.parametrize(
    "command",
    [
        ["explain", "nope"],
        ["history", "nope"],
        ["rollback", "nope"],
        ["retry", "nope"],
        ["lock", "nope", "--reason", "x"],
        ["unlock", "nope"],
        ["recover", "nope"],
    ],
    ids=lambda command: command[0],
)
def test_an_app_that_is_not_there(iotctl: Iotctl, shop_device: Served, command: list[str]) -> None:
    ran = iotctl(*command)
    assert (ran.code, ran.out, ran.err) == (1, "", "No App 'nope' on this device.\nApps here: shop.\n")


def test_a_service_that_is_not_there(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("retry", "shop", "--service", "cache")
    assert (ran.code, ran.out) == (1, "")
    assert "'cache'" in ran.err
    assert "shop-web-1" in ran.err
