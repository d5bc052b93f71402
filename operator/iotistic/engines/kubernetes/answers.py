"""What the API server's answers mean, and what keeps them from coming."""

from __future__ import annotations

import json

from iotistic.controllers.cluster.ports import ConflictError, RefusedError, UnreachableError

GONE = 404
CONFLICT = 409
EXPIRED = 410
TOO_MANY = 429
INTERNAL = 500
UNTYPED = "Untyped"
"""The object is of another shape than its definition has today: it can be patched, but not applied to."""
UNTYPED_WORDS = "failed to create typed live object"
UNASKED = "WebhookFailed"
"""An admission webhook that has to be asked about the object does not answer."""
UNASKED_WORDS = "failed calling webhook"


class ExpiredError(Exception):
    """410: what was to be continued is too old; list again."""


def error_of(status: int, body: bytes) -> Exception:
    """What an answer of 300 and more means."""
    try:
        said = json.loads(body)
        message, reason = str(said.get("message", "")), str(said.get("reason", ""))
    except (ValueError, AttributeError):
        message, reason = body.decode(errors="replace").strip(), ""
    message = message or f"the API server answered {status}"
    if status == CONFLICT:
        return ConflictError(message)
    if status == EXPIRED:
        return ExpiredError(message)
    # Two that are said of this object, and not of the API server.
    if status == INTERNAL and message.startswith(UNTYPED_WORDS):
        return RefusedError(status, UNTYPED, message)
    if status == INTERNAL and UNASKED_WORDS in message:
        return RefusedError(status, UNASKED, message)
    if status == TOO_MANY or status >= 500 or status < 400:
        return UnreachableError(message)
    return RefusedError(status, reason or str(status), message)


def is_about_one_object(error: RefusedError) -> bool:
    """Pod security, quota and admission also answer 403, but they mean this object and not the rights."""
    return "User " not in error.message and error.status == 403


def words_of(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the API server did not answer in time"
    return f"the API server can't be reached: {str(error) or type(error).__name__}"
