"""What an original agent left in the same file. Only read: its tables stay as they are.

Its versions differ in columns, and any table may be missing.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from iotistic.store.base import Original


def read_original(connection: Connection) -> Original | None:
    """The device, the last target and the size of the queue; None in a file that no original has had."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = set(connection.exec_driver_sql(query).scalars())
    if not tables & {"device", "stateSnapshot"}:
        return None
    warnings: list[str] = []
    return Original(
        identity=_identity(connection, warnings) if "device" in tables else {},
        target=_target(connection, warnings) if "stateSnapshot" in tables else {},
        queue_rows=_count(connection, "offline_queue") if "offline_queue" in tables else 0,
        warnings=tuple(warnings),
    )


def _identity(connection: Connection, warnings: list[str]) -> dict[str, Any]:
    rows = connection.exec_driver_sql("SELECT * FROM device ORDER BY rowid").mappings().all()
    if len(rows) > 1:
        warnings.append(f"table device has {len(rows)} rows; the first one is this device")
    return dict(rows[0]) if rows else {}


def _target(connection: Connection, warnings: list[str]) -> dict[str, Any]:
    """The target written last: the highest row, whatever the clock said then."""
    query = "SELECT state FROM stateSnapshot WHERE type = 'target' ORDER BY rowid DESC LIMIT 1"
    text = connection.exec_driver_sql(query).scalar()
    if text is None:
        return {}
    try:
        state = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        state = None
    if not isinstance(state, dict):
        warnings.append("the target in table stateSnapshot is not what was written there: it can't be read")
        return {}
    return state


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
