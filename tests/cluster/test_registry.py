"""Apps whose images are in a private registry, behind TLS and a password: the words are its own, and what was
corrected comes in by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.faulty import STATE, needs_daemons
from tests.cluster.imagery import BUSYBOX, REGISTRIES, SLEEP, forget, publish, reached
from tests.cluster.kube import Kube
from tests.cluster.reaching import missing
from tests.cluster.shell import Shell
from tests.cluster.site import Site, app, site_of
from tests.docker.registry import PASSWORD, USER, Registry, Wire, serving, why_not

MB = 1_000_000


@dataclass
class Place:
    """A namespace with an operator, and a registry that the node knows by several addresses."""

    site: Site
    registry: Registry
    wire: Wire
    """In front of the registry."""
    strange: Wire
    """Another, for which the node does not know the CA."""
    configs: list[str] = field(default_factory=list)

    def at(self, wire: Wire) -> str:
        """The registry by way of a wire; its certificate holds for all ports."""
        return f"{self.registry.closed.partition(':')[0]}:{wire.address.partition(':')[2]}"

    def image(self, name: str, *, at: str = "", size: int = 0) -> str:
        """Publish an image. Returns: its name."""
        self.configs.append(publish(self.registry, f"team/{name}", "1", size))
        return f"{at or self.registry.closed}/team/{name}:1"

    def login(self, name: str, password: str = PASSWORD) -> None:
        """Make or change a Secret with a login."""
        hosts = [self.registry.closed, self.at(self.wire), self.at(self.strange)]
        auths = {"auths": {host: {"username": USER, "password": password} for host in hosts}}
        self.site.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": json.dumps(auths)},
            }
        )

    def until_why(self, name: str, *words: str) -> str:
        """Wait until the status has all these words. Returns: its `why`."""

        def look() -> str:
            why = str(self.site.status(name).get("why") or "")
            return why if all(word in why for word in words) else ""

        return str(self.site.until(look, f"App {name} says {words}"))

    def waiting(self, name: str) -> str:
        """All that the kubelet says of why containers of an App wait."""
        statuses = [one["status"].get("containerStatuses") or [] for one in self.site.items("pod", name)]
        return json.dumps([one["state"].get("waiting") for some in statuses for one in some])

    def commands(self, name: str) -> list[str]:
        """What `iotctl explain` says that may be typed."""
        told = Shell(self.site.kube, self.site.namespace).ok("explain", name, "-o", "json")
        return list(json.loads(told)["commands"])


@pytest.fixture(scope="module")
def place(cluster: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The registry listens on this machine, which is the node."""
    needs_daemons(cluster)
    if not REGISTRIES.is_dir() or str(REGISTRIES) not in (STATE / "containerd.toml").read_text():
        missing("the node was started by an older hack/cluster: stop containerd, start containerd")
    why = why_not() or ("" if BUSYBOX.exists() else f"there is no {BUSYBOX}")
    if why:
        missing(f"no registry: {why}")
    with ExitStack() as stack:
        registry = stack.enter_context(serving(tmp_path_factory.mktemp("registry"), "127.0.0.1"))
        host, _, port = registry.closed.partition(":")
        wire, strange = Wire(int(port)), Wire(int(port))
        stack.callback(wire.close)
        stack.callback(strange.close)
        found = Place(stack.enter_context(site_of(cluster)), registry, wire, strange)
        stack.callback(lambda: forget(f"{host}:", found.configs))
        for address in (registry.closed, found.at(found.wire)):
            stack.enter_context(reached(address, registry.ca))
        stack.enter_context(reached(found.at(found.strange), None))
        yield found


@pytest.fixture(scope="module", autouse=True)
def troubled(place: Place) -> dict[str, str]:
    """Apps that can't get their image, which is told after half a minute. Returns: by name, the image."""
    images = {
        "wrong": place.image("wrong"),
        "none": place.image("none"),
        "strange": place.image("strange", at=place.at(place.strange)),
    }
    place.login("wrong", password="battery-staple")
    place.login("strange")
    for name, image in images.items():
        place.site.apply(shop(name, image, *([] if name == "none" else [name])))
    return images


