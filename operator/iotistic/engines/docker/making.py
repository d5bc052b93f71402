"""Containers: made from a service, started, stopped, removed. What they need is looked up first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker.errors

from iotistic.api.app import App, Volume
from iotistic.api.errors import EngineError
from iotistic.api.service import Service
from iotistic.engines.base import Contents, Progress, StepContext
from iotistic.engines.docker.client import Client
from iotistic.engines.docker.containers import Mounts, Parts, body, endpoints
from iotistic.engines.docker.environment import environment
from iotistic.engines.docker.errors import taken_port
from iotistic.engines.docker.files import Files
from iotistic.engines.docker.hostpaths import HostPaths
from iotistic.engines.docker.kinds import check_kinds, make_file
from iotistic.engines.docker.labels import (
    Owner,
    container_name,
    other_container_name,
    service_labels,
)
from iotistic.engines.docker.observer import Observer
from iotistic.engines.docker.platforms import may_be_emulated, platform_of_image, runs
from iotistic.planning.values import ServiceTarget

LOCKS_INSIDE = "/run/iotistic"
"""Where a container finds its directory of locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A service that is to have a container."""

    app: App
    target: ServiceTarget
    service: Service
    release: str
    number: int
    contents: Contents
    """Secrets and ConfigMaps as they were for this release."""

    @property
    def subject(self) -> str:
        """As in errors."""
        return f"App {self.app.name}, service {self.service.name}"


def wanted_of(app: str, service: str, context: StepContext) -> Wanted:
    """What a step wants to have made. Raises EngineError for a service that the App does not have."""
    target = context.target.service(service) if context.target else None
    if context.target is None or context.target.app is None or target is None or target.service is None:
        raise EngineError(f"App {app} has no service {service} to start")
    return Wanted(
        contents=context.contents,
        app=context.target.app,
        target=target,
        service=target.service,
        release=context.target.release,
        number=context.service_ids.get(service) or target.service.service_id or 1,
    )


class Maker:
    """Makes containers and gets them going."""

    def __init__(
        self,
        client: Client,
        observer: Observer,
        *,
        install: str,
        files: Files,
        paths: HostPaths,
    ) -> None:
        self._client = client
        self._observer = observer
        self._install = install
        self._files = files
        self._paths = paths

    async def make(
        self, wanted: Wanted, context: StepContext, *, suffix: str = "", joined: bool = True
    ) -> str:
        """Create a container, attached to all its networks, not started; its id.

        Args:
            wanted: the service.
            context: of the step.
            suffix: after its name.
            joined: under the service's name and aliases.

        Raises: EngineError; what was created before that stays, and is seen as changed.
        """
        parts = await self._parts(wanted)
        adoption = self._observer.adoption
        content = adoption.placed(body(parts, joined=joined))
        name = adoption.container_name(wanted.app.name, wanted.service.name) or container_name(
            wanted.app.name, wanted.service.name, wanted.number
        )
        name += suffix
        more = adoption.on_engine(endpoints(wanted.app.name, wanted.service, joined=joined))
        more = dict(list(more.items())[1:])
        made = await self._client.act(
            wanted.subject, lambda api: self._create(api, wanted, content, name, suffix=suffix, more=more)
        )
        self._observer.mark(container=made["Id"])
        for warning in made.get("Warnings") or ():
            context.progress(Progress(message=f"warning of the engine: {warning}"))
        return str(made["Id"])

    async def begin(self, wanted: Wanted, id: str) -> None:
        """Start a container that is there. Raises EngineError."""
        await self._mounts(wanted)  # files that somebody has removed would keep it from starting
        await self._check_kinds(wanted, id)
        try:
            await self._client.act(wanted.subject, lambda api: api.start(id))
        except EngineError as error:
            raise await self._explained(wanted, error) from error

    def _create(
        self,
        api: Any,
        wanted: Wanted,
        content: dict[str, Any],
        name: str,
        *,
        suffix: str,
        more: Mapping[str, Mapping[str, Any]],
    ) -> dict[str, Any]:
        made = self._create_named(api, wanted, content, name, suffix)
        for network, endpoint in more.items():
            data = {"Container": made["Id"], "EndpointConfig": endpoint}
            api._raise_for_status(api._post_json(api._url("/networks/{0}/connect", network), data=data))
        return made

    def _create_named(
        self, api: Any, wanted: Wanted, content: dict[str, Any], name: str, suffix: str
    ) -> dict[str, Any]:
        try:
            made: dict[str, Any] = api.create_container_from_config(content, name)
        except docker.errors.APIError as error:
            if error.status_code != 409 or "name" not in str(error.explanation):
                raise
            other = self._other_name(api, wanted, name, suffix)
            made = api.create_container_from_config(content, other)
        return made

    def _other_name(self, api: Any, wanted: Wanted, name: str, suffix: str) -> str:
        """A name to take instead of one that a service of ours has. Raises EngineError for a foreign one."""
        holder = api.inspect_container(name)
        owner = self._observer.adoption.owner(holder["Id"], holder["Config"].get("Labels"))
        if owner is None:
            raise EngineError(
                f"{wanted.subject}: the engine has a container {name} that is not of this install",
                hint=f"rename it (docker rename {name} OTHER) or remove it (docker rm -f {name})",
            )
        if owner == Owner(app=wanted.app.name, name=wanted.service.name):
            raise EngineError(
                f"{wanted.subject}: container {name} is there already", hint="it is looked at again"
            )
        return other_container_name(wanted.app.name, wanted.service.name, wanted.number) + suffix

    async def _parts(self, wanted: Wanted) -> Parts:
        facts = await self._client.facts()
        service = wanted.service
        return Parts(
            app=wanted.app.name,
            service=service,
            image=await self._image(wanted),
            labels=service_labels(
                app=wanted.app.name,
                service=service.name,
                install=self._install,
                release=wanted.release,
                record=wanted.target.record,
                users=service.labels,
            ),
            variables=environment(wanted.app.name, service, wanted.contents),
            mounts=await self._mounts(wanted),
            cpus=facts.cpus,
        )

    async def _image(self, wanted: Wanted) -> str:
        """The image as the engine knows it: by its name, or by the id that a pin names where no registry
        has given it another digest. Raises EngineError when it is not there, or for other processors."""
        ref = wanted.target.spec.image
        facts = await self._client.facts()
        found = await self._client.ask(wanted.subject, lambda api: _found(api, (ref.short, ref.digest)))
        if found is None:
            raise EngineError(
                f"{wanted.subject}: image {ref.short} is not on the engine", hint="it is fetched again"
            )
        known_as, platform = found
        # From a container, or on another machine, nobody knows whether an emulator is at hand.
        if not runs(platform, facts.platform) and await self._paths.on_host() and not may_be_emulated():
            raise EngineError(
                f"{wanted.subject}: image {ref.short} is for {platform}, this host is {facts.platform}",
                hint="use an image for this platform (docker buildx build --platform)",
            )
        return known_as

    async def _mounts(self, wanted: Wanted) -> Mounts:
        app, service = wanted.app.name, wanted.service
        mounts: list[dict[str, Any]] = []
        binds: list[str] = []
        for mount in service.volume_mounts:
            volume = wanted.app.volume(mount.name)
            if volume is None:
                raise EngineError(f"{wanted.subject}: the App has no volume {mount.name}")
            if volume.host_path is not None and volume.host_path.type in {"", "DirectoryOrCreate"}:
                binds.append(f"{volume.host_path.path}:{mount.mount_path}{':ro' if mount.read_only else ''}")
                continue
            kind, source, fixed = await self._source(wanted, volume)
            mounts.append(
                {
                    "Type": kind,
                    "Source": source,
                    "Target": mount.mount_path,
                    "ReadOnly": mount.read_only or fixed,
                }
            )
        if all(mount.mount_path.rstrip("/") != LOCKS_INSIDE for mount in service.volume_mounts):
            locks = await self._paths.of(self._files.lock_directory(app, service.name))
            mounts.append({"Type": "bind", "Source": locks, "Target": LOCKS_INSIDE, "ReadOnly": False})
        return Mounts(mounts=mounts, binds=binds)

    async def _source(self, wanted: Wanted, volume: Volume) -> tuple[str, str, bool]:
        """Kind of mount, source as the engine's host names it, and whether nobody may write there."""
        if volume.host_path is not None:
            if volume.host_path.type == "FileOrCreate" and await self._paths.on_host():
                make_file(wanted.subject, volume.host_path.path)
            return "bind", volume.host_path.path, False
        if volume.named:
            name = self._observer.adoption.volume_name(wanted.app.name, volume.name)
            return "volume", name, False
        digest = _digest(wanted, volume)
        written = await asyncio.to_thread(
            self._files.written, wanted.app.name, wanted.service.name, volume, digest, wanted.contents
        )
        return "bind", await self._paths.of(written), True

    async def _check_kinds(self, wanted: Wanted, id: str) -> None:
        volumes = {volume.name: volume for volume in wanted.app.spec.volumes}
        typed = {
            mount.mount_path: volumes[mount.name].host_path
            for mount in wanted.service.volume_mounts
            if mount.name in volumes
        }
        kinds = {path: source for path, source in typed.items() if source is not None and source.type}
        if kinds:
            await self._client.ask(wanted.subject, lambda api: check_kinds(api, wanted.subject, id, kinds))

    async def _explained(self, wanted: Wanted, error: EngineError) -> EngineError:
        """The error; that of a taken port with the name of the container that has it."""
        port = taken_port(error)
        if port is None:
            return error
        return await self._client.ask(wanted.subject, lambda api: _held_by(api, port, error))


def _found(api: Any, names: Sequence[str]) -> tuple[str, str] | None:
    """The first name that the engine has an image for, and the image's platform."""
    for name in names:
        with contextlib.suppress(docker.errors.NotFound, docker.errors.NullResource):
            return name, platform_of_image(api.inspect_image(name))
    return None


def _held_by(api: Any, port: int, error: EngineError) -> EngineError:
    names = [row["Names"][0].removeprefix("/") for row in api.containers(filters={"publish": str(port)})]
    if not names:
        return error
    message = error.message.removesuffix("is taken") + f"is held by container {names[0]}"
    return EngineError(message, hint=f"stop it (docker stop {names[0]}), or change the service's ports")


def _digest(wanted: Wanted, volume: Volume) -> str:
    """Keyed digest of what a volume holds, as the service's record has it."""
    reference = (
        f"Secret/{volume.secret.secret_name}"
        if volume.secret
        else f"ConfigMap/{volume.config_map.name if volume.config_map else ''}"
    )
    contents = wanted.target.record.get("contents")
    return str(contents.get(reference, "")) if isinstance(contents, Mapping) else ""
