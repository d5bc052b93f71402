"""Warnings that name their place: what of a target state is not taken over, and why. Never with values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notes:
    """Where warnings of one place of a document go."""

    place: str
    """`App 1001 (bottling), service broker: config.ports[0]`; empty for the document as a whole."""
    warnings: list[str] = field(default_factory=list)
    """All warnings of the document, shared by all its places."""

    @property
    def title(self) -> str:
        """What the place begins with: `App 1001 (bottling), service broker`."""
        return self.place.partition(": ")[0]

    def at(self, key: str | int) -> Notes:
        """The place below."""
        below = f"[{key}]" if isinstance(key, int) else f".{key}" if self.place[-1:] not in {" ", ""} else key
        return Notes(self.place + below, self.warnings)

    def of(self, title: str) -> Notes:
        """A place of its own with a title; fields follow it."""
        return Notes(f"{title}: ", self.warnings)

    def say(self, what: str) -> None:
        """Warn about this place."""
        self.warnings.append(f"{self.place.removesuffix(': ')}: {what}" if self.place else what)
