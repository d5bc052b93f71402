"""Which release of an App an apply makes: as the operator will number it. Pure."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from iotctl.cluster.specs import contents, read

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
        was, app = read(spec), read(after["spec"])
    except ValueError:
        return ""
    same = _means(was) == _means(app) and not changed & contents(app)
    if same and spec.get("release") is None:
        return number
    return str(int(number) + 1) if number.isdigit() else "1"


def _means(app: App) -> str:
    from iotistic.planning.release import release_digest

    return release_digest(app, {})
