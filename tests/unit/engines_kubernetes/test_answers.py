"""What answers of the API server mean: of one object, of everything, or of the moment."""

from __future__ import annotations

import json

import pytest

from iotistic.controllers.cluster.ports import ConflictError, RefusedError, UnreachableError
from iotistic.engines.kubernetes.answers import ExpiredError, error_of

HOOK = (
    'Internal error occurred: failed calling webhook "down.example.com": failed to call webhook: '
    'Post "https://127.0.0.1:1/x?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused'
)
SHAPE = "failed to create typed live object: .spec.services: expected list, got string"


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (403, "exceeded quota: small", RefusedError),
        (404, "not found", RefusedError),
        (409, "the object has been modified", ConflictError),
        (410, "too old resource version", ExpiredError),
        (422, "spec: Invalid value", RefusedError),
        (429, "too many requests", UnreachableError),
        (500, "etcdserver: request timed out", UnreachableError),
        (500, HOOK, RefusedError),
        (500, SHAPE, RefusedError),
        (503, HOOK, UnreachableError),
        (504, "timeout", UnreachableError),
    ],
)
def test_what_an_answer_means(status: int, message: str, expected: type[Exception]) -> None:
    error = error_of(status, json.dumps({"kind": "Status", "message": message}).encode())
    assert type(error) is expected
    assert str(error) == message


def test_an_answer_without_words_is_told_by_its_number() -> None:
    assert str(error_of(502, b"")) == "the API server answered 502"
    assert str(error_of(502, b"<html>Bad Gateway</html>")) == "<html>Bad Gateway</html>"
