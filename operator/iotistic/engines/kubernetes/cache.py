"""What the watches have delivered, kept as JSON text: a fifth of the memory that its dictionaries take, and
whoever reads an object gets one of their own.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from iotistic.controllers.cluster.ports import Key, Object, Ref
from iotistic.engines.kubernetes.reducing import reduced
from iotistic.engines.kubernetes.values import APP_LABEL

REMEMBERED_DELETIONS = 2000


@dataclass(slots=True)
class _Entry:
    uid: str
    version: int
    key: Key | None
    text: bytes


class WatchedCache:
    """The objects by kind, namespace and name, and which of them belong to an App."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[tuple[str, str], _Entry]] = {}
        self._children: dict[Key, set[Ref]] = {}
        self._deleted: OrderedDict[str, int] = OrderedDict()
        """By uid the version at which it went: the answer to an older write may still come in."""

    def get(self, ref: Ref) -> Object | None:
        """It as last delivered; a dictionary of the caller's own."""
        entry = self._entries.get(ref.kind, {}).get((ref.namespace, ref.name))
        return _read(entry) if entry else None

    def apps(self) -> Collection[Object]:
        """All Apps; `keys` is much cheaper where their names are enough."""
        return [_read(entry) for entry in self._entries.get("App", {}).values()]

    def keys(self) -> Collection[Key]:
        """Of all Apps."""
        return [entry.key for entry in self._entries.get("App", {}).values() if entry.key]

    def children(self, app: Key) -> Collection[Object]:
        """All objects that carry this App's label, the kinds in the order of the alphabet."""
        refs = sorted(self._children.get(app, ()))
        return [_read(self._entries[ref.kind][ref.namespace, ref.name]) for ref in refs]

    def put(self, written: Object) -> None:
        """Take over what a write answered, unless the watches have delivered something newer."""
        self.deliver(written)

    def deliver(self, delivered: Object) -> set[Key]:
        """Take over what a watch says is there.

        Returns: the Apps that this concerns: none when nothing that is kept differs, two when the object
        went from one App to another.
        """
        ref, uid, version = identity(delivered)
        if version and version <= self._deleted.get(uid, 0):
            return set()
        before = self._entries.get(ref.kind, {}).get((ref.namespace, ref.name))
        if before and before.uid == uid and version and version <= before.version:
            return set()
        key = key_of(delivered)
        kept = reduced(delivered)
        entry = _Entry(intern(uid), version, key, _write(kept))
        self._entries.setdefault(ref.kind, {})[ref.namespace, ref.name] = entry
        self._index(ref, before.key if before else None, key)
        if before and before.uid == uid and before.key == key and _same(before.text, entry.text):
            return set()
        return {one for one in (before.key if before else None, key) if one}

    def remove(self, deleted: Object) -> set[Key]:
        """Take over that a watch says it is gone (or carries no label any more). Returns: as `deliver`."""
        ref, uid, version = identity(deleted)
        self._deleted[uid] = version
        if len(self._deleted) > REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        entry = self._entries.get(ref.kind, {}).get((ref.namespace, ref.name))
        if entry is None or entry.uid != uid:
            return set()
        return self._drop(ref, entry)

    def forget(self, ref: Ref, version: int) -> set[Key]:
        """Take over that a listing has it no more, which no watch has said. Returns: as `deliver`.

        Args:
            version: at which it was missing; a newer one is another object.
        """
        entry = self._entries.get(ref.kind, {}).get((ref.namespace, ref.name))
        return self._drop(ref, entry) if entry and entry.version <= version else set()

    def versions(self, kind: str, namespace: str = "") -> Mapping[tuple[str, str], int]:
        """The version of all objects of a kind (in a namespace), by namespace and name."""
        return {
            (where, name): entry.version
            for (where, name), entry in self._entries.get(kind, {}).items()
            if namespace in ("", where)
        }

    def version(self, kind: str, name: tuple[str, str]) -> int:
        """The version of an object, by namespace and name; -1 when there is none."""
        entry = self._entries.get(kind, {}).get(name)
        return entry.version if entry else -1

    def counts(self) -> Mapping[str, int]:
        """How many objects of each kind there are."""
        return {kind: len(entries) for kind, entries in self._entries.items() if entries}

    def bytes_kept(self) -> int:
        """Length of all texts."""
        return sum(len(one.text) for one in self._all())

    def _all(self) -> Iterator[_Entry]:
        for entries in self._entries.values():
            yield from entries.values()

    def _drop(self, ref: Ref, entry: _Entry) -> set[Key]:
        del self._entries[ref.kind][ref.namespace, ref.name]
        self._index(ref, entry.key, None)
        return {entry.key} if entry.key else set()

    def _index(self, ref: Ref, before: Key | None, now: Key | None) -> None:
        if ref.kind == "App" or before == now:
            return
        if before and (refs := self._children.get(before)):
            refs.discard(ref)
            if not refs:
                del self._children[before]
        if now:
            self._children.setdefault(now, set()).add(ref)


def identity(written: Object) -> tuple[Ref, str, int]:
    """What it is called, its uid, and its resourceVersion as a number (0 when it is none)."""
    metadata = written["metadata"]
    ref = Ref(intern(written["kind"]), intern(metadata.get("namespace", "")), metadata["name"])
    return ref, metadata.get("uid", ""), version_of(written)


def version_of(written: Object) -> int:
    """An object's resourceVersion; 0 when it is no number."""
    version = str(written["metadata"].get("resourceVersion", ""))
    return int(version) if version.isdecimal() else 0


def key_of(written: Object) -> Key | None:
    """The App that an object is, or that it belongs to by its label."""
    metadata = written["metadata"]
    name = metadata["name"] if written["kind"] == "App" else (metadata.get("labels") or {}).get(APP_LABEL)
    return Key(intern(metadata.get("namespace", "")), intern(name)) if name else None


def keys_of(objects: Iterable[Object]) -> set[Key]:
    """The Apps of several objects."""
    return {key for key in map(key_of, objects) if key}


def _write(kept: Mapping[str, Any]) -> bytes:
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def _read(entry: _Entry) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(entry.text)
    return read


def _same(one: bytes, other: bytes) -> bool:
    """Whether two texts of an object differ in nothing but their resourceVersion."""
    return _contents(one) == _contents(other)


def _contents(text: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    read["metadata"].pop("resourceVersion", None)
    return read
