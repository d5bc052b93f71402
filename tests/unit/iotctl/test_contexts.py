"""Device or cluster: which one is meant, in tables."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from iotctl.cluster.agent import ClusterAgent
from iotctl.contexts import find_agent
from iotctl.exits import BadInputError
from iotctl.settings import Settings
from tests.unit.iotctl.test_kubeconfig import kubeconfig

URL = "http://10.0.0.9:48484"


def settings(folder: Path, *, url: str = "", context: str = "", cluster: bool = False) -> Settings:
    config = kubeconfig(folder / "kubeconfig") if cluster else folder / "absent"
    return Settings(
        config_dir=folder,
        port=48484,
        url=url,
        url_from="IOTCTL_URL" if url else "",
        api_key="",
        context=context,
        namespace="",
        kubernetes={"KUBECONFIG": str(config)},
    )


@pytest.mark.parametrize(
    ("given", "here", "meant"),
    [
        ({}, {}, "device"),
        ({}, {"cluster": True}, "cluster"),
        ({"url": URL}, {"cluster": True}, "device"),
        ({}, {"cluster": True, "url": URL}, "device"),
        ({"context": "cluster"}, {"cluster": True, "url": URL}, "cluster"),
        ({"context": "there"}, {"cluster": True}, "cluster"),
        ({"context": "device"}, {"cluster": True}, "device"),
        ({}, {"cluster": True, "context": "device"}, "device"),
        ({"url": URL}, {"cluster": True, "context": "cluster"}, "device"),
        ({"namespace": "shop"}, {"cluster": True}, "cluster"),
    ],
)
def test_the_first_that_is_given_wins(
    tmp_path: Path, given: dict[str, str], here: dict[str, object], meant: str
) -> None:
    found = find_agent(settings(tmp_path, **here), **given)  # type: ignore[arg-type]
    assert isinstance(found, ClusterAgent) is (meant == "cluster")
    assert found.endpoint.what == {"device": "Agent", "cluster": "Cluster"}[meant]


def test_an_agents_socket_wins_over_a_kubeconfig(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "agent.sock"))
        found = find_agent(settings(tmp_path, cluster=True))
    assert found.endpoint.socket == tmp_path / "agent.sock"


def test_both_at_once_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="give one of both"):
        find_agent(settings(tmp_path, cluster=True), url=URL, context="cluster")
