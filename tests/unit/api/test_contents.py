"""Secrets and ConfigMaps as in Kubernetes; what is wrong is told without a value."""

# ruff: noqa: E501  a message on one line is found by searching for it
from __future__ import annotations

import base64
import json

import pytest

from iotistic.api.documents import check_documents
from iotistic.api.errors import InvalidResourceError
from tests.unit.api.writing import said

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
CONFIG_MAP = SECRET.replace("Secret", "ConfigMap")
LOGINS = '{"auths": {"registry:5000": {"auth": "aHVudGVyMg=="}}}'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.replace("name: db", "name: db.prod.7"),
        f"{SECRET}data: {{a: aHVudGVyMg==}}\nstringData: {{b: plain text, a: wins}}\nimmutable: true\n",
        f"{SECRET}data:\n  a: |\n    aHVudGVy\n    Mg==\n",
        f"{SECRET}type: kubernetes.io/dockerconfigjson\nstringData: {{.dockerconfigjson: '{LOGINS}'}}\n",
        f"{SECRET}type: kubernetes.io/tls\ndata: {{tls.crt: '', tls.key: ''}}\n",
        f"{CONFIG_MAP}data: {{app.ini: 'a=1', _x-1: ''}}\nbinaryData: {{b: AAEC}}\n",
        f"{CONFIG_MAP}data:\n",
    ],
)
def test_what_is_right(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (f"{SECRET}data: {{a: hunter2!}}\n", ["data.a: is not base64; plain text goes under stringData (ConfigMap: data)"]),
        (f"{SECRET}data: {{a: hunter2!, b: 7, c: aGk=}}\n", ["data.a: is not base64; plain text goes under stringData (ConfigMap: data)", "data.b: expected text, got a number; put it in quotes"]),
        (f"{SECRET}stringData: {{a: 5432, b: true, c: [hunter2]}}\n", ["stringData.a: expected text, got a number; put it in quotes", "stringData.b: expected text, got true or false; put it in quotes", "stringData.c: expected text, got a list"]),
        (f"{SECRET}stringData: hunter2\n", ["stringData: expected a mapping, got text"]),
        (f"{SECRET}immutable: hunter2\n", ["immutable: expected true or false, got text"]),
        (f"{SECRET}type: {{hunter2: x}}\n", ["type: expected text, got a mapping"]),
        (f"{SECRET}stringdata: {{a: hunter2}}\n", ["stringdata: unknown field; did you mean stringData?"]),
        (f"{SECRET}stringData: {{a/b: hunter2}}\n", ["stringData.a/b: a key has letters, digits, '-', '_' and '.', at most 253, as a file's name"]),
        (f"{SECRET}stringData: {{'..': hunter2}}\n", ["stringData...: a key has letters, digits, '-', '_' and '.', at most 253, as a file's name"]),
        (f"{SECRET}type: kubernetes.io/dockerconfigjson\ndata: {{.dockercfg: aGk=}}\n", ["data: type kubernetes.io/dockerconfigjson needs the key .dockerconfigjson"]),
        (f"{SECRET}type: kubernetes.io/dockerconfigjson\nstringData: {{.dockerconfigjson: hunter2}}\n", ['stringData..dockerconfigjson: is no login file: expected JSON like {"auths": {"registry:5000": {"auth": ...}}}']),
        (f"{SECRET}type: kubernetes.io/dockerconfigjson\ndata: {{.dockerconfigjson: aHVudGVyMg==}}\n", ['data..dockerconfigjson: is no login file: expected JSON like {"auths": {"registry:5000": {"auth": ...}}}']),
        (f"{SECRET}type: kubernetes.io/tls\ndata: {{tls.crt: ''}}\n", ["data: type kubernetes.io/tls needs the key tls.key"]),
        (f"{SECRET}stringData: {{a: {'hunter2' * 150_000}}}\n", [": holds 1050000 bytes, more than 1048576 (1 MiB)"]),
        (f"{CONFIG_MAP}data: {{a: 1}}\nbinaryData: {{b: '!'}}\n", ["data.a: expected text, got 1; put it in quotes", "binaryData.b: is not base64; plain text goes under stringData (ConfigMap: data)"]),
        (f"{CONFIG_MAP}data: {{a: x}}\nbinaryData: {{a: AAEC}}\n", ["binaryData.a: is in data too; keep one of them"]),
        (f"{CONFIG_MAP}stringData: {{a: x}}\n", ["stringData: unknown field; did you mean data?"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_a_value(text: str, problems: list[str]) -> None:
    found = said(text)
    kind = text.split()[3]
    assert [line.partition(f"  {kind} db")[2].strip() for line in found] == problems
    assert "hunter2" not in "".join(found).replace("{hunter2: x}", "")


def test_contents_are_decoded() -> None:
    values = {"a": base64.encodebytes(b"x" * 100).decode(), "b": "aGk="}
    _, (secret, config_map) = check_documents(
        [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": values, "stringData": {"b": "wins"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"t": "é"}, "binaryData": {"z": "AAE="}},
        ]
    )  # fmt: skip
    assert secret.contents() == {"a": b"x" * 100, "b": b"wins"}
    assert config_map.contents() == {"t": "é".encode(), "z": b"\0\x01"}


def test_a_login_file_may_be_in_base64() -> None:
    encoded = base64.b64encode(json.dumps({"auths": {}}).encode()).decode()
    assert (
        said(f"{SECRET}type: kubernetes.io/dockerconfigjson\ndata: {{.dockerconfigjson: {encoded}}}\n") == []
    )


def test_a_secret_is_not_in_what_python_shows() -> None:
    with pytest.raises(InvalidResourceError) as caught:
        check_documents(
            [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "hunter2!"}}]
        )
    shown: list[BaseException | None] = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert "hunter2" not in "".join(repr(one) + str(one) for one in shown)
