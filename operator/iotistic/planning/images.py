"""Images: which are there (R5), which two names are one (R20), which nobody needs (R16)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iotistic.api.image import ImageRef
from iotistic.planning.values import AppTarget, Container, Image, Observed


class Images:
    """The images on the engine, and who uses them."""

    def __init__(
        self, observed: Observed, targets: Sequence[AppTarget] = (), keep: Iterable[ImageRef] = ()
    ) -> None:
        """Targets and `keep` matter for what is garbage only."""
        self._observed = observed
        self._targets = targets
        self._keep = keep
        self._digests = {image.ref: _digest(image) for image in observed.images}
        self._pins = {(ref.name, digest) for ref, digest in self._digests.items() if digest}
        self._garbage: list[Image] | None = None
        self._named: set[ImageRef] | None = None

    def there(self, ref: ImageRef) -> bool:
        """Whether a container can be made from this name now."""
        return ref in self._digests or (bool(ref.digest) and (ref.name, ref.digest) in self._pins)

    def downloading(self, ref: ImageRef) -> bool:
        """Whether it is being fetched."""
        return bool(self._observed.downloading) and ref.full in self._observed.downloading

    def same(self, container: Container, wanted: ImageRef) -> bool:
        """Whether a container runs the image that this name means, as far as that is known."""
        ref = container.spec.image
        if ref == wanted:
            return True
        digest = wanted.digest or self._digests.get(wanted)
        if not digest:
            return False
        return digest in (ref.digest, container.image_digest or self._digests.get(ref))

    @property
    def garbage(self) -> list[Image]:
        """Images that no container, target or `keep` entry uses, by name or by digest."""
        if self._garbage is None:
            named = self._names()
            used = {ref.digest or self._digests.get(ref, "") for ref in named}
            used |= {container.image_digest for container in self._observed.containers}
            used.discard("")
            unused = (image for image in self._observed.images if image.ref not in named)
            self._garbage = [image for image in unused if _digest(image) not in used]
        return self._garbage

    def replaceable(self, wanted: ImageRef) -> list[Image]:
        """Images of the same repository that nobody names: what DeleteThenDownload removes first.

        A pin names each image of its repository with that digest. What an engine says that a container
        runs is not removed either: it would refuse.
        """
        named = self._names()
        pinned = {(ref.name, ref.digest) for ref in named if ref.digest}
        run = {container.image_digest for container in self._observed.containers} - {""}
        return [
            image
            for image in self._observed.images
            if image.ref.name == wanted.name
            and image.ref not in named
            and (image.ref.name, _digest(image)) not in pinned
            and _digest(image) not in run
        ]

    def _names(self) -> set[ImageRef]:
        if self._named is None:
            self._named = {container.spec.image for container in self._observed.containers}
            self._named.update(service.spec.image for app in self._targets for service in app.services)
            self._named.update(self._keep)
        return self._named


def _digest(image: Image) -> str:
    return image.digest or image.ref.digest
