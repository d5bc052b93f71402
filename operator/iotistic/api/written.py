"""Values that have a written form of their own: images, amounts, durations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from iotistic.api import image, quantity


def _checked(parse: Any, pattern: str, words: str, *examples: Any) -> tuple[AfterValidator, FieldInfo]:
    """What a function can read.

    Args:
        pattern: of what it can, for schemas: nothing right may be refused by it.
    """

    def check(value: Any) -> Any:
        parse(value)
        return value

    extra: JsonDict = {"pattern": pattern, "patternErrorMessage": words, "examples": list(examples)}
    return AfterValidator(check), Field(json_schema_extra=extra)


Image = Annotated[
    str,
    *_checked(image.parse_image, image.WRITTEN, "an image like web:1", "web:1", "registry:5000/team/web:1"),
]
Memory = Annotated[
    str | int, *_checked(quantity.memory_bytes, quantity.WRITTEN, "an amount like 64Mi or 67108864", "64Mi")
]
Cpu = Annotated[
    str | int | float,
    *_checked(quantity.cpu_nanos, quantity.WRITTEN, "an amount like 500m or 0.5", "500m", 0.5),
]
Duration = Annotated[
    str | int | float,
    *_checked(
        quantity.duration_seconds, quantity.WRITTEN_DURATION, "a duration like 10, 10s or 1m30s", "30s"
    ),
]
