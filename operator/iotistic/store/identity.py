"""Who this install is: an id for what it makes and a key for digests of secret values.

Files of their own beside the database, so that a lost database loses neither.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from iotistic.api.errors import StoreError
from iotistic.durable import write_durably
from iotistic.store.read_only import hint_where_read_only

INSTALL_FILE = "install-id"
KEY_FILE = "digest-key"
KEY_BYTES = 32
_INSTALL = re.compile(r"[0-9a-z][0-9a-z-]{7,62}")
_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What stays the same over a lost database."""

    install: str
    digest_key: bytes = field(repr=False)


def load_identity(directory: Path) -> Identity:
    """The identity kept in this directory, made at the first call.

    Raises: StoreError when a file can't be read or made, or holds something else: a new id instead
    would turn every container of this device into a stranger's.
    """
    install = _load(directory / INSTALL_FILE, _INSTALL, lambda: str(uuid.uuid4()))
    key = _load(directory / KEY_FILE, _KEY, lambda: secrets.token_hex(KEY_BYTES))
    return Identity(install=install, digest_key=bytes.fromhex(key))


def _load(path: Path, form: re.Pattern[str], make: Callable[[], str]) -> str:
    try:
        text = path.read_bytes().decode("ascii", "replace").strip()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        text = _make(path, make())
    except OSError as error:
        raise StoreError(
            f"{path} can't be read: {error.strerror}",
            hint=hint_where_read_only(path.parent, error) or f"let the agent's user own {path}",
        ) from error
    if not form.fullmatch(text):
        raise StoreError(
            f"{path} does not hold what was written there",
            hint="restore it from a backup; removed, a new one is made, and what runs now counts as another "
            "install's",
        )
    return text


def _make(path: Path, text: str) -> str:
    try:
        write_durably(path, f"{text}\n".encode())
    except OSError as error:
        raise StoreError(
            f"{path} can't be written: {error.strerror}",
            hint=hint_where_read_only(path.parent, error)
            or f"let the agent's user write to {path.parent}, and look for free space there",
        ) from error
    return text
