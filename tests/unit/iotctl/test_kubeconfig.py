"""Which cluster is meant, and how it is reached: kubeconfigs as kubectl reads them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from iotctl.cluster.kubeconfig import connect
from iotctl.exits import BadInputError, CommandError, ExitCode


def kubeconfig(path: Path, **changes: object) -> Path:
    content: dict[str, object] = {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
            {"name": "there", "context": {"cluster": "two", "user": "me"}},
        ],
        "clusters": [
            {"name": "one", "cluster": {"server": "https://10.0.0.1:6443/"}},
            {"name": "two", "cluster": {"server": "https://10.0.0.2:6443", "insecure-skip-tls-verify": True}},
        ],
        "users": [{"name": "me", "user": {"token": "very-secret"}}],
    }
    path.write_text(json.dumps(content | changes))
    return path


def of(path: Path) -> dict[str, str]:
    return {"KUBECONFIG": str(path)}


def test_the_current_context_is_meant_unless_another_is_named(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config")
    here, there = connect(of(file)), connect(of(file), context="there", namespace="till")
    assert (here.context, here.server, here.namespace) == ("here", "https://10.0.0.1:6443", "shop")
    assert (there.server, there.namespace, there.insecure) == ("https://10.0.0.2:6443", "till", True)


def test_several_files_are_one_and_the_first_wins(tmp_path: Path) -> None:
    first = kubeconfig(tmp_path / "first", clusters=[], users=[], contexts=[])
    second = kubeconfig(tmp_path / "second", **{"current-context": "there"})
    assert connect({"KUBECONFIG": f"{first}:{second}"}).context == "here"


def test_secrets_are_in_no_text_of_a_connection(tmp_path: Path) -> None:
    found = connect(of(kubeconfig(tmp_path / "config")))
    assert found.token == "very-secret"
    assert "very-secret" not in repr(found)


def test_certificates_stand_in_the_file_or_beside_it(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("the key\n")
    user = {"client-certificate-data": base64.b64encode(b"the certificate").decode(), "client-key": "key.pem"}
    file = kubeconfig(tmp_path / "config", users=[{"name": "me", "user": user}])
    found = connect(of(file))
    assert (found.certificate, found.key) == ("the certificate", "the key")


def test_a_program_may_give_the_token(tmp_path: Path) -> None:
    answer = json.dumps({"status": {"token": "from a program"}})
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [answer]}}
    file = kubeconfig(tmp_path / "config", users=[{"name": "me", "user": user}])
    assert connect(of(file)).token == "from a program"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"current-context": ""}, "No context is chosen"),
        ({"current-context": "nowhere"}, "There is no context 'nowhere'"),
        ({"clusters": []}, "names the cluster 'one', which is not there"),
        ({"users": []}, "names the user 'me', which is not there"),
        ({"clusters": [{"name": "one", "cluster": {"server": "nonsense"}}]}, "is no address"),
    ],
)
def test_a_file_that_makes_no_sense_says_where(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    file = kubeconfig(tmp_path / "config", **changes)
    with pytest.raises(BadInputError, match=words) as caught:
        connect(of(file))
    assert str(file) in caught.value.text()


def test_without_a_file_it_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        connect({"KUBECONFIG": str(tmp_path / "absent")})
    assert caught.value.code is ExitCode.UNAVAILABLE
    assert "absent" in caught.value.message
    assert "KUBECONFIG" in caught.value.hint
