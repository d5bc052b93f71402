"""Events tell what to look at again; a look costs little; what the engine can't say is an error."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.errors import EngineError, EngineUnreachableError
from iotistic.engines.base import EngineEvent
from iotistic.engines.docker import DockerEngine
from iotistic.planning.values import Action, Status
from tests.docker.rig import Rig, until

APP = "looking"
SOCKET = "/var/run/docker.sock"


class Proxy:
    """The engine's socket under another name: counts requests, and can be gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []
        self._connections: list[socket.socket] = []
        self._listen()

    def _listen(self) -> None:
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen(50)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def stop(self) -> None:
        """The engine ends: its socket stays, as it does when it is killed."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def start(self) -> None:
        """It is there again."""
        self._listen()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(SOCKET)
            self._connections += [client, server]
            for source, sink, counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, counted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counted and data.split(b" ", 1)[0] in {b"GET", b"POST", b"DELETE", b"HEAD"}:
                    self.asked.append(data.split(b"\r\n", 1)[0].decode().removesuffix(" HTTP/1.1"))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path / "engine.sock")
    yield proxy
    with contextlib.suppress(OSError):
        proxy.stop()


@pytest.fixture
async def proxied(rig: Rig, proxy: Proxy) -> AsyncIterator[DockerEngine]:
    """The rig's install, through the proxy."""
    engine = DockerEngine(
        address=f"unix://{proxy.path}",
        install=rig.install,
        config_dir=rig.config_dir,
        docker_config=rig.docker_config,
    )
    yield engine
    await engine.close()


class Listener:
    """Listens to events until it is left."""

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine
        self.events: list[EngineEvent] = []
        self.error: EngineError | None = None

    async def __aenter__(self) -> Listener:
        self._task = asyncio.create_task(self._listen())
        await until(lambda: self.events or self.error)
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        try:
            async for event in self._engine.events():
                self.events.append(event)
        except EngineError as error:
            self.error = error

    def told(self, kind: str = "container") -> list[tuple[str, str]]:
        return [(one.action, one.service) for one in self.events if one.kind == kind]


async def test_events_of_ours_are_told_and_strangers_are_not(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "command": ["/bin/sh", "-c", "exit 7"], "restartPolicy": "Never"})
    async with Listener(rig.engine) as listener:
        rig.foreign("looking-stranger")
        [web] = await rig.up()
        await until(lambda: ("die", "web") in listener.told())
        rig.api.rename(web.id, "looking-renamed")
        await rig.do(Action.KILL, "web", container=web.id)
        await until(lambda: ("destroy", "web") in listener.told())
        await rig.do(Action.REMOVE_NETWORK, name="default")
        await until(lambda: "destroy" in {action for action, _ in listener.told("network")})
        await asyncio.sleep(0.2)

    assert listener.told() == [(action, "web") for action in ("create", "start", "die", "rename", "destroy")]
    [died] = [one for one in listener.events if one.action == "die"]
    assert (died.app, died.container, died.exit_code) == (APP, web.id, 7)
    assert died.time > 1.7e9
    assert {action for action, _ in listener.told("network")} >= {"disconnect", "destroy"}
    assert not [one for one in listener.events if one.action.startswith("exec")]


