"""The door of the TCP listener: who may come in, by address, Host, Origin and key.

The Unix socket has no such door: there the file's group decides. X-Forwarded-For is never looked at.
"""

from __future__ import annotations

import hmac
import math
from urllib.parse import parse_qsl, urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from iotistic.controllers.clock import monotonic
from iotistic.device_api.access import Access
from iotistic.device_api.peers import Address, address_of, counted_as, is_near
from iotistic.device_api.problems import problem
from iotistic.device_api.wrong_keys import WrongKeys

HEALTH_PATHS = frozenset({"/ping", "/v1/healthy"})
PAGE_PATHS = frozenset({"/", "/docs"})
PAGE_FOLDERS = ("/dashboard/", "/docs/")
OTHER_SITES = frozenset({"cross-site", "same-site"})
log = structlog.get_logger()


class Guard:
    """Lets requests through to `app` that come from where they may, name this device and have the key.

    Args:
        key: what callers must show; compared in constant time.
    """

    def __init__(self, app: ASGIApp, *, key: str, access: Access) -> None:
        if access.require_key and not key:
            raise ValueError("a key is required, and there is none")
        self._app = app
        self._key = key.encode()
        self._access = access
        self._wrong_keys = WrongKeys(monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, 401 or 429, or hand over to the app."""
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        path = scope["path"]
        caller = address_of(scope["client"][0]) if scope.get("client") else None
        is_health = path in HEALTH_PATHS
        if self._access.near_only and not is_health and not (caller and is_near(caller)):
            return _too_far(caller)
        refusal = self._wrong_host(scope, headers) or _wrong_page(headers, is_page(path))
        if refusal or is_health or is_page(path) or not self._access.require_key:
            return refusal
        return self._wrong_key(scope, headers, counted_as(caller) if caller else "")

    def _wrong_host(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        name = _name_of(host)
        called = address_of(scope["server"][0]) if scope.get("server") else None
        if name in self._access.hosts or (called is not None and address_of(name) == called):
            return None
        return problem(
            403,
            f"the host {host!r} is not one of this device's",
            hint=f"use one of {', '.join(sorted(self._access.hosts))}, "
            "or name this one in DEVICE_API_ALLOWED_HOSTS",
        )

    def _wrong_key(self, scope: Scope, headers: Headers, caller: str) -> Response | None:
        shown = _shown_keys(scope, headers)
        if not shown:
            return _unauthorized("the key of this device is missing")
        seconds = self._wrong_keys.wait_seconds(caller)
        if seconds:
            return problem(
                429,
                "too many wrong keys from your address",
                hint=f"wait {math.ceil(seconds)} s; the Unix socket on the device needs no key",
                headers={"Retry-After": str(math.ceil(seconds))},
            )
        wrong = [key for key in shown if not hmac.compare_digest(key, self._key)]
        if len(wrong) < len(shown):
            return None
        if self._wrong_keys.count(caller, len(wrong)):
            log.warning("api_wrong_keys", caller=caller)
        return _unauthorized("the key of this device is another one")


def is_page(path: str) -> bool:
    """Static pages hold nothing of the device: what they show they ask for with the key."""
    return path in PAGE_PATHS or path.startswith(PAGE_FOLDERS)


def _wrong_page(headers: Headers, to_page: bool) -> Response | None:
    """Pages of others may not use the API, with or without a key; a link to a page of ours is fine."""
    origin = headers.get("origin")
    foreign = origin is not None and _place_of(origin) != headers.get("host", "").lower()
    if not foreign and (to_page or headers.get("sec-fetch-site", "").lower() not in OTHER_SITES):
        return None
    who = repr(origin) if origin is not None else "another site"
    return problem(403, f"a page of {who} may not use this API", hint="open the page from the agent itself")


def _too_far(caller: Address | None) -> Response:
    return problem(
        403,
        f"this API is for private networks only, and {caller or 'your address'} is not in one",
        hint="API_SECURITY_MODE=API_KEY lets other networks in, with the key",
    )


def _unauthorized(detail: str) -> Response:
    return problem(
        401,
        detail,
        hint="send it as X-API-Key; it is in the file api-key in the agent's data directory",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _shown_keys(scope: Scope, headers: Headers) -> list[bytes]:
    """At most one a place: many in one request would be many guesses."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    shown = [
        headers.get("x-api-key", "").encode("latin-1"),
        token.strip().encode("latin-1") if scheme.lower() == "bearer" else b"",
        dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("apiKey", "").encode(),
    ]
    return [key for key in shown if key]


def _name_of(host: str) -> str:
    """The Host header without port and brackets, in lower case; empty when it makes no sense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _place_of(origin: str) -> str:
    """Host and port of an Origin header, in lower case; empty when it makes no sense."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
