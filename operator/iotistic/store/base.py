"""What must outlive the process: targets, releases, run states, deletions, back-offs, Secrets, locks.

Methods are short, synchronous and safe to call from any thread; each change is one transaction and
durable when the method returns. What is so already is not written again. All raise StoreError and nothing
else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.planning.originals import AdoptedThing
from iotistic.planning.values import UserLock


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRecord:
    """One App of the target."""

    app: App
    """The document as applied, without status."""
    app_id: int
    """The cloud's number or one of ours (from 1001), stable while the App is known."""
    release: str
    generation: int
    digest: str
    """Release digest of spec and contents; a changed one makes the next release number."""
    created: str
    """RFC 3339, UTC."""
    service_ids: Mapping[str, int] = field(default_factory=dict)
    """Numbers of the services, stable per name while the App is known."""
    run_states: Mapping[str, RunState] = field(default_factory=dict)
    """Only services for which somebody asked for something else than Running."""

    @property
    def name(self) -> str:
        """Name of the App."""
        return self.app.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """An App that somebody deleted; the only thing that lets containers go for good."""

    app: str
    purge: bool
    """Its volumes go too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A service that has failed and waits."""

    app: str
    service: str
    failures: int
    seconds_left: float
    """Of the waiting; no wall time, clocks jump."""
    reason: str = ""
    """CrashLoop, ImageNotFound, ...: one word."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRecord:
    """A release that is remembered whole: an undo brings back what it referred to as well."""

    app: str
    digest: str
    """Release digest: one record for each of an App."""
    release: str
    """Its name; the newest, where the same digest was wanted under several."""
    created: str
    """RFC 3339: when it was wanted first."""
    document: App
    """The App as applied, without status."""
    contents: tuple[Secret | ConfigMap, ...] = field(default=(), repr=False)
    """The Secrets and ConfigMaps that it referred to, as they were then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLines:
    """The end of what a container wrote before it failed or was replaced."""

    time: str
    """RFC 3339: when they were kept."""
    reason: str
    """Why: CrashLoop, Replaced, ...: one word."""
    lines: tuple[str, ...] = field(default=(), repr=False)
    """Oldest first. They may hold secrets: for whoever asks on this device, and for nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What an original agent left in the same file. It stays there, untouched."""

    identity: Mapping[str, Any] = field(repr=False)
    """The row of its `device` table, by column (uuid, deviceName, deviceApiKey, ...), as it is kept: JSON as
    text, truth as 0 and 1. Holds keys and passwords. Empty when it had none."""
    target: Mapping[str, Any] = field(repr=False)
    """The target state that it wrote last; empty when there is none that can be read."""
    queue_rows: int = 0
    """Reports that have not reached the cloud."""
    warnings: tuple[str, ...] = ()
    """What could not be read, in words."""


MOST_SAVED_LINES = 50
"""Of one service; the last ones are kept."""


