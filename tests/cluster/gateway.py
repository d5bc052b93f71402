"""A way to the API server that knows requests: it can answer in its place, lose an answer, and kill who asks.

Plain HTTP on the loopback, so that what asks needs no certificates; TLS to the API server.
"""

from __future__ import annotations

import contextlib
import enum
import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.proxy import kubeconfig_through, way_to

CHUNK = 65536
UPSTREAM_SECONDS = 120.0
"""Watches say something every minute."""
OF_ONE_CONNECTION = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})
READS = frozenset({"GET", "HEAD"})


class Moment(enum.Enum):
    """When, around a write, who asks for it is killed."""

    UNSENT = "before the API server had it"
    UNANSWERED = "when it was done, before its answer"
    ANSWERED = "after its answer"


@dataclass(frozen=True, slots=True)
class Cut:
    """The write, counted from 1, at which who asks is killed."""

    number: int
    moment: Moment


@dataclass(slots=True)
class Instead:
    """What happens instead to the next requests of a kind."""

    method: str
    part: str
    """Of the path, without the query."""
    status: int
    """What is answered; 0: it is done, and the answer is lost."""
    message: str = "said by the test"
    left: int = 1

    def body(self) -> bytes:
        """As the API server would say it."""
        reason = {409: "Conflict", 422: "Invalid", 429: "TooManyRequests"}.get(self.status, "InternalError")
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.status}
        return json.dumps(status | {"reason": reason, "message": self.message}).encode()


class Gateway(ThreadingHTTPServer):
    """Counts writes; everything passes until it is told otherwise."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        target = urlsplit(server)
        self._target = (target.hostname or "", target.port or 443)
        self._context = context
        self._lock = threading.Lock()
        self._cut: Cut | None = None
        self._kill: Callable[[], None] = lambda: None
        self._instead: list[Instead] = []
        self.writes: list[str] = []
        """Method and path of each write since the last `watch`."""
        self.fired = threading.Event()
        """Who asks was killed; until the next `watch` nothing of it reaches the API server."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where to knock instead of at the API server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def watch(self, cut: Cut | None = None, kill: Callable[[], None] = lambda: None) -> None:
        """Count from 0, and kill at a write; None: let all pass."""
        with self._lock:
            self.writes, self._cut, self._kill = [], cut, kill
            self.fired.clear()

    def instead(self, *rules: Instead) -> None:
        """Give these answers to the next requests that they mean."""
        with self._lock:
            self._instead = list(rules)

    def given(self) -> bool:
        """Whether all answers of `instead` have been given."""
        with self._lock:
            return not self._instead

    def count(self, method: str, path: str) -> Moment | None:
        """Count a request, if it is a write. Returns: when to kill who asks."""
        if method in READS:
            return None
        with self._lock:
            self.writes.append(f"{method} {path}")
            due = self._cut is not None and self._cut.number == len(self.writes)
            return self._cut.moment if self._cut is not None and due else None

    def answer_instead(self, method: str, path: str) -> Instead | None:
        """The answer to give in the API server's place."""
        with self._lock:
            for rule in self._instead:
                if rule.method == method and rule.part in path:
                    rule.left -= 1
                    if rule.left <= 0:
                        self._instead.remove(rule)
                    return rule
        return None

    def fire(self) -> None:
        """Kill who asks."""
        self.fired.set()
        self._kill()

    def upstream(self) -> http.client.HTTPSConnection:
        """A new connection to the API server."""
        host, port = self._target
        return http.client.HTTPSConnection(host, port, timeout=UPSTREAM_SECONDS, context=self._context)


class Passing(BaseHTTPRequestHandler):
    """One connection of who asks."""

    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_GET(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._pass()
            return
        self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def handle(self) -> None:
        """Serve until who asks goes away, in whatever way."""
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        gateway = self.server
        moment = gateway.count(self.command, path)
        if moment is Moment.UNSENT:
            gateway.fire()
        if gateway.fired.is_set():
            raise ConnectionAbortedError
        rule = gateway.answer_instead(self.command, path)
        if rule is not None and rule.status:
            self._say(rule.status, [("Content-Type", "application/json")], rule.body())
            return
        upstream = gateway.upstream()
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            upstream.request(self.command, self.path, body or None, kept)
            answer = upstream.getresponse()
            if answer.getheader("Transfer-Encoding") == "chunked" and "watch=true" in self.path:
                self._stream(answer)
                return
            read = answer.read()
        finally:
            upstream.close()
        if moment is Moment.UNANSWERED:
            gateway.fire()
        if rule is not None or gateway.fired.is_set():
            raise ConnectionAbortedError
        self._say(answer.status, answer.getheaders(), read)
        if moment is Moment.ANSWERED:
            gateway.fire()

    def _say(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := answer.read1(CHUNK):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")


@contextlib.contextmanager
def gateway_to(kubeconfig: str, directory: Path) -> Iterator[tuple[Gateway, str]]:
    """A gateway to the cluster of a kubeconfig, and a kubeconfig that goes through it."""
    gateway = Gateway(*way_to(kubeconfig, directory))
    try:
        yield gateway, kubeconfig_through(kubeconfig, gateway.url, directory)
    finally:
        gateway.shutdown()
        gateway.server_close()
