"""Which release of an App an apply makes: as the operator will number it. Pure."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iotistic.api.app import App

Json = dict[str, Any]


def release_of(before: Json | None, after: Json, newest: tuple[str, Json], changed: Set[str]) -> str:
    """The release that is wanted after an apply; empty where only the operator can tell.

    Args:
        before: the App as it was; None when it is new.
        after: as it is then.
        newest: number and spec of the newest remembered release.
        changed: Secrets and ConfigMaps that were changed with it, as `Secret/login`.
    """
    written = after["spec"].get("release")
    if written is not None:
        return str(written)
    if before is None:
        return "1"
    seen = int((before.get("status") or {}).get("observedGeneration", -1))
    number, spec = newest
    if seen < int(before["metadata"].get("generation") or 0) or not number:
        return ""
    try:
        same = _means(spec) == _means(after["spec"]) and not changed & _uses(after["spec"])
    except ValueError:
        return ""
    if same and spec.get("release") is None:
        return number
    return str(int(number) + 1) if number.isdigit() else "1"


def _means(spec: Json) -> str:
    from iotistic.planning.release import release_digest

    return release_digest(_app(spec), {})


def _uses(spec: Json) -> set[str]:
    from iotistic.planning.normal import references

    app = _app(spec)
    volumes = {volume.name: volume for volume in app.spec.volumes}
    return {one for service in app.spec.services for one in references(service, volumes)}


def _app(spec: Json) -> App:
    """Raises: ValueError for what today's model can't read."""
    from iotistic.api.app import App

    return App.model_validate({"metadata": {"name": "any"}, "spec": spec})
