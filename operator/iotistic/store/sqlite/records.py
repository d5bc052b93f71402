"""Rows to values and back. Documents are kept as JSON, as somebody wrote them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Table

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.base import Model
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import StoreError
from iotistic.planning.originals import AdoptedThing, Kind
from iotistic.store.base import MOST_SAVED_LINES, AppRecord, RevisionRecord, SavedLines
from iotistic.store.sqlite import schema

Row = Mapping[str, Any]
Value = TypeVar("Value")


def app_row(record: AppRecord) -> dict[str, Any]:
    """The row of table `app`."""
    return {
        "name": record.name,
        "app_id": record.app_id,
        "release": record.release,
        "generation": record.generation,
        "digest": record.digest,
        "created": record.created,
        "service_ids": json.dumps(dict(record.service_ids)),
        "document": body(record.app),
    }


def app_record(row: Row, run_states: Mapping[str, RunState], path: Path) -> AppRecord:
    """The record of a row. Raises StoreError when it can't be read."""
    what = f"App {row['name']}"
    return AppRecord(
        app=_parsed(App.model_validate_json, row["document"], what, schema.app, path),
        app_id=row["app_id"],
        release=row["release"],
        generation=row["generation"],
        digest=row["digest"],
        created=row["created"],
        service_ids=_parsed(_NUMBERS.validate_json, row["service_ids"], what, schema.app, path),
        run_states=run_states,
    )


def body(document: Model) -> str:
    """A document as JSON, with exactly the fields that were set."""
    return document.model_dump_json(by_alias=True, exclude_unset=True)


def core_document(row: Row, path: Path) -> Secret | ConfigMap:
    """The Secret or ConfigMap of a row. Raises StoreError when it can't be read."""
    return _core_document(row["kind"], row["body"], schema.document, row["name"], path)


def revision_row(record: RevisionRecord) -> dict[str, Any]:
    """The row of table `revision`, without its number."""
    return {
        "app": record.app,
        "digest": record.digest,
        "release": record.release,
        "created": record.created,
        "document": body(record.document),
        "contents": json.dumps([[one.kind, one.metadata.name, body(one)] for one in record.contents]),
    }


def revision_record(row: Row, path: Path) -> RevisionRecord:
    """The record of a row. Raises StoreError when it can't be read."""
    what = f"a release of App {row['app']}"
    contents = _parsed(_BODIES.validate_json, row["contents"], what, schema.revision, path)
    return RevisionRecord(
        app=row["app"],
        digest=row["digest"],
        release=row["release"],
        created=row["created"],
        document=_parsed(App.model_validate_json, row["document"], what, schema.revision, path),
        contents=tuple(
            _core_document(kind, text, schema.revision, name, path) for kind, name, text in contents
        ),
    )


def saved_lines_row(app: str, service: str, saved: SavedLines) -> dict[str, Any]:
    """The row of table `saved_lines`."""
    return {
        "app": app,
        "service": service,
        "time": saved.time,
        "reason": saved.reason,
        "lines": json.dumps(saved.lines[-MOST_SAVED_LINES:]),
    }


def run_state(row: Row, path: Path) -> RunState:
    """The state of a row of table `run_state`. Raises StoreError when it can't be read."""
    what = f"the run state of {row['service']} of App {row['app']}"
    return _parsed(_RUN_STATE.validate_python, row["state"], what, schema.run_state, path)


def saved_lines(row: Row, path: Path) -> SavedLines:
    """The lines of a row. Raises StoreError when they can't be read."""
    what = f"the last lines of {row['service']} of App {row['app']}"
    lines = _parsed(_TEXTS.validate_json, row["lines"], what, schema.saved_lines, path)
    return SavedLines(time=row["time"], reason=row["reason"], lines=tuple(lines))


def adopted_row(thing: AdoptedThing) -> dict[str, Any]:
    """The row of table `adopted`."""
    return {
        "kind": thing.kind.value,
        "id": thing.id,
        "app": thing.app,
        "name": thing.name,
        "labels": json.dumps(dict(thing.labels), sort_keys=True),
    }


def adopted_thing(row: Row, path: Path) -> AdoptedThing:
    """The thing of a row. Raises StoreError when it can't be read."""
    what = f"the adoption of {row['name']} of App {row['app']}"
    return AdoptedThing(
        kind=_parsed(_KIND.validate_python, row["kind"], what, schema.adopted, path),
        id=row["id"],
        app=row["app"],
        name=row["name"],
        labels=_parsed(_LABELS.validate_json, row["labels"], what, schema.adopted, path),
    )


_RUN_STATE = TypeAdapter(RunState)
_KIND = TypeAdapter(Kind)
_LABELS = TypeAdapter(dict[str, str])
_NUMBERS = TypeAdapter(dict[str, int])
_TEXTS = TypeAdapter(list[str])
_BODIES = TypeAdapter(list[tuple[str, str, str]])
"""Of a revision: kind, name and body of each document."""


def _core_document(kind: str, text: str, table: Table, name: str, path: Path) -> Secret | ConfigMap:
    if kind == "Secret":
        return _parsed(Secret.model_validate_json, text, f"Secret {name}", table, path)
    return _parsed(ConfigMap.model_validate_json, text, f"ConfigMap {name}", table, path)


def _parsed(parse: Callable[[str], Value], text: str, what: str, table: Table, path: Path) -> Value:
    """A column's value taken apart. Raises StoreError that names the row, never its values."""
    try:
        return parse(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or table.name
        raise StoreError(
            f"{path}: {what} is kept in a form that this version can't read ({where}: {first['msg']})",
            hint="install the version that wrote it again, or remove the row from table "
            f"{table.name} and apply the document again",
        ) from None
