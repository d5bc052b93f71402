"""The Tab key, in the real shells where they are installed."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.device_api.memory import shop
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.device import KEY, Served
from tests.unit.iotctl.screen import environment, read_until

Complete = Callable[[str], list[str]]
SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(not shutil.which(shell), reason=f"no {shell} here"))
    for shell in ("bash", "zsh", "fish")
]


@pytest.fixture
def shops(served_device: Served) -> Served:
    """Apps shop (web, db) and shed (pump)."""
    device = served_device.device
    for number, document in enumerate((shop("web", "db"), shop("pump", name="shed")), 1001):
        apps, _ = device._parse([document])
        device.stored[apps[0].name], device.numbers[apps[0].name] = apps[0], number
    return served_device


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with an iotctl of these sources."""
    program = tmp_path / "iotctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m iotctl.main "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


@pytest.fixture
def complete(iotctl: Iotctl, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What Tab offers at the end of a line."""

    def offer(line: str) -> list[str]:
        monkeypatch.setenv("_IOTCTL_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        ran = iotctl()
        assert ran.err == ""
        return ran.out.split()

    return offer


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("iotctl apps st", ["start", "stop"]),
        ("iotctl apps start sh", ["shop", "shed"]),
        ("iotctl explain sho", ["shop"]),
        ("iotctl explain app sho", ["shop"]),
        ("iotctl wait app/she", ["app/shed"]),
        ("iotctl services restart sh", ["shop-web-1", "shop-db-2", "shed-pump-1"]),
        ("iotctl exec shed", ["shed-pump-1"]),
        ("iotctl logs shop ", ["web", "db"]),
        ("iotctl retry shed --service ", ["pump"]),
        ("iotctl lock shop -s d", ["db"]),
        ("iotctl get se", ["services", "secrets"]),
        ("iotctl get app ", ["shop", "shed"]),
        ("iotctl get svc shop", ["shop-web-1", "shop-db-2"]),
        ("iotctl get nodes ", []),
        ("iotctl delete ", ["app", "secret", "configmap"]),
        ("iotctl delete app sho", ["shop"]),
        ("iotctl config get dev", ["deviceName"]),
        ("iotctl apps list -o ", ["table", "wide", "json", "yaml", "name"]),
        ("iotctl completion ", ["bash", "zsh", "fish"]),
        ("iotctl help exit", ["exit-codes"]),
        ("iotctl diagn", ["diagnostics"]),
        ("iotctl dia", ["diagnostics"]),
        ("iotctl services logs shop-web-1 --prev", ["--previous"]),
    ],
)
def test_what_tab_offers(shops: Served, complete: Complete, line: str, offered: list[str]) -> None:
    assert complete(line) == offered


def test_tab_asks_the_agent_that_the_line_names(
    shops: Served, complete: Complete, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DEVICE_API_PORT", "1")
    assert complete("iotctl apps info ") == []
    assert complete(f"iotctl --url {shops.listening.url} --api-key {KEY} apps info ") == ["shop", "shed"]
    assert complete(f"iotctl apps info --url {shops.listening.url} --api-key wrong ") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_of_that_shell(iotctl: Iotctl, tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script"
    script.write_text(iotctl("completion", shell).out)
    ran = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=20, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'bind "set enable-bracketed-paste off"; '),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -D -u; "),
    "fish": (["fish", "--no-config", "-i"], ""),
}


@pytest.mark.parametrize("shell", SHELLS[:2])
def test_tab_completes_the_name_of_an_app(shops: Served, path: str, tmp_path: Path, shell: str) -> None:
    command, prepare = STARTS[shell]
    screen, inside = pty.openpty()
    variables = environment(PATH=path, HOME=str(tmp_path), TERM="xterm", PS1="> ", HISTFILE="")
    process = subprocess.Popen(
        command, env=variables, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    try:
        os.write(screen, f'{prepare}eval "$(iotctl completion {shell})"; echo re""ady\n'.encode())
        read_until(screen, "ready", 20)
        os.write(screen, b"iotctl explain app sho\t")
        read_until(screen, "shop", 20)
        os.write(screen, b"-o name\n")
        read_until(screen, "app/shop", 20)
    finally:
        process.kill()
        process.wait(10)
        os.close(screen)


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_completes_the_name_of_an_app(shops: Served, path: str, tmp_path: Path) -> None:
    script = 'iotctl completion fish | source; complete -C "iotctl explain app sho"'
    ran = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=environment(PATH=path, HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["shop"]
