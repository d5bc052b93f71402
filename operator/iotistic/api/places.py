"""A place in a document, read without trusting it: what is absent or of another type reads as nothing.

So the checks of what fields mean together work on documents whose shape is wrong elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iotistic.api.positions import member
from iotistic.api.wording import Finding


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands."""

    value: Any
    path: str

    def __getitem__(self, key: str) -> Place:
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Place(value, member(self.path, key))

    def each(self) -> list[Place]:
        """The items of a list; none when it is no list."""
        items = self.value if isinstance(self.value, list) else []
        return [Place(item, member(self.path, index)) for index, item in enumerate(items)]

    def members(self) -> list[tuple[str, Place]]:
        """The keys of a mapping with what they hold; none when it is no mapping."""
        return [(key, self[key]) for key in self.value] if isinstance(self.value, Mapping) else []

    @property
    def given(self) -> bool:
        """Whether there is anything."""
        return self.value not in (None, "", [], {})

    @property
    def text(self) -> str:
        """The text; empty when it is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The whole number; None when it is none."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def wrong(self, message: str, hint: str = "") -> Finding:
        """What is wrong here."""
        return Finding(path=self.path, message=message, hint=hint)


def names_of(places: Iterable[Place]) -> list[str]:
    """The names of the items that have one."""
    return [place["name"].text for place in places if place["name"].text]


def repeated(places: Iterable[tuple[object, Place]], what: str) -> Iterator[Finding]:
    """Findings for keys that come again.

    Args:
        places: what must be unique (None and empty text: no matter), and where it stands.
        what: what the keys are, `the name`.
    """
    first: dict[object, Place] = {}
    for key, place in places:
        if key in (None, ""):
            continue
        before = first.setdefault(key, place)
        if before is not place:
            yield place.wrong(f"{what} is there twice, first as {before.path}", "choose another")


def quoted_list(names: Iterable[str]) -> str:
    """Names in order, for the end of a sentence."""
    return ", ".join(sorted(names)) or "none"
