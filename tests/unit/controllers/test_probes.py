"""Probes ask real servers; what they say decides who is ready and who is restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.api.service import Probe, Service
from iotistic.controllers.asking import ask
from iotistic.controllers.prober import Prober
from iotistic.planning.normal import normalise
from iotistic.planning.values import Container, Health, Status
from tests.unit.controllers.inside import model


class Server:
    """Answers every request with the same bytes; counts them."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        self.requests: list[bytes] = []
        self.port = 0
        self.silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(4096)
        if request:
            self.requests.append(request)
        if self.silent:
            await asyncio.sleep(5)
        writer.write(self.answer)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


Run = Callable[[str, Sequence[str], float], Awaitable[tuple[int, str]]]


def runs(*, code: int = 0, error: Exception | None = None) -> Run:
    """`Engine.run` of an engine on which each command ends like this."""

    async def run(container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
        if error is not None:
            raise error
        return code, "output that may be secret"

    return run


def service(port: int = 8080, **probes: dict[str, Any]) -> Service:
    """A service with a port named http."""
    ports = [{"name": "http", "containerPort": port}]
    return model("shop", {"name": "web", "image": "web:1", "ports": ports} | probes).spec.services[0]


def container(id: str = "c1", **fields: Any) -> Container:
    """A running container that is reached on loopback."""
    spec = normalise({"name": "web", "image": "web:1"})
    return Container(
        id=id, app="shop", service="web", spec=spec, **{"address": "127.0.0.1", "started": "1"} | fields
    )


def probe(**fields: Any) -> Probe:
    """A probe that gives up after a second."""
    return Probe.model_validate({"periodSeconds": 1, "timeoutSeconds": 1} | fields)


@pytest.mark.parametrize(
    ("answer", "ok", "message"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "GET :{port}/health -> 200"),
        (b"HTTP/1.1 399 Fine\r\n\r\n", True, "GET :{port}/health -> 399"),
        (b"HTTP/1.1 500 No\r\n\r\n", False, "GET :{port}/health -> 500"),
        (b"HTTP/1.1 199 No\r\n\r\n", False, "GET :{port}/health -> 199"),
        (b"SSH-2.0-x\r\n", False, "GET :{port}/health -> no HTTP answer"),
        (b"", False, "GET :{port}/health -> no HTTP answer"),
        (b"x" * 100_000, False, None),
    ],
)
async def test_what_an_http_answer_means(
    server: Server, answer: bytes, ok: bool, message: str | None
) -> None:
    server.answer = answer
    question = probe(
        httpGet={"path": "/health", "port": server.port, "httpHeaders": [{"name": "X-A", "value": "b"}]}
    )

    good, said = await ask(question, container(), service(), runs())

    assert good is ok
    if message is not None:
        assert said == message.format(port=server.port)
    [request] = server.requests
    assert request.startswith(b"GET /health HTTP/1.1\r\n")
    assert b"X-A: b\r\n" in request


@pytest.mark.parametrize(
    ("question", "found", "ok", "message"),
    [
        ({"exec": {"command": ["true"]}}, runs(), True, "run true -> exit 0"),
        ({"exec": {"command": ["true"]}}, runs(code=3), False, "run true -> exit 3"),
        ({"exec": {"command": ["true"]}}, runs(error=TimeoutError()), False, "run true -> no answer in 1 s"),
        (
            {"exec": {"command": ["true"]}},
            runs(error=EngineError("it is gone")),
            False,
            "run true -> it is gone",
        ),
        ({"tcpSocket": {"port": 1}}, runs(), False, "TCP :1 -> connection refused"),
        ({"tcpSocket": {"port": "http"}}, runs(), False, "TCP :1 -> connection refused"),
        ({"httpGet": {"port": 1}}, runs(), False, "GET :1/ -> connection refused"),
    ],
)
async def test_what_else_an_answer_means(
    question: dict[str, Any], found: Run, ok: bool, message: str
) -> None:
    assert await ask(probe(**question), container(), service(port=1), found) == (ok, message)


async def test_a_server_that_says_nothing_is_given_up(server: Server) -> None:
    server.silent = True

    good, said = await ask(probe(httpGet={"port": server.port}), container(), service(), runs())

    assert (good, said) == (False, f"GET :{server.port}/ -> no answer in 1 s")


async def test_a_container_without_an_address_is_not_ready() -> None:
    answer = await ask(probe(tcpSocket={"port": 80}), container(address=""), service(), runs())

    assert answer == (False, "TCP :80 -> the container has no address")


async def test_a_port_that_has_no_such_name_is_not_ready() -> None:
    good, said = await ask(probe(tcpSocket={"port": "htp"}), container(), service(), runs())

    assert (good, said) == (False, "TCP :htp -> the service has no port named htp")


