"""The connection to a Docker engine: calls in threads, a few at a time, and streams that can be cut.

The threads are daemons: an agent that ends does not wait for an engine that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from docker import APIClient
from docker.errors import InvalidConfigFile
from docker.tls import TLSConfig
from docker.types.daemon import CancellableStream

from iotistic.api.errors import EngineError, EngineUnreachableError
from iotistic.engines.docker.errors import mapped
from iotistic.engines.docker.logins import config_folder
from iotistic.engines.docker.platforms import platform_of_host

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
API_AT_LEAST = (1, 41)
API_KNOWN = (1, 44)
"""Newer engines are asked in this version, which is how they answered when this was written."""
ANSWER_SECONDS = 180
"""Making and starting a container loads the disk, and some hosts have an SD card."""
ASKING, ACTING, INSIDE = 4, 8, 8
"""Calls at one time: questions, steps, commands inside containers. Each kind waits for its own only."""
BUFFERED = 64
"""Items of a stream that wait for a slow reader."""

T = TypeVar("T")
Item_co = TypeVar("Item_co", covariant=True)
Call = Callable[[Any], T]
"""What to do with the SDK's APIClient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an engine says of itself once, and what observation and making depend on."""

    version: str
    api: str
    architecture: str
    """As the kernel names it: x86_64."""
    platform: str
    """As images name it: linux/amd64."""
    cpus: int
    limits_memory: bool
    limits_cpu: bool
    shares_cpu: bool


class Closeable(Protocol[Item_co]):
    """A stream that `close` cuts from another thread."""

    def __iter__(self) -> Iterator[Item_co]: ...
    def close(self) -> None: ...


class Stream(CancellableStream):  # type: ignore[type-arg]  # generic in its stubs only
    """A stream of the engine that tells when it breaks."""

    _stream: Iterator[Any]

    def __next__(self) -> Any:
        return next(self._stream)


