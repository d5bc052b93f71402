"""What containers write, and what commands in them answer."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import docker.errors

from iotistic.api.errors import EngineError
from iotistic.engines.base import LogLine
from iotistic.engines.docker.client import Client, Stream
from iotistic.engines.docker.times import seconds

HEADER_BYTES = 8
STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
MOST_OUTPUT_BYTES = 4096
LONGEST_LINE = 65536
AGAIN_SECONDS = 1.0
"""How often a follower asks whether a stopped container runs again."""


async def logs(client: Client, container: str, *, follow: bool, tail: int | None) -> AsyncIterator[LogLine]:
    """Lines of a container, oldest first; with `follow` until it is gone, through its restarts.

    Raises: EngineError when there is no such container, or its log driver keeps nothing.
    """
    last = ""
    while True:
        before = last
        async with aclosing(_stream(client, container, follow=follow, tail=tail, after=before)) as lines:
            async for line in lines:
                # Within one answer times may go back: the engine copies the two streams by themselves.
                if line.time <= before:
                    continue
                last = max(last, line.time)
                yield line
        if not follow or not await _runs_again(client, container):
            return
        tail = None


def _stream(
    client: Client, container: str, *, follow: bool, tail: int | None, after: str
) -> AsyncGenerator[LogLine, None]:
    def open(api: Any) -> Any:
        tty = api.inspect_container(container)["Config"].get("Tty", False)
        params = {
            "stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow),
            "tail": "all" if tail is None else str(tail),
        }  # fmt: skip
        if after:
            params["since"] = seconds(after)
        response = api._get(
            api._url("/containers/{0}/logs", container), params=params, stream=True, timeout=None
        )
        api._raise_for_status(response)
        chunks = _raw(response) if tty else frames(response.raw)
        return Stream(lines(chunks), response)

    return client.stream(f"container {container[:12]}", open)


async def _runs_again(client: Client, container: str) -> bool:
    """Wait until a stopped container runs; False when it is gone."""

    def running(api: Any) -> bool | None:
        try:
            return bool(api.inspect_container(container)["State"]["Running"])
        except docker.errors.NotFound:
            return None

    while True:
        runs = await client.ask(f"container {container[:12]}", running)
        if runs is None or runs:
            return bool(runs)
        await asyncio.sleep(AGAIN_SECONDS)


def frames(raw: Any) -> Iterator[tuple[str, bytes]]:
    """Stream and bytes of each frame of the engine's format for two streams in one."""
    while True:
        header = raw.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES:
            return
        stream, length = struct.unpack(">BxxxL", header)
        data = raw.read(length)
        yield STREAMS.get(stream, "stdout"), data
        if len(data) < length:
            return


def lines(chunks: Iterator[tuple[str, bytes]]) -> Iterator[LogLine]:
    """Lines from chunks that begin with a timestamp; a long line comes in several of them."""
    held: dict[str, tuple[str, bytes]] = {}
    for stream, chunk in chunks:
        for part in chunk.splitlines(keepends=True):
            time, _, text = part.partition(b" ")
            began, before = held.pop(stream, (time.decode("ascii", "replace"), b""))
            whole = (before + text)[:LONGEST_LINE]
            if part.endswith(b"\n"):
                yield _line(began, stream, whole)
            else:
                held[stream] = (began, whole)
    for stream, (began, rest) in held.items():
        yield _line(began, stream, rest)


def _line(time: str, stream: str, text: bytes) -> LogLine:
    return LogLine(time=time, stream=stream, text=text.decode("utf-8", "replace").rstrip("\r\n"))


def _raw(response: Any) -> Iterator[tuple[str, bytes]]:
    """Whole lines of a terminal's one stream."""
    for line in response.iter_lines(delimiter=b"\n"):
        if line:
            yield "stdout", line + b"\n"


class Inside:
    """Runs commands inside containers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._late: dict[tuple[str, tuple[str, ...]], str] = {}
        """Commands that were given up and may still run: the engine can't end them."""

    async def run(self, container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
        """Exit code and the first 4 kB of output.

        Raises: TimeoutError, also while an earlier run of the same command has not ended; EngineError.
        """
        key = (container, tuple(command))
        subject = f"container {container[:12]}"
        if key in self._late:
            late = self._late[key]
            if await self._client.inside(subject, lambda api: _is_running(api, late)):
                raise TimeoutError(f"{command[0]} still runs from before")
            del self._late[key]
        running = _Running(container, command)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._client.inside(subject, running.run)
        except TimeoutError:
            if running.exec_id:
                self._late[key] = running.exec_id
            raise
        finally:
            running.cut()


class _Running:
    def __init__(self, container: str, command: Sequence[str]) -> None:
        self._container = container
        self._command = list(command)
        self._stream: Any = None
        self.exec_id = ""

    def run(self, api: Any) -> tuple[int, str]:
        try:
            self.exec_id = api.exec_create(self._container, self._command)["Id"]
        except docker.errors.NotFound:
            raise EngineError(f"container {self._container[:12]} is gone") from None
        response = api._post_json(
            api._url("/exec/{0}/start", self.exec_id),
            data={"Tty": False, "Detach": False},
            stream=True,
            timeout=None,
        )
        api._raise_for_status(response)
        output = b""
        self._stream = Stream(frames(response.raw), response)
        for _, data in self._stream:
            output += data[: MOST_OUTPUT_BYTES - len(output)]
        code = api.exec_inspect(self.exec_id)["ExitCode"]
        return -1 if code is None else int(code), output.decode("utf-8", "replace")

    def cut(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(Exception):  # it has ended by itself
                stream.close()


def _is_running(api: Any, exec_id: str) -> bool:
    try:
        return bool(api.exec_inspect(exec_id)["Running"])
    except docker.errors.NotFound:
        return False
