"""Why an image can't be had: containerd's words made short, and what to type."""

from __future__ import annotations

import pytest

from iotistic.engines.kubernetes.pullwords import pull_help, pull_words

HOST = "registry.example:5000"
HEAD = f'failed to do request: Head "https://{HOST}/v2/shop/web/manifests/2": '
DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed"
)


def said(cause: str, image: str = f"{HOST}/shop/web:2") -> str:
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {cause}'


@pytest.mark.parametrize(
    ("cause", "secrets", "told"),
    [
        (
            f"{HEAD}dial tcp: lookup registry.example: no such host",
            [],
            "dial tcp: lookup registry.example: no such host",
        ),
        (f"{HOST}/shop/web:2: not found", ["login"], f"{HOST} has no such image: not found"),
        (
            f"pulling from host {HOST} failed with status code [manifests 2]: 401 Unauthorized",
            ["login"],
            f"{HOST} refused the login of Secret login: 401 Unauthorized",
        ),
        (
            f"unexpected status from HEAD request to https://{HOST}/v2/web/manifests/2: 401 Unauthorized",
            ["one", "two"],
            f"{HOST} refused the login of Secret one, two: 401 Unauthorized",
        ),
        (
            "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
            [],
            f"{HOST} wants a login: failed to authorize: failed to fetch oauth token: unexpected status: "
            "401 Unauthorized",
        ),
        (DENIED, [], f"{HOST} has no such image, or does not show it without a login: {DENIED}"),
        (
            f"{HEAD}x509: certificate signed by unknown authority",
            ["login"],
            f"the node does not trust the certificate of {HOST}: "
            "x509: certificate signed by unknown authority",
        ),
        (
            f"{HEAD}tls: failed to verify certificate: x509: certificate has expired or is not yet valid: "
            "current time 2026-06-01T12:00:07Z is after 2026-06-01T11:00:00Z",
            [],
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: "
            "it is after 2026-06-01T11:00:00Z",
        ),
        (
            f"{HEAD}read tcp 10.0.0.7:57350->10.0.0.9:5000: read: connection reset by peer",
            [],
            "read from 10.0.0.9:5000: read: connection reset by peer",
        ),
    ],
)
def test_of_an_image_that_can_not_be_had_the_cause_is_left(cause: str, secrets: list[str], told: str) -> None:
    expected = f"{HOST}/shop/web:2 can't be pulled: {told}"
    waiting = f'Back-off pulling image "{HOST}/shop/web:2": ErrImagePull: {said(cause)}'
    trying = f"rpc error: code = Unknown desc = {said(cause)}"
    assert [pull_words(one, secrets) for one in (said(cause), trying, waiting)] == [expected] * 3


def test_docker_hub_is_not_repeated_before_a_name() -> None:
    image = "docker.io/library/web:2"
    told = pull_words(said(f"{image}: not found", image))
    assert told == "web:2 can't be pulled: docker.io has no such image: not found"


def test_other_words_are_left_as_they_are() -> None:
    assert pull_words("the runtime has other words") == "the runtime has other words"


@pytest.mark.parametrize(
    ("cause", "secrets", "help"),
    [
        (
            "401 Unauthorized",
            ["login"],
            f"(correct the login for {HOST} in Secret login) iotctl apply -f FILE",
        ),
        (
            DENIED,
            ["login"],
            f"(correct the login for {HOST} in Secret login) iotctl apply -f FILE",
        ),
        (
            "401 Unauthorized",
            [],
            f"(name a Secret with a login for {HOST} in imagePullSecrets) iotctl apply -f FILE",
        ),
        (
            DENIED,
            [],
            f"(name a Secret with a login for {HOST} in imagePullSecrets) iotctl apply -f FILE",
        ),
        (
            f"{HEAD}x509: certificate signed by unknown authority",
            ["login"],
            f"(on the node, name the CA of {HOST} in containerd's hosts.toml, or on k3s in "
            "/etc/rancher/k3s/registries.yaml, and restart k3s)",
        ),
        (f"{HOST}/shop/web:2: not found", ["login"], ""),
        (f"{HEAD}connection refused", ["login"], ""),
    ],
)
def test_what_to_type(cause: str, secrets: list[str], help: str) -> None:
    assert pull_help(f"release 2: web never became ready ({pull_words(said(cause), secrets)})") == help
