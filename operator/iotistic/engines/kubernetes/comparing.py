"""What the API server has against what is wanted.

Only what we set is ours: labels that others add, and where a person has placed pods, are left alone.
Inside containers and our own lists everything is ours: what somebody has added there is a difference
(`shapes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iotistic.api.base import API_VERSION
from iotistic.api.quantity import parse_quantity
from iotistic.engines.kubernetes.shapes import ANYTHING, Shape, shape_of
from iotistic.engines.kubernetes.storage import never_less
from iotistic.engines.kubernetes.values import RELEASE_ANNOTATION, Object

MOST_SHOWN = 60
"""Characters of a value that a line repeats."""
_LEFT_OUT = frozenset({"publishNotReadyAddresses"})
"""Fields that the API server leaves out when they are false."""


def differences(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """Where a live object is not as wanted, one line each (`spec.replicas: 3, wanted 1`); empty: nothing
    to write. Values of variables and Secrets are never shown.

    The release that an annotation names is no difference: it is written along with another one.
    """
    wanted = never_less(wanted, live)
    return list(_object(_comparable(wanted), _of_ours(live), shape_of(str(wanted.get("kind"))), ""))


def repaired(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Object:
    """The live object made as wanted, to replace it (PUT, with its resourceVersion).

    Server-side apply can't take away what another manager has added (an environment variable by
    `kubectl edit`): when `differences` still finds something in what an apply has answered, this is what
    to write.
    """
    wanted = never_less(wanted, live)
    made: Object = _merged(wanted, live, shape_of(str(wanted.get("kind"))))
    made.pop("status", None)
    kept = [one for one in made["metadata"].get("ownerReferences") or () if not _is_stale(one, wanted)]
    if kept:
        made["metadata"]["ownerReferences"] = kept
    else:
        made["metadata"].pop("ownerReferences", None)
    return made


def _comparable(wanted: Mapping[str, Any]) -> Object:
    """What is wanted without what makes no difference."""
    metadata = dict(wanted.get("metadata") or {})
    annotations = {
        key: value for key, value in (metadata.pop("annotations", None) or {}).items()
        if key != RELEASE_ANNOTATION
    }  # fmt: skip
    # A claim that is to outlive its App must have no owner; others have one unless it is a preview.
    if wanted.get("kind") == "PersistentVolumeClaim":
        metadata.setdefault("ownerReferences", [])
    return {**wanted, "metadata": metadata | ({"annotations": annotations} if annotations else {})}


def _of_ours(live: Mapping[str, Any]) -> Object:
    """A live object with the owners that are Apps only."""
    metadata = dict(live.get("metadata") or {})
    metadata["ownerReferences"] = [one for one in metadata.get("ownerReferences") or () if _is_app(one)]
    return {**live, "metadata": metadata}


def _is_app(owner: Mapping[str, Any]) -> bool:
    return owner.get("kind") == "App" and owner.get("apiVersion") == API_VERSION


def _is_stale(owner: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    uids = {one.get("uid") for one in wanted["metadata"].get("ownerReferences") or ()}
    return _is_app(owner) and owner.get("uid") not in uids


def _compare(wanted: Any, live: Any, shape: Shape, path: str) -> Iterator[str]:
    if wanted == live and not isinstance(wanted, bool):
        return
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        yield from _object(wanted, live, shape, path)
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _list(wanted, live, shape, path)
    elif not _same(wanted, live, shape):
        yield _line(path, live, wanted, shape)


def _object(wanted: Mapping[str, Any], live: Mapping[str, Any], shape: Shape, path: str) -> Iterator[str]:
    for name, value in wanted.items():
        inner = _inner(shape, name)
        there = f"{path}.{name}" if path else name
        if name in live:
            yield from _compare(value, live[name], inner, there)
        elif value not in (None, "", []) and not (value is False and name in _LEFT_OUT):
            yield _line(there, None, value, inner)
    for name in _foreign(wanted, live, shape):
        yield _line(f"{path}.{name}" if path else name, live[name], None, _inner(shape, name))


def _inner(shape: Shape, name: str) -> Shape:
    """How a field is compared; all of what is hidden is."""
    return shape.fields.get(name, Shape(hidden=True) if shape.hidden else ANYTHING)


def _foreign(wanted: Mapping[str, Any], live: Mapping[str, Any], shape: Shape) -> list[str]:
    """Fields of the live object that are ours, and not wanted."""
    return [
        name
        for name, value in live.items()
        if name not in wanted
        and (name in shape.ours or (shape.all_ours and not _is_strange(name, shape)))
        and not _says_nothing(value, _inner(shape, name))
    ]


def _is_strange(name: str, shape: Shape) -> bool:
    return bool(shape.strangers) and name.startswith(shape.strangers)


def _says_nothing(value: Any, shape: Shape) -> bool:
    """Whether it is empty, or of others only."""
    if isinstance(value, Mapping):
        return all(_is_strange(name, shape) for name in value)
    return value in (None, "", [])


def _list(wanted: Sequence[Any], live: Sequence[Any], shape: Shape, path: str) -> Iterator[str]:
    if not shape.key:
        if len(wanted) != len(live):
            yield _line(path, live, wanted, shape)
            return
        for index, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from _compare(one, other, shape, f"{path}[{index}]")
        return
    found = {_key(item, shape): item for item in live}
    for item in wanted:
        key = _key(item, shape)
        there = f"{path}[{'/'.join(key)}]"
        if key in found:
            yield from _compare(item, found.pop(key), shape, there)
        else:
            yield _line(there, None, item, shape)
    if not shape.shared or not wanted:
        for key, item in found.items():
            yield _line(f"{path}[{'/'.join(key)}]", item, None, shape)


def _key(item: Mapping[str, Any], shape: Shape) -> tuple[str, ...]:
    return tuple(str(item.get(name, "TCP" if name == "protocol" else "")) for name in shape.key)


def _same(wanted: Any, live: Any, shape: Shape) -> bool:
    if isinstance(wanted, bool):
        return wanted is live
    if live is None:
        return wanted in ("", [])
    if not shape.amount:
        return False
    try:
        return parse_quantity(wanted) == parse_quantity(live)
    except ValueError:
        return False


def _line(path: str, live: Any, wanted: Any, shape: Shape) -> str:
    if shape.hidden or ".env[" in path or path.endswith(".env"):
        return f"{path}: {'added' if wanted is None else 'missing' if live is None else 'differs'}"
    return f"{path}: {_shown(live)}, wanted {_shown(wanted)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value) if isinstance(value, str | int | float) else _summary(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _summary(value: Any) -> str:
    """A mapping by the names in it: values inside may be secret."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(str(name) for name in value) + "}"
    return f"[{', '.join(_summary(one) if isinstance(one, Mapping) else str(one) for one in value)}]"


def _merged(wanted: Any, live: Any, shape: Shape) -> Any:
    if isinstance(wanted, Mapping):
        base = live if isinstance(live, Mapping) else {}
        dropped = set(_foreign(wanted, base, shape))
        made = {name: value for name, value in base.items() if name not in dropped}
        for name, value in wanted.items():
            made[name] = _merged(value, base.get(name), _inner(shape, name))
        return made
    if isinstance(wanted, list):
        return _merged_list(wanted, live if isinstance(live, list) else [], shape)
    return wanted


def _merged_list(wanted: Sequence[Any], live: Sequence[Any], shape: Shape) -> list[Any]:
    if not shape.key:
        padded = [*live, *([None] * len(wanted))]
        return [_merged(one, other, shape) for one, other in zip(wanted, padded, strict=False)]
    found = {_key(item, shape): item for item in live}
    made = [_merged(item, found.pop(_key(item, shape), None), shape) for item in wanted]
    return [*made, *found.values()] if shape.shared else made
