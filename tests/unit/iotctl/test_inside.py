"""top, exec, images, and the lines of a container that is gone."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from iotctl.commands.inside import not_run
from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import Served
from tests.unit.iotctl.screen import COMMAND, environment
from tests.unit.iotctl.test_showing import cells


@pytest.fixture
def shop_device(served_device: Served) -> Served:
    """App shop (1001) of web and db, App till of pay."""
    device = served_device.device
    for number, document in enumerate((shop("web", "db"), shop("pay", name="till")), 1001):
        apps, _ = device._parse([document])
        device.stored[apps[0].name], device.numbers[apps[0].name] = apps[0], number
    return served_device


def test_top(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("top")
    assert cells(ran.out)[0] == ["SERVICE", "CPU", "MEMORY", "LIMIT"]
    assert cells(ran.out)[1] == ["shop-web", "1.5 %", "1.0 MB", "none"]
    assert len(cells(ran.out)) == 4
    assert cells(iotctl("top", "1002").out)[1:] == [["till-pay", "1.5 %", "1.0 MB", "none"]]
    (row,) = json.loads(iotctl("top", "till", "-o", "json").out)
    assert (row["app"], row["service"], row["memoryBytes"]) == ("till", "pay", 2**20)


def test_top_of_nothing(iotctl: Iotctl, served_device: Served) -> None:
    ran = iotctl("top")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing runs.\n")
    assert iotctl("top", "-o", "json").out == "[]\n"


def test_exec_writes_what_the_command_wrote_and_ends_as_it_did(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("exec", "web-1", "--", "echo", "-n", "--url", "a b")
    assert (ran.code, ran.out, ran.err) == (0, "-n --url a b", "")
    ran = iotctl("exec", "shop-db-2", "--timeout", "2m", "--", "fsck", "-y")
    assert (ran.code, ran.out) == (127, "fsck: not found")
    assert iotctl("exec", "pay", "-a", "till", "--", "echo").code == 0


BEGUN = "OCI runtime exec failed: exec failed: unable to start container process: exec: "
KUBECTL = "error: Internal error occurred: error executing command in container: failed to exec: "
NONE_THERE = "in shop/web; its image may have no shell either."


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            f'{BEGUN}"nosuch": executable file not found in $PATH: unknown',
            (127, f"There is no program nosuch {NONE_THERE}"),
        ),
        (
            f'{KUBECTL}{BEGUN}"/bin/sh": stat /bin/sh: no such file or directory: unknown',
            (127, f"There is no program /bin/sh {NONE_THERE}"),
        ),
        (
            f'{KUBECTL}{BEGUN}"/etc": permission denied: unknown',
            (126, "/etc in shop/web is no program that may be run: permission denied."),
        ),
        ("sh: nosuch: not found", None),
    ],
)
def test_a_program_that_is_not_there(output: str, told: tuple[int, str] | None) -> None:
    assert not_run(output, "shop/web") == told


@pytest.mark.parametrize("text", ["0", "6m", "1h", "soon"])
def test_exec_takes_no_longer_than_the_agent_lets_it(iotctl: Iotctl, shop_device: Served, text: str) -> None:
    ran = iotctl("exec", "web", "--timeout", text, "--", "echo")
    assert (ran.code, ran.out) == (2, "")
    assert text in ran.err


def test_exec_that_does_not_end(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("exec", "web", "--timeout", "5s", "--", "sleep", "60")
    assert ran.code == 5
    assert ran.err == (
        "The command in shop/web did not end within 5 s.\n"
        "Whether it goes on inside is not known. Give it longer:  --timeout 5m\n"
    )


def test_exec_where_nothing_is(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("exec", "cache", "--", "ls")
    assert ran.code == 1
    assert "Services there: shop-db-2, shop-web-1, till-pay-1." in ran.err


def test_images(iotctl: Iotctl, shop_device: Served) -> None:
    table = cells(iotctl("images", "list").out)
    assert table == [
        ["IMAGE", "SIZE", "USED BY"],
        ["web:1", "2.0 MB", "shop/web"],
        ["old:1", "1.0 MB", "nothing"],
    ]
    assert [row["ref"] for row in json.loads(iotctl("images", "list", "-o", "json").out)] == [
        "web:1",
        "old:1",
    ]
    assert iotctl("images", "list", "-o", "name").out == "image/web:1\nimage/old:1\n"


def test_pruning_wants_to_be_sure(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("images", "prune")
    assert ran.code == 2
    assert "add --yes" in ran.err
    assert len(shop_device.inside.all_images) == 2
    assert iotctl("images", "prune", "--yes").out == "image/old:1 removed\n"
    assert iotctl("images", "prune", "-y").out == "Nothing to remove.\n"
    shop_device.inside.all_images = []
    assert iotctl("images", "list").err == "There are no images of Apps on this device.\n"


def test_an_archive_is_sent_as_it_is(iotctl: Iotctl, shop_device: Served, tmp_path: Path) -> None:
    archive = tmp_path / "images.tar"
    archive.write_bytes(b"tar" + bytes(3_000_000))
    assert iotctl("images", "load", str(archive)).out == "image/web:2 loaded\n"
    assert shop_device.inside.received == 3_000_003
    assert shop_device.inside.biggest_piece < 1_000_000


def test_an_archive_from_another_program(shop_device: Served) -> None:
    script = f"{{ printf tar; head -c 2000000 /dev/zero; }} | {shlex.join(COMMAND)} images load -"
    ran = subprocess.run(
        ["sh", "-c", script], env=environment(), capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "image/web:2 loaded\n", "")
    assert shop_device.inside.received == 2_000_003


def test_archives_that_are_none(iotctl: Iotctl, shop_device: Served, tmp_path: Path) -> None:
    ran = iotctl("images", "load", str(tmp_path / "nope.tar"))
    assert (ran.code, ran.err) == (2, f"{tmp_path}/nope.tar: no such file or directory\n")
    assert iotctl("images", "load", str(tmp_path)).err == f"{tmp_path}: is a directory\n"
    (tmp_path / "text").write_text("no archive")
    ran = iotctl("images", "load", str(tmp_path / "text"))
    assert (ran.code, ran.out) == (2, "")
    assert "is no archive of images" in ran.err


def test_an_archive_without_room(iotctl: Iotctl, shop_device: Served, tmp_path: Path) -> None:
    shop_device.inside.room = 1_000_000
    (tmp_path / "big.tar").write_bytes(b"tar" + bytes(3_000_000))
    ran = iotctl("images", "load", str(tmp_path / "big.tar"))
    assert (ran.code, ran.err) == (1, "The engine's disk is full.\niotctl images prune\n")


def test_lines_of_the_container_before(iotctl: Iotctl, shop_device: Served) -> None:
    ran = iotctl("services", "logs", "web-1", "--previous")
    assert (ran.code, ran.out, ran.err) == (0, "", "dying\ndead\n")
    assert iotctl("services", "logs", "web-1", "-p", "-n", "1").err == "dead\n"
    ran = iotctl("services", "logs", "db", "--previous")
    assert (ran.code, ran.err) == (1, "No lines of an earlier container of shop/db are kept.\n")
    ran = iotctl("services", "logs", "web-1", "--previous", "-f")
    assert ran.code == 2
    assert "that container is gone" in ran.err