class Store(Protocol):
    """The database of one install."""

    @property
    def install(self) -> str:
        """Id of this install; on every object that it makes."""
        ...

    @property
    def digest_key(self) -> bytes:
        """Key for digests of secret values; never leaves the device."""
        ...

    def apps(self) -> list[AppRecord]:
        """The target, by name."""
        ...

    def put(
        self,
        *,
        apps: Sequence[AppRecord] = (),
        documents: Sequence[Secret | ConfigMap] = (),
        revisions: Sequence[RevisionRecord] = (),
    ) -> None:
        """Write these, all or nothing. Cancels the Apps' deletions.

        A revision's App is in the target or among `apps`. One whose digest is remembered already keeps
        its place and its `created`; the rest is as given now.
        """
        ...

    def delete_app(self, name: str, *, purge: bool) -> None:
        """Take an App out of the target and record its deletion (also for one never held).

        Its run states, revisions and rollout go with it, and so does what was asked of its volumes.
        """
        ...

    def deletions(self) -> list[Deletion]:
        """Recorded deletions."""
        ...

    def forget_deletion(self, name: str) -> None:
        """Nothing of that App is left. Its saved lines go."""
        ...

    def set_run_states(self, app: str, states: Mapping[str, RunState]) -> None:
        """Set the run state of these services; Running forgets."""
        ...

    def documents(self) -> list[Secret | ConfigMap]:
        """Secrets and ConfigMaps."""
        ...

    def delete_document(self, kind: str, name: str) -> None:
        """Forget a Secret or ConfigMap."""
        ...

    def next_app_id(self) -> int:
        """A number no App has had: from 1001."""
        ...

    def releases(self) -> dict[str, str]:
        """Release recorded for a container since it was made, by container id."""
        ...

    def set_release(self, container: str, release: str) -> None:
        """Record that a container belongs to another release now."""
        ...

    def forget_releases(self, containers: Sequence[str]) -> None:
        """These containers are gone."""
        ...

    def images(self) -> set[str]:
        """Images fetched for us, as `ImageRef.full`."""
        ...

    def add_image(self, ref: str) -> None:
        """An image was fetched for us."""
        ...

    def remove_image(self, ref: str) -> None:
        """An image of ours is gone."""
        ...

    def backoffs(self) -> list[Backoff]:
        """Back-offs as they were last written."""
        ...

    def put_backoff(self, backoff: Backoff) -> None:
        """Write one."""
        ...

    def forget_backoff(self, app: str, service: str) -> None:
        """It runs again."""
        ...

    def revisions(self, app: str | None = None) -> list[RevisionRecord]:
        """Remembered releases of one App or of all, in the order in which they were wanted first."""
        ...

    def forget_revisions(self, app: str, digests: Sequence[str]) -> None:
        """These releases are too old to remember."""
        ...

    def rollouts(self) -> dict[str, str]:
        """State of each App's rollout, as `put_rollout` was given it."""
        ...

    def put_rollout(self, app: str, text: str) -> None:
        """Write the state of a rollout. Does nothing for an App that has left the target meanwhile."""
        ...

    def settings(self) -> dict[str, str]:
        """What a person has set at run time, by name."""
        ...

    def put_settings(self, values: Mapping[str, str | None]) -> None:
        """Set these, all or nothing; None forgets one."""
        ...

    def saved_lines(self, app: str, service: str) -> SavedLines | None:
        """The lines kept of a service; None when there are none."""
        ...

    def save_lines(self, app: str, service: str, saved: SavedLines) -> None:
        """Keep these instead of the service's former ones; of many the last MOST_SAVED_LINES."""
        ...

    def purging(self) -> set[str]:
        """Apps whose volumes somebody asked to empty, and are not yet."""
        ...

    def set_purging(self, app: str, asked: bool) -> None:
        """Record that the volumes of an App are to be emptied, or that they have been."""
        ...

    def original(self) -> Original | None:
        """What an original agent left in this file; None when none has had it."""
        ...

    def adopted(self) -> str:
        """When that was taken over, RFC 3339; empty: not yet."""
        ...

    def set_adopted(self, time: str) -> None:
        """Record that it has been: it is done once, and what it left stays history."""
        ...

    def adopted_things(self) -> list[AdoptedThing]:
        """What an original has made on the engine and is this install's now."""
        ...

    def put_adopted_things(self, things: Sequence[AdoptedThing]) -> None:
        """Record these, all or nothing."""
        ...

    def forget_adopted_thing(self, thing: AdoptedThing) -> None:
        """It is gone, or not this install's any more."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...


class Locks(Protocol):
    """Update locks: one file per service in a directory that the container sees."""

    def held(self) -> frozenset[str]:
        """Apps whose lock is ours."""
        ...

    def user_locks(self) -> tuple[UserLock, ...]:
        """Locks of others that have not expired."""
        ...

    def take(self, app: str, services: Sequence[str]) -> bool:
        """Take the lock of all these services or of none; False when a user has one."""
        ...

    def release(self, app: str) -> None:
        """Give ours back."""
        ...

    def lock(self, app: str, *, service: str = "", reason: str, owner: str, until: str = "") -> None:
        """Set a user's lock: what a person asks for through API or iotctl."""
        ...

    def unlock(self, app: str, service: str = "") -> None:
        """Take a user's lock away."""
        ...
