"""A way to the API server that can lose watches without anybody noticing: their connections stay open, and
nothing comes any more. All other requests pass.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlsplit

import yaml

CHUNK = 65536
LISTENING_SECONDS = 30.0


class Proxy:
    """Plain HTTP on the loopback, TLS to the API server. One loop in one thread: a TLS connection that two
    threads read and write at once loses requests.
    """

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        self.deaf = threading.Event()
        """While it is set, what the API server says to a watch is thrown away."""
        target = urlsplit(server)
        self._target = (target.hostname or "", target.port or 443)
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        listening: Future[str] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(listening),))
        self._thread.start()
        self.url = listening.result(LISTENING_SECONDS)
        """Where to knock instead of at the API server."""

    def close(self) -> None:
        """Take no more connections, and end those there are."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _run(self, listening: Future[str]) -> None:
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        listening.set_result(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        await self._ended.wait()
        listener.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        watching = asyncio.Event()
        with contextlib.closing(to_client), contextlib.suppress(OSError, asyncio.CancelledError):
            host, port = self._target
            server, to_server = await asyncio.open_connection(
                host, port, ssl=self._context, server_hostname=host
            )
            asking = asyncio.create_task(_ask(client, to_server, watching))
            telling = asyncio.create_task(self._tell(server, to_client, watching))
            with contextlib.closing(to_server):
                try:
                    await asyncio.wait({asking, telling}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    asking.cancel()
                    telling.cancel()
                    await asyncio.gather(asking, telling, return_exceptions=True)

    async def _tell(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, watching: asyncio.Event
    ) -> None:
        lost = False
        while data := await server.read(CHUNK):
            # A connection that has lost something never goes on as if nothing had been.
            lost = lost or (watching.is_set() and self.deaf.is_set())
            if not lost:
                to_client.write(data)
                await to_client.drain()


async def _ask(
    client: asyncio.StreamReader, to_server: asyncio.StreamWriter, watching: asyncio.Event
) -> None:
    while data := await client.read(CHUNK):
        line = data.split(b"\r\n", 1)[0]
        if line.endswith(b"HTTP/1.1"):
            (watching.set if b"watch=true" in line else watching.clear)()
        to_server.write(data)
        await to_server.drain()


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
