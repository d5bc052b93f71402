"""What the fields of an App mean together. Works on what is written, right or wrong, so that these
problems are told together with those of its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iotistic.api.wording import Finding


def check_app(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is wrong with an App though each field alone is right."""
    yield from ()
