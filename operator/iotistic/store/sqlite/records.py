"""Rows to values and back. Documents are kept as JSON, as somebody wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.base import Model
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import StoreError
from iotistic.store.base import AppRecord

Row = Mapping[str, Any]
AnyModel = TypeVar("AnyModel", bound=Model)


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
    return AppRecord(
        app=_document(App, row["document"], "app", row["name"], path),
        app_id=row["app_id"],
        release=row["release"],
        generation=row["generation"],
        digest=row["digest"],
        created=row["created"],
        service_ids=json.loads(row["service_ids"]),
        run_states=run_states,
    )


def body(document: Model) -> str:
    """A document as JSON, with exactly the fields that were set."""
    return document.model_dump_json(by_alias=True, exclude_unset=True)


def core_document(row: Row, path: Path) -> Secret | ConfigMap:
    """The Secret or ConfigMap of a row. Raises StoreError when it can't be read."""
    if row["kind"] == "Secret":
        return _document(Secret, row["body"], "document", row["name"], path)
    return _document(ConfigMap, row["body"], "document", row["name"], path)


def _document(model: type[AnyModel], text: str, table: str, name: str, path: Path) -> AnyModel:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{path}: {model.__name__} {name} is kept in a form that this version can't read "
            f"({where}: {first['msg']})",
            hint=f"install the version that wrote it again, or remove the row from table {table} and apply "
            "the document again",
        ) from None
