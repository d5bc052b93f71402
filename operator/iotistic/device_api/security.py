"""The door of the TCP listener: who may come in, by Host, Origin and key.

The Unix socket has no such door: there the file's group decides. X-Forwarded-For is never looked at.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from iotistic.device_api.problems import problem

OPEN_PATHS = frozenset({"/ping", "/v1/healthy"})
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Lets requests through to `app` that name an allowed host and have the key.

    Args:
        key: what callers must show; compared in constant time.
        allowed_hosts: names and addresses beside loopback's that the Host header may have.
        require_key: False lets everybody in who reaches the port from this machine.
    """

    def __init__(
        self, app: ASGIApp, *, key: str, allowed_hosts: Collection[str] = (), require_key: bool = True
    ) -> None:
        if require_key and not key:
            raise ValueError("a key is required, and there is none")
        self._app = app
        self._key = key.encode()
        self._hosts = LOOPBACK_HOSTS | {host.lower().strip("[]") for host in allowed_hosts}
        self._require_key = require_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 401, or hand over to the app."""
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return problem(
                403,
                f"the host {host!r} is not one of this device's",
                hint=f"use one of {', '.join(sorted(self._hosts))}, or allow this one in the settings",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return problem(
                403,
                f"a page of {origin!r} may not use this API",
                hint="open the page from the agent itself",
            )
        if not self._require_key or scope["path"] in OPEN_PATHS or self._has_key(scope, headers):
            return None
        return problem(
            401,
            "the key of this device is missing or wrong",
            hint="send it as X-API-Key; it is in the file api-key in the agent's data directory",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _has_key(self, scope: Scope, headers: Headers) -> bool:
        return any(hmac.compare_digest(shown, self._key) for shown in _shown_keys(scope, headers))


def _shown_keys(scope: Scope, headers: Headers) -> Iterator[bytes]:
    if "x-api-key" in headers:
        yield headers["x-api-key"].encode("latin-1")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip().encode("latin-1")
    for name, value in parse_qsl(scope["query_string"].decode("latin-1")):
        if name == "apiKey":
            yield value.encode()


def _name_of(host: str) -> str:
    """The Host header without port and brackets, in lower case; empty when it makes no sense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
