"""Images as the engine lists them, by the names and digests that planning compares. Pure.

One image has one digest here, whatever its names: that of a registry, else its own id (of an image that
was built or imported on this host).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iotistic.api.image import ImageRef, parse_image
from iotistic.api.service import RestartPolicy
from iotistic.engines.docker.times import from_seconds
from iotistic.planning.values import Container, Image, NormalSpec, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One image that the engine has."""

    id: str
    tags: tuple[ImageRef, ...]
    pins: tuple[ImageRef, ...]
    """Names with a digest of a registry."""

    @property
    def digest(self) -> str:
        """What stands for its content."""
        return min((pin.digest for pin in self.pins), default=self.id)


def held(listed: Iterable[Mapping[str, Any]]) -> list[Held]:
    """The images of `GET /images/json`."""
    return [
        Held(id=row["Id"], tags=_refs(row.get("RepoTags")), pins=_refs(row.get("RepoDigests")))
        for row in listed
    ]


def observed_images(
    there: Sequence[Held], wanted: Collection[ImageRef], used: Collection[str]
) -> tuple[Image, ...]:
    """Images that something of ours names, or that its containers use.

    Args:
        there: what the engine has.
        wanted: names that something of ours uses.
        used: ids of images that our containers run.
    """
    found: dict[ImageRef, Image] = {}
    for image in there:
        for ref in image.tags:
            if ref in wanted or image.id in used or _pinned(ref, image.digest, wanted):
                found[ref] = Image(ref=ref, digest=image.digest)
        for pin in image.pins:
            if pin in wanted or (image.id in used and not image.tags):
                found[pin] = Image(ref=pin, digest=pin.digest)
    return tuple(found[ref] for ref in sorted(found, key=lambda ref: ref.full))


def ids_of(there: Sequence[Held], images: Collection[Image]) -> dict[str, Image]:
    """Ids of observed images, each with one of its names."""
    by_ref = {ref: image.id for image in there for ref in (*image.tags, *image.pins)}
    return {by_ref[image.ref]: image for image in images if image.ref in by_ref}


def find(there: Sequence[Held], ref: ImageRef) -> Held | None:
    """The image that a name means here."""
    for image in there:
        if ref in image.tags or ref in image.pins:
            return image
    return next((image for image in there if _means_id(ref, image)), None)


def foreign_containers(
    listed: Iterable[Mapping[str, Any]], ours: Collection[str], known: Mapping[str, Image]
) -> list[Container]:
    """Foreign containers that use observed images: what keeps those from being removed.

    Args:
        listed: rows of `GET /containers/json`.
        ours: ids of our own containers.
        known: `ids_of` the observed images.
    """
    rows = [row for row in listed if row["Id"] not in ours and row.get("ImageID") in known]
    return [_foreign(row, known[row["ImageID"]]) for row in rows]


def _foreign(row: Mapping[str, Any], image: Image) -> Container:
    status = row.get("State", "")
    return Container(
        id=row["Id"],
        name=next(iter(row.get("Names") or ()), "").removeprefix("/"),
        created=from_seconds(row.get("Created") or 0),
        status=Status(status) if status in set(Status) else Status.STOPPING,
        image_digest=image.digest,
        spec=NormalSpec(
            image=image.ref,
            config="",
            networks=frozenset(),
            volumes=frozenset(),
            depends_on=(),
            restart=RestartPolicy.NEVER,
        ),
    )


def _pinned(ref: ImageRef, digest: str, wanted: Collection[ImageRef]) -> bool:
    return any(pin.digest == digest and pin.name == ref.name for pin in wanted if pin.digest)


def _means_id(ref: ImageRef, image: Held) -> bool:
    """A pin to the id of an image that no registry has given a digest."""
    return ref.digest == image.id and any(tag.name == ref.name for tag in image.tags)


def _refs(texts: Sequence[str] | None) -> tuple[ImageRef, ...]:
    refs = []
    for text in texts or ():
        if "<none>" in text:
            continue
        try:
            refs.append(parse_image(text))
        except ValueError:  # a name that no App can have
            continue
    return tuple(refs)
