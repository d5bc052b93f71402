"""What volumes and the places they are mounted at may say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from iotistic.api.places import Place, names_of, quoted_list, repeated
from iotistic.api.wording import Finding, closest

OWN_PATH = "/run/iotistic"
"""Where the agent mounts the folder for locks."""
ONE_COLON = "':' separates host from container path in the engine"


def check_volumes(volumes: list[Place]) -> Iterator[Finding]:
    """Everything that is wrong with an App's volumes."""
    for volume in volumes:
        for source in (volume["secret"], volume["configMap"]):
            items = source["items"].each()
            yield from repeated(((item["path"].text, item["path"]) for item in items), "the path")
            for item in items:
                if ".." in PurePosixPath(item["path"].text).parts:
                    yield item["path"].wrong(f"{item['path'].text!r} leads out of the volume")
        path = volume["hostPath"]["path"]
        if ":" in path.text:
            yield path.wrong(f"{path.text!r} can't be mounted: {ONE_COLON}")


def check_mounts(service: Place, volumes: list[Place]) -> Iterator[Finding]:
    """Everything that is wrong with what a service mounts."""
    known = names_of(volumes)
    mounts = service["volumeMounts"].each()
    for mount in mounts:
        name = mount["name"].text
        if name and name not in known:
            near = closest(name, known)
            message = f'no volume "{name}" in this App (volumes: {quoted_list(known)})'
            yield mount["name"].wrong(message, f"did you mean {near}?" if near else "")
    paths = [mount["mountPath"] for mount in [*mounts, *service["tmpfs"].each()]]
    yield from repeated(((_plain(place.text), place) for place in paths), "the mount path")
    for place in paths:
        yield from _check_path(place)


def _check_path(place: Place) -> Iterator[Finding]:
    if not place.text.startswith("/"):
        return
    if _plain(place.text) == "/":
        yield place.wrong("nothing can be mounted over the root")
    elif ".." in PurePosixPath(place.text).parts:
        yield place.wrong(f"{place.text!r} has a '..'", "write the path that is meant")
    elif ":" in place.text:
        yield place.wrong(f"{place.text!r} can't be mounted: {ONE_COLON}")
    elif _plain(place.text) == OWN_PATH or _plain(place.text).startswith(f"{OWN_PATH}/"):
        yield place.wrong(f"{OWN_PATH} is where the agent mounts the folder for update locks")


def _plain(path: str) -> str:
    return path and (path.rstrip("/") or "/")
