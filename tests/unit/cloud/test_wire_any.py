"""Target states nobody wrote by hand: any JSON, states with wrong values, and whole valid ones."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iotistic.api.app import App
from iotistic.cloud.names import MOST_CHARACTERS, free_name, valid_name
from iotistic.cloud.reading import CONFIG_FIELDS
from iotistic.cloud.wire import Wanted, read_target
from iotistic.cloud.writing import write_app

quick = settings(max_examples=100, deadline=None)

texts = st.text(max_size=8)
single = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(
    single,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
almost = st.sampled_from(
    ["80:80", "a:/b", "/a:/b:ro", "A=b", "host", "no", "web:1", "1000:1", "/app", "x y", "500m"]
)
odd = anything | almost | st.lists(almost, max_size=3) | st.dictionaries(almost, almost, max_size=2)
configs = st.dictionaries(st.sampled_from(sorted(CONFIG_FIELDS)), odd, max_size=5) | anything
odd_services = st.fixed_dictionaries(
    {"imageName": st.just("web:1") | anything},
    optional={
        "serviceId": st.integers(0, 3) | anything,
        "serviceName": st.sampled_from(["web", "Web", "db"]) | anything,
        "state": anything,
        "config": configs,
    },
)
odd_apps = st.fixed_dictionaries(
    {"services": st.lists(odd_services, max_size=3) | anything},
    optional={
        "appId": st.integers(0, 3) | anything,
        "appName": texts | anything,
        "appUuid": texts | anything,
    },
)
odd_states = (
    anything
    | st.fixed_dictionaries({"apps": st.dictionaries(st.sampled_from(["1", "2", "x"]), odd_apps, max_size=3)})
    | st.fixed_dictionaries({"apps": st.lists(odd_apps, max_size=3)})
)

signs = st.characters(codec="utf-8", exclude_characters="\x00")
words = st.text(signs, max_size=10) | st.text("$()A", max_size=8)
variables = st.from_regex(r"[A-Za-z_]{1,8}", fullmatch=True)
volumes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
paths = st.from_regex(r"/[a-z]{1,6}(/[a-z]{1,6})?", fullmatch=True)
ports = st.integers(1, 65535)
titles = st.from_regex(r"[A-Za-z][A-Za-z0-9 _.-]{0,12}", fullmatch=True)
timing = st.fixed_dictionaries(
    {},
    optional={
        "initialDelaySeconds": st.integers(0, 60),
        "periodSeconds": st.integers(1, 60),
        "timeoutSeconds": st.integers(1, 60),
        "failureThreshold": st.integers(1, 9),
    },
)
questions = (
    st.fixed_dictionaries(
        {"type": st.just("http"), "path": paths, "port": ports, "scheme": st.sampled_from(["http", "https"])},
        optional={"headers": st.dictionaries(variables, variables, min_size=1, max_size=2)},
    )
    | st.fixed_dictionaries({"type": st.just("tcp"), "tcpPort": ports})
    | st.fixed_dictionaries({"type": st.just("exec"), "command": st.lists(words, min_size=1, max_size=3)})
)
probes = st.builds(lambda question, times: question | times, questions, timing)
amounts = st.dictionaries(st.just("cpu"), st.sampled_from(["500m", "0.5", 2]), min_size=1) | st.just(
    {"memory": "64Mi"}
)


def port_texts(inside: int, host: int | None, udp: bool) -> str:
    return (f"{host}:" if host else "") + str(inside) + ("/udp" if udp else "")


@st.composite
def whole_configs(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A config in the form in which it is written again. Host ports of services don't clash."""
    hosts = st.none() | st.integers(number * 1000, number * 1000 + 999)
    given_ports = draw(
        st.lists(st.tuples(ports, hosts, st.booleans()), max_size=3, unique_by=lambda p: p[1] or -p[0])
    )
    mounts = draw(st.dictionaries(paths, st.tuples(volumes | paths, st.booleans()), max_size=3))
    config = {
        "ports": [port_texts(*port) for port in given_ports],
        "volumes": [f"{source}:{path}{':ro' if ro else ''}" for path, (source, ro) in mounts.items()],
        "environment": draw(st.dictionaries(variables, words, max_size=3)),
        "networks": draw(st.lists(titles, max_size=2, unique=True)),
        "labels": draw(st.dictionaries(variables, words, max_size=2)),
        "resources": draw(st.dictionaries(st.sampled_from(["limits", "requests"]), amounts, max_size=1)),
        "command": draw(st.lists(words, max_size=3)),
        "entrypoint": draw(st.lists(words, max_size=3)),
        "workingDir": draw(st.none() | paths),
        "user": draw(st.none() | st.sampled_from(["0", "1000:1000"])),
        "readonlyRootfs": draw(st.sampled_from([None, True])),
        "hostname": draw(st.none() | st.just("web")),
        "stopTimeout": draw(st.none() | st.integers(0, 300)),
        "livenessProbe": draw(st.none() | probes),
        "readinessProbe": draw(st.none() | probes),
        "startupProbe": draw(st.none() | probes),
    }
    if draw(st.booleans()):
        config |= {"networkMode": "host", "networks": [], "ports": []}
    set_here = {key: value for key, value in config.items() if value not in (None, [], {})}
    image = draw(st.sampled_from(["web:1", "registry:5000/team/web", f"web@sha256:{'a' * 64}"]))
    restart = draw(st.sampled_from(["unless-stopped", "on-failure", "no"]))
    return {"image": image, "restart": restart} | set_here


