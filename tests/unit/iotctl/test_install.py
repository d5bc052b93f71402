"""iotctl install: the helm command for each way of asking."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from iotctl.cluster import kubeconfig as kubeconfigs
from tests.unit.iotctl.conftest import Iotctl
from tests.unit.iotctl.test_kubeconfig import kubeconfig

DIGEST = f"sha256:{'0' * 64}"


def printed(out: str) -> list[str]:
    words = shlex.split(out.splitlines()[0])
    assert words[:5] == ["helm", "upgrade", "--install", "iotistic", "charts/iotistic-edge"]
    return words


def values_of(words: list[str]) -> dict[str, str]:
    pairs = [words[at + 1] for at, word in enumerate(words) if word in ("--set", "--set-string")]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest"),
    [
        ("iotistic-edge:dev", "iotistic-edge", "dev", ""),
        ("iotistic-edge", "iotistic-edge", "", ""),
        ("registry.local:5000/edge", "registry.local:5000/edge", "", ""),
        ("registry.local:5000/edge:0.1", "registry.local:5000/edge", "0.1", ""),
        (f"registry.local:5000/edge@{DIGEST}", "registry.local:5000/edge", "", DIGEST),
        (f"edge:0.1@{DIGEST}", "edge", "0.1", DIGEST),
    ],
)
def test_an_image_is_three_values(iotctl: Iotctl, image: str, repository: str, tag: str, digest: str) -> None:
    ran = iotctl("install", "--image", image)
    assert (ran.code, ran.err) == (0, "")
    assert values_of(printed(ran.out)) == {
        "image.repository": repository,
        "image.tag": tag,
        "image.digest": digest,
    }


def test_values_of_an_earlier_install_are_kept(iotctl: Iotctl) -> None:
    words = printed(iotctl("install", "--set", "watchNamespaces={shop,till}", "--namespace", "edge").out)
    assert "--reset-then-reuse-values" in words
    assert values_of(words) == {"watchNamespaces": "{shop,till}"}
    assert words[words.index("--namespace") + 1] == "edge"


def test_without_an_image_it_says_where_one_comes_from(iotctl: Iotctl) -> None:
    for arguments, told in (
        ((), True),
        (("--set", "log.level=debug"), True),
        (("--set", "image.repository=registry.local/edge"), False),
        (("--image", "edge:1"), False),
    ):
        ran = iotctl("install", *arguments)
        assert ran.code == 0
        assert ("k3s ctr images import" in ran.err) is told, arguments


@pytest.mark.parametrize(
    ("variables", "arguments", "expected"),
    [
        ({}, (), []),
        ({"KUBECONFIG": "own"}, (), []),
        ({"KUBECONFIG": "own"}, ("--context", "there"), ["--kube-context", "there"]),
        ({"KUBECONFIG": "own"}, ("--context", "cluster"), []),
        ({"KUBECONFIG": "own", "IOTCTL_CONTEXT": "there"}, (), ["--kube-context", "there"]),
        ({"KUBECONFIG": "own", "IOTCTL_CONTEXT": "there"}, ("--context", "here"), ["--kube-context", "here"]),
        ({"HOME": "home"}, (), []),
        ({"HOME": "home"}, ("--context", "there"), ["--kube-context", "there"]),
        ({"HOME": "nobody", "k3s": "k3s.yaml"}, (), ["--kubeconfig", "k3s.yaml", "--kube-context", "here"]),
        ({"HOME": "home", "k3s": "k3s.yaml"}, (), []),
    ],
)
def test_it_names_the_cluster_where_helm_would_not_find_it(
    iotctl: Iotctl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: tuple[str, ...],
    expected: list[str],
) -> None:
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    for file in ("own", "home/.kube/config", "k3s.yaml"):
        kubeconfig(tmp_path / file)
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setattr(kubeconfigs, "K3S_FILE", tmp_path / variables.get("k3s", "absent"))
    for name, value in variables.items():
        if name != "k3s":
            monkeypatch.setenv(name, value if name == "IOTCTL_CONTEXT" else str(tmp_path / value))
    words = printed(iotctl("install", "--image", "edge:1", *arguments).out)
    found = words[words.index("5m") + 1 : words.index("--set")]
    assert found == [str(tmp_path / word) if word.endswith(".yaml") else word for word in expected]


def test_a_context_that_is_not_there_is_refused(
    iotctl: Iotctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config")))
    ran = iotctl("install", "--image", "edge:1", "--context", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "There is no context 'nowhere'" in ran.err


def test_nothing_is_run_without_a_cluster(iotctl: Iotctl) -> None:
    ran = iotctl("install", "--image", "edge:1", "--run")
    assert (ran.code, ran.out) == (3, "")
    assert "There is no cluster to speak with" in ran.err
