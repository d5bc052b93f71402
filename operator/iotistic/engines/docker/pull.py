"""Fetching an image: with progress, with the logins that there are, and so that it can be cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.errors

from iotistic.api.errors import RegistryError
from iotistic.api.image import ImageRef, parse_image
from iotistic.engines.base import Progress, StepContext
from iotistic.engines.docker.client import Client, Stream
from iotistic.engines.docker.errors import text_of
from iotistic.engines.docker.logins import Login, logins
from iotistic.engines.docker.registry import fetch_error, is_refused
from iotistic.planning.values import Step

SILENCE_SECONDS = 600
"""The engine says nothing for so long: the connection to the registry is dead, or the engine is."""


class Puller:
    """Fetches images for one engine."""

    def __init__(self, client: Client, docker_config: Path | None) -> None:
        self._client = client
        self._docker_config = docker_config

    async def fetch(self, step: Step, context: StepContext) -> None:
        """Pull the image of a fetch step; cancelled, the engine drops what it has begun.

        Raises: RegistryError, ImageNotFoundError, NoSpaceError, EngineUnreachableError, EngineError.
        """
        image = parse_image(step.name)
        ways = await asyncio.to_thread(
            logins,
            image,
            _secrets_of(image, context),
            context.contents,
            self._docker_config,
        )
        facts = await self._client.facts()
        for number, login in enumerate(ways, start=1):
            failure = await self._pull(image, login, context.progress)
            if not failure:
                break
            if number == len(ways) or not is_refused(failure):
                raise fetch_error(image, failure, platform=facts.platform, login=login.source)
        await self._confirm(image)

    async def _pull(self, image: ImageRef, login: Login, progress: Callable[[Progress], None]) -> str:
        """Pull with one login: the engine's sentence when it failed, empty when not."""
        layers = Layers()
        async with aclosing(self._said(image, login)) as messages:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        message = await anext(messages)
                except StopAsyncIteration:
                    return ""
                except TimeoutError:
                    raise RegistryError(
                        f"image {image.short}: no byte came for {SILENCE_SECONDS} s",
                        hint="it is tried again; is the connection to the registry alive?",
                    ) from None
                if failure := message.get("error"):
                    return str((message.get("errorDetail") or {}).get("message") or failure)
                progress(layers.after(message))

    def _said(self, image: ImageRef, login: Login) -> AsyncGenerator[Mapping[str, Any], None]:
        def open(api: Any) -> Any:
            response = api._post(
                api._url("/images/create"),
                params={"fromImage": image.name, "tag": image.digest or image.tag},
                headers={"X-Registry-Auth": login.header} if login.header else None,
                stream=True,
                timeout=None,
            )
            try:
                api._raise_for_status(response)
            except docker.errors.APIError as error:
                if error.status_code is not None and error.status_code >= 400:
                    return _Said([{"error": text_of(error)}])
                raise
            return Stream(api._stream_helper(response, decode=True), response)

        return self._client.stream(f"image {image.short}", open)

    async def _confirm(self, image: ImageRef) -> None:
        """A stream that ends early looks like one that has ended well."""

        def inspect(api: Any) -> None:
            try:
                api.inspect_image(image.full)
            except docker.errors.NotFound:
                raise RegistryError(
                    f"image {image.short}: the fetch was cut off", hint="it is tried again"
                ) from None

        await self._client.ask(f"image {image.short}", inspect)


class _Said(list[Mapping[str, Any]]):
    """Messages that are there already."""

    def close(self) -> None:
        """Nothing to cut."""


@dataclass(slots=True)
class Layers:
    """What the engine has said of the layers of an image so far."""

    now: dict[str, int] = field(default_factory=dict)
    """Bytes of each layer that have come."""
    sizes: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def after(self, message: Mapping[str, Any]) -> Progress:
        """Progress with one more message."""
        layer, status = message.get("id") or "", message.get("status") or ""
        detail = message.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self.sizes[layer] = int(detail["total"])
            self.now[layer] = int(detail.get("current") or 0)
        elif layer in self.sizes and status in {"Download complete", "Extracting", "Pull complete"}:
            self.now[layer] = self.sizes[layer]
        if layer:
            self.statuses[layer] = status
        return Progress(message=self._words(), current=sum(self.now.values()), total=sum(self.sizes.values()))

    def _words(self) -> str:
        statuses = set(self.statuses.values())
        if retrying := next((status for status in statuses if status.startswith("Retrying")), ""):
            return f"pulling: the connection broke, {retrying[0].lower()}{retrying[1:]}"
        if "Extracting" in statuses and not statuses & {"Downloading", "Waiting", "Pulling fs layer"}:
            return "extracting"
        return "pulling"


def _secrets_of(image: ImageRef, context: StepContext) -> list[str]:
    """Names of the Secrets with logins of the services that use an image."""
    services = context.target.services if context.target else ()
    users = [one.service for one in services if one.service and one.spec.image == image]
    return list(dict.fromkeys(secret.name for user in users for secret in user.image_pull_secrets))
