"""Registries of this machine: one behind TLS and a password, one plain, and a wire that can be cut.

The engine trusts any registry on 127.0.0.0/8: what a certificate does shows on the bridge's address.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import packages

HOSTS = Path("/etc/hosts")
CERTIFICATES = Path("/etc/docker/certs.d")
USER, PASSWORD = "edge", "correct-horse"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Both registries keep the same images."""

    closed: str
    """NAME:PORT; TLS, a CA of its own, a password."""
    plain: str
    """127.0.0.1:PORT; neither."""
    plain_port: int
    ca: Path


def why_not() -> str:
    """Why there can be no registry here; empty when there can."""
    if os.geteuid() != 0:
        return "needs root: /etc/hosts and /etc/docker/certs.d are written"
    wanted = {"docker-registry": "docker-registry", "htpasswd": "apache2-utils"}
    packages.install(*wanted.values(), unless=lambda: all(map(shutil.which, wanted)))
    for program, package in wanted.items():
        if shutil.which(program) is None:
            return f"{program} is missing (apt-get install {package})"
    return "" if shutil.which("openssl") else "openssl is missing"


@contextlib.contextmanager
def serving(folder: Path, bridge: str) -> Iterator[Registry]:
    """Registries that run until the end.

    Args:
        folder: where images, keys and logs go.
        bridge: the host's address on the engine's bridge.
    """
    name = f"registry-{os.getpid()}.iotistic.test"
    closed_port, plain_port = free_port(bridge), free_port("127.0.0.1")
    closed = f"{name}:{closed_port}"
    certify(folder, name)
    with contextlib.ExitStack() as stack:
        stack.enter_context(in_hosts(name, bridge))
        trusted = CERTIFICATES / closed
        stack.callback(shutil.rmtree, trusted, ignore_errors=True)
        trust(closed, folder / "ca.crt")
        stack.enter_context(
            running(folder, "closed", f"{bridge}:{closed_port}", CLOSED.format(folder=folder))
        )
        stack.enter_context(running(folder, "plain", f"127.0.0.1:{plain_port}", ""))
        yield Registry(
            closed=closed, plain=f"127.0.0.1:{plain_port}", plain_port=plain_port, ca=folder / "ca.crt"
        )


def trust(registry: str, ca: Path) -> None:
    """Let the engine trust a registry."""
    (CERTIFICATES / registry).mkdir(parents=True, exist_ok=True)
    shutil.copy(ca, CERTIFICATES / registry / "ca.crt")


@contextlib.contextmanager
def untrusted(registry: str) -> Iterator[None]:
    """The engine does not know the registry's CA for a while."""
    file = CERTIFICATES / registry / "ca.crt"
    content = file.read_bytes()
    file.unlink()
    try:
        yield
    finally:
        file.write_bytes(content)


CLOSED = """\
  tls:
    certificate: {folder}/server.crt
    key: {folder}/server.key
auth:
  htpasswd:
    realm: test
    path: {folder}/htpasswd
"""
CONFIG = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
  delete: {{enabled: true}}
http:
  addr: {address}
{more}"""


@contextlib.contextmanager
def running(folder: Path, name: str, address: str, more: str) -> Iterator[None]:
    """One registry process."""
    config = folder / f"{name}.yml"
    config.write_text(CONFIG.format(folder=folder, address=address, more=more))
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    try:
        answers(address)
        yield
    finally:
        process.terminate()
        process.wait(10)


def answers(address: str) -> None:
    """Wait until something listens."""
    host, _, port = address.rpartition(":")
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nothing listens at {address}"
            time.sleep(0.05)


def certify(folder: Path, name: str) -> None:
    """A CA, a certificate for `name`, and a password file."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    subject = ["-subj", f"/CN={name}", "-days", "2", "-nodes"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-keyout", "ca.key", "-out", "ca.crt", *subject)
    openssl("req", "-newkey", "rsa:2048", "-keyout", "server.key", "-out", "server.csr", *subject)
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *signing)
    htpasswd = subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], check=True, capture_output=True)
    (folder / "htpasswd").write_bytes(htpasswd.stdout)


@contextlib.contextmanager
def in_hosts(name: str, address: str) -> Iterator[None]:
    """A name of this machine's for a while."""
    line = f"{address} {name}\n"
    with HOSTS.open("a") as hosts:
        fcntl.flock(hosts, fcntl.LOCK_EX)
        hosts.write(line)
    try:
        yield
    finally:
        # Others of these tests have lines of their own there.
        with HOSTS.open("r+") as hosts:
            fcntl.flock(hosts, fcntl.LOCK_EX)
            left = hosts.read().replace(line, "")
            hosts.seek(0)
            hosts.write(left)
            hosts.truncate()


def free_port(address: str) -> int:
    """A port that nobody listens on, and that no connection gets for its own end meanwhile."""
    while True:
        port = random.SystemRandom().randrange(12_000, 18_000)
        with socket.socket() as asking, contextlib.suppress(OSError):
            asking.bind((address, port))
            return port


def push(api: Any, image: str, to: str) -> str:
    """Push an image under another name; its digest."""
    repository, _, tag = to.rpartition(":")
    api.tag(image, repository, tag)
    said = [*api.push(repository, tag=tag, stream=True, decode=True)]
    api.remove_image(to, noprune=True)
    [digest] = [line["aux"]["Digest"] for line in said if "aux" in line]
    return str(digest)


class Wire:
    """A TCP proxy to a registry on 127.0.0.1 that can be slow, cut, or gone."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.bytes_a_second = 0
        """0: as fast as it goes."""
        self.cut_after = 0
        """Bytes of answers after which the connection breaks, once; 0: never."""
        self.stall_after = 0
        """Bytes of answers after which no more come while the connections stay; 0: never."""
        self.dead = False
        """Every connection breaks at once."""
        self.carried = 0
        self.open = 0
        """Connections that are open now."""
        self._lock = threading.Lock()
        self._goes_on = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more; what has stalled breaks."""
        self.dead = True
        self._goes_on.set()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if self.dead:
            client.close()
            return
        with self._lock:
            self.open += 1
        server = socket.create_connection(("127.0.0.1", self._to))
        ask = threading.Thread(target=self._pump, args=(client, server, False), daemon=True)
        ask.start()
        self._pump(server, client, True)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        ask.join()  # it reads from them: their numbers must not be somebody else's yet
        client.close()
        server.close()
        with self._lock:
            self.open -= 1

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                if self.dead:
                    return
                if counted:
                    self.carried += len(data)
                    if self.bytes_a_second:
                        time.sleep(len(data) / self.bytes_a_second)
                    if self.stall_after and self.carried >= self.stall_after:
                        self._goes_on.wait()
                    if self.cut_after and self.carried >= self.cut_after:
                        self.cut_after = 0
                        return
                sink.sendall(data)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


def catalogue(address: str) -> str:
    """What a plain registry says that it has: a sign of life."""
    with urllib.request.urlopen(f"http://{address}/v2/_catalog", timeout=5) as answer:
        return str(answer.read().decode())
