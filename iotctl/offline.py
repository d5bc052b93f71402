"""iotctl plan --observed: the plan for a world in a file, made here; no agent is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iotctl.exits import BadInputError, ProblemsError

if TYPE_CHECKING:
    from iotistic.api.app import App
    from iotistic.api.documents import Document
    from iotistic.planning.values import AppTarget, Observed, Options

Json = dict[str, Any]
WORLD = frozenset({"containers", "images", "downloading", "networks", "volumes", "locks"})
WHAT = "It holds what `observed` and `options` of a conformance case hold: see docs/planning.md."


def plan_offline(documents: Sequence[Document], observed_file: str) -> Json:
    """The plan for these documents in the world of a file, in the form of `POST /v1/plan`.

    An App without `release` has the one of its containers while nothing in it has changed, else the next.
    Contents of Secrets and ConfigMaps count as unchanged: a world in a file does not know them. Apps that
    are observed and not in the documents stay as they are, unless `options.purge` names them.

    Args:
        documents: what is wanted.
        observed_file: YAML or JSON: a world, or `observed` and `options`; other keys are not looked at.

    Raises: BadInputError saying what can't be read, and where; ProblemsError for documents.
    """
    from iotistic.api.documents import check_documents, warnings_of
    from iotistic.api.errors import InvalidResourceError
    from iotistic.planning.preview import preview
    from iotistic.planning.text import plan_text

    try:
        apps, _ = check_documents([document.data for document in documents])
    except InvalidResourceError as error:
        raise ProblemsError(error.problems) from error
    if not apps:
        raise BadInputError("There is no App in these documents, so nothing can be planned.")
    observed, targets, options = _read(apps, observed_file)
    found = preview(observed, targets, options)
    return {
        "text": plan_text(found, observed, targets),
        "rounds": [[step.wire() for step in steps] for steps in found.rounds],
        "converged": found.converged,
        "warnings": [warning for app in apps for warning in warnings_of(app)],
        "stalled": {stall.app: stall.reason for stall in found.stalled},
    }


def _read(apps: Sequence[App], path: str) -> tuple[Observed, list[AppTarget], Options]:
    from iotistic.planning.cases import CaseError, read_observed, read_options
    from iotistic.planning.normal import target_of

    world, options = _parts(_loaded(path), path)
    drafts = [target_of(app) for app in apps]
    try:
        observed = read_observed(world, drafts)
        read = read_options(options)
    except CaseError as error:
        raise BadInputError(f"{path}: {error}", hint=WHAT) from error
    targets = [_with_release(draft, observed) for draft in drafts]
    return observed, targets, replace(read, hold=read.hold | _others(observed, targets) - read.purge)


def _loaded(path: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=loader)
    except OSError as error:
        raise BadInputError(f"{path}: {(error.strerror or 'unreadable').lower()}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: not a text file (byte {error.start} is no UTF-8)") from error
    except yaml.YAMLError as error:
        raise BadInputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def _parts(content: Any, path: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The world and the options: a case, a list with one case, or the world itself."""
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise BadInputError(f"{path}: not one world, but a {_kind(content)}.", hint=WHAT)
    if "observed" in content or "options" in content:
        return content.get("observed") or {}, content.get("options") or {}
    if content and not content.keys() & WORLD:
        known = ", ".join(sorted(WORLD | {"observed", "options"}))
        raise BadInputError(f"{path}: none of {known} is in it.", hint=WHAT)
    return content, {}


def _kind(content: Any) -> str:
    return f"list of {len(content)}" if isinstance(content, list) else type(content).__name__


def _with_release(target: AppTarget, observed: Observed) -> AppTarget:
    """The target with its release: as written, as observed, or the next one."""
    assert target.app is not None
    written = target.app.spec.release
    if written is not None:
        return replace(target, release=str(written))
    own = [container for container in observed.containers if container.app == target.name]
    newest = max(own, key=lambda container: container.created, default=None)
    if newest is None:
        return replace(target, release="1")
    same = replace(target, release=newest.release)
    if newest.release and not _changes(same, observed):
        return same
    return replace(target, release=str(int(newest.release) + 1) if newest.release.isdigit() else "1")


def _changes(target: AppTarget, observed: Observed) -> bool:
    """Whether services are new, dropped, or not as they are observed."""
    from iotistic.planning.compare import differences

    own = [container for container in observed.containers if container.app == target.name]
    services = {container.service for container in own}
    if services != {service.name for service in target.services}:
        return True
    return any(
        differences(container, service, target, observed)
        for container in own
        for service in target.services
        if service.name == container.service
    )


def _others(observed: Observed, targets: Sequence[AppTarget]) -> set[str]:
    seen = {container.app for container in observed.containers} | observed.held
    seen |= {network.app for network in observed.networks} | {volume.app for volume in observed.volumes}
    return seen - {""} - {target.name for target in targets}