@st.composite
def whole_apps(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """An App in the form in which it is written again."""
    services = []
    for service_id in range(1, draw(st.integers(1, 3)) + 1):
        config = draw(whole_configs(number * 10 + service_id))
        services.append(
            {
                "serviceId": service_id,
                "serviceName": draw(titles),
                "imageName": config["image"],
                "state": draw(st.sampled_from(["running", "stopped", "paused"])),
                "config": config,
            }
        )
    uuid = draw(st.none() | st.uuids().map(str))
    return {
        "appId": number,
        "appName": draw(titles),
        **({"appUuid": uuid} if uuid else {}),
        "services": services,
    }


def written(wanted: Wanted) -> dict[str, Any]:
    """The state that the Apps are, written again."""
    states = wanted.run_states
    apps = [
        write_app(app, app_id=99, service_ids={}, run_states=states.get(app.name, {})) for app in wanted.apps
    ]
    return {"apps": {str(app["appId"]): app for app in apps}}


def documents(wanted: Wanted) -> list[dict[str, Any]]:
    return [app.wire() for app in wanted.apps]


@quick
@given(st.tuples(whole_apps(1), whole_apps(2)))
def test_a_whole_state_is_read_without_loss_and_written_as_it_was(apps: tuple[dict[str, Any], ...]) -> None:
    state = {"apps": {str(app["appId"]): app for app in apps}}

    wanted = read_target(state)

    assert [one for one in wanted.warnings if "was one for the Apps" not in one] == []
    assert written(wanted) == state
    assert documents(read_target(written(wanted))) == documents(wanted)


@quick
@given(odd_states)
def test_any_state_is_read_without_an_error(state: Any) -> None:
    """What came of it can be kept, and written again loses nothing more."""
    wanted = read_target(state)

    names = [app.name for app in wanted.apps]
    assert len(set(names)) == len(names)
    for app in wanted.apps:
        assert App.model_validate_json(app.model_dump_json(by_alias=True, exclude_unset=True)) == app
        services = [service.name for service in app.spec.services]
        assert len(set(services)) == len(services)
        assert set(wanted.run_states.get(app.name, {})) <= set(services)
    numbered = [app for app in wanted.apps if app.spec.app_id]
    again = read_target(written(Wanted(apps=tuple(numbered), run_states=wanted.run_states, warnings=())))
    for app, same in zip(numbered, again.apps, strict=True):
        here, there = app.wire(), same.wire()
        for one in (here, there):  # a service without a number is written with 0, which is none
            one["metadata"].pop("annotations")
        assert here["spec"] == there["spec"]


@quick
@given(odd_states)
def test_the_same_state_always_means_the_same(state: Any) -> None:
    """Names decide what is recreated: they must not depend on anything else."""
    assert documents(read_target(state)) == documents(read_target(state))
    text = json.dumps(state)
    assert documents(read_target(json.loads(text))) == documents(read_target(json.loads(text)))


@quick
@given(st.text(max_size=100), st.sets(st.sampled_from(["web", "web-2", "web-7", "x"])))
def test_names_are_valid_and_free(text: str, taken: set[str]) -> None:
    name = free_name(valid_name(text, fallback="web", starts_with="app"), taken, number=7)

    App.model_validate({"metadata": {"name": name}, "spec": {"services": [{"name": name, "image": "a"}]}})
    assert name not in taken
    assert len(name) <= MOST_CHARACTERS
    assert valid_name(name, fallback="x", starts_with="app") == name
