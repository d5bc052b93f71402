"""The next steps: one round, all Apps. Values in, values out; no clock, no engine.

Why one round at a time: decision 0002. The rules by their numbers: docs/planning.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.api.image import ImageRef
from iotistic.planning.images import Images
from iotistic.planning.locks import release, under_lock
from iotistic.planning.removal import of_gone, things_of_gone
from iotistic.planning.seen import AppSeen, by_app
from iotistic.planning.services import of_dropped, of_service
from iotistic.planning.share import Share
from iotistic.planning.situation import Situation
from iotistic.planning.things import networks_and_volumes, stalled
from iotistic.planning.values import Action, AppTarget, Observed, Options, Round, Stall, Step


def next_steps(observed: Observed, targets: Sequence[AppTarget], options: Options) -> Round:
    """What to do now.

    Args:
        observed: the world.
        targets: every App that is wanted, also those in `hold`.
        options: what the caller knows beside the world.

    Returns: the steps, which may be carried out at the same time and in any order, and one wait for each
        service that is not done and gets none; no step at all when everything is as it should be.
    """
    return _Planner(observed, targets, options).round()


class _Planner:
    """Collects the steps of one round."""

    def __init__(self, observed: Observed, targets: Sequence[AppTarget], options: Options) -> None:
        self._observed = observed
        self._targets = targets
        self._options = options
        self._apps = by_app(observed)
        self._images = Images(observed, targets, options.keep)
        self._reclaims = options.reclaim and not options.keep_images and bool(self._images.garbage)
        self._steps: list[Step] = []
        self._waits: list[Step] = []
        self._fetches: dict[ImageRef, list[str]] = {}
        self._discards: dict[ImageRef, str] = {}
        self._stalls: list[Stall] = []

    def round(self) -> Round:
        """Go through all Apps, then through the images."""
        wanted = set()
        for target in self._targets:
            wanted.add(target.name)
            if target.name not in self._options.hold:
                self._wanted(target, self._apps.get(target.name) or AppSeen())
        for app, seen in self._apps.items():
            if app not in wanted and app not in self._options.hold:
                self._gone(app, seen)
        images = self._image_steps()
        return Round(steps=(*images, *self._steps, *self._waits), stalled=tuple(self._stalls))

    def _wanted(self, target: AppTarget, seen: AppSeen) -> None:
        stall = stalled(target, seen)
        if stall is not None:
            self._stalls.append(stall)
            if seen.held:
                self._steps.append(release(target.name))
            return
        app = Situation(target, seen, self._images)
        keep_images = self._options.keep_images
        shares = [of_service(app, standing, keep_images=keep_images) for standing in app.services]
        shares += [of_dropped(app, name, counted) for name, counted in app.dropped()]
        self._take(target.name, seen, [share for share in shares if share], networks_and_volumes(app))

    def _gone(self, app: str, seen: AppSeen) -> None:
        purge = app in self._options.purge
        self._take(app, seen, of_gone(app, seen), things_of_gone(app, seen, purge=purge))

    def _take(self, app: str, seen: AppSeen, shares: list[Share], things: list[Step]) -> None:
        if self._options.backoff:
            shares = [self._backed_off(app, share) for share in shares]
        active = bool(things)
        for share in shares:
            active = self._take_images(app, share) or active
        steps, waits = under_lock(app, seen, shares, force=self._options.force, active=active)
        self._steps += things
        self._steps += steps
        self._waits += waits

    def _backed_off(self, app: str, share: Share) -> Share:
        """A wait in place of everything that it would get (R21)."""
        if f"{app}/{share.service}" not in self._options.backoff:
            return share
        return Share(service=share.service, why="waits for its next try after a failure", idle=share.idle)

    def _take_images(self, app: str, share: Share) -> bool:
        """Note what a share does with images; says whether that is anything."""
        for image in share.discard:
            self._discards.setdefault(image.ref, f"makes room for the new image of {app}/{share.service}")
        if share.fetch is None or self._reclaims:
            return bool(share.discard)
        self._fetches.setdefault(share.fetch, []).append(f"{app}/{share.service}")
        return True

    def _image_steps(self) -> list[Step]:
        steps = [_image(Action.REMOVE_IMAGE, ref, cause) for ref, cause in self._discards.items()]
        steps += [_image(Action.FETCH, ref, _needed_by(users)) for ref, users in self._fetches.items()]
        if self._options.keep_images:
            return steps
        busy = bool(self._steps or steps or self._observed.downloading)
        if self._reclaims or not busy:
            steps += self._garbage()
        return steps

    def _garbage(self) -> list[Step]:
        cause = "the disk is full and nothing needs it" if self._reclaims else "nothing needs it"
        unneeded = {image.ref for image in self._images.garbage} - self._discards.keys()
        return [_image(Action.REMOVE_IMAGE, ref, cause) for ref in sorted(unneeded, key=_spelling)]


def _image(action: Action, ref: ImageRef, cause: str) -> Step:
    return Step(action=action, subject=ref.short, name=ref.full, cause=cause, changes=(cause,))


def _needed_by(users: Sequence[str]) -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"for {users[0]}{more}"


def _spelling(ref: ImageRef) -> str:
    return ref.full
