"""Cases are read strictly and judged exactly; hack/conformance says so on the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from iotistic.planning.cases import CaseError, failures

ROOT = Path(__file__).parents[3]
CASE: dict[str, Any] = {
    "id": "A-1",
    "apps": [{"name": "shop", "release": "r1", "services": [{"name": "web", "image": "web:1"}]}],
    "observed": {"images": ["web:1"], "networks": [{"app": "shop", "name": "default"}]},
    "expect": {"steps": ["start shop/web"]},
}


def test_a_case_that_agrees_has_no_failures() -> None:
    assert failures(CASE) == []


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"steps": []}, ["unexpected start shop/web"]),
        ({"steps": ["start shop/web", "wait shop/web"]}, ["missing wait shop/web"]),
        ({"steps": ["start shop/web", "start shop/web"]}, ["missing start shop/web"]),
        ({"steps": ["start shop/web"], "stalled": ["shop"]}, ["stalled none instead of shop"]),
        ({"steps": ["kill shop/web"]}, ["missing kill shop/web", "unexpected start shop/web"]),
    ],
)
def test_what_differs_is_told(expect: dict[str, Any], told: list[str]) -> None:
    assert failures(CASE | {"expect": expect}) == told


@pytest.mark.parametrize(
    ("a", "b", "same", "told"),
    [
        ({"image": "w:1"}, {"image": "w:1", "runState": "Stopped", "name": "x"}, True, []),
        ({"image": "w:1"}, {"image": "w:2"}, False, []),
        (
            {"image": "w:1"},
            {"image": "w:2"},
            True,
            ["a -> b: made anew for image w:1 -> w:2", "b -> a: made anew for image w:2 -> w:1"],
        ),
        ({"image": "w"}, {"image": "w:latest"}, False, ["a -> b: not made anew", "b -> a: not made anew"]),
    ],
)
def test_a_pair_is_judged_both_ways(
    a: dict[str, Any], b: dict[str, Any], same: bool, told: list[str]
) -> None:
    assert failures({"id": "P-1", "a": a, "b": b, "same": same}) == told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"expect": None}, "expect: nothing is expected"),
        ({"expect": {"steps": ["x"], "stall": []}}, "expect.stall: Extra inputs are not permitted"),
        (
            {"apps": [{"name": "shop", "services": [{"name": "web"}]}]},
            "apps[0].services[0].image: Field required",
        ),
        ({"apps": [{"services": []}]}, "apps[0].name: Input should be a valid string"),
        ({"apps": ["shop"]}, "apps[0]: an App is a mapping with name and services"),
        (
            {"apps": [{"name": "shop", "services": [{"name": "web", "image": "a", "runState": "Up"}]}]},
            "apps[0].services[0].runState: 'Up' is not a valid RunState",
        ),
        ({"observed": {"locks": {"held": "shop"}}}, "observed.locks.held: Input should be a valid list"),
        ({"observed": {"volumes": [{"app": "shop"}]}}, "observed.volumes[0].name: Field required"),
        (
            {"observed": {"networks": [{"name": "a", "spec": {"internl": True}}]}},
            "observed.networks[0].spec.internl: Extra inputs are not permitted",
        ),
        ({"options": {"keep": ["@"]}}, "options.keep[0]: "),
        ({"same": True}, "same: needs two specs, a and b"),
    ],
)
def test_what_can_t_be_read_names_case_and_place(change: dict[str, Any], told: str) -> None:
    with pytest.raises(CaseError) as raised:
        failures(CASE | change)

    assert str(raised.value).startswith(f"case A-1: {told}")


def test_what_is_left_out_is_empty() -> None:
    assert failures({"id": "E-1", "expect": {"steps": []}}) == []
    empty = {"id": "E-2", "apps": [{"name": "shop"}], "expect": {"steps": ["createNetwork shop/default"]}}
    assert failures(empty) == []


def run(*files: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "hack" / "conformance", *files], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_command_passes_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(yaml.safe_dump([CASE]))

    ran = run(Path("good.yaml"), cwd=tmp_path)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1 passed, 0 failed\n", "")


def test_the_command_tells_each_failure_in_a_line(tmp_path: Path) -> None:
    cases = [CASE, CASE | {"id": "A-2", "expect": {"steps": []}}, CASE | {"id": "A-3", "apps": [1]}]
    (tmp_path / "some.yaml").write_text(yaml.safe_dump(cases))
    (tmp_path / "broken.yaml").write_text("- [")

    ran = run(*(Path(name) for name in ("some.yaml", "broken.yaml", "none.yaml")), cwd=tmp_path)

    assert ran.returncode == 1
    lines = ran.stdout.splitlines()
    assert lines[:2] == [
        "some.yaml  A-2  unexpected start shop/web",
        "some.yaml  A-3  can't be read: apps[0]: an App is a mapping with name and services",
    ]
    assert lines[2].startswith("broken.yaml  -  can't be read: ")
    assert lines[3].startswith("none.yaml  -  can't be read: ")
    assert lines[4:] == ["1 passed, 4 failed"]
