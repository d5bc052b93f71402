"""Why an image could not be fetched, in words that say what to change and on which machine. Pure.

Certificates and proxies are the engine's affair: its host's files are named, never the agent's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from iotistic.api.errors import EngineError, ImageNotFoundError, RegistryError
from iotistic.api.image import ImageRef
from iotistic.engines.docker.errors import said_by_engine

PROXY_FILE = "/etc/systemd/system/docker.service.d/http-proxy.conf"
CONFIG_FILE = "/etc/docker/daemon.json"
RESTART = "systemctl daemon-reload && systemctl restart docker"


def fetch_error(image: ImageRef, text: str, *, platform: str, login: str) -> EngineError:
    """The error for what the engine said while it pulled.

    Args:
        image: what was pulled.
        text: the engine's sentence.
        platform: of the engine's host, as linux/amd64.
        login: where the login that was used comes from; empty for none.
    """
    for pattern, make in _SENTENCES:
        if pattern.search(text):
            return make(image, text, platform, login)
    error = said_by_engine(f"image {image.short}", text)
    return error if type(error) is not EngineError else RegistryError(error.message, hint=error.hint)


def is_refused(text: str) -> bool:
    """Whether the registry asks for another login."""
    return bool(_LOGIN.search(text)) and not _PROXY_LOGIN.search(text)


def certificate_file(image: ImageRef) -> str:
    """Where the engine's host looks for the certificate of the CA of an image's registry."""
    return f"/etc/docker/certs.d/{image.registry}/ca.crt"


def _certificate(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: the Docker engine does not trust the certificate of {_host(image, text)}: "
        f"{_reason(text)}",
        hint=f"on the host, put the certificate of its CA into {certificate_file(image)} (no restart needed)",
    )


def _clock(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: the certificate of {_host(image, text)} is not valid now: {_reason(text)}",
        hint="is the host's clock right (date)? Else the registry needs a new certificate",
    )


def _other_name(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: the certificate of {_host(image, text)} is for another name: {_reason(text)}",
        hint="name the registry in the image as its certificate does, or give it another certificate",
    )


def _plain(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: registry {image.registry} speaks HTTP without TLS",
        hint=f"give it a certificate, or on the host add it to insecure-registries in {CONFIG_FILE} and "
        "systemctl restart docker",
    )


def _proxy(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: the Docker engine's proxy does not let it through: {_reason(text)}",
        hint=f"correct the proxy on the host in {PROXY_FILE}, then {RESTART}",
    )


def _limit(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: registry {image.registry} allows no more downloads now",
        hint="it is tried again; with a login (imagePullSecrets) a registry usually allows more",
    )


def _no_platform(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return ImageNotFoundError(
        f"image {image.short} is not there for {platform}, which is what this host is",
        hint="push it for this platform as well (docker buildx build --platform), or name another image",
    )


def _maybe_login(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return ImageNotFoundError(
        f"image {image.short}: registry {image.registry} has no such image, or does not show it to "
        f"{f'the login of {login}' if login else 'somebody without a login'}",
        hint=f"check its name; {_how_to_log_in(image, login)}",
    )


def _login(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    refused = f"does not accept the login of {login}" if login else "wants a login"
    return RegistryError(
        f"image {image.short}: registry {image.registry} {refused}", hint=_how_to_log_in(image, login)
    )


def _how_to_log_in(image: ImageRef, login: str) -> str:
    if login:
        return f"correct {login}: user and password for {image.registry}"
    return (
        "name a Secret of type kubernetes.io/dockerconfigjson in the service's imagePullSecrets, or on the "
        f"agent's machine docker login {image.registry}"
    )


def _missing(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return ImageNotFoundError(
        f"registry {image.registry} has no image {image.short}",
        hint="check name and tag; docker manifest inspect shows what is there",
    )


def _no_way(image: ImageRef, text: str, platform: str, login: str) -> EngineError:
    return RegistryError(
        f"image {image.short}: the Docker engine does not reach {_host(image, text)}: {_reason(text)}",
        hint="is the host online, and the name right? It is tried again; a proxy is set on the host in "
        f"{PROXY_FILE}, then {RESTART}",
    )


def _host(image: ImageRef, text: str) -> str:
    """The machine that a sentence speaks of, which may be a registry's server for logins."""
    match = re.search(r"https?://([^/\"\s]+)", text)
    return f"registry {image.registry}" if match is None else match[1]


def _reason(text: str) -> str:
    """The last part of a sentence that is a chain of causes."""
    for marker in ("x509: ", "proxyconnect ", "dial ", "lookup ", "read ", "net/http: "):
        position = text.rfind(marker)
        if position >= 0:
            return text[position:]
    return text if len(text) < 200 else text[-200:]


Make = Callable[[ImageRef, str, str, str], EngineError]
_LOGIN = re.compile(
    r"no basic auth credentials|unauthorized|\b401\b|denied|authentication required|incorrect username",
    re.IGNORECASE,
)
_PROXY_LOGIN = re.compile(r"proxyconnect|Proxy Authentication Required|\b407\b", re.IGNORECASE)
_SENTENCES: tuple[tuple[re.Pattern[str], Make], ...] = (
    (_PROXY_LOGIN, _proxy),
    (re.compile(r"x509: certificate has expired|is not yet valid", re.IGNORECASE), _clock),
    (
        re.compile(r"x509: certificate is (?:valid for|not valid for)|doesn't contain any IP SANs", re.I),
        _other_name,
    ),
    (re.compile(r"x509:|tls: failed to verify|bad certificate", re.IGNORECASE), _certificate),
    (re.compile(r"server gave HTTP response to HTTPS client", re.IGNORECASE), _plain),
    (re.compile(r"toomanyrequests|too many requests", re.IGNORECASE), _limit),
    (re.compile(r"no matching manifest|does not match the specified platform", re.IGNORECASE), _no_platform),
    (re.compile(r"repository does not exist or may require", re.IGNORECASE), _maybe_login),
    (_LOGIN, _login),
    (
        re.compile(
            r"manifest unknown|manifest for \S+ not found|name unknown|repository name not known", re.I
        ),
        _missing,
    ),
    (
        re.compile(
            r"no such host|server misbehaving|connection refused|connection reset|i/o timeout"
            r"|no route to host|network is unreachable|Client\.Timeout|TLS handshake timeout"
            r"|temporary failure in name|unexpected EOF|: EOF|broken pipe|context deadline exceeded",
            re.IGNORECASE,
        ),
        _no_way,
    ),
)
