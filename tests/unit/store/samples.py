"""Records as people might make them, for hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.core import ConfigMap, Secret
from iotistic.store.base import AppRecord, Backoff, RevisionRecord, SavedLines

texts = st.text(max_size=20)
names = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
numbers = st.integers(1, 2**63 - 1)
environment = st.lists(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[^=\x00]{1,10}", fullmatch=True)}, optional={"value": texts | st.none()}
    ),
    max_size=3,
)
services = st.fixed_dictionaries(
    {"name": names, "image": st.sampled_from(["web:1", "registry:5000/team/web", f"web@sha256:{'a' * 64}"])},
    optional={
        "command": st.lists(texts, max_size=2),
        "env": environment,
        "networks": st.dictionaries(names, st.none() | st.just({}) | st.just({"aliases": ["other"]})),
        "stopGracePeriod": st.sampled_from([0, 10, 2.5, "1m30s"]),
        "resources": st.sampled_from(
            [{}, {"limits": {"cpu": "500m", "memory": 1 << 40}}, {"limits": {"cpu": 0.1}}]
        ),
        "labels": st.dictionaries(texts, texts, max_size=2),
        "workingDir": st.none() | texts,
        "readinessProbe": st.just({"exec": {"command": ["true"]}}),
        "restartPolicy": st.sampled_from(["Always", "OnFailure", "Never"]),
    },
)


def app(name: str = "shop", **spec: Any) -> App:
    """An App with one service, or with this spec."""
    services = spec.pop("services", [{"name": "web", "image": "web:1"}])
    return App.model_validate({"metadata": {"name": name}, "spec": {"services": services} | spec})


def record(name: str = "shop", *, app_id: int = 1001, release: str = "1", **fields: Any) -> AppRecord:
    """A record of a small App."""
    given: dict[str, Any] = {
        "app": app(name),
        "generation": 1,
        "digest": "d",
        "created": "2026-11-24T10:00:00Z",
    }
    return AppRecord(app_id=app_id, release=release, **(given | fields))


def revision(name: str = "shop", digest: str = "d1", release: str = "1", **fields: Any) -> RevisionRecord:
    """A release that is remembered."""
    given: dict[str, Any] = {"created": "2026-11-24T10:00:00Z", "document": app(name)}
    return RevisionRecord(app=name, digest=digest, release=release, **(given | fields))


def secret(name: str = "login", **values: str) -> Secret:
    """A Secret with these values."""
    return Secret.model_validate({"metadata": {"name": name}, "stringData": values})


def config_map(name: str = "settings", **values: str) -> ConfigMap:
    """A ConfigMap with these values."""
    return ConfigMap.model_validate({"metadata": {"name": name}, "data": values})


apps = st.builds(
    app,
    names,
    services=st.lists(services, min_size=1, max_size=3),
    release=st.none() | st.integers(1) | st.sampled_from(["1.2", "blue"]),
    suspend=st.booleans(),
)
records = st.builds(
    AppRecord,
    app=apps,
    app_id=numbers,
    release=texts,
    generation=numbers,
    digest=texts,
    created=texts,
    service_ids=st.dictionaries(names, numbers, max_size=3),
    run_states=st.dictionaries(names, st.sampled_from([RunState.STOPPED, RunState.PAUSED]), max_size=3),
)
secrets = st.builds(
    lambda name, values: Secret.model_validate({"metadata": {"name": name}, "stringData": values}),
    names,
    st.dictionaries(texts, texts, max_size=2),
)
config_maps = st.builds(
    lambda name, values: ConfigMap.model_validate({"metadata": {"name": name}, "data": values}),
    names,
    st.dictionaries(texts, texts, max_size=2),
)
revisions = st.builds(
    RevisionRecord,
    app=names,
    digest=texts,
    release=texts,
    created=texts,
    document=apps,
    contents=st.lists(secrets | config_maps, max_size=3).map(tuple),
)
saved = st.builds(SavedLines, time=texts, reason=texts, lines=st.lists(texts, max_size=60).map(tuple))
backoffs = st.builds(
    Backoff,
    app=names,
    service=names | st.just(""),
    failures=st.integers(1, 1000),
    seconds_left=st.floats(0, 300),
    reason=texts,
    message=texts,
)


def written(value: AppRecord | Secret | ConfigMap) -> Mapping[str, Any]:
    """The document with exactly what was set in it: what a round trip must not lose."""
    document = value.app if isinstance(value, AppRecord) else value
    return document.model_dump(exclude_unset=True)
