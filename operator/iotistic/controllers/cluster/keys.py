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
from iotistic.controllers.cluster.ports import ConflictError, Object, Reason
from iotistic.engines.kubernetes import names

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

KEY_BYTES = 32
FIELD = "key"


async def digest_key(turn: Turn) -> bytes:
    """The App's key. Raises: TakenError, GoingError; RefusedError when it can't be made."""
    if not turn.memory.digest_key:
        turn.memory.digest_key = await _read_or_make(turn)
    return turn.memory.digest_key


async def _read_or_make(turn: Turn) -> bytes:
    own = metadata(turn.key, turn.memory.uid)
    random = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    wanted: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**own, "name": names.digest_key(turn.key.name)},
        "data": {FIELD: random},
    }
    found = await turn.api.get(ref_of(wanted))
    if found is None:
        found = await turn.api.create(wanted, reason=Reason.REVISION)
    match whose(found, turn.key.name, turn.memory.uid):
        case Whose.FOREIGN:
            raise TakenError(ref_of(wanted))
        case Whose.GOING:
            raise GoingError(f"Secret {wanted['metadata']['name']} of before is being removed")
    key = base64.b64decode((found.get("data") or {}).get(FIELD) or "")
    if not key:
        raise ConflictError(f"Secret {wanted['metadata']['name']} has no {FIELD}: remove it")
    return key
