"""Names of container images: what one written name means, and when two mean the same.

Source: the reference grammar of the distribution project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_REGISTRY = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG_TEXT = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST_TEXT = r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-zA-Z]+"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PATH = re.compile(rf"^{_COMPONENT}(?:/{_COMPONENT})*$")
_TAG = re.compile(rf"^{_TAG_TEXT}$")
_DIGEST = re.compile(rf"^{_DIGEST_TEXT}$")
_REGISTRY = re.compile(rf"^{_HOST}$")
WRITTEN = rf"^(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::{_TAG_TEXT})?(?:@{_DIGEST_TEXT})?$"
"""All of a written name as one pattern, for schemas; `parse_image` says what is wrong."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A name taken apart. With a digest the tag has no meaning and is empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Registry and repository: what all tags and digests of one image share."""
        return f"{self.registry}/{self.repository}"

    @property
    def full(self) -> str:
        """The one spelling of this reference."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def short(self) -> str:
        """The spelling that people use: without docker.io/library, with the tag."""
        full = self.full
        if self.registry != DEFAULT_REGISTRY:
            return full
        full = full.removeprefix(f"{DEFAULT_REGISTRY}/")
        return full.removeprefix("library/") if self.repository.count("/") == 1 else full


@lru_cache(maxsize=1024)
def parse_image(text: str) -> ImageRef:
    """Take a written image name apart.

    Raises: ValueError saying what is wrong with the name.
    """
    if not text or text != text.strip():
        raise ValueError("empty, or with spaces around it")
    rest, _, digest = text.partition("@")
    if digest and not _DIGEST.match(digest):
        raise ValueError(f"bad digest {digest!r}: expected like sha256:0123...")
    if "@" in text and not digest:
        raise ValueError("nothing after @: expected a digest like sha256:0123...")
    registry, rest = _split_registry(rest)
    path, colon, tag = rest.partition(":")
    if colon and not _TAG.match(tag):
        raise ValueError(f"bad tag {tag!r}: letters, digits, '_', '.' and '-', at most 128")
    if path != path.lower():
        raise ValueError(f"repository {path!r} must be lower case")
    if not _PATH.match(path):
        raise ValueError(f"bad repository {path!r}: expected like team/web")
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = f"library/{path}"
    return ImageRef(
        registry=registry, repository=path, tag="" if digest else (tag or "latest"), digest=digest
    )


def _split_registry(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_registry = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    if not is_registry:
        return DEFAULT_REGISTRY, text
    if not _REGISTRY.match(first):
        raise ValueError(f"bad registry {first!r}: expected HOST or HOST:PORT")
    return (DEFAULT_REGISTRY if first == "index.docker.io" else first), rest
