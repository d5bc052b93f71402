"""get, apps, services, events, logs, status: what people see and what programs get."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import yaml

from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import CREATED, Served
from tests.unit.iotctl.screen import in_a_process, on_a_terminal, read_until


@pytest.fixture
def two_apps(served_device: Served) -> Served:
    """App shop (1001) of web and db, App till (1002) of web and pay."""
    device = served_device.device
    for document in (shop("web", "db"), shop("web", "pay", name="till")):
        apps, _ = device._parse([document])
        device.stored[apps[0].name] = apps[0]
        device.numbers[apps[0].name] = 1001 + len(device.numbers)
    device.states["shop", "web"] = {"ports": ["8080->80/tcp"], "image_digest": "sha256:0123456789abcdef"}
    device.states["till", "pay"] = {
        "state": "CrashLoop",
        "ready": False,
        "reason": "OOMKilled at 64Mi, next try in 40 s",
        "restarts": 7,
        "exit_code": 137,
    }
    device.why["till"] = ("Degraded", "", "pay: crash loop, exit 137 (OOMKilled)")
    return served_device


def lines(text: str) -> list[list[str]]:
    """Cells of a table: what two spaces separate."""
    return [[cell for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line] for line in lines(text)]


def test_apps_as_a_table(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("get", "apps")
    assert ran.code == 0
    assert ran.err == ""
    table = cells(ran.out)
    assert table[0] == ["NAME", "APP-ID", "READY", "RELEASE", "STATE", "WHY", "AGE"]
    assert table[1][:5] == ["shop", "1001", "2/2", "1", "Ready"]
    assert table[2][:6] == ["till", "1002", "1/2", "1", "Degraded", "pay: crash loop, exit 137 (OOMKilled)"]
    assert table[2][6].endswith(" d")
    assert iotctl("apps", "list").out == ran.out


def test_apps_list_for_programs(iotctl: Iotctl, two_apps: Served) -> None:
    shop, till = json.loads(iotctl("apps", "list", "-o", "json").out)
    assert shop == {
        "name": "shop",
        "appId": 1001,
        "release": "1",
        "ready": True,
        "readyServices": "2/2",
        "state": "Ready",
        "reason": "",
        "generation": 1,
        "created": CREATED,
        "services": ["web", "db"],
    }
    assert (till["ready"], till["readyServices"], till["state"]) == (False, "1/2", "Degraded")
    assert yaml.safe_load(iotctl("apps", "list", "-o", "yaml").out) == [shop, till]


def test_services_as_a_table(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("services", "list", "1002")
    table = cells(ran.out)
    assert table[0] == ["SERVICE", "IMAGE", "STATE", "READY", "RESTARTS", "WHY", "PORTS"]
    assert table[1] == ["till-web-1", "web:1", "Running", "yes", "0"]
    assert table[2] == ["till-pay-2", "pay:1", "CrashLoop", "no", "7", "OOMKilled at 64Mi, next try in 40 s"]
    assert "8080->80" in iotctl("services", "list", "shop").out
    assert "0123456789ab\n" in iotctl("get", "services", "-o", "wide").out


def test_services_list_for_programs(iotctl: Iotctl, two_apps: Served) -> None:
    rows = json.loads(iotctl("services", "list", "-o", "json").out)
    assert [row["address"] for row in rows] == ["shop-web-1", "shop-db-2", "till-web-1", "till-pay-2"]
    wanted: dict[str, Any] = {
        "name": "pay",
        "app": "till",
        "appId": 1002,
        "serviceId": 2,
        "address": "till-pay-2",
        "release": "1",
        "ready": False,
        "state": "CrashLoop",
        "reason": "OOMKilled at 64Mi, next try in 40 s",
        "image": "pay:1",
        "containerId": "id-till-pay",
        "restarts": 7,
        "ports": [],
        "exitCode": 137,
    }
    assert wanted.items() <= rows[3].items()


def test_get_gives_the_resource_itself(iotctl: Iotctl, two_apps: Served) -> None:
    app = json.loads(iotctl("get", "app", "shop", "-o", "json").out)
    assert (app["kind"], app["spec"]["services"][0]["image"], app["status"]["state"]) == (
        "App",
        "web:1",
        "Ready",
    )
    assert yaml.safe_load(iotctl("get", "app/1001", "-o", "yaml").out) == app
    both = json.loads(iotctl("get", "apps", "-o", "json").out)
    assert (both["kind"], len(both["items"])) == ("List", 2)
    service = json.loads(iotctl("get", "service", "till-pay-2", "-o", "json").out)
    assert (service["kind"], service["status"]["restarts"]) == ("AppService", 7)


def test_names_only(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("get", "apps", "-o", "name").out == "app/shop\napp/till\n"
    assert iotctl("services", "list", "shop", "-o", "name").out == "service/shop-web-1\nservice/shop-db-2\n"


def test_everything_at_once(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("get", "all")
    assert ran.out.count("NAME  ") == 1
    assert "till-pay-2" in ran.out
    assert ran.err == ""
    assert [line.split("/")[0] for line in iotctl("get", "apps,services", "-o", "name").out.split()] == [
        *["app"] * 2,
        *["service"] * 4,
    ]


@pytest.mark.parametrize("command", [["get", "apps"], ["apps", "list"], ["services", "list"], ["get", "cm"]])
def test_nothing_there_says_what_to_do(iotctl: Iotctl, served_device: Served, command: list[str]) -> None:
    ran = iotctl(*command)
    assert (ran.code, ran.out) == (0, "")
    assert "iotctl apply -f FILE" in ran.err
    assert iotctl(*command, "-o", "name").err == ""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["get", "serviecs"], "Did you mean services?"),
        (["get", "nodes"], "There are apps, services, secrets, configmaps and all."),
        (["get", "app/shop", "till"], "'app/shop' names a resource already"),
        (["get", "all", "shop"], "it takes no name"),
        (["get", "apps", "-o", "xml"], "xml"),
        (["get", "apps", ""], "'' is no name"),
        (["get"], "KIND"),
    ],
)
def test_bad_usage(iotctl: Iotctl, served_device: Served, command: list[str], said: str) -> None:
    ran = iotctl(*command)
    assert ran.code == 2
    assert said in ran.err


def test_an_app_that_is_not_there(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("get", "app", "nope")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "No App 'nope' on this device.\nApps here: shop, till.\n"


def test_a_service_that_could_be_two(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("services", "restart", "web")
    assert ran.code == 2
    assert ran.err.startswith("'web' could be shop-web-1, till-web-1.\n")
    assert two_apps.device.restarted == []


def test_a_stopped_service_is_neither_ready_nor_not(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("services", "stop", "shop-web-1").code == 0
    rows = cells(iotctl("services", "list", "1001").out)
    assert {row[0]: row[2:4] for row in rows[1:]}["shop-web-1"] == ["Stopped", "-"]


@pytest.mark.parametrize("address", ["pay", "pay-2", "till-pay", "till-pay-2"])
def test_every_address_of_a_service(iotctl: Iotctl, two_apps: Served, address: str) -> None:
    ran = iotctl("services", "restart", address)
    assert (ran.code, ran.out) == (0, "service/till-pay-2: restarting\n")
    assert two_apps.device.restarted == [("till", "pay")]


def test_a_service_of_the_app_that_is_meant(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("services", "stop", "web", "-a", "1002").out == "service/till-web-1: stopping\n"
    assert {key: str(state) for key, state in two_apps.device.run_states.items()} == {
        ("till", "web"): "Stopped"
    }


@pytest.mark.parametrize(
    ("action", "state"),
    [("stop", "Stopped"), ("start", "Running"), ("pause", "Paused"), ("unpause", "Running")],
)
def test_run_states_of_services(iotctl: Iotctl, two_apps: Served, action: str, state: str) -> None:
    assert iotctl("services", action, "shop-web-1").code == 0
    assert two_apps.device.run_states == {("shop", "web"): state}


def test_what_a_lock_holds_back_is_told_to_wait(iotctl: Iotctl, two_apps: Served) -> None:
    two_apps.device.held_by = "shop is locked by plc: batch (iotctl unlock shop)"

    for words in (("apps", "stop", "shop"), ("services", "pause", "shop-web-1")):
        ran = iotctl(*words)
        assert (ran.code, ran.err) == (0, "That waits: shop is locked by plc: batch (iotctl unlock shop)\n")


def test_start_and_stop_of_a_whole_app_by_its_number(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("apps", "stop", "1001").out == "app/shop: stopping web, db\n"
    assert set(two_apps.device.run_states) == {("shop", "web"), ("shop", "db")}
    assert iotctl("apps", "start", "1001").out == "app/shop: starting web, db\n"
    assert set(two_apps.device.run_states.values()) == {"Running"}
    assert iotctl("apps", "restart", "shop").out == "app/shop: restarting web, db\n"
    assert two_apps.device.restarted == [("shop", None)]


def test_info_of_an_app(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("apps", "info", "1002")
    assert ran.out.startswith("App till (1002): Degraded, services ready: 1/2\n")
    assert "Why       pay: crash loop, exit 137 (OOMKilled)\n" in ran.out
    assert "till-pay-2" in ran.out
    info = json.loads(iotctl("apps", "info", "till", "-o", "json").out)
    assert (info["name"], [service["name"] for service in info["services"]]) == ("till", ["web", "pay"])


def test_info_of_a_service(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("services", "info", "pay")
    assert ran.out.startswith("Service till-pay-2 of App till (1002): CrashLoop, not ready\n")
    assert "Last exit  137\n" in ran.out
    assert json.loads(iotctl("services", "info", "pay", "-o", "json").out)["exitCode"] == 137


def test_purge_wants_to_be_sure(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("apps", "purge", "1001")
    assert ran.code == 2
    assert ran.err == (
        "App shop goes; it has no volumes.\nNobody can be asked here: add --yes if that is what you want.\n"
    )
    assert two_apps.device.purged == {}
    ran = iotctl("apps", "purge", "1001", "--yes")
    assert ran.out == "app/shop is being deleted (its volumes go too)\n"
    assert two_apps.device.purged == {"shop": True}


@pytest.mark.parametrize(("typed", "purged"), [("y\n", {"shop": True}), ("\n", {}), ("yep\n", {})])
def test_purge_asks_a_person_and_names_the_volumes(
    served_device: Served, typed: str, purged: dict[str, bool]
) -> None:
    device = served_device.device
    apps, _ = device._parse([shop("web", volumes=[{"name": "data"}, {"name": "cache"}])])
    device.stored["shop"], device.numbers["shop"] = apps[0], 1001
    screen, process = on_a_terminal("apps", "purge", "1001")
    try:
        asked = read_until(screen, "Go on? [y/N] ")
        assert "App shop goes, with its volumes (data, cache) and the data in them." in asked
        os.write(screen, typed.encode())
        read_until(screen, "is being deleted" if purged else "Nothing was changed.")
        assert process.wait(10) == (0 if purged else 1)
    finally:
        process.kill()
    assert device.purged == purged


def test_log_of_a_service(iotctl: Iotctl, two_apps: Served) -> None:
    for number in range(3):
        two_apps.write_line("pay", f"line {number}")
    assert iotctl("services", "logs", "pay-2", "-n", "2").out == "line 1\nline 2\n"
    assert iotctl("logs", "till", "pay", "-n", "1", "-t").out == "2026-01-01T00:00:00Z  line 2\n"
    assert iotctl("logs", "pay").out == "line 0\nline 1\nline 2\n"


def test_log_of_an_app_names_the_services(iotctl: Iotctl, two_apps: Served) -> None:
    two_apps.write_line("web", "a")
    two_apps.write_line("pay", "b")
    assert iotctl("logs", "1002").out == "web | a\npay | b\n"


def test_log_of_nothing(iotctl: Iotctl, two_apps: Served) -> None:
    ran = iotctl("logs", "nope")
    assert ran.code == 1
    assert ran.err.startswith("There is neither an App nor a service 'nope' on this device.\n")
    assert ran.err.splitlines()[1:] == ["Services there: shop-db-2, shop-web-1, till-pay-2, till-web-1."]


def test_a_log_without_lines_is_told(iotctl: Iotctl, two_apps: Served) -> None:
    two_apps.device.written = []
    words = "it has not run here yet, or has written nothing.\n"
    ran = iotctl("logs", "1002")
    assert (ran.code, ran.out, ran.err) == (0, "", f"There are no lines of App till: {words}")
    assert iotctl("services", "logs", "pay-2").err == f"There are no lines of till/pay: {words}"
    assert iotctl("logs", "till", "pay", "-n", "0").err == ""


def test_an_event_of_several_apps_says_whose_it_is(iotctl: Iotctl, two_apps: Served) -> None:
    two_apps.say("Installed", "release 1 is good", app="shop")
    two_apps.say("Failed", "shop2/web: crash in shop-web", app="shop")
    two_apps.say("Installed", "App till: release 1 is good", app="till")
    said = [line.split("  ", 2)[-1].strip() for line in iotctl("events").out.splitlines()]
    assert said == [
        "App shop: release 1 is good",
        "App shop: shop2/web: crash in shop-web",
        "App till: release 1 is good",
    ]
    assert "App shop" not in iotctl("events", "1001").out
    assert json.loads(iotctl("events", "-o", "json").out)[0]["message"] == "release 1 is good"


def test_events(iotctl: Iotctl, two_apps: Served) -> None:
    two_apps.say("Started", "started shop/web", app="shop")
    two_apps.say("Pulling", "fetch web:1: 1 of 2", type="Progress")
    two_apps.say("CrashLoop", "till/pay exits again and again", app="till", type="Warning")
    assert iotctl("events").out.splitlines() == [
        f"{CREATED}  Started           started shop/web",
        f"{CREATED}  CrashLoop         till/pay exits again and again",
    ]
    assert [event["app"] for event in json.loads(iotctl("events", "1002", "-o", "json").out)] == ["till"]
    assert iotctl("events", "-n", "1").out.count("\n") == 1


def test_the_agents_own_log(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("logs").out == "agent_started version=1.2.3\nstep_done step=start\n"
    assert iotctl("logs", "-n", "1").out == "step_done step=start\n"
    assert iotctl("logs", "-n", "50").out.count("\n") == 2
    two_apps.itself.lines[:] = ["\x1b[2m12:00\x1b[0m \x1b[32m\x1b[1minfo\x1b[0m started"]
    assert iotctl("logs").out == "12:00 info started\n"


def test_the_agents_log_as_it_grows(two_apps: Served) -> None:
    screen, process = on_a_terminal("logs", "--follow", "-n", "1")
    try:
        assert read_until(screen, "\n") == "step_done step=start\r\n"
        two_apps.itself.lines.append("step_done step=stop")
        assert read_until(screen, "\n") == "step_done step=stop\r\n"
    finally:
        process.kill()


def test_a_pipe_that_nobody_reads_any_more_is_no_error(two_apps: Served) -> None:
    two_apps.itself.lines[:] = [f"line {number}" for number in range(20_000)]
    process = in_a_process("logs")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(10)


def test_status_in_the_words_of_earlier_devices(iotctl: Iotctl, two_apps: Served) -> None:
    assert iotctl("status").out.splitlines() == [
        '[INFO] Agent running {"uuid":"abc"}',
        '[INFO] Applications {"configured":2,"runningServices":3,"notReady":'
        '[{"name":"till","state":"Degraded","why":"pay: crash loop, exit 137 (OOMKilled)"}]}',
    ]
    two_apps.device.unwell = ("the engine does not answer",)
    ran = iotctl("status", "--format", "text")
    assert ran.code == 1
    assert "the engine does not answer" in ran.out
    assert "Apps    1 of 2 ready, 3 of 4 services running" in ran.out


def test_version_with_and_without_an_agent(iotctl: Iotctl, served_device: Served) -> None:
    assert (
        "Agent   1.2.3 (iotistic.io/v1alpha1, install abc)\nEngine  simulated 1 (memory)"
        in iotctl("version").out
    )
    ran = iotctl("version", "--url", "http://127.0.0.1:1")
    assert ran.code == 0
    assert ran.out.startswith("iotctl  ")
    assert "No agent answers" in ran.out
    assert json.loads(iotctl("version", "--client", "-o", "json").out)["agent"] is None


def test_secrets_show_their_keys_only(iotctl: Iotctl, served_device: Served) -> None:
    meta = {"name": "db"}
    served_device.device.core["Secret", "db"] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta,
        "data": {"password": "aHVzaA=="},
    }
    ran = iotctl("get", "secrets")
    assert cells(ran.out)[1] == ["db", "password"]
    assert "aHVzaA" not in ran.out + iotctl("get", "secret", "db", "-o", "yaml").out
    assert iotctl("delete", "secret", "db").out == "secret/db deleted\n"
