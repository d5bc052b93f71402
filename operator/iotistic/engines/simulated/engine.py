"""The simulated engine: the whole product runs on it, without Docker.

Each step takes a little time, then the world's file is replaced once; a step that is cut off before
that has not happened.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from iotistic.api.errors import EngineError, EngineUnreachableError, NoSpaceError
from iotistic.api.image import parse_image
from iotistic.engines.base import EngineEvent, EngineInfo, Load, LogLine, Progress, Records, StepContext
from iotistic.engines.simulated.advance import Facts, advance, joined, means, size_of, without
from iotistic.engines.simulated.faults import Faults, read_faults
from iotistic.engines.simulated.happenings import happenings
from iotistic.engines.simulated.lives import Lives
from iotistic.engines.simulated.output import BEAT_SECONDS, lines
from iotistic.engines.simulated.world import World, alone, read_world, write_world
from iotistic.planning.values import Action, Container, Health, Image, Observed, Status, Step

WORLD_FILE = "simulated.json"
FAULTS_FILE = "simulated-faults.yaml"
PULL_TICKS = 10

Signature = tuple[int, int, int] | None
"""Of a file: inode, size, time of its last change; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take, in seconds; varied by the seed by a third."""

    pull: float = 0.3
    start: float = 0.1
    stop: float = 0.05


AT_ONCE = Pace(pull=0, start=0, stop=0)


class SimulatedEngine:
    """See `engines.base.Engine`."""

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 1,
        pace: Pace = Pace(),
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is read or written before the first call.

        Args:
            directory: CONFIG_DIR: holds the world, simulated.json, and simulated-faults.yaml.
            seed: makes ids, digests, durations and log lines.
            pace: how long steps take.
            faults: what goes wrong; None: what simulated-faults.yaml says at any time.
            now: wall time.
        """
        self._path = directory / WORLD_FILE
        self._faults_path = directory / FAULTS_FILE
        self._seed = seed
        self._pace = pace
        self._now = now
        self._given = faults
        self._faults = faults or Faults()
        self._faults_signature: Signature = None
        self._world = World()
        self._signature: Signature = None
        self._listeners: set[asyncio.Queue[EngineEvent | EngineUnreachableError]] = set()
        self._lives = Lives(find=self._find, change=self._change, faults=lambda: self._faults, now=now)
        self._failed_starts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._freed = False
        """An image was removed since the disk is full."""

    async def info(self) -> EngineInfo:
        """Which engine it is."""
        self._reached()
        return EngineInfo(
            kind="simulated", version="1", address=str(self._path), details={"seed": str(self._seed)}
        )

    async def observe(self, images: frozenset[str], *, full: bool = False) -> Observed:
        """The world now, with what was changed in its file by hand."""
        faults = self._reached()
        seen = self._look().observed
        self._lives.sync(self._world)
        containers = tuple(_as_probed(container, faults, self._world) for container in seen.containers)
        return replace(seen, containers=containers, images=_named(seen, images))

    async def execute(self, step: Step, context: StepContext) -> None:
        """Carry out one step."""
        faults = self._reached()
        match step.action:
            case Action.FETCH:
                await self._pull(step, context, faults)
            case Action.START | Action.RESTART:
                await self._begin(step, faults)
            case Action.HANDOVER:
                await self._begin(step, faults)
                await self._hand_over(step, context)
                return
            case Action.STOP | Action.KILL:
                await self._sleep(self._pace.stop, step.text)
            case _:
                await asyncio.sleep(0)
        self._change(lambda world: advance(world, step, context.target, self._facts(context)))
        self._freed = self._freed or step.action is Action.REMOVE_IMAGE
        self._lives.sync(self._world)

    async def events(self) -> AsyncIterator[EngineEvent]:
        """Events from now on."""
        self._reached()
        queue: asyncio.Queue[EngineEvent | EngineUnreachableError] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                happened = await queue.get()
                if isinstance(happened, EngineUnreachableError):
                    raise happened
                yield happened
        finally:
            self._listeners.discard(queue)

    async def logs(self, container: str, *, follow: bool, tail: int | None) -> AsyncIterator[LogLine]:
        """Lines of a container."""
        self._reached()
        written = self._lines(self._container(container))
        for line in written if tail is None else written[max(0, len(written) - tail) :]:
            yield line
        last = written[-1].time if written else ""
        while follow:
            await asyncio.sleep(min(BEAT_SECONDS / 4, 0.25))
            self._reached()
            found = self._find(container)
            if found is None:
                return
            for line in [line for line in self._lines(found) if line.time > last]:
                yield line
                last = line.time

    async def run(self, container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
        """Run a command inside a container: it succeeds, unless the service is asked to be unhealthy."""
        faults = self._reached()
        found = self._container(container)
        if found.status is not Status.RUNNING:
            raise EngineError(
                f"container {found.name or container} is {found.status}: nothing can be run in it"
            )
        await asyncio.sleep(0)
        if faults.is_unhealthy(found.app, found.service):
            return 1, f"{found.service}: simulated to be unhealthy\n"
        return 0, ""

    async def records(self, app: str) -> Records:
        """What the objects of an App say that it is."""
        self._reached()
        world = self._look()
        own = sorted((c for c in world.observed.containers if c.app == app), key=lambda c: c.created)
        return Records(
            services={c.service: world.records[c.id] for c in own if c.id in world.records},
            networks={n.name: json.loads(n.config or "{}") for n in world.observed.networks if n.app == app},
            volumes={v.name: json.loads(v.config or "{}") for v in world.observed.volumes if v.app == app},
        )

    async def usage(self, containers: Sequence[str]) -> Mapping[str, Load]:
        """Made up from the seed: nothing runs here."""
        self._reached()
        running = {c.id for c in self._look().observed.containers if c.status is Status.RUNNING}
        made_up = {id: Random(f"{self._seed}/{id}") for id in containers if id in running}
        return {
            id: Load(cpu_percent=round(dice.uniform(0.1, 5), 1), memory_bytes=dice.randint(2, 60) * 10**6)
            for id, dice in made_up.items()
        }

    async def image_sizes(self) -> Mapping[str, int]:
        """As large as what is pulled."""
        self._reached()
        return {image.ref.full: size_of(image.ref, self._seed) for image in self._look().observed.images}

    async def load_images(self, archive: AsyncIterator[bytes]) -> list[str]:
        """Nothing to load into."""
        raise EngineError("the simulated engine has no images to load", hint="use the Docker engine")

    async def close(self) -> None:
        """Stop what goes on by itself; the world stays."""
        await self._lives.stop()

    @property
    def faults(self) -> Faults:
        """What goes wrong now; set, the file of faults is no longer looked at."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._given = faults
        self._take(faults)

    def _reached(self) -> Faults:
        """The faults of now. Raises EngineUnreachableError when that is one of them."""
        if self._given is None:
            signature = _signature(self._faults_path)
            if signature != self._faults_signature:
                self._take(read_faults(self._faults_path))
                self._faults_signature = signature
        if self._faults.unreachable:
            raise _unreachable()
        return self._faults

    def _take(self, faults: Faults) -> None:
        if not faults.no_space:
            self._freed = False
        self._faults = faults
        if faults.unreachable:
            self._tell(_unreachable())

    def _look(self) -> World:
        """The world as the file has it; what somebody else changed there is told as events."""
        signature = _signature(self._path)
        if signature != self._signature:
            before, self._world, self._signature = self._world, read_world(self._path), signature
            self._tell_changes(before)
        return self._world

    def _change(self, change: Callable[[World], World]) -> World:
        with alone(self._path):
            before = self._look()
            after = change(before)
            if after == before:
                return after
            write_world(self._path, after)
            self._world, self._signature = after, _signature(self._path)
        self._tell_changes(before)
        return after

    def _tell_changes(self, before: World) -> None:
        for event in happenings(before.observed, self._world.observed, time=self._now().timestamp()):
            self._tell(event)

    def _tell(self, happened: EngineEvent | EngineUnreachableError) -> None:
        for queue in self._listeners:
            queue.put_nowait(happened)

    def _facts(self, context: StepContext) -> Facts:
        return Facts(seed=self._seed, now=self._now(), service_ids=context.service_ids)

    def _find(self, id: str) -> Container | None:
        return next((found for found in self._look().observed.containers if found.id == id), None)

    def _container(self, id: str) -> Container:
        found = self._find(id)
        if found is None:
            raise EngineError(f"no container {id} on the simulated engine")
        return found

    def _lines(self, container: Container) -> list[LogLine]:
        ports = self._world.records[container.id].get("ports") or []
        return lines(container, tuple(port["containerPort"] for port in ports), now=self._now())

    async def _sleep(self, seconds: float, what: str) -> None:
        await asyncio.sleep(seconds * Random(f"{self._seed}/{what}").uniform(2 / 3, 4 / 3))

    async def _pull(self, step: Step, context: StepContext, faults: Faults) -> None:
        image = parse_image(step.name)
        asked = faults.pull_seconds(image)
        total = size_of(image, self._seed)
        for tick in range(PULL_TICKS):
            context.progress(Progress(message="pulling", current=total * tick // PULL_TICKS, total=total))
            if asked is None:
                await self._sleep(self._pace.pull / PULL_TICKS, f"{step.text}/{tick}")
            else:
                await asyncio.sleep(asked / PULL_TICKS)
            faults = self._reached()
            if faults.no_space and not self._freed and tick >= PULL_TICKS // 2:
                raise NoSpaceError(
                    f"image {image.short}: no space left on the simulated disk",
                    hint=f"it has space again once an image was removed, or noSpace in {FAULTS_FILE}",
                )
        context.progress(Progress(message="extracting", current=total, total=total))

    async def _begin(self, step: Step, faults: Faults) -> None:
        await self._sleep(self._pace.start, step.text)
        key = (step.app, step.service)
        if message := faults.start_failure(*key, self._failed_starts[key]):
            self._failed_starts[key] += 1
            raise EngineError(f"{step.app}/{step.service}: {message}")

    async def _hand_over(self, step: Step, context: StepContext) -> None:
        before = self._look()
        after = advance(before, step, context.target, self._facts(context))
        there = {container.id for container in before.observed.containers}
        new = frozenset(found.id for found in after.observed.containers) - there
        old = there - {found.id for found in after.observed.containers}
        self._change(lambda world: joined(world, after))
        self._lives.sync(self._world)
        context.progress(Progress(message="waiting until ready"))
        try:
            for id in new if context.await_ready else ():
                assert context.await_ready is not None
                await context.await_ready(id)
        except EngineError:
            self._change(lambda world: without(world, new))
            raise
        await self._sleep(self._pace.stop, step.text)
        self._change(lambda world: without(world, frozenset(old)))


def _as_probed(container: Container, faults: Faults, world: World) -> Container:
    """The container with the health that its probes would find; nobody probes here."""
    if container.status is not Status.RUNNING or not _has_probe(world.records[container.id]):
        return replace(container, health=Health.NONE) if container.health else container
    unhealthy = faults.is_unhealthy(container.app, container.service)
    return replace(container, health=Health.UNHEALTHY if unhealthy else Health.HEALTHY)


def _has_probe(record: Mapping[str, Any]) -> bool:
    return any(record.get(kind) for kind in ("startupProbe", "livenessProbe", "readinessProbe"))


def _named(seen: Observed, names: frozenset[str]) -> tuple[Image, ...]:
    """Images that something of ours names, directly or by a digest."""
    used = names | {container.spec.image.full for container in seen.containers}
    wanted = [parse_image(name) for name in sorted(used)]
    return tuple(image for image in seen.images if any(means(ref, image) for ref in wanted))


def _signature(path: Path) -> Signature:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(
            f"{path} can't be read: {error.strerror}", hint=f"let the agent's user own {path.parent}"
        ) from error
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _unreachable() -> EngineUnreachableError:
    return EngineUnreachableError(
        "the simulated engine does not answer, as was asked for",
        hint=f"take unreachable out of {FAULTS_FILE}",
    )