class Client:
    """One engine. All methods raise kinds of EngineError only."""

    def __init__(self, address: str, docker_config: Path | None) -> None:
        """Nothing is connected before the first call.

        Args:
            address: as in DOCKER_HOST; empty for the socket of this host.
            docker_config: directory whose ca.pem, cert.pem and key.pem open an engine behind TLS.
        """
        self.address = address or DEFAULT_ADDRESS
        self._docker_config = config_folder(docker_config)
        self._connecting = threading.Lock()
        self._api: Any = None
        self._facts: Facts | None = None
        self._asking = asyncio.Semaphore(ASKING)
        self._acting = asyncio.Semaphore(ACTING)
        self._inside = asyncio.Semaphore(INSIDE)

    async def ask(self, subject: str, call: Call[T]) -> T:
        """A question, or a quick change."""
        async with self._asking:
            return await self._in_thread(subject, call)

    async def act(self, subject: str, call: Call[T]) -> T:
        """A change that may take its time; a caller that is cancelled does not stop it."""
        async with self._acting:
            return await self._in_thread(subject, call)

    async def inside(self, subject: str, call: Call[T]) -> T:
        """A command inside a container."""
        async with self._inside:
            return await self._in_thread(subject, call)

    async def facts(self) -> Facts:
        """What the engine says of itself."""
        if self._api is not None:
            return self.known_facts()
        return await self.ask("Docker engine", lambda api: self.known_facts())

    def known_facts(self) -> Facts:
        """`facts`, from inside a call."""
        assert self._facts is not None, "calls run on a connection, which begins with them"
        return self._facts

    async def stream(self, subject: str, open: Call[Closeable[T]]) -> AsyncGenerator[T, None]:
        """Items of a stream, in a thread of its own; leaving the iteration cuts it."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[T | None, BaseException | None]] = asyncio.Queue()
        reading = _Reading(loop, queue)
        threading.Thread(
            target=reading.run, args=(lambda: self._opened(subject, open), self._mapped(subject)), daemon=True
        ).start()
        try:
            while True:
                item, error = await queue.get()
                if error is not None:
                    raise error
                if item is None:
                    return
                reading.room.release()
                yield item
        finally:
            reading.cut()

    def close(self) -> None:
        """Let go of the connections."""
        api, self._api = self._api, None
        if api is not None:
            api.close()

    def _mapped(self, subject: str) -> contextlib.AbstractContextManager[None]:
        return mapped(subject, self.address)

    def _opened(self, subject: str, open: Call[Closeable[T]]) -> Closeable[T]:
        return open(self._connected())

    async def _in_thread(self, subject: str, call: Call[T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                with self._mapped(subject):
                    result = call(self._connected())
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits for the call
                if isinstance(error, EngineUnreachableError):
                    self.close()  # another version may answer next time
                _tell(loop, _fail, future, error)
            else:
                _tell(loop, _succeed, future, result)

        threading.Thread(target=work, daemon=True).start()
        return await future

    def _connected(self) -> Any:
        with self._connecting:
            api = self._api
            if api is None:
                api = self._connect()
                self._facts = _facts_of(api)
                self._api = api
            return api

    def _connect(self) -> Any:
        try:
            api: Any = APIClient(
                base_url=self.address,
                version=".".join(map(str, API_AT_LEAST)),
                timeout=ANSWER_SECONDS,
                tls=self._tls(),
                max_pool_size=ASKING + ACTING + INSIDE,
            )
        except (InvalidConfigFile, ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineError(
                f"Docker's config.json can't be read: {error}",
                hint=f"correct or remove {self._docker_config}/config.json",
            ) from error
        api.trust_env = False
        said = api.version(api_version=False)
        api._version = _spoken(said, self.address)
        return api

    def _tls(self) -> Any:
        if self._docker_config is None or not self.address.startswith(("tcp://", "https://")):
            return False
        files = [self._docker_config / name for name in ("ca.pem", "cert.pem", "key.pem")]
        if not all(file.is_file() for file in files):
            return False
        ca, certificate, key = map(str, files)
        return TLSConfig(ca_cert=ca, client_cert=(certificate, key), verify=True)


class _Reading:
    """A thread that reads a stream into a queue, and how to cut it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Any]) -> None:
        self._loop = loop
        self._queue = queue
        self._stream: Any = None
        self._over = False
        self._lock = threading.Lock()
        self.room = threading.Semaphore(BUFFERED)

    def run(self, open: Callable[[], Any], door: contextlib.AbstractContextManager[None]) -> None:
        ended: BaseException | None = None
        try:
            with door:
                self._read(open())
        except BaseException as error:  # noqa: BLE001  it belongs to whoever reads the stream
            ended = error
        if not self._over:
            _tell(self._loop, self._queue.put_nowait, (None, ended))

    def cut(self) -> None:
        with self._lock:
            self._over = True
            stream = self._stream
        self.room.release()
        if stream is not None:
            _close(stream)

    def _read(self, stream: Any) -> None:
        with self._lock:
            self._stream = stream
        try:
            for item in stream if not self._over else ():
                self.room.acquire()
                if self._over:
                    return
                _tell(self._loop, self._queue.put_nowait, (item, None))
        finally:
            _close(stream)


def _close(stream: Any) -> None:
    with contextlib.suppress(Exception):  # whatever is wrong with it, it is of no use any more
        stream.close()


def _tell(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
        loop.call_soon_threadsafe(function, *args)


def _succeed(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _spoken(said: dict[str, Any], address: str) -> str:
    """The version of the API to speak. Raises EngineError for an engine that is too old."""
    newest, oldest = _number(said.get("ApiVersion")), _number(said.get("MinAPIVersion"))
    if newest < API_AT_LEAST:
        raise EngineError(
            f"the Docker engine at {address} is too old: version {said.get('Version')} speaks API "
            f"{said.get('ApiVersion')}, and at least {_text(API_AT_LEAST)} is needed",
            hint="install Docker 20.10 or newer",
        )
    return _text(max(min(newest, API_KNOWN), oldest))


def _number(text: str | None) -> tuple[int, int]:
    major, _, minor = (text or "0.0").partition(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _facts_of(api: Any) -> Facts:
    info = api.info()
    return Facts(
        version=info.get("ServerVersion", ""),
        api=api._version,
        architecture=info.get("Architecture") or "",
        platform=platform_of_host(info),
        cpus=int(info.get("NCPU") or 0),
        limits_memory=bool(info.get("MemoryLimit", True)),
        limits_cpu=bool(info.get("CpuCfsQuota", True)),
        shares_cpu=bool(info.get("CPUShares", True)),
    )
