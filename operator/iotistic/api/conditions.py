"""Conditions as kstatus reads them: Ready, Reconciling, Stalled, and Available."""

from __future__ import annotations

from typing import Literal

from iotistic.api.base import Model


class StatusCondition(Model):
    """One thing that is so, is not so, or is not known."""

    type: str
    """Ready, Reconciling, Stalled or Available."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    reason: str
    """One word for programs."""
    message: str = ""
    """One sentence for people."""
    last_transition_time: str = ""
    """When `status` changed last, RFC 3339."""
    observed_generation: int = -1
    """Generation of the spec that it speaks of."""
