"""The key that an App's contents are digested with: a Secret of its own, made once.

Digests are in names and revisions, which everybody sees who may look at the App. Without this key nobody can
try passwords against them.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from iotistic.controllers.cluster.applying import GoingError, TakenError
from iotistic.controllers.cluster.children import Whose, metadata, ref_of, whose
from iotistic.controllers.cluster.ports import ConflictError, Object, Reason, Ref
from iotistic.engines.kubernetes import names

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

KEY_BYTES = 32
FIELD = "key"


async def digest_key(turn: Turn) -> bytes:
    """The App's key; one that somebody has removed is put back. Raises: TakenError, GoingError; RefusedError
    when it can't be made."""
    known, name = turn.memory.digest_key, names.digest_key(turn.key.name)
    if not known or turn.cache.get(Ref("Secret", turn.key.namespace, name)) is None:
        turn.memory.digest_key = await _read_or_make(turn, name, known or secrets.token_bytes(KEY_BYTES))
    return turn.memory.digest_key


async def _read_or_make(turn: Turn, name: str, key: bytes) -> bytes:
    wanted: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**metadata(turn.key, turn.memory.uid), "name": name},
        "data": {FIELD: base64.b64encode(key).decode()},
    }
    found = await turn.api.get(ref_of(wanted))
    if found is None:
        found = await turn.api.create(wanted, reason=Reason.REVISION)
    match whose(found, turn.key.name, turn.memory.uid):
        case Whose.FOREIGN:
            raise TakenError(ref_of(wanted))
        case Whose.GOING:
            raise GoingError(f"Secret {name} of before is being removed")
    turn.cache.put(found)
    read = base64.b64decode((found.get("data") or {}).get(FIELD) or "")
    if not read:
        raise ConflictError(f"Secret {name} has no {FIELD}: remove it")
    return read