class Told:
    """A prober whose news a test waits for."""

    def __init__(self, run: Run) -> None:
        self.prober = Prober(run)
        self.failed: list[str] = []
        self._news = asyncio.Event()
        self.prober.tell(on_change=self._news.set, on_failed=self._failed)

    def _failed(self, container: Container, reason: str) -> None:
        self.failed.append(reason)
        self._news.set()

    async def until(self, health: Health, of: Container) -> None:
        """Return when the probes say this."""
        async with asyncio.timeout(8):
            while self.prober.health(of) is not health:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def told() -> AsyncIterator[Callable[[Run], Told]]:
    made: list[Told] = []

    def make(run: Run) -> Told:
        made.append(Told(run))
        return made[-1]

    yield make
    for one in made:
        one.prober.stop()


async def test_a_service_is_ready_after_its_first_success(
    server: Server, told: Callable[[Run], Told]
) -> None:
    found, web = told(runs()), container()
    wanted = service(
        readinessProbe={"httpGet": {"port": server.port}, "periodSeconds": 10, "failureThreshold": 1}
    )
    server.answer = b"HTTP/1.1 503 Wait\r\n\r\n"

    found.prober.sync({web.id: (web, wanted)})
    assert found.prober.health(web) is Health.STARTING
    await found.until(Health.UNHEALTHY, web)
    assert found.prober.message(web.id) == f"GET :{server.port}/ -> 503"
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n"
    found.prober.sync({})
    found.prober.sync({web.id: (web, wanted)})
    await found.until(Health.HEALTHY, web)

    assert found.prober.message(web.id) == ""
    assert found.failed == [], "readiness restarts nothing"


async def test_a_failed_liveness_probe_is_told_once(told: Callable[[Run], Told]) -> None:
    found, web = told(runs(code=1)), container()
    wanted = service(livenessProbe={"exec": {"command": ["x"]}, "periodSeconds": 1, "failureThreshold": 1})

    found.prober.sync({web.id: (web, wanted)})
    await found.until(Health.UNHEALTHY, web)
    await asyncio.sleep(1.2)  # one period more

    assert found.failed == ["liveness probe failed: run x -> exit 1"]


async def test_liveness_waits_for_startup(server: Server, told: Callable[[Run], Told]) -> None:
    found, web = told(runs(code=1)), container()
    wanted = service(
        startupProbe={"httpGet": {"port": server.port}, "periodSeconds": 1, "failureThreshold": 100},
        livenessProbe={"exec": {"command": ["x"]}, "periodSeconds": 1, "failureThreshold": 1},
    )
    server.answer = b"HTTP/1.1 503 Wait\r\n\r\n"

    found.prober.sync({web.id: (web, wanted)})
    async with asyncio.timeout(5):
        while len(server.requests) < 2:
            await asyncio.sleep(0.05)
    assert found.failed == []
    assert found.prober.health(web) is Health.STARTING
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n"
    await found.until(Health.UNHEALTHY, web)

    assert found.failed == ["liveness probe failed: run x -> exit 1"]


async def test_a_container_that_was_started_again_is_asked_anew(
    server: Server, told: Callable[[Run], Told]
) -> None:
    found, web = told(runs()), container()
    wanted = service(readinessProbe={"httpGet": {"port": server.port}})
    found.prober.sync({web.id: (web, wanted)})
    await found.until(Health.HEALTHY, web)

    again = container(started="2")
    found.prober.sync({again.id: (again, wanted)})

    assert found.prober.health(again) is Health.STARTING
    await found.until(Health.HEALTHY, again)


async def test_a_changed_probe_is_asked_from_now_on(server: Server, told: Callable[[Run], Told]) -> None:
    found, web = told(runs(code=1)), container()
    found.prober.sync({web.id: (web, service(readinessProbe={"httpGet": {"port": server.port}}))})
    await found.until(Health.HEALTHY, web)

    other = {"exec": {"command": ["x"]}, "periodSeconds": 1, "failureThreshold": 1}
    found.prober.sync({web.id: (web, service(readinessProbe=other))})

    await found.until(Health.UNHEALTHY, web)


@pytest.mark.parametrize("gone", [{}, {"c1": Status.EXITED}])
async def test_nobody_asks_a_container_that_is_gone(
    server: Server, told: Callable[[Run], Told], gone: dict[str, Status]
) -> None:
    found, web = told(runs()), container()
    wanted = service(readinessProbe={"httpGet": {"port": server.port}, "periodSeconds": 1})
    found.prober.sync({web.id: (web, wanted)})
    await found.until(Health.HEALTHY, web)

    stopped = {id: (container(id, status=status, started="2"), wanted) for id, status in gone.items()}
    found.prober.sync(stopped)
    asked = len(server.requests)
    await asyncio.sleep(1.2)  # more than a period

    assert len(server.requests) == asked
    assert found.prober.health(web) is Health.NONE
