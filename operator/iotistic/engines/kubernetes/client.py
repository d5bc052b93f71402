"""The API server by raw paths: a dozen kinds and six verbs need no generated classes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog

from iotistic.controllers.cluster.ports import (
    ConflictError,
    Object,
    Reason,
    Ref,
    RefusedError,
    UnreachableError,
)
from iotistic.engines.kubernetes.answers import GONE, error_of, is_about_one_object, words_of
from iotistic.engines.kubernetes.connection import USER_AGENT
from iotistic.engines.kubernetes.kinds import place_of
from iotistic.engines.kubernetes.rivals import Rivals
from iotistic.engines.kubernetes.writes import Write, Writes

if TYPE_CHECKING:
    from kubernetes.aio.client.api_client import ApiClient
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.client.rest import RESTResponse

log = structlog.get_logger()

MANAGER = "iotistic-edge"
STATUS_MANAGER = "iotistic-edge-status"
WRITERS = 8
"""Writes under way at once: an API server on SQLite does not get faster by more."""
READERS = 8
"""Single objects read at once: each more would open a connection of its own, and that costs more than it."""
WORTH_A_LISTING = 4
"""So many objects of a kind are looked for by its names, one request, where a page has them all."""
TIMEOUT_SECONDS = 25.0
CONNECT_SECONDS = 10.0
EVENT_MESSAGE_LENGTH = 1000
"""The API server takes up to 1,024 characters."""
PAGE = 200
"""Objects of a listing of metadata that are in memory at once."""
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
Query = Sequence[tuple[str, str]]


class Client:
    """Implements `controllers.cluster.ports.Api`."""

    def __init__(self, configuration: Configuration) -> None:
        from kubernetes.aio.client.api_client import ApiClient

        self.writes = Writes()
        self.rivals = Rivals(MANAGER)
        self._api: ApiClient = ApiClient(configuration)
        self._api.user_agent = USER_AGENT
        self._writers = asyncio.Semaphore(WRITERS)
        self._readers = asyncio.Semaphore(READERS)

    @property
    def server(self) -> str:
        """Address of the API server."""
        return str(self._api.configuration.host)

    async def login(self) -> dict[str, Any]:
        """How to get in, in the words of kopf's `ConnectionInfo`; tokens change while the process runs."""
        configuration = self._api.configuration
        key = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        scheme, _, token = key.rpartition(" ")
        ca = {"ca_data": configuration.ca_cert_data} if configuration.ca_cert_data else {}
        return ca | {
            "server": self.server,
            "ca_path": None if ca else configuration.ssl_ca_cert,
            "insecure": not configuration.verify_ssl,
            "username": configuration.username or None,
            "password": configuration.password or None,
            "scheme": scheme.capitalize() or None,
            "token": token or None,
            "certificate_path": configuration.cert_file,
            "private_key_path": configuration.key_file,
            "proxy_url": configuration.proxy or None,
        }

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def apply(self, wanted: Object, *, reason: Reason) -> Object:
        query = (("fieldManager", MANAGER), ("force", "true"))
        return await self._write("apply", "PATCH", wanted, reason, query=query, content=APPLY)

    async def replace(self, wanted: Object, *, reason: Reason) -> Object:
        return await self._write("replace", "PUT", wanted, reason, query=(("fieldManager", MANAGER),))

    async def create(self, wanted: Object, *, reason: Reason) -> Object:
        return await self._write("create", "POST", wanted, reason, query=(("fieldManager", MANAGER),))

    async def apply_status(self, wanted: Object, *, reason: Reason = Reason.STATUS) -> Object:
        body = {
            "apiVersion": wanted["apiVersion"],
            "kind": wanted["kind"],
            "metadata": {name: wanted["metadata"][name] for name in ("name", "namespace")},
            "status": wanted["status"],
        }
        query = (("fieldManager", STATUS_MANAGER), ("force", "true"))
        return await self._write("status", "PATCH", body, reason, query=query, content=APPLY, part="status")

    async def delete(self, ref: Ref, *, reason: Reason, uid: str = "") -> None:
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        path = place_of(ref.kind).path(ref.namespace, ref.name)
        async with self._counted(Write("delete", ref.kind, reason)):
            try:
                await self.request("DELETE", path, body=options)
            except RefusedError as error:
                if error.status != GONE:
                    raise
            except ConflictError:
                if uid and await self._is_another(ref, uid):
                    return  # it has gone, and what has its name now is not meant
                raise

    async def get(self, ref: Ref) -> Object | None:
        try:
            async with self._readers:
                return await self.request("GET", place_of(ref.kind).path(ref.namespace, ref.name))
        except RefusedError as error:
            if error.status == GONE:
                return None
            raise

    async def get_all(self, refs: Sequence[Ref]) -> Sequence[Object | None]:
        wanted = Counter((ref.kind, ref.namespace) for ref in refs)
        listed = [place for place, count in wanted.items() if count >= WORTH_A_LISTING]
        names = dict(zip(listed, await asyncio.gather(*(self._names(*one) for one in listed)), strict=True))

        async def one(ref: Ref) -> Object | None:
            known = names.get((ref.kind, ref.namespace))
            return await self.get(ref) if known is None or ref.name in known else None

        return await asyncio.gather(*(one(ref) for ref in refs))

    async def _names(self, kind: str, namespace: str) -> set[str] | None:
        """The names of all objects of a kind in a namespace; None where there are many."""
        path, page = place_of(kind).path(namespace), [("limit", str(PAGE))]
        async with self._readers:
            listed = await self.request("GET", path, query=page, accept=METADATA_LIST)
        if listed["metadata"].get("continue"):
            return None
        return {one["metadata"]["name"] for one in listed["items"] or ()}  # an empty list of metadata is null

    async def logs(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        query = (
            ("container", container),
            ("previous", str(previous).lower()),
            ("tailLines", str(lines)),
        )
        try:
            return await self._text("GET", place_of("Pod").path(namespace, pod, "log"), query=query)
        except RefusedError as error:
            log.debug("logs_not_to_be_had", namespace=namespace, pod=pod, problem=error.message)
            return ""

    async def event(self, about: Object, *, reason: str, message: str, warning: bool) -> None:
        metadata = about["metadata"]
        now = datetime.now(UTC)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                # A name of its own by the moment, as kubectl and the kubelet have it.
                "name": f"{metadata['name'][:200]}.{int(now.timestamp() * 1e6):x}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata.get("uid", ""),
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "reason": reason,
            "message": message[:EVENT_MESSAGE_LENGTH],
            "type": "Warning" if warning else "Normal",
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": 1,
            "source": {"component": MANAGER},
            "reportingComponent": f"iotistic.io/{MANAGER}",
        }
        try:
            await self._write("event", "POST", event, Reason.EVENT)
        except (RefusedError, ConflictError, UnreachableError) as error:
            log.warning(
                "event_not_written",
                kind=about["kind"],
                namespace=metadata["namespace"],
                name=metadata["name"],
                reason=reason,
                problem=str(error),
            )

    async def metadata_pages(
        self, kind: str, namespace: str = "", *, query: Query = (), page: int = PAGE
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Listings of nothing but metadata, a page at a time.

        Raises: RefusedError, UnreachableError; ExpiredError when it took too long between pages.
        """
        place, more = place_of(kind), ""
        while True:
            asked = [*query, ("limit", str(page)), *([("continue", more)] if more else [])]
            listed = await self.request("GET", place.path(namespace), query=asked, accept=METADATA_LIST)
            yield listed
            more = listed["metadata"].get("continue", "")
            if not more:
                return

    @asynccontextmanager
    async def metadata_watch(
        self, kind: str, namespace: str, *, query: Query, silence_seconds: float
    ) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """A watch of nothing but metadata; its events come as they are sent, bookmarks too.

        Args:
            silence_seconds: when nothing at all comes for so long, the connection counts as dead.

        Raises: as `metadata_pages`.
        """
        asked = [*query, ("watch", "true"), ("allowWatchBookmarks", "true")]
        limits = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence_seconds)
        path = place_of(kind).path(namespace)
        answer = await self._send("GET", path, query=asked, accept=METADATA, limits=limits)
        try:
            yield _events(answer)
        finally:
            answer.response.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Object | None = None,
        content: str = JSON,
        accept: str = JSON,
    ) -> dict[str, Any]:
        """One request with a JSON answer. Raises: as all methods, and ExpiredError."""
        text = await self._text(method, path, query=query, body=body, content=content, accept=accept)
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer

    async def _text(self, method: str, path: str, **asked: Any) -> str:
        answer = await self._send(method, path, **asked)
        try:
            read: bytes = await answer.read()  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(words_of(error)) from error
        return read.decode(errors="replace")

    async def _write(
        self,
        verb: str,
        method: str,
        wanted: Object,
        reason: Reason,
        *,
        query: Query = (),
        content: str = JSON,
        part: str = "",
    ) -> Object:
        kind, metadata = wanted["kind"], wanted["metadata"]
        name = "" if method == "POST" else metadata["name"]
        path = place_of(kind).path(metadata["namespace"], name, part)
        async with self._counted(Write(verb, kind, reason)):
            answer = await self.request(method, path, query=query, body=wanted, content=content)
        self.rivals.wrote(answer)
        return answer

    @asynccontextmanager
    async def _counted(self, write: Write) -> AsyncIterator[None]:
        """Bounds and counts what is written below it."""
        async with self._writers:
            try:
                yield
            except RefusedError as error:
                whole = error.status in (401, 403) and not is_about_one_object(error)
                self._failed(write, error.reason, error.message, concerns_all=whole)
                raise
            except ConflictError:
                self._failed(write, "Conflict", "", concerns_all=False)
                raise
            except UnreachableError as error:
                self._failed(write, "Unreachable", str(error), concerns_all=True)
                raise
            self.writes.succeeded(write)

    def _failed(self, write: Write, error: str, message: str, *, concerns_all: bool) -> None:
        self.writes.refused(write.verb, write.kind, error, message, concerns_all=concerns_all)
        if concerns_all:
            log.warning("write_failed", verb=write.verb, kind=write.kind, reason=error, problem=message)

    async def _is_another(self, ref: Ref, uid: str) -> bool:
        there = await self.get(ref)
        return there is None or there["metadata"]["uid"] != uid

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Object | None = None,
        content: str = JSON,
        accept: str = JSON,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> RESTResponse:
        limits = limits or aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=CONNECT_SECONDS)
        try:
            _, url, headers, sent, _ = await self._api.param_serialize(
                method,
                path,
                query_params=list(query),
                header_params={"Accept": accept, "Content-Type": content},
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = await self._api.call_api(method, url, headers, sent, _request_timeout=limits)
            if answer.status >= 300:
                raise error_of(answer.status, await answer.read())  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(words_of(error)) from error
        return answer


async def _events(answer: RESTResponse) -> AsyncIterator[Mapping[str, Any]]:
    """Raises: UnreachableError, ExpiredError."""
    try:
        async for line in answer.response.content:
            if not line.strip():
                continue
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise error_of(int(event["object"].get("code", 500)), json.dumps(event["object"]).encode())
            yield event
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise UnreachableError(words_of(error)) from error
