"""Applies documents on a cluster: all of them or none, as far as a dry run can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from iotctl.cluster.changes import content, steps_of
from iotctl.cluster.numbering import release_of
from iotctl.cluster.releases import remembered
from iotctl.cluster.server import Server
from iotctl.exits import CommandError, ExitCode, NotFoundError, ProblemsError

if TYPE_CHECKING:
    from iotistic.api.app import App

Json = dict[str, Any]
Before = Mapping[tuple[str, str], Json | None]
ORDER = {"Secret": 0, "ConfigMap": 1, "App": 2}
API_VERSIONS = {"App": "iotistic.io/v1alpha1", "Secret": "v1", "ConfigMap": "v1"}


def apply(server: Server, body: Json, *, dry_run: bool) -> Json:
    """Check all documents here and on the server, then apply Secrets and ConfigMaps before Apps."""
    apps, documents = _checked(body["documents"])
    before = {_key(document): _now(server, document) for document in documents}
    _try(server, documents)
    applied: list[Json] = []
    for document in documents:
        try:
            after = server.apply(document, dry_run=dry_run)
        except CommandError as error:
            done = ", ".join(f"{one['kind']} {one['name']}" for one in applied) or "nothing"
            raise CommandError(
                f"{document['kind']} {document['metadata']['name']}: {error.message}",
                hint=f"Applied before it: {done}. Apply the same files again; what is the same stays.",
                code=error.code,
            ) from error
        applied.append(_result(before[_key(document)], after) | _release(server, before, after, applied))
    return {"applied": applied, "warnings": _warnings(apps)}


def _try(server: Server, documents: Sequence[Json]) -> None:
    """Raises: CommandError with all that the API server says of all documents."""
    wrong = []
    for document in documents:
        try:
            server.apply(document, dry_run=True)
        except CommandError as error:
            if error.code is not ExitCode.BAD_INPUT:
                raise
            wrong.append(f"{document['kind']} {document['metadata']['name']}: {error.message}")
    if wrong:
        hint = "Nothing was changed. Correct what the API server names, and apply again."
        raise CommandError("\n".join(wrong), hint=hint, code=ExitCode.BAD_INPUT)


def change_of(server: Server, document: Mapping[str, Any]) -> tuple[Json | None, Json]:
    """What is there, and what would be there when this document was applied."""
    sent = _as_sent(document)
    return _now(server, sent), server.apply(sent, dry_run=True)


def plan(server: Server, body: Json | None) -> Json:
    """What applying these would change, service by service."""
    documents = (body or {}).get("documents") or []
    apps, checked = _checked(documents)
    steps, lines = [], []
    for document in checked:
        now = _now(server, document)
        after = server.apply(document, dry_run=True)
        found = steps_of(now, after)
        steps += found
        lines += _text(now, after, found)
    if not checked:
        for app in server.items("App"):
            status = app.get("status") or {}
            name = app["metadata"]["name"]
            state = status.get("state") or "not looked at yet"
            lines.append(f"App {name}: {state}. {status.get('why') or ''}".rstrip())
    return {
        "text": "\n".join(lines) or "There are no Apps here, so there is nothing to do.",
        "rounds": [steps] if steps else [],
        "converged": True,
        "warnings": _warnings(apps),
        "stalled": {},
    }


def _checked(documents: Sequence[Mapping[str, Any]]) -> tuple[list[App], list[Json]]:
    """Read as the operator does. Raises: ProblemsError."""
    from iotistic.api.documents import check_documents
    from iotistic.api.errors import InvalidResourceError

    try:
        apps, _ = check_documents(documents)
    except InvalidResourceError as error:
        raise ProblemsError(error.problems) from error
    found = [_as_sent(document) for document in documents]
    return apps, sorted(found, key=lambda one: ORDER.get(one["kind"], 3))


def _as_sent(document: Mapping[str, Any]) -> Json:
    """Without what is not the sender's to say."""
    sent = {key: value for key, value in document.items() if key != "status"}
    sent.setdefault("apiVersion", API_VERSIONS.get(str(sent.get("kind")), ""))
    return sent


def _warnings(apps: Sequence[App]) -> list[str]:
    from iotistic.api.warnings import warnings_of

    return [warning for app in apps for warning in warnings_of(app)]


def _now(server: Server, document: Json) -> Json | None:
    namespace = str(document["metadata"].get("namespace") or "")
    try:
        return server.ask(
            "GET", server.path(document["kind"], document["metadata"]["name"], namespace=namespace)
        )
    except NotFoundError:
        return None


def _key(document: Json) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _result(before: Json | None, after: Json) -> Json:
    meta = after["metadata"]
    changed = before is None or content(before) != content(after)
    result = "created" if before is None else "configured" if changed else "unchanged"
    return {
        "kind": after["kind"],
        "name": meta["name"],
        "result": result,
        "release": "",
        "generation": int(meta.get("generation") or 0),
    }


def _release(server: Server, before: Before, after: Json, applied: Sequence[Json]) -> Json:
    """The release of an App that was applied after these Secrets and ConfigMaps."""
    if after["kind"] != "App":
        return {}
    was = before[_key(after)]
    known = []
    with suppress(CommandError):  # who may apply Apps need not be allowed to look at revisions
        known = remembered(server, after["metadata"]["name"]) if was else []
    newest = (known[-1].release, known[-1].spec) if known else ("", {})
    changed = {f"{one['kind']}/{one['name']}" for one in applied if one["result"] != "unchanged"}
    return {"release": release_of(was, after, newest, changed)}


def _text(now: Json | None, after: Json, steps: Sequence[Json]) -> list[str]:
    kind, name = after["kind"], after["metadata"]["name"]
    if not steps:
        return [f"{kind} {name}: nothing to do."]
    head = f"{kind} {name}" + ("" if now else ", new") + _strategy(after)
    width = max(len(step["subject"]) for step in steps)
    rows = [
        f"{number:>2}  {step['action']:<10} {step['subject']:<{width}}  {step['cause']}".rstrip()
        for number, step in enumerate(steps, 1)
    ]
    return [head, *rows]


def _strategy(app: Json) -> str:
    if app["kind"] != "App":
        return ""
    strategy = (app["spec"].get("update") or {}).get("strategy") or "DownloadThenKill"
    return f" (strategy {strategy})"
