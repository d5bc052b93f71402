"""Applies documents on a cluster: all of them or none, as far as a dry run can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from iotctl.cluster.changes import content
from iotctl.cluster.numbering import release_of
from iotctl.cluster.releases import remembered
from iotctl.cluster.server import AlreadyError, Server
from iotctl.cluster.whole import replacing
from iotctl.exits import CommandError, ExitCode, NotFoundError, ProblemsError
from iotistic.engines.kubernetes.values import LAST_APPLIED

if TYPE_CHECKING:
    from iotistic.api.app import App

Json = dict[str, Any]
Before = Mapping[tuple[str, str], Json | None]
ORDER = {"Secret": 0, "ConfigMap": 1, "App": 2}
SERVERS = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "uid",
    }
)
"""Fields of metadata that servers set."""
TIMES = 8
"""A write is tried where others, as the operator with its status, write at the same time."""
API_VERSIONS = {"App": "iotistic.io/v1alpha1", "Secret": "v1", "ConfigMap": "v1"}


def apply(server: Server, body: Json, *, dry_run: bool) -> Json:
    """Check all documents here and on the server, then apply Secrets and ConfigMaps before Apps."""
    apps, documents = checked(body["documents"])
    before = {key_of(document): look(server, document) for document in documents}
    _try(server, documents, before)
    applied: list[Json] = []
    for document in documents:
        try:
            after = make(server, document, before[key_of(document)], dry_run=dry_run)
        except CommandError as error:
            done = ", ".join(f"{one['kind']} {one['name']}" for one in applied) or "nothing"
            raise CommandError(
                f"{document['kind']} {document['metadata']['name']}: {error.message}",
                hint=f"Applied before it: {done}. Apply the same files again; what is the same stays.",
                code=error.code,
            ) from error
        applied.append(_result(before[key_of(document)], after) | _release(server, before, after, applied))
    return {"applied": applied, "warnings": warnings(apps)}


def make(server: Server, document: Json, live: Json | None, *, dry_run: bool, times: int = TIMES) -> Json:
    """Make an object what its document says as a whole; after somebody else's write it is read again.

    Args:
        live: the object as it was when last looked at; None when there was none.
    """
    if live is None:
        return server.apply(document, dry_run=dry_run)
    try:
        after = server.edit(document, replacing(live, document), dry_run=dry_run)
    except (AlreadyError, NotFoundError):
        if times <= 1:
            raise
        now = look(server, document)
        return make(server, document, now, dry_run=dry_run, times=times - 1)
    # Now iotctl owns what the document says: what its next file leaves out of the labels goes.
    return after if dry_run else server.apply(document, dry_run=False)


def _try(server: Server, documents: Sequence[Json], before: Before) -> None:
    """Raises: CommandError with all that the API server says of all documents."""
    wrong = []
    for document in documents:
        try:
            make(server, document, before[key_of(document)], dry_run=True)
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
    now = look(server, sent)
    return now, make(server, sent, now, dry_run=True)


def checked(documents: Sequence[Mapping[str, Any]]) -> tuple[list[App], list[Json]]:
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
    """Without what is not the sender's to say, as a file has it that was made of what a server showed."""
    meta = {key: value for key, value in document["metadata"].items() if key not in SERVERS}
    if meta.get("annotations"):
        meta["annotations"] = {key: one for key, one in meta["annotations"].items() if key != LAST_APPLIED}
    sent = {key: value for key, value in document.items() if key != "status"} | {"metadata": meta}
    sent.setdefault("apiVersion", API_VERSIONS.get(str(sent.get("kind")), ""))
    return sent


def warnings(apps: Sequence[App]) -> list[str]:
    """What is allowed and may still surprise."""
    from iotistic.api.warnings import warnings_of

    return [warning for app in apps for warning in warnings_of(app)]


def look(server: Server, document: Json) -> Json | None:
    """The object that a document is about, as it is; None when there is none."""
    namespace = str(document["metadata"].get("namespace") or "")
    try:
        return server.ask(
            "GET", server.path(document["kind"], document["metadata"]["name"], namespace=namespace)
        )
    except NotFoundError:
        return None


def key_of(document: Json) -> tuple[str, str]:
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
    was = before[key_of(after)]
    known = []
    with suppress(CommandError):  # who may apply Apps need not be allowed to look at revisions
        known = remembered(server, after["metadata"]["name"]) if was else []
    newest = (known[-1].release, known[-1].spec) if known else ("", {})
    changed = {f"{one['kind']}/{one['name']}" for one in applied if one["result"] != "unchanged"}
    return {"release": release_of(was, after, newest, changed)}
