"""What engines and registries say, and what becomes of it: whom to ask, what to change, and where."""

from __future__ import annotations

import pytest

from iotistic.api.errors import EngineError, ImageNotFoundError, NoSpaceError, RegistryError
from iotistic.api.image import parse_image
from iotistic.engines.docker.errors import said_by_engine, taken_port, unreachable
from iotistic.engines.docker.registry import fetch_error, is_refused

IMAGE = parse_image("reg.local:5443/team/web:2")
HUB = parse_image("team/web:2")
HEAD = 'Head "https://reg.local:5443/v2/team/web/manifests/2": '
GET = 'Get "https://reg.local:5443/v2/": '
CERTIFICATE = "/etc/docker/certs.d/reg.local:5443/ca.crt"
PROXY = "/etc/systemd/system/docker.service.d/http-proxy.conf"


@pytest.mark.parametrize(
    ("text", "kind", "said", "hint"),
    [
        (GET + "x509: certificate signed by unknown authority", RegistryError, "does not trust", CERTIFICATE),
        (
            GET + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            RegistryError,
            "does not trust the certificate of reg.local:5443",
            CERTIFICATE,
        ),
        (
            GET + "x509: certificate has expired or is not yet valid: now is 1970",
            RegistryError,
            "is not valid now",
            "clock",
        ),
        (
            GET + "x509: certificate is valid for a.local, not reg.local",
            RegistryError,
            "for another name",
            "name",
        ),
        (
            GET + "http: server gave HTTP response to HTTPS client",
            RegistryError,
            "HTTP without TLS",
            "/etc/docker/daemon.json",
        ),
        (
            GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
            RegistryError,
            "proxy",
            PROXY,
        ),
        (GET + "Proxy Authentication Required", RegistryError, "proxy", PROXY),
        (HEAD + "no basic auth credentials", RegistryError, "wants a login", "imagePullSecrets"),
        (HEAD + "unauthorized: authentication required", RegistryError, "wants a login", "imagePullSecrets"),
        ("denied: requested access to the resource is denied", RegistryError, "login", "imagePullSecrets"),
        (
            "pull access denied for team/web, repository does not exist or may require 'docker login'",
            ImageNotFoundError,
            "has no such image, or does not show it",
            "imagePullSecrets",
        ),
        (
            "manifest for reg.local:5443/team/web:2 not found: manifest unknown",
            ImageNotFoundError,
            "has no image",
            "tag",
        ),
        ("name unknown: repository name not known to registry", ImageNotFoundError, "has no image", "tag"),
        (
            "no matching manifest for linux/arm/v7 in the manifest list entries",
            ImageNotFoundError,
            "not there for linux/arm/v7",
            "platform",
        ),
        (
            "toomanyrequests: You have reached your pull rate limit",
            RegistryError,
            "no more downloads",
            "login",
        ),
        (GET + "dial tcp: lookup reg.local: no such host", RegistryError, "does not reach", PROXY),
        (GET + "dial tcp 10.0.0.9:5443: i/o timeout", RegistryError, "does not reach", PROXY),
        (GET + "net/http: TLS handshake timeout", RegistryError, "does not reach", PROXY),
        ("unexpected EOF", RegistryError, "does not reach", "tried again"),
        (
            "failed to register layer: Error processing tar file: write /x: no space left on device",
            NoSpaceError,
            "no space left",
            "docker system df",
        ),
        ("something nobody has seen before", RegistryError, "something nobody has seen before", ""),
    ],
)
def test_a_failed_pull_in_words(text: str, kind: type[EngineError], said: str, hint: str) -> None:
    error = fetch_error(IMAGE, text, platform="linux/arm/v7", login="")

    assert type(error) is kind
    assert said in error.message
    assert "reg.local:5443" in error.message
    assert hint in error.hint


def test_a_refused_login_names_where_it_comes_from() -> None:
    error = fetch_error(HUB, "unauthorized: incorrect username or password", platform="x", login="Secret hub")

    assert error.message == "image team/web:2: registry docker.io does not accept the login of Secret hub"
    assert error.hint == "correct Secret hub: user and password for docker.io"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("no basic auth credentials", True),
        ("received unexpected HTTP status: 401 Unauthorized", True),
        ("pull access denied for web", True),
        ("manifest unknown", False),
        ("Proxy Authentication Required", False),
        ("no space left on device", False),
    ],
)
def test_only_a_refusal_makes_another_login_worth_a_try(text: str, refused: bool) -> None:
    assert is_refused(text) is refused


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            "driver failed programming external connectivity on endpoint web (ab12): "
            "Bind for 0.0.0.0:8080 failed: port is already allocated",
            "host port 8080 is taken",
            "sport = :8080",
        ),
        (
            "driver failed programming external connectivity on endpoint web (ab12): Error starting userland "
            "proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
            "host port 8080 is taken",
            "change the service's ports",
        ),
        (
            "failed to bind host port for 0.0.0.0:8080:172.18.0.2:80/tcp: address already in use",
            "host port 8080 is taken",
            "change the service's ports",
        ),
        ("listen udp4 10.9.9.9:53: bind: cannot assign requested address", "cannot assign", "hostIP"),
        ("exec /app/run: exec format error", "exec format error", "another processor"),
        (
            'OCI runtime create failed: exec: "nosuch": executable file not found in $PATH',
            "nosuch",
            "nosuch can't be run in this image",
        ),
        (
            "invalid mount config: bind source path does not exist: /srv/x",
            "/srv/x",
            "create /srv/x on the host",
        ),
        (
            'error gathering device information while adding custom device "/dev/ttyUSB0": no such file',
            "/dev/ttyUSB0",
            "ls -l /dev/ttyUSB0",
        ),
        ("user specified IP address is supported only when connecting to networks with", "IP", "ipam.config"),
        ("Address already in use", "Address already in use", "another container has this ipv4Address"),
        ("Pool overlaps with other one on this address space", "overlaps", "ipam.config[].subnet"),
        (
            "could not find an available, non-overlapping IPv4 address pool among the defaults",
            "address pool",
            "docker network prune",
        ),
        ("unknown log opt 'x' for json-file log driver", "unknown log opt", "logging.options"),
        ('error looking up volume plugin nfs: plugin "nfs" not found', "nfs", "install the plugin nfs"),
        ("create data: no space left on device", "no space left", "docker system df"),
    ],
)
def test_a_refused_step_in_words(text: str, said: str, hint: str) -> None:
    error = said_by_engine("App shop, service web", text)

    assert error.message.startswith("App shop, service web: ")
    assert said in error.message
    assert hint in error.hint


def test_which_port_is_taken() -> None:
    error = said_by_engine(
        "App shop, service web", "Bind for 127.0.0.1:8080 failed: port is already allocated"
    )

    assert taken_port(error) == 8080
    assert taken_port(EngineError("App shop, service web: nothing of the kind")) is None


@pytest.mark.parametrize(
    ("cause", "said", "hint"),
    [
        (PermissionError(13, "Permission denied"), "may not use", "usermod -aG docker"),
        (FileNotFoundError(2, "No such file"), "there is no Docker engine", "systemctl start docker"),
        (ConnectionRefusedError(111, "refused"), "does not run", "systemctl start docker"),
        (TimeoutError("slow"), "does not answer", "systemctl status docker"),
    ],
)
def test_an_engine_that_can_not_be_asked(cause: OSError, said: str, hint: str) -> None:
    wrapped = RuntimeError("connection aborted", cause)

    error = unreachable("unix:///var/run/docker.sock", wrapped)

    assert said in error.message
    assert hint in error.hint
