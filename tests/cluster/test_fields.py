"""Every field of a service that Kubernetes has: what is so inside its pod."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from iotistic.engines.kubernetes.networking import has_service, names_slice, spoken_of_pods
from iotistic.engines.kubernetes.pulls import pull_pod, pulled
from iotistic.engines.kubernetes.render import render
from iotistic.engines.kubernetes.values import Dns, Object, PodAddress, PullPhase, PullState, RenderContext
from tests.cluster.kube import Kube, until
from tests.unit.engines_kubernetes.shop import app_of

IMAGE = "iotistic/busybox:1"
SLEEP = {"image": IMAGE, "command": ["sh", "-c"], "args": ["trap 'exit 0' TERM; sleep 100000 & wait"]}
SERVE = (
    "trap 'exit 0' TERM; mkdir -p /tmp/www; echo $WORD >/tmp/www/index.html; "
    "httpd -f -p 80 -h /tmp/www & wait"
)
PATIENCE_SECONDS = 300.0


def serving(name: str, **fields: Any) -> dict[str, Any]:
    """A service that answers with its name on port 80."""
    env = [{"name": "WORD", "value": name}]
    return SLEEP | {"name": name, "args": [SERVE], "env": env} | fields


FIELDS = app_of(
    SLEEP
    | {
        "name": "rich",
        "workingDir": "/srv",
        "env": [
            {"name": "A", "value": "one"},
            {"name": "B", "value": "$(A) and $$(A)"},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}},
            {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k", "optional": True}}},
        ],
        "envFrom": [{"prefix": "C_", "configMapRef": {"name": "conf"}}],
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "data", "mountPath": "/again", "readOnly": True},
            {"name": "files", "mountPath": "/files"},
        ],
        "tmpfs": [{"mountPath": "/scratch", "size": "4Mi"}],
        "hostname": "front",
        "extraHosts": ["printer:10.0.0.9"],
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        "resources": {"limits": {"memory": "48Mi", "cpu": "500m"}},
        "securityContext": {
            "runAsUser": 1000,
            "runAsGroup": 1001,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "livenessProbe": {"exec": {"command": ["true"]}},
        "readinessProbe": {"exec": {"command": ["test", "-e", "/scratch"]}, "periodSeconds": 1},
    },
    serving("web", ports=[{"name": "http", "containerPort": 80}], networks={"default": {"aliases": ["WWW"]}}),
    serving("plain", networks={"default": {"aliases": ["simple"]}}),
    SLEEP
    | {
        "name": "strong",
        "securityContext": {"privileged": True},
        "devices": ["/dev/null", "/dev/zero:/dev/nothing-else"],
    },
    SLEEP | {"name": "lonely", "networkMode": "none"},
    SLEEP | {"name": "onhost", "networkMode": "host"},
    name="fields",
    volumes=[{"name": "data", "size": "8Mi"}, {"name": "files", "secret": {"secretName": "login"}}],
)
RESTRICTED = app_of(
    SLEEP
    | {
        "securityContext": {
            "runAsUser": 1000,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "files", "mountPath": "/files"}],
        "tmpfs": [{"mountPath": "/tmp"}],
    },
    name="modest",
    volumes=[{"name": "files", "secret": {"secretName": "login", "optional": True}}],
)


class Pods:
    """An App's objects on the cluster, without an operator."""

    def __init__(self, kube: Kube, context: RenderContext) -> None:
        self.kube = kube
        self.context = context

    def up(self, shop: Any) -> None:
        """Apply all its objects and wait for its pods."""
        made = render(shop, self.context)
        self._apply(*(one for one in made.objects if one["kind"] != "AppService"))
        for workload in made.workloads.values():
            until(
                lambda w=workload: self._is_ready(w),
                f"{workload['metadata']['name']} ready",
                PATIENCE_SECONDS,
            )
        addresses = {
            service.name: self.kube.get("service", f"{shop.name}-{service.name}", self.context.namespace)[
                "spec"
            ]["clusterIP"]
            for service in shop.spec.services
            if has_service(service)
        }
        pods = {
            service.name: [PodAddress(address=self.pod(service.name)["status"]["podIP"])]
            for service in shop.spec.services
            if spoken_of_pods(shop, service)
        }
        self._apply(names_slice(shop, self.context, addresses, pods))

    def pod(self, service: str) -> Any:
        """The pod of a service."""
        [pod] = self.kube.items("pods", self.context.namespace, f"iotistic.io/service={service}")
        return pod

    def run(self, service: str, command: str) -> str:
        """What a command prints inside a service's pod."""
        name = self.pod(service)["metadata"]["name"]
        words = ("exec", "-n", self.context.namespace, name, "--", "sh", "-c", f"{command} 2>&1 || true")
        return self.kube.kubectl(*words).strip()

    def asks(self, service: str, address: str) -> str:
        """What another service answers."""
        return until(
            lambda: self.run(service, f"timeout 5 wget -qO - {address}"), f"{address} from {service}"
        )

    def _apply(self, *objects: Object) -> None:
        self.kube.apply(*objects, namespace=self.context.namespace)

    def _is_ready(self, workload: Object) -> bool:
        seen = self.kube.get(workload["kind"], workload["metadata"]["name"], self.context.namespace)
        return bool(seen.get("status", {}).get("readyReplicas"))


