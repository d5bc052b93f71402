"""What of an object goes when a file is applied, and what stays, by who wrote it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iotctl.cluster.whole import KUBECTL_APPLY, replacing
from iotistic.engines.kubernetes.values import LAST_APPLIED

Json = dict[str, Any]
LOCK = "iotistic.io/lock"
FILE: Json = {"kind": "App", "metadata": {"name": "shop"}, "spec": {"services": []}}


def entry(manager: str, operation: str, part: str, *keys: str) -> Json:
    """What one manager owns of the labels or annotations."""
    fields: Json = {"f:metadata": {f"f:{part}": {f"f:{key}": {} for key in keys}}}
    return {"manager": manager, "operation": operation, "fieldsV1": fields}


def live(*owners: Json, **parts: Json) -> Json:
    meta = {"name": "shop", "namespace": "here", "resourceVersion": "7", "managedFields": list(owners)}
    return {"kind": "App", "metadata": meta | parts, "spec": {"services": [{"name": "old"}]}}


def changed(found: Json, document: Json = FILE) -> Json:
    """What each path becomes; None for one that goes."""
    return {one["path"]: one.get("value") for one in replacing(found, document)}


def test_the_spec_is_replaced_and_a_write_in_between_refused() -> None:
    assert changed(live()) == {"/metadata/resourceVersion": "7", "/spec": {"services": []}}


def test_contents_that_the_file_does_not_have_go() -> None:
    found = live() | {"kind": "ConfigMap", "data": {"a": "1"}, "binaryData": {"b": "MQ=="}}
    document = {"kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {"a": "2"}}
    paths = changed(found, document)
    assert paths["/data"] == {"a": "2"}
    assert paths["/binaryData"] is None


@pytest.mark.parametrize(
    ("owners", "stays"),
    [
        ([entry("iotctl", "Apply", "labels", "a")], False),
        ([entry("iotctl", "Apply", "labels", "a"), entry("iotctl", "Update", "labels", "a")], False),
        ([entry("iotctl", "Apply", "labels", "a"), entry("helm", "Update", "labels", "a")], True),
        ([entry("helm", "Apply", "labels", "a")], True),
        ([], True),
    ],
)
def test_a_label_goes_only_if_an_apply_wrote_it(owners: list[Json], stays: bool) -> None:
    paths = changed(live(*owners, labels={"a": "1"}))
    assert paths.get("/metadata/labels", {"a": "1"}) == ({"a": "1"} if stays else {})


def test_what_commands_note_stays_and_what_kubectl_applied_goes() -> None:
    noted = json.dumps({"metadata": {"annotations": {"mine": "1", LOCK: "{}"}}})
    owners = [
        entry(KUBECTL_APPLY, "Update", "annotations", "mine"),
        entry("iotctl", "Update", "annotations", LOCK),
    ]
    texts = {"mine": "1", "note": "of another", LOCK: '{"owner":"till"}', LAST_APPLIED: noted}
    after = changed(live(*owners, annotations=texts))["/metadata/annotations"]
    said = json.loads(after.pop(LAST_APPLIED))
    assert after == {"note": "of another", LOCK: '{"owner":"till"}'}
    assert said == FILE | {"metadata": {"name": "shop", "namespace": "here", "annotations": {}}}
    # The same file again changes nothing, in whatever form kubectl has noted it.
    found = live(annotations={LAST_APPLIED: json.dumps(said, indent=1)})
    assert "/metadata/annotations" not in changed(found)


def test_a_note_that_can_not_be_read_is_written_anew() -> None:
    after = changed(live(annotations={LAST_APPLIED: "{"}))["/metadata/annotations"]
    assert json.loads(after[LAST_APPLIED])["spec"] == FILE["spec"]
