"""Sockets to listen on: a Unix socket for this machine's group, TCP for the rest."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path

from iotistic.api.errors import ConflictError, EdgeError

SOCKET_MODE = 0o660
LONGEST_PATH = 107
"""Bytes of a Unix socket's path that the kernel takes."""
PROBE_SECONDS = 2.0


def bind_unix(path: Path) -> socket.socket:
    """A bound Unix socket, group-readable, in place of one that nobody listens on any more.

    Raises: ConflictError when another process answers there; EdgeError when the path can't be used.
    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise EdgeError(
            f"the path of the socket, {path}, is longer than {LONGEST_PATH} bytes",
            hint="set CONFIG_DIR to a shorter path",
        )
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # Nobody can connect before listen(), so there is no moment with wider rights.
        path.chmod(SOCKET_MODE)
        with contextlib.suppress(PermissionError):
            os.chown(path, -1, path.parent.stat().st_gid)
    except OSError as error:
        listener.close()
        raise EdgeError(
            f"the socket {path} can't be made: {error.strerror}",
            hint="CONFIG_DIR must be a directory that the agent may write to",
        ) from error
    return listener


def bind_tcp(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 takes a free one, host `::` all addresses, of IPv4 too.

    Raises: ConflictError when the port is taken; EdgeError when it can't be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where it reads the protocol; without it each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind((host, port))
        # Binding alone does not show a port that another process listens on with the same option.
        listener.listen()
    except OSError as error:
        listener.close()
        raise _tcp_error(host, port, error) from error
    return listener


def remove_own(path: Path, identity: tuple[int, int]) -> None:
    """Remove a socket file, unless another process has put its own there."""
    with contextlib.suppress(FileNotFoundError):
        if file_identity(path) == identity:
            path.unlink()


def file_identity(path: Path) -> tuple[int, int]:
    """Which file this is, whatever its name."""
    found = path.stat(follow_symlinks=False)
    return found.st_dev, found.st_ino


def _remove_stale(path: Path) -> None:
    try:
        mode = path.stat(follow_symlinks=False).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISSOCK(mode):
        raise ConflictError(f"{path} is there and is no socket", hint="move it away, then start again")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(PROBE_SECONDS)
    try:
        probe.connect(str(path))
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
        return
    except OSError as error:
        raise ConflictError(
            f"whether another agent uses {path} can't be found out: {error.strerror or error}",
            hint="stop the process that has it, or remove the file",
        ) from error
    finally:
        probe.close()
    raise ConflictError(
        f"another process answers on {path}",
        hint="stop it, or give this agent a CONFIG_DIR of its own",
    )


def _tcp_error(host: str, port: int, error: OSError) -> EdgeError:
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            f"port {port} on {host} is taken by another process",
            hint="stop that process, or set DEVICE_API_PORT to another port (0 takes a free one)",
        )
    return EdgeError(
        f"port {port} on {host} can't be used: {error.strerror}",
        hint="set DEVICE_API_PORT to a port from 1024 on",
    )
