"""The docker SDK's exceptions and the engine's sentences, as errors that say what to do now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker.errors
import requests.exceptions
import urllib3.exceptions

from iotistic.api.errors import EngineError, EngineUnreachableError, NoSpaceError

NO_SPACE_HINT = "free space where the Docker engine keeps its data (docker system df shows what uses it)"


@contextmanager
def mapped(subject: str, address: str) -> Iterator[None]:
    """Raise every exception of the library as a kind of EngineError.

    Args:
        subject: what it is about, as `App shop, service web`.
        address: where the engine was asked.
    """
    try:
        yield
    except docker.errors.APIError as error:
        raise said_by_engine(subject, text_of(error)) from error
    except requests.exceptions.ReadTimeout as error:
        raise EngineUnreachableError(
            f"the Docker engine at {address} took too long to answer",
            hint="is its disk or its processor overloaded? systemctl status docker",
        ) from error
    except requests.exceptions.InvalidJSONError as error:
        raise EngineError(
            f"{subject}: what answers at {address} is no Docker engine",
            hint="check DOCKER_HOST",
        ) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise unreachable(address, error) from error
    except docker.errors.DockerException as error:
        raise EngineError(f"{subject}: {error}") from error
    except ValueError as error:
        raise EngineError(f"{subject}: unexpected answer of the Docker engine: {error}") from error


def text_of(error: docker.errors.APIError) -> str:
    """What the engine said, without the address of the request."""
    explanation = error.explanation
    if isinstance(explanation, bytes):
        explanation = explanation.decode("utf-8", "replace")
    return " ".join(str(explanation or error).split())


def unreachable(address: str, error: BaseException) -> EngineUnreachableError:
    """The engine can't be asked: why, and what to do."""
    cause = _root(error)
    socket = address.removeprefix("unix://")
    if isinstance(cause, PermissionError):
        return EngineUnreachableError(
            f"this user may not use the Docker engine at {address}",
            hint=f"add the user to the group of {socket} (usermod -aG docker USER, then log in again), "
            "or run the agent as root",
        )
    if isinstance(cause, FileNotFoundError):
        return EngineUnreachableError(
            f"there is no Docker engine at {address}",
            hint="install or start it (systemctl start docker); one elsewhere is named by DOCKER_HOST; in a "
            f"container, the agent needs -v {socket}:{socket}",
        )
    if isinstance(cause, ConnectionRefusedError):
        return EngineUnreachableError(
            f"the Docker engine at {address} does not run", hint="start it: systemctl start docker"
        )
    return EngineUnreachableError(
        f"the Docker engine at {address} does not answer: {cause}", hint="systemctl status docker"
    )


def _root(error: BaseException) -> BaseException:
    """The operating system's error below the libraries' wrappers."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = [part for part in (*error.args, error.__cause__, error.__context__) if part is not None]
        deeper = next((part for part in inner if isinstance(part, BaseException)), None)
        if isinstance(error, OSError) and error.errno is not None:
            return error
        if deeper is None:
            return error
        error = deeper
    return error


def said_by_engine(subject: str, text: str) -> EngineError:
    """An error from a sentence of the engine."""
    for pattern, make in _SENTENCES:
        match = pattern.search(text)
        if match:
            return make(subject, match, text)
    return EngineError(f"{subject}: {_short(text)}")


def _short(text: str) -> str:
    """The part of a sentence that says something: runtimes wrap theirs in many layers."""
    text = text.removeprefix("failed to create shim task: ").removeprefix(
        "failed to create task for container: "
    )
    return text if len(text) <= 400 else text[:400] + " ..."


Make = Callable[[str, "re.Match[str]", str], EngineError]


def _hinted(hint: str) -> Make:
    def make(subject: str, match: re.Match[str], text: str) -> EngineError:
        groups = {key: value or "" for key, value in match.groupdict().items()}
        return EngineError(f"{subject}: {_short(text)}", hint=hint.format(**groups))

    return make


def _port_taken(subject: str, match: re.Match[str], text: str) -> EngineError:
    port = match["port"]
    return EngineError(
        f"{subject}: host port {port} is taken",
        hint=f"find out by whom (ss -lntup 'sport = :{port}') and end it, or change the service's ports",
    )


def taken_port(error: EngineError) -> int | None:
    """The host's port that an error is about; None for another error."""
    match = re.search(r": host port (\d+) is taken$", error.message)
    return int(match[1]) if match else None


def _no_space(subject: str, match: re.Match[str], text: str) -> EngineError:
    return NoSpaceError(f"{subject}: no space left on the Docker engine's disk", hint=NO_SPACE_HINT)


_SENTENCES: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (r"no space left on device|disk quota exceeded", _no_space),
        (r":(?P<port>\d+)(?: failed)?: port is already allocated", _port_taken),
        (r"listen (?:tcp|udp)\S* \S*?:(?P<port>\d+): bind: address already in use", _port_taken),
        (r"failed to bind host port (?:for )?(?:\[[^\]]*\]|[^\s:]*):(?P<port>\d+)", _port_taken),
        (
            r"listen (?:tcp|udp)\S* (?P<address>\S*): bind: cannot assign requested address",
            _hinted("the host has no such address: change hostIP in the service's ports"),
        ),
        (
            r"exec format error",
            _hinted("the image is for another processor: use one for this host's architecture"),
        ),
        (
            r"exec: \"(?P<command>[^\"]*)\": (?:executable file not found|stat |.*no such file|permission)",
            _hinted("{command} can't be run in this image: change command, or the image"),
        ),
        (
            r"bind source path does not exist: (?P<path>\S+)",
            _hinted("create {path} on the host, or change the volume; paths are those of the engine's host"),
        ),
        (
            r"error gathering device information while adding custom device \"(?P<path>[^\"]*)\"",
            _hinted("is the device plugged in? ls -l {path} on the host; or change the service's devices"),
        ),
        (
            r"user specified ip address is supported only when",
            _hinted("ipv4Address needs a network with ipam.config[].subnet in the App"),
        ),
        (r"address already in use", _hinted("another container has this ipv4Address: choose another one")),
        (
            r"pool overlaps with other one on this address space",
            _hinted("another network of this engine has these addresses: change ipam.config[].subnet"),
        ),
        (
            r"non-overlapping ipv4 address pool|predefined address pools have been fully subnetted",
            _hinted(
                "the engine has no addresses left for networks: remove unused ones (docker network prune), "
                "or add to default-address-pools in /etc/docker/daemon.json on the host"
            ),
        ),
        (
            r"unknown log opt|logger: no log driver named",
            _hinted("change logging.driver or logging.options of the service"),
        ),
        (
            r"plugin \"(?P<name>[^\"]*)\" not found|error looking up volume plugin (?P<other>\S+?):",
            _hinted("no such driver on this engine: install the plugin {name}{other}, or change the driver"),
        ),
        (r"no such image", _hinted("it is fetched again; docker images shows what is there")),
    )
)
