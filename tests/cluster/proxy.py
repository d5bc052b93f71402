"""A way to the API server that can lose watches without anybody noticing: their connections stay open, and
nothing comes any more. All other requests pass.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml

CHUNK = 65536


class Proxy:
    """Plain HTTP on the loopback, TLS to the API server."""

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        self.deaf = threading.Event()
        """While it is set, what the API server says to a watch is thrown away."""
        target = urlsplit(server)
        self._target = (target.hostname or "", target.port or 443)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where to knock instead of at the API server."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        watching = threading.Event()
        with client, contextlib.suppress(OSError):
            raw = socket.create_connection(self._target)
            with self._context.wrap_socket(raw, server_hostname=self._target[0]) as server:
                asking = threading.Thread(target=self._ask, args=(client, server, watching), daemon=True)
                asking.start()
                lost = False
                while data := server.recv(CHUNK):
                    # A connection that has lost something never goes on as if nothing had been.
                    lost = lost or (watching.is_set() and self.deaf.is_set())
                    if not lost:
                        client.sendall(data)

    def _ask(self, client: socket.socket, server: ssl.SSLSocket, watching: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                line = data.split(b"\r\n", 1)[0]
                if line.endswith(b"HTTP/1.1"):
                    (watching.set if b"watch=true" in line else watching.clear)()
                server.sendall(data)
        # Not closed: the other thread still reads, and another connection would get this one's number.
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def way_to(kubeconfig: str, directory: Path) -> tuple[str, ssl.SSLContext]:
    """Address of the API server of a kubeconfig, and how to get in; client certificates go to a directory."""
    known = yaml.safe_load(Path(kubeconfig).read_text())
    user = known["users"][0]["user"]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if "client-certificate-data" in user:
        for name in ("client-certificate-data", "client-key-data"):
            (directory / name).write_bytes(base64.b64decode(user[name]))
        context.load_cert_chain(directory / "client-certificate-data", directory / "client-key-data")
    return known["clusters"][0]["cluster"]["server"], context


def kubeconfig_through(kubeconfig: str, url: str, directory: Path) -> str:
    """A kubeconfig in a directory that is like another and knocks elsewhere."""
    changed = yaml.safe_load(Path(kubeconfig).read_text())
    changed["clusters"][0]["cluster"] = {"server": url}
    path = directory / "kubeconfig-through-proxy"
    path.write_text(yaml.safe_dump(changed))
    return str(path)


@contextlib.contextmanager
def proxied(kubeconfig: str, directory: Path) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the cluster of a kubeconfig, and a kubeconfig that goes through it."""
    proxy = Proxy(*way_to(kubeconfig, directory))
    try:
        yield proxy, kubeconfig_through(kubeconfig, proxy.url, directory)
    finally:
        proxy.close()