@pytest.fixture(scope="module")
def pods(cluster: Kube) -> Iterator[Pods]:
    namespace = cluster.make_namespace("fields")
    dns = Dns(nameservers=(cluster.get("service", "kube-dns", "kube-system")["spec"]["clusterIP"],))
    found = Pods(cluster, RenderContext(namespace=namespace, dns=dns))
    login = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login"},
        "stringData": {"user": "ann"},
    }
    conf = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"mode": "fast"}}
    cluster.apply(login, conf, namespace=namespace)
    found.up(FIELDS)
    yield found
    cluster.remove_namespace(namespace)


@pytest.mark.parametrize(
    ("service", "command", "expected"),
    [
        ("rich", "pwd", "/srv"),
        ("rich", 'echo "$A, $B, $S, ${NONE:-none}, $C_mode"', "one, one and $(A), ann, none, fast"),
        ("rich", "hostname", "front"),
        ("rich", "id -u; id -g", "1000\n1001"),
        ("rich", "cat /files/user; stat -L -c %a /files/user", "ann444"),
        ("rich", "(echo x >/files/user) 2>/dev/null || echo no", "no"),
        ("rich", "echo x >/data/x && cat /again/x", "x"),
        ("rich", "(echo x >/again/y) 2>/dev/null || echo no", "no"),
        ("rich", "(echo x >/x) 2>/dev/null || echo no", "no"),
        ("rich", "df -k /scratch | tail -1 | awk '{print $2}'", "4096"),
        ("rich", "grep -c '10.0.0.9.*printer' /etc/hosts", "1"),
        ("rich", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
        (
            "rich",
            "grep -E 'NoNewPrivs|CapEff|^Seccomp:' /proc/self/status | awk '{print $2}'",
            "0000000000000000\n1\n2",
        ),
        ("rich", "env | grep -c FIELDS_WEB", "0"),
        ("rich", "ls /var/run/secrets/kubernetes.io 2>/dev/null || echo none", "none"),
        ("strong", "test -c /dev/null && test -c /dev/nothing-else && echo yes", "yes"),
        ("strong", "head -c 4 /dev/nothing-else | wc -c", "4"),
        ("lonely", "cat /etc/resolv.conf | grep nameserver", "nameserver 127.0.0.1"),
    ],
)
def test_inside(pods: Pods, service: str, command: str, expected: str) -> None:
    assert pods.run(service, command) == expected


@pytest.mark.parametrize("address", ["web", "www", "plain", "simple", "web.fields-names"])
def test_names_inside_an_app(pods: Pods, address: str) -> None:
    expected = "web" if address.startswith("w") else "plain"
    assert pods.asks("rich", f"http://{address}/") == expected


def test_on_the_network_of_the_host(pods: Pods) -> None:
    status = pods.pod("onhost")["status"]
    assert status["podIP"] == status["hostIP"]


def test_limits(pods: Pods) -> None:
    [container] = pods.pod("rich")["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"cpu": "500m", "memory": "48Mi"},
        "requests": {"cpu": "0", "memory": "0"},
    }
    assert pods.pod("rich")["status"]["qosClass"] == "Burstable"


def test_an_app_under_restricted_pod_security(cluster: Kube, pods: Pods) -> None:
    namespace = cluster.make_namespace("restricted")
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    try:
        found = Pods(cluster, replace(pods.context, namespace=namespace))
        found.up(RESTRICTED)
        assert found.run("web", "id -u") == "1000"
        assert _pulled(found, IMAGE).phase is PullPhase.DONE
    finally:
        cluster.remove_namespace(namespace)


def test_an_image_that_is_nowhere(pods: Pods) -> None:
    state = _pulled(pods, f"127.0.0.1:1/none/{secrets.token_hex(3)}:1")
    assert state.phase is PullPhase.FAILED
    assert "127.0.0.1:1" in state.message


def _pulled(pods: Pods, image: str) -> PullState:
    """What becomes of a pull pod under a quota that wants limits."""
    made = pull_pod(app_of({}), replace(pods.context, app_uid=""), image)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "all"},
        "spec": {"hard": {"limits.memory": "10Gi", "requests.cpu": "10", "limits.cpu": "10"}},
    }
    pods.kube.apply(quota, made, namespace=pods.context.namespace)
    name = made["metadata"]["name"]

    def state() -> PullState | None:
        found = pulled(pods.kube.get("pod", name, pods.context.namespace))
        return found if found.phase is not PullPhase.PULLING else None

    found = until(state, f"an end of {name}", PATIENCE_SECONDS)
    assert found is not None
    return found