def shop(name: str, image: str, *secrets: str, **update: Any) -> dict[str, Any]:
    """An App of one service."""
    service = {
        "name": "web",
        "image": image,
        "command": SLEEP,
        "stopGracePeriod": 1,
        "imagePullSecrets": [{"name": secret} for secret in secrets],
    }
    return app(service, name=name, update=update)


def test_the_right_login_lets_in(place: Place) -> None:
    place.login("right")
    place.site.apply(shop("right", place.image("right"), "right"))
    assert place.site.until_state("Ready", name="right")["ready"] == "1/1"


def test_a_registry_that_goes_in_the_middle_of_a_fetch(place: Place) -> None:
    place.login("cut")
    image = place.image("cut", at=place.at(place.wire), size=6 * MB)
    place.wire.bytes_a_second = MB
    place.site.apply(shop("cut", image, "cut"))
    place.site.until(lambda: place.wire.carried > MB, "a part of it is fetched")
    place.wire.dead = True
    # ErrImagePull, and ImagePullBackOff until the next try.
    place.site.until(lambda: "ImagePull" in place.waiting("cut"), "the fetch fails")
    assert place.wire.carried < 6 * MB
    place.wire.bytes_a_second, place.wire.dead = 0, False
    place.site.until_state("Ready", name="cut")
    assert place.wire.carried > 6 * MB


def test_an_image_that_the_registry_does_not_have_is_undone(place: Place) -> None:
    place.login("absent")
    image = place.image("absent")
    place.site.apply(shop("absent", image, "absent"))
    place.site.until_state("Ready", name="absent", release="1")
    [before] = place.site.names("pod", "absent")
    there_is_none = image.replace("absent:1", "absent:9")
    place.site.apply(shop("absent", there_is_none, "absent", progressDeadlineSeconds=10))
    status = place.site.until_state("Undone", name="absent")
    assert (status["release"], status["ready"]) == ("1", "1/1")
    assert f"{there_is_none} can't be pulled: {place.registry.closed} has no such image" in status["why"]
    place.site.until(lambda: place.site.names("pod", "absent") == [before], "the first pod goes on")


def test_without_a_login_it_says_where_to_name_one(place: Place, troubled: dict[str, str]) -> None:
    host = place.registry.closed
    place.until_why("none", f"{troubled['none']} can't be pulled: {host} wants a login: 401 Unauthorized")
    named = f"(name a Secret with a login for {host} in imagePullSecrets) iotctl apply -f FILE"
    assert named in place.commands("none")


def test_an_unknown_certificate_is_told(place: Place, troubled: dict[str, str]) -> None:
    image, host = troubled["strange"], place.at(place.strange)
    place.until_why("strange", f"{image} can't be pulled: the node does not trust the certificate of {host}")
    assert "x509: certificate signed by unknown authority" in place.site.status("strange")["why"]
    assert place.commands("strange")[0].startswith(f"(on the node, name the CA of {host} ")


def test_a_wrong_password_is_told_and_once_corrected_it_comes_in(
    place: Place, troubled: dict[str, str]
) -> None:
    image, host = troubled["wrong"], place.registry.closed
    why = place.until_why("wrong", f"{image} can't be pulled: {host} refused the login of Secret wrong")
    assert "401 Unauthorized" in why
    assert "battery-staple" not in why
    corrected = f"(correct the login for {host} in Secret wrong) iotctl apply -f FILE"
    assert corrected in place.commands("wrong")
    place.login("wrong")
    place.site.until_state("Ready", name="wrong")
    # The kubelet alone would have come back to it after up to five minutes.
    assert place.site.operator.lines("child_removed", cause="a login was changed since")
