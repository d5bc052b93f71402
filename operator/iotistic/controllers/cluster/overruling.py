"""What the cluster makes of our objects whenever they are written: a mutating admission webhook or policy.

It would win each time, and writing without end would change nothing: what is left after a write that could
have taken it away counts as wanted, until the wanted object or the live one changes otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from iotistic.controllers.cluster.children import ref_of
from iotistic.controllers.cluster.ports import Object, Ref
from iotistic.engines.kubernetes.comparing import differences
from iotistic.engines.kubernetes.values import RELEASE_ANNOTATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruled:
    """What was left of the differences of one object."""

    lines: frozenset[str]
    """As `differences` has them. They don't tell everything: secrets are left out, long values are cut."""
    wanted: str
    """Digest of what was wanted."""
    live: str
    """Digest of what was made of it."""


def overruled_by(wanted: Object, live: Object, left: Iterable[str]) -> Overruled:
    """To remember of an object that was written in vain."""
    return Overruled(lines=frozenset(left), wanted=_digest_of_wanted(wanted), live=_digest_of_live(live))


def to_write(wanted: Object, live: Object, overruled: Mapping[Ref, Overruled]) -> list[str]:
    """Where an object is not as wanted, and a write may help; empty: nothing to write."""
    found = differences(wanted, live)
    known = overruled.get(ref_of(wanted)) if found else None
    if known is None or not known.lines.issuperset(found):
        return found
    same = (known.wanted, known.live) == (_digest_of_wanted(wanted), _digest_of_live(live))
    return [] if same else found


def _digest_of_wanted(wanted: Object) -> str:
    """A new release alone is no reason to write."""
    metadata = wanted["metadata"]
    annotations = {**(metadata.get("annotations") or {}), RELEASE_ANNOTATION: ""}
    return _digest({**wanted, "metadata": {**metadata, "annotations": annotations}})


def _digest_of_live(live: Object) -> str:
    """Of what is in it; of its metadata the lines tell."""
    return _digest({name: value for name, value in live.items() if name not in {"metadata", "status"}})


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