async def test_health_checks_and_commands_inside_wake_nobody(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()
    async with Listener(rig.engine) as listener:
        before = listener.told()
        for _ in range(3):
            await rig.engine.run(web.id, ["true"], 5)
        await asyncio.sleep(0.3)
        assert listener.told() == before


async def test_what_is_changed_by_hand_is_seen_without_looking_at_everything(rig: Rig) -> None:
    rig.app(APP, {"name": "web"}, {"name": "db"})
    async with Listener(rig.engine) as listener:
        web, _ = await rig.up()
        rig.api.update_container(web.id, mem_limit="64m", memswap_limit="64m")
        await until(lambda: ("update", "web") in listener.told())
        assert "resources" in (await rig.container("web")).spec.config
        rig.api.kill(web.id)
        await until(lambda: ("die", "web") in listener.told())
        assert (await rig.container("web")).status is Status.EXITED
        before = len(listener.told("network"))
        rig.api.disconnect_container_from_network(web.id, f"{APP}_default")
        await until(lambda: len(listener.told("network")) > before)
        assert "default" not in (await rig.container("web")).spec.networks
        rig.api.remove_container(web.id, force=True)
        await until(lambda: ("destroy", "web") in listener.told())
        assert [one.service for one in (await rig.observe()).containers if one.app] == ["db"]


async def test_a_look_after_which_nothing_has_happened_is_one_question(
    rig: Rig, proxied: DockerEngine, proxy: Proxy
) -> None:
    rig.app(APP, *({"name": f"s{n}"} for n in range(4)), volumes=[{"name": "data"}])
    await rig.up()
    async with Listener(proxied):
        first = await proxied.observe(rig.wanted)
        full = len(proxy.asked)
        for _ in range(20):  # other tests make containers of the same image, and other images, on this engine
            proxy.asked.clear()
            before, again = first, await proxied.observe(rig.wanted)
            first = again
            if len(proxy.asked) == 1:
                break
        assert again == before
        assert [one.split("?")[0] for one in proxy.asked] == ["GET /v1.41/containers/json"]

        proxy.asked.clear()
        await proxied.observe(rig.wanted, full=True)
        assert full - 4 <= len(proxy.asked) <= full, "looking at everything"


async def test_looks_are_right_also_while_nobody_listens(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    rig.api.update_container(web.id, mem_limit="64m", memswap_limit="64m")

    assert "resources" in (await rig.container("web")).spec.config


async def test_an_engine_that_goes_away_and_comes_back(rig: Rig, proxied: DockerEngine, proxy: Proxy) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()
    async with Listener(proxied) as listener:
        await proxied.observe(rig.wanted)
        proxy.stop()
        await until(lambda: listener.error)
        assert isinstance(listener.error, EngineUnreachableError)
        with pytest.raises(EngineUnreachableError, match="does not run") as raised:
            await proxied.observe(rig.wanted)
        assert "systemctl start docker" in raised.value.hint
        for call in (proxied.info(), proxied.run(web.id, ["true"], 5)):
            with pytest.raises(EngineUnreachableError):
                await call
        with pytest.raises(EngineUnreachableError):
            await proxied.execute(rig.step(Action.STOP, "web", container=web.id), rig.context)

    proxy.start()
    seen = await proxied.observe(rig.wanted)
    assert [one.id for one in seen.containers if one.app] == [web.id]


def at(address: str, tmp_path: Path) -> DockerEngine:
    return DockerEngine(address=address, install="x", config_dir=tmp_path, docker_config=tmp_path)


async def test_no_engine_at_all_says_what_to_do(api: Any, tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachableError, match=f"no Docker engine at unix://{tmp_path}/none") as raised:
        await at(f"unix://{tmp_path}/none", tmp_path).info()
    assert "DOCKER_HOST" in raised.value.hint

    with pytest.raises(EngineUnreachableError, match=r"does not run|does not answer"):
        await at("tcp://127.0.0.1:9", tmp_path).observe(frozenset())

    with pytest.raises(EngineError, match="nonsense://x"):
        await at("nonsense://x", tmp_path).info()


class Answering:
    """Something that is no engine, or an old one: answers every request alike."""

    def __init__(self, path: Path, body: str) -> None:
        self._body = body
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(5)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            client.recv(65536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
            client.sendall((head + self._body).encode())
            client.close()

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(
    ("body", "said", "hint"),
    [
        ('{"Version":"19.03.5","ApiVersion":"1.40"}', "too old: version 19.03.5 speaks API 1.40", "20.10"),
        ("<html>", "is no Docker engine", "DOCKER_HOST"),
    ],
)
async def test_an_engine_too_old_or_none_at_all_is_refused(
    api: Any, tmp_path: Path, body: str, said: str, hint: str
) -> None:
    old = Answering(tmp_path / "old.sock", body)

    with pytest.raises(EngineError, match=said) as raised:
        await at(f"unix://{tmp_path}/old.sock", tmp_path).observe(frozenset())

    assert hint in raised.value.hint
    old.close()


async def test_what_engine_it_is(rig: Rig) -> None:
    info = await rig.engine.info()

    said = rig.api.info()
    assert (info.kind, info.version, info.address) == (
        "docker", said["ServerVersion"], "unix:///var/run/docker.sock",
    )  # fmt: skip
    assert info.details["storageDriver"] == said["Driver"]
    assert info.details["rootDirectory"] == said["DockerRootDir"]
    assert info.details["architecture"] == said["Architecture"]
    assert info.details["apiVersion"] >= "1.41"
