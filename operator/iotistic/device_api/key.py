"""The key of the Device API: made at first boot, read by whoever may read the data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from iotistic.api.errors import StoreError
from iotistic.store.read_only import hint_where_read_only

KEY_FILE = "api-key"
KEY_BYTES = 32


def load_or_make_key(config_dir: Path) -> str:
    """The key in `config_dir`/api-key, made there (0600) when there is none.

    Raises: StoreError when the file can't be read or written.
    """
    path = config_dir / KEY_FILE
    try:
        return _load(path) or _make(path)
    except OSError as error:
        raise StoreError(
            f"the key of the Device API, {path}, can't be read or made: {error.strerror}",
            hint=hint_where_read_only(config_dir, error) or f"let the agent's user own {config_dir}",
        ) from error


def _load(path: Path) -> str:
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        return ""
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return key


def _make(path: Path) -> str:
    """Written beside and renamed: a cut leaves no half key behind."""
    key = secrets.token_hex(KEY_BYTES)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
    return key
