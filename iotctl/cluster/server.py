"""The API server of a cluster as iotctl uses it: one request a method, its errors as CommandError."""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from iotctl.cluster.kubeconfig import Connection
from iotctl.cluster.whole import MANAGER
from iotctl.exits import CommandError, ExitCode, NotFoundError

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
GROUP = "/apis/iotistic.io/v1alpha1"
ANSWER_SECONDS = 30.0
CONNECT_SECONDS = 5.0
_NO_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')
PATHS = {
    "App": (GROUP, "apps"),
    "AppService": (GROUP, "appservices"),
    "Secret": ("/api/v1", "secrets"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Pod": ("/api/v1", "pods"),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
    "Event": ("/api/v1", "events"),
    "ControllerRevision": ("/apis/apps/v1", "controllerrevisions"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Job": ("/apis/batch/v1", "jobs"),
}


class AlreadyError(CommandError):
    """409: somebody else was first."""


class ForbiddenError(CommandError):
    """403: this user has no right to it."""


class Server:
    """One API server. Every method raises CommandError: UNAVAILABLE when it does not answer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._client = _client(connection)

    def path(self, kind: str, name: str = "", *, namespace: str = "") -> str:
        """Path of a kind in the namespace that is meant, or of one object."""
        root, plural = PATHS[kind]
        path = f"{root}/namespaces/{namespace or self.connection.namespace}/{plural}"
        return f"{path}/{name}" if name else path

    def items(self, kind: str, labels: str = "", fields: str = "") -> list[Json]:
        """All objects of a kind."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        answer = self.ask("GET", self.path(kind), {name: one for name, one in query.items() if one})
        plural = str(answer.get("kind", "")).removesuffix("List") or kind
        return [
            {"apiVersion": answer["apiVersion"], "kind": plural, **one} for one in answer.get("items") or []
        ]

    def one(self, kind: str, name: str) -> Json:
        """One object. Raises: NotFoundError."""
        return self.ask("GET", self.path(kind, name))

    def patch(self, kind: str, name: str, change: Json) -> Json:
        """Merge a change into an object."""
        body = json.dumps(change).encode()
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        return self.ask("PATCH", self.path(kind, name), query, body, "application/merge-patch+json")

    def apply(self, document: Json, *, dry_run: bool) -> Json:
        """Server-side apply of a whole document; what iotctl owns of it is what the document says."""
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        return self._write(document, query, document, "application/apply-patch+yaml", dry_run=dry_run)

    def edit(self, document: Json, change: list[Json], *, dry_run: bool) -> Json:
        """JSON patch of the object that a document is about."""
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        return self._write(document, query, change, "application/json-patch+json", dry_run=dry_run)

    def _write(
        self, document: Json, query: dict[str, str], body: object, content_type: str, *, dry_run: bool
    ) -> Json:
        namespace = str(document["metadata"].get("namespace") or "")
        path = self.path(document["kind"], document["metadata"]["name"], namespace=namespace)
        trial = {"dryRun": "All"} if dry_run else {}
        return self.ask("PATCH", path, query | trial, json.dumps(body).encode(), content_type)

    def delete(self, kind: str, name: str) -> Json:
        """Delete an object; what it owns goes after it."""
        return self.ask("DELETE", self.path(kind, name), {"propagationPolicy": "Background"})

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> Json:
        """One request. Raises: NotFoundError, AlreadyError, CommandError with the server's words."""
        import httpx

        patience = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        headers = {"content-type": content_type} if body is not None else {}
        with self._errors():
            answer = self._client.request(
                method, path, params=dict(query or {}), content=body, headers=headers, timeout=patience
            )
        self._check(answer)
        found: Json = (
            answer.json() if "json" in answer.headers.get("content-type", "") else {"text": answer.text}
        )
        return found

    def lines(self, path: str, query: Mapping[str, str], *, patient: bool) -> Iterator[str]:
        """Lines of a log or a watch, as they come."""
        import httpx

        patience = httpx.Timeout(None if patient else ANSWER_SECONDS, connect=CONNECT_SECONDS)
        with self._errors(), self._client.stream("GET", path, params=dict(query), timeout=patience) as answer:
            if not answer.is_success:
                answer.read()
                self._check(answer)
            yield from answer.iter_lines()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import httpx

        where = self.connection
        try:
            yield
        except httpx.TimeoutException as error:
            raise self._silent("no answer in time") from error
        except httpx.TransportError as error:
            text = str(error)
            if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify" in text:
                raise CommandError(
                    f"The API server {where.server} shows a certificate that this kubeconfig does not trust.",
                    hint=f"Is {where.source} of this cluster, and of today?",
                    code=ExitCode.UNAVAILABLE,
                ) from error
            raise self._silent(
                text.partition("]")[2].strip().lower() or text or type(error).__name__
            ) from error

    def _silent(self, why: str) -> CommandError:
        where = self.connection
        return CommandError(
            f"The API server {where.server} (context {where.context}) does not answer: {why}.",
            hint="Does the cluster run, and may this machine reach it? What runs there goes on meanwhile.\n"
            "Another one:  iotctl --context NAME      a device:  iotctl --url http://HOST:48484",
            code=ExitCode.UNAVAILABLE,
        )

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        try:
            status = answer.json()
        except ValueError:
            status = {}
        message = str(status.get("message") or answer.text[:200] or answer.reason_phrase)
        match answer.status_code:
            case 401:
                raise CommandError(
                    f"The API server {self.connection.server} does not know who asks: the credentials in "
                    f"{self.connection.source} are wrong or too old.",
                    hint="Get a new kubeconfig, or another context:  iotctl --context NAME",
                )
            case 403:
                namespace = answer.request.url.path.partition("/namespaces/")[2].partition("/")[0]
                raise ForbiddenError(
                    f"You may not do that here: {message}.",
                    hint="Ask for the role edit (to look: view) in namespace "
                    f"{namespace or self.connection.namespace}.",
                )
            case 404 if self._no_kind(answer, status):
                raise CommandError(
                    f"The cluster (context {self.connection.context}) has no Apps yet: the kinds of "
                    "iotistic.io are not installed.",
                    hint="Install it:  iotctl install  prints how, and where its image comes from",
                    code=ExitCode.UNAVAILABLE,
                )
            case 404:
                raise self._not_found(message)
            case 409:
                raise AlreadyError(message)
            case 429 | 500 | 502 | 503 | 504:
                raise self._silent(message)
            case 400 | 422:
                raise CommandError(message, code=ExitCode.BAD_INPUT)
            case _:
                raise CommandError(message)

    def _not_found(self, message: str) -> NotFoundError:
        found = _NO_NAMESPACE.fullmatch(message)
        if found is None:
            return NotFoundError(message)
        return NotFoundError(
            f"The cluster (context {self.connection.context}) has no namespace {found[1]}.",
            hint=f"kubectl create namespace {found[1]}",
        )

    def _no_kind(self, answer: httpx.Response, status: Json) -> bool:
        return GROUP in answer.request.url.path and not (status.get("details") or {}).get("name")


def _client(connection: Connection) -> httpx.Client:
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # half of httpx's import time
    import httpx

    headers = {"Authorization": f"Bearer {connection.token}"} if connection.token else {}
    auth = (connection.user, connection.password) if connection.user else None
    return httpx.Client(
        base_url=connection.server,
        headers=headers,
        auth=auth,
        verify=_tls(connection) if connection.server.startswith("https:") else False,
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
    )


def _tls(connection: Connection) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=connection.ca or None)
    # Python 3.13 asks for more than the certificates that clusters make for themselves have.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if connection.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if connection.certificate:
        _show_certificate(context, connection)
    return context


def _show_certificate(context: ssl.SSLContext, connection: Connection) -> None:
    """The ssl module takes a client's key only from a file; it is gone before anything is asked."""
    handle, path = tempfile.mkstemp(prefix="iotctl-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{connection.certificate}\n{connection.key}\n")
        context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise CommandError(
            f"The client certificate in {connection.source} can't be used ({error.reason})."
        ) from error
    finally:
        os.unlink(path)
