"""What is kept in memory of one App between its turns. All of it can be lost: a new process looks again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from iotistic.controllers.cluster.contents import Found
from iotistic.controllers.cluster.overruling import Overruled
from iotistic.controllers.cluster.ports import Ref
from iotistic.controllers.cluster.statuses import Due
from iotistic.planning.needs import Name
from iotistic.rollout.values import Decision, RolloutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The API server has said no to an object."""

    message: str
    digest: str
    """Of what was asked for."""
    tries: int
    retry_at: float
    """Monotonic moment."""
    removal: bool = False
    """It was to go."""
    stands: bool = True
    """Without it the App is not as wanted; an old release that can't be forgotten is in nobody's way."""


@dataclass(slots=True, kw_only=True)
class Memory:
    """One App."""

    uid: str
    state: RolloutState = field(default_factory=RolloutState)
    retried: str = ""
    """The last `iotistic.io/retry` that was heeded."""
    heeded: str = ""
    """The same, as soon as a turn has seen it: what was refused is asked for again once, not in each turn."""
    try_again: bool = False
    """Pods for which the kubelet waits have still to be made anew, as somebody has asked for another try."""
    decision: Decision | None = None
    uses: frozenset[Name] = frozenset()
    """Secrets and ConfigMaps that it refers to, logins of registries too."""
    found: Found | None = None
    """What is in them; None: look."""
    found_for: tuple[Name, ...] = ()
    content_changes: int = 0
    """How often one of them was told to have changed: what was read meanwhile is old."""
    digest_key: bytes = field(default=b"", repr=False)
    logins_read: bool = False
    logins_changed: datetime | None = None
    """When the last of the logins was changed that its images are fetched with."""
    refusals: dict[Ref, Refusal] = field(default_factory=dict)
    applied: dict[Ref, str] = field(default_factory=dict)
    """Digest of what was written last."""
    overruled: dict[Ref, Overruled] = field(default_factory=dict)
    """What the cluster makes of objects whenever they are written."""
    pulled: set[str] = field(default_factory=set)
    """Images that are on the node, as far as pull pods have told."""
    due: dict[str, Due] = field(default_factory=dict)
    """By AppService; the App's own under the empty name."""
    spent: dict[str, int] = field(default_factory=dict)
    """Status writes of the attempt under way, in the same way."""
    refused_once: frozenset[str] = frozenset()
    """What the API server has said no with, as long as it is so or the App's status says so."""
    stalled: str = ""
    """Reason and words of the stall that was told last."""
    going_claims: frozenset[str] = frozenset()
    """Volumes of which was told that somebody has deleted them."""
    waits: dict[str, str] = field(default_factory=dict)
    """Why services were not brought up to date in the last turn: dependencies."""
