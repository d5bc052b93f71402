"""A file that iotctl applies is the whole of an App, a Secret, a ConfigMap, whoever wrote it before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from iotctl.cluster.applying import look, make
from iotctl.cluster.kubeconfig import connect
from iotctl.cluster.server import Server
from tests.cluster.kube import GROUP_PATH, Kube
from tests.cluster.shell import Shell, app, web

Json = dict[str, Any]
LOCK = "iotistic.io/lock"
A, B = {"name": "A", "value": "1"}, {"name": "B", "value": "2"}


@dataclass(frozen=True)
class Place(Shell):
    """A namespace where nobody makes anything of an App: what is asserted is what is wanted."""

    def kubectl_apply(self, text: str) -> None:
        self.kube.apply(text, namespace=self.namespace)

    def kubectl(self, *words: str) -> None:
        self.kube.kubectl(*words, "-n", self.namespace)

    def get(self, name: str, kind: str = "apps.iotistic.io") -> Json:
        found: Json = self.kube.get(kind, name, self.namespace)
        return found

    def patch(self, name: str, change: Json, part: str = "") -> None:
        """As a command of iotctl other than apply does."""
        path = f"{GROUP_PATH}/namespaces/{self.namespace}/apps/{name}{part}"
        answer = self.kube.request(
            "PATCH", path, change, content="application/merge-patch+json", fieldManager="iotctl"
        )
        assert answer.status == 200, answer.message

    def becomes(self, text: str) -> Json:
        """Apply a file; `diff` tells of it before, and of nothing afterwards. Returns: the spec."""
        name = json.loads(text)["metadata"]["name"]
        assert self.ok("diff", "-f", "-", stdin=text) != ""
        assert self.ok("apply", "-f", "-", stdin=text).startswith(f"app/{name} configured")
        assert self.ok("diff", "-f", "-", stdin=text) == ""
        spec: Json = self.get(name)["spec"]
        return spec


@pytest.fixture(scope="module")
def place(cluster: Kube) -> Iterator[Place]:
    namespace = cluster.make_namespace("whole")
    yield Place(cluster, namespace)
    cluster.remove_namespace(namespace)


def test_what_kubectl_applied_and_the_file_no_longer_has_goes(place: Place) -> None:
    two = app("taken", web(env=[A, B], ports=[{"containerPort": 8080}]), web(name="extra"))
    place.kubectl_apply(two)
    place.kubectl("annotate", "apps.iotistic.io", "taken", f'{LOCK}={{"owner":"till"}}', "note=mine")
    place.kubectl("label", "apps.iotistic.io", "taken", "team=till")
    one = app("taken", web(env=[A], ports=[{"containerPort": 8081}]))
    removed = place.ok("diff", "-f", "-", stdin=one)
    assert "-    name: extra" in removed
    assert "-    - name: B" in removed
    assert "extra" in place.ok("plan", "-f", "-", stdin=one)
    assert place.ok("apply", "--dry-run", "-f", "-", stdin=one) == "app/taken configured (dry run)\n"

    (service,) = place.becomes(one)["services"]
    assert service["env"] == [A]
    assert [port["containerPort"] for port in service["ports"]] == [8081]
    meta = place.get("taken")["metadata"]
    assert meta["annotations"][LOCK] == '{"owner":"till"}'
    assert meta["annotations"]["note"] == "mine"
    assert meta["labels"] == {"team": "till"}
    assert place.ok("apply", "-f", "-", stdin=one) == "app/taken unchanged\n"
    assert place.get("taken")["metadata"]["resourceVersion"] == meta["resourceVersion"]


def test_what_a_rollback_brought_back_goes_with_the_next_apply(place: Place) -> None:
    first = app("back", web(env=[A, B]), web(name="extra"), update={"minReadySeconds": 3})
    second = app("back", web(env=[B], args=["x"]))
    place.ok("apply", "-f", "-", stdin=first)
    earlier = place.get("back")["spec"]
    wanted = place.becomes(second)
    place.patch("back", {"spec": earlier})
    assert place.becomes(second) == wanted


def test_a_command_that_kubectl_added_goes(place: Place) -> None:
    good: Json = {"name": "web", "image": "iotistic/hello:1"}
    place.ok("apply", "-f", "-", stdin=app("bad", good))
    place.kubectl_apply(app("bad", good | {"command": ["false"]}))
    assert place.becomes(app("bad", good))["services"] == [good]


def test_a_named_port_gets_another_number(place: Place) -> None:
    def file(port: int) -> str:
        return app("named", web(ports=[{"name": "http", "containerPort": port}]))

    place.kubectl_apply(file(8080))
    (service,) = place.becomes(file(8081))["services"]
    assert [port["containerPort"] for port in service["ports"]] == [8081]


def test_kubectl_apply_afterwards_makes_its_own_file_of_it(place: Place) -> None:
    by_kubectl = app("both", web(env=[A]), web(name="extra"))
    by_iotctl = app("both", web(env=[B]), volumes=[{"name": "data"}], update={"minReadySeconds": 3})
    place.kubectl_apply(by_kubectl)
    spec = place.get("both")["spec"]
    theirs = place.becomes(by_iotctl)
    place.kubectl_apply(by_iotctl)
    assert place.get("both")["spec"] == theirs
    place.becomes(app("both", web(env=[B]), volumes=[{"name": "data"}, {"name": "more"}]))
    place.kubectl_apply(by_kubectl)
    assert place.get("both")["spec"] == spec


def test_labels_that_the_file_no_longer_has_go_and_those_of_others_stay(place: Place) -> None:
    def file(**labels: str) -> str:
        made = json.loads(app("labelled", web()))
        made["metadata"]["labels"] = labels
        return json.dumps(made)

    def labels() -> Json:
        found: Json = place.get("labelled")["metadata"].get("labels") or {}
        return found

    place.kubectl_apply(file(a="1", b="1"))
    place.kubectl("label", "apps.iotistic.io", "labelled", "other=1")
    place.becomes(file(b="2", c="1"))
    assert labels() == {"b": "2", "c": "1", "other": "1"}
    place.patch("labelled", {"metadata": {"annotations": {LOCK: "{}"}}})
    place.becomes(file(c="1"))
    assert labels() == {"c": "1", "other": "1"}
    place.becomes(file())
    assert labels() == {"other": "1"}
    assert place.get("labelled")["metadata"]["annotations"][LOCK] == "{}"


@pytest.mark.parametrize(("kind", "values"), [("Secret", "stringData"), ("ConfigMap", "data")])
def test_keys_that_the_file_no_longer_has_go(place: Place, kind: str, values: str) -> None:
    def file(**data: str) -> str:
        head = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "settings"}}
        return json.dumps({**head, values: data})

    def keys() -> list[str]:
        return sorted(place.get("settings", kind)["data"])

    one = file(a="1")
    place.kubectl_apply(file(a="1", b="2"))
    assert "b" in place.ok("diff", "-f", "-", stdin=one)
    assert place.ok("apply", "-f", "-", stdin=one) == f"{kind.lower()}/settings configured\n"
    assert keys() == ["a"]
    assert place.ok("diff", "-f", "-", stdin=one) == ""
    place.ok("apply", "-f", "-", stdin=file(a="1", c="3"))
    assert place.ok("apply", "-f", "-", stdin=one) == f"{kind.lower()}/settings configured\n"
    assert keys() == ["a"]
    assert place.ok("apply", "-f", "-", stdin=one) == f"{kind.lower()}/settings unchanged\n"


def test_what_kubectl_shows_can_be_applied_again(place: Place) -> None:
    place.kubectl_apply(app("shown", web(env=[A])))
    shown = place.get("shown")
    shown["metadata"]["resourceVersion"] = "1"
    shown["spec"]["services"][0]["env"] = [B]
    place.ok("apply", "-f", "-", stdin=json.dumps(shown))
    assert place.get("shown")["spec"]["services"][0]["env"] == [B]


def test_somebody_who_writes_in_between_is_not_written_over(place: Place) -> None:
    server = Server(connect({"KUBECONFIG": place.kube.kubeconfig}, namespace=place.namespace))
    document = json.loads(app("busy", web(env=[A])))
    place.kubectl_apply(app("busy", web(env=[B])))
    seen = look(server, document)
    place.kubectl("label", "apps.iotistic.io", "busy", "late=yes")
    after = make(server, document, seen, dry_run=False)
    assert after["spec"]["services"][0]["env"] == [A]
    assert after["metadata"]["labels"] == {"late": "yes"}


def test_one_that_is_refused_keeps_all_others_as_they_were(place: Place) -> None:
    fixed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fixed"}, "immutable": True}
    place.kubectl_apply(json.dumps(fixed | {"data": {"a": "1"}}))
    place.kubectl_apply(app("kept", web(env=[A, B])))
    both = yaml.safe_dump_all([fixed | {"data": {"a": "2"}}, json.loads(app("kept", web(env=[A])))])
    ran = place.run("apply", "-f", "-", stdin=both)
    assert ran.returncode == 2
    assert "immutable" in ran.stderr
    assert place.get("kept")["spec"]["services"][0]["env"] == [A, B]


def test_plan_tells_what_is_still_to_be_made(place: Place) -> None:
    text = app("lonely", web())
    place.ok("apply", "-f", "-", stdin=text)
    assert "no operator has looked at it" in place.ok("plan", "-f", "-", stdin=text)
    generation = place.get("lonely")["metadata"]["generation"]
    status = {"observedGeneration": generation, "state": "Stalled", "why": "Secret login is missing"}
    place.patch("lonely", {"status": status}, "/status")
    said = place.ok("plan", "-f", "-", stdin=text)
    assert said == "App lonely is the same, and stalled: Secret login is missing\n"


def test_plan_warns_of_what_an_app_lacks(place: Place) -> None:
    def var(name: str, **more: object) -> Json:
        return {"name": name.upper(), "valueFrom": {"secretKeyRef": {"name": name, "key": "a", **more}}}

    text = app("poor", web(env=[var("login"), var("maybe", optional=True)]))
    ran = place.run("plan", "-f", "-", stdin=text)
    assert "Warning: App poor: there is no Secret login" in ran.stderr
    assert "maybe" not in ran.stderr
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"a": "b"}}
    both = yaml.safe_dump_all([secret, json.loads(text)])
    assert "Warning" not in place.run("plan", "-f", "-", stdin=both).stderr


def test_plan_of_a_changed_configmap_names_the_apps_that_use_it(place: Place) -> None:
    def settings(value: str) -> str:
        head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colours"}}
        return json.dumps(head | {"data": {"a": value}})

    place.ok("apply", "-f", "-", stdin=settings("red"))
    user = app("user", web(envFrom=[{"configMapRef": {"name": "colours"}}]), web(name="other"))
    place.ok("apply", "-f", "-", stdin=user)
    assert place.ok("plan", "-f", "-", stdin=settings("red")) == "ConfigMap colours: nothing to do.\n"
    said = place.ok("plan", "-f", "-", stdin=settings("blue"))
    assert "update     user/web  contents of ConfigMap colours changed" in said
    assert "user/other" not in said
