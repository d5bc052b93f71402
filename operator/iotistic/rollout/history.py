"""Which releases of an App are remembered, and which one a person means by `rollback`.

A rollback is no state of its own: the caller applies the old revision's spec, as if somebody had applied
that file again, and the rollout brings it in like any other change, last good release and undo included.
With `spec.release` absent it gets the next release number; the digest is the old one. A release that has
failed can be rolled back to by name: somebody asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from iotistic.api.errors import ConflictError, NotFoundError
from iotistic.rollout.values import RolloutState


class Revision(Protocol):
    """One remembered release, whatever the caller keeps with it."""

    @property
    def digest(self) -> str:
        """Release digest; one revision each."""
        ...

    @property
    def release(self) -> str:
        """Its name."""
        ...


AnyRevision = TypeVar("AnyRevision", bound=Revision)


def needed(wanted: str, state: RolloutState) -> frozenset[str]:
    """Digests whose specs must not be forgotten: wanted, being brought in, last good."""
    releases = (state.attempt, state.last_good)
    return frozenset({wanted, *(release.digest for release in releases if release is not None)})


def too_old(history: Sequence[Revision], *, limit: int, keep: Collection[str]) -> tuple[str, ...]:
    """Digests to forget.

    Args:
        history: oldest first.
        limit: `historyLimit`: so many of the newest stay beside those of `keep`.
        keep: digests that stay whatever the limit, see `needed`.
    """
    others = [revision.digest for revision in history if revision.digest not in keep]
    return tuple(others[: max(0, len(others) - limit)])


def rollback_to(
    history: Sequence[AnyRevision], state: RolloutState, *, app: str, wanted: str, release: str | None = None
) -> AnyRevision:
    """The revision that a person means.

    Args:
        history: oldest first.
        state: of the rollout.
        app: its name, for what is said.
        wanted: digest of what is wanted now.
        release: name of the release; None: the one that was good last and is not wanted now.

    Raises:
        NotFoundError: no such release is remembered.
        ConflictError: it is the one that is wanted already.
    """
    others = {revision.digest: revision for revision in history if revision.digest != wanted}
    hint = _releases_here(history, app=app, wanted=wanted)
    if release is None:
        good = next((digest for digest in reversed(state.once_good) if digest in others), None)
        if good is None:
            raise NotFoundError("no earlier good release is remembered", hint=hint)
        return others[good]
    named = [revision for revision in others.values() if revision.release == release]
    if named:
        return named[-1]
    if any(revision.release == release for revision in history):
        raise ConflictError(f"release {release} is what is wanted now", hint=hint)
    raise NotFoundError(f"no release {release!r} is remembered", hint=hint)


def _releases_here(history: Sequence[Revision], *, app: str, wanted: str) -> str:
    """Which there are, newest first, and what tells more of them."""
    names = [
        f"{revision.release} (wanted now)" if revision.digest == wanted else revision.release
        for revision in reversed(history)
    ]
    return f"Releases here: {', '.join(names) or 'none'}; iotctl history app {app} tells of each"


def why_failed(digest: str, state: RolloutState) -> str:
    """What was wrong with a release when it failed; empty of one that has not, or was good after all."""
    known = (*state.failed, *([state.failure] if state.failure else []))
    return next((failure.message for failure in reversed(known) if failure.digest == digest), "")


def standing(digest: str, state: RolloutState, *, wanted: str) -> str:
    """What became of a release, in one word: updating (wanted, and not good yet), serving, failed (it
    stays all the same), quarantined, good (it was, and may be again), or superseded (it never was)."""
    attempting = state.failure is None and digest in {wanted, state.attempt.digest if state.attempt else ""}
    if attempting and (state.last_good is None or state.attempt or digest != state.last_good.digest):
        return "updating"
    if state.quarantine is not None and digest == state.quarantine.digest:
        return "quarantined"
    if state.failure is not None and state.attempt is not None and digest == state.failure.digest:
        return "failed"
    if digest == state.effective:
        return "serving"
    return "good" if digest in state.once_good else "superseded"
