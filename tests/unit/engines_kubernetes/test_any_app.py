"""Whatever an App says, its objects have names and items of lists that the API server takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iotistic.api.documents import check_documents
from iotistic.api.errors import InvalidResourceError
from iotistic.engines.kubernetes.comparing import differences
from iotistic.engines.kubernetes.refusals import refused
from iotistic.engines.kubernetes.shapes import Shape, shape_of
from tests.unit.engines_kubernetes.shop import EVERYTHING, app, rendered

WHOLE = app(EVERYTHING)
FRAGMENTS = sorted(
    {
        json.dumps({field: value}, sort_keys=True)
        for service in WHOLE.spec.services
        for field, value in service.wire().items()
        if field not in {"name", "dependsOn"}
    }
)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
NAMES = st.from_regex(LABEL, fullmatch=True) | st.sampled_from(["names", "web", "default", "pull", "a" * 63])
APP_NAMES = NAMES.filter(lambda name: name[0].isalpha())
SERVICES = st.fixed_dictionaries(
    {"name": NAMES, "parts": st.lists(st.sampled_from(FRAGMENTS), max_size=6, unique=True)}
)


@st.composite
def apps(draw: st.DrawFn) -> dict[str, Any]:
    services = []
    for drawn in draw(st.lists(SERVICES, min_size=1, max_size=4, unique_by=lambda one: one["name"])):
        service = {"image": "web:1"}
        for part in drawn["parts"]:
            service |= json.loads(part)
        services.append(service | {"name": drawn["name"]})
    spec = {name: value for name, value in WHOLE.spec.wire().items() if name in {"networks", "volumes"}}
    document = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App", "metadata": {"name": draw(APP_NAMES)}}
    return document | {"spec": spec | {"services": services}}


def keyed_lists(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """All lists whose items have keys, with the keys."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from keyed_lists(inner, shape.fields.get(name, Shape()), f"{path}.{name}")
    elif isinstance(value, list):
        if shape.key:
            yield path, [tuple(item.get(name) for name in shape.key) for item in value]
        for item in value:
            yield from keyed_lists(item, Shape(fields=shape.fields), path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(apps())
def test_any_app(document: dict[str, Any]) -> None:
    try:
        shop = check_documents([document])[0][0]
    except InvalidResourceError:
        return
    if refused(shop):
        return
    objects = rendered(shop).objects
    named = [(made["kind"], made["metadata"]["name"]) for made in objects]
    assert len(set(named)) == len(named)
    for made in objects:
        assert LABEL.fullmatch(made["metadata"]["name"])
        assert differences(made, json.loads(json.dumps(made))) == []
        for path, keys in keyed_lists(made, shape_of(made["kind"])):
            assert len(set(keys)) == len(keys), path
            assert all(part is not None for key in keys for part in key), path
