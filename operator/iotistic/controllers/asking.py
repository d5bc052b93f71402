"""Asking one probe's question once: over HTTP, TCP, or by a command inside the container."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence

from iotistic.api.errors import EngineError
from iotistic.api.service import HttpGet, Probe, Service, TcpSocket
from iotistic.planning.values import Container
from iotistic.rollout.probing import asked

RunInside = Callable[[str, Sequence[str], float], Awaitable[tuple[int, str]]]
"""`Engine.run`."""


async def ask(probe: Probe, container: Container, service: Service, run: RunInside) -> tuple[bool, str]:
    """One answer: whether it is a success, and what was seen when it is not."""
    what = asked(probe, service)
    try:
        if probe.exec is not None:
            code, _ = await run(container.id, probe.exec.command, probe.timeout_seconds)
            return code == 0, f"{what} -> exit {code}"
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.http_get is not None:
                status = await _get_status(probe.http_get, container, service)
                return 200 <= status < 400, f"{what} -> {status}"
            assert probe.tcp_socket is not None
            await _connect(probe.tcp_socket, container, service)
            return True, ""
    except TimeoutError:
        return False, f"{what} -> no answer in {probe.timeout_seconds} s"
    except (OSError, ValueError) as error:
        return False, f"{what} -> {_in_words(error)}"
    except EngineError as error:
        return False, f"{what} -> {error.message}"


def _in_words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(
        error
    ).__name__


def port_number(port: int | str, service: Service) -> int:
    """The number of a port given by number or by name.

    Raises: ValueError for a name that the service does not have.
    """
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    for declared in service.ports:
        if declared.name == port:
            return declared.container_port
    raise ValueError(f"the service has no port named {port}")


async def _connect(question: TcpSocket, container: Container, service: Service) -> None:
    host = question.host or container.address
    if not host:
        raise ValueError("the container has no address")
    _, writer = await asyncio.open_connection(host, port_number(question.port, service))
    writer.close()


async def _get_status(question: HttpGet, container: Container, service: Service) -> int:
    """Status code of a GET; a client library would cost 15 MB resident for this one line."""
    host = question.host or container.address
    if not host:
        raise ValueError("the container has no address")
    port = port_number(question.port, service)
    tls = ssl._create_unverified_context() if question.scheme == "HTTPS" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        headers = {"Host": f"{host}:{port}", "User-Agent": "iotistic-probe", "Connection": "close"}
        headers |= {header.name: header.value for header in question.http_headers}
        lines = [
            f"GET {question.path or '/'} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header or path of the probe has a line break")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()
        first = await reader.readline()
        parts = first.split(maxsplit=2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
            raise ValueError("no HTTP answer")
        return int(parts[1])
    finally:
        writer.close()
