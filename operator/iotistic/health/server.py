"""GET /healthz, /readyz, /metrics over HTTP, from a thread."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOWEST_SECONDS = 5.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Reasons = Callable[[], Sequence[str]]
"""Why something does not hold; none when it does."""


class HealthServer:
    """Answers until it is closed. Raises: OSError when the port is taken."""

    def __init__(self, host: str, port: int, *, alive: Reasons, ready: Reasons, metrics: Callable[[], str]):
        class Handler(_Handler):
            pages = {"/healthz": lambda: _state(alive()), "/readyz": lambda: _state(ready())}
            figures = staticmethod(metrics)

        self._server = (_ServerOnIPv6 if ":" in host else _Server)((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}"

    def close(self) -> None:
        """End; a request under way is dropped."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _ServerOnIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    timeout = SLOWEST_SECONDS
    server_version = "iotistic-edge"
    sys_version = ""
    pages: dict[str, Callable[[], tuple[int, str]]]
    figures: Callable[[], str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, METRICS_TYPE, self.figures())
        elif path in self.pages:
            status, body = self.pages[path]()
            self._answer(status, "application/json", body)
        else:
            self._answer(404, "application/json", json.dumps({"error": "/healthz, /readyz or /metrics"}))

    def _answer(self, status: int, kind: str, body: str) -> None:
        sent = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        """Probes come every few seconds: no line for them."""


def _state(reasons: Sequence[str]) -> tuple[int, str]:
    return 503 if reasons else 200, json.dumps({"ok": not reasons, "reasons": list(reasons)}) + "\n"
