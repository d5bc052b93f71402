"""The chart as it is rendered: what it takes, what it makes, and what the API server says of that."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from iotctl.cluster.about import release_of, watches
from tests.cluster.helm import CHART, VERSION, Helm, helm_path
from tests.cluster.kube import Kube
from tests.cluster.reaching import ROOT, missing

NAMES = ("first", "second")


@pytest.fixture(scope="module", autouse=True)
def there_is_helm() -> None:
    if not helm_path():
        missing("no helm (hack/cluster-tools helm, or your distribution's package)")


def rendered(values: str = "", namespace: str = "iotistic") -> list[dict[str, Any]]:
    """The objects that an install would make, those of `helm test` too."""
    ran = Helm("", namespace).attempt("template", "edge", CHART, "--kube-version", "1.34.0", values=values)
    assert ran.returncode == 0, ran.stderr
    return [one for one in yaml.safe_load_all(ran.stdout) if one]


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in objects if one["kind"] == kind]


def container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (deployment,) = of_kind(objects, "Deployment")
    (one,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(one)


def environment(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(objects)["env"]}


EVERYTHING = """
image: {repository: 'registry.example:5000/edge/iotistic-edge', tag: '1.2', pullPolicy: Always}
imagePullSecrets: [{name: login}]
proxy: {http: 'http://proxy:3128', https: 'http://proxy:3128', noProxy: .local}
privateCA: {configMap: ca, key: root.crt}
log: {format: text, level: debug}
health: {host: '::', port: 9090}
dns: {servers: [10.43.0.10], domain: edge.local}
serviceAccount: {name: mine, annotations: {a: b}}
podAnnotations: {prometheus.io/scrape: 'true'}
podLabels: {team: edge}
nodeSelector: {kubernetes.io/arch: arm64}
tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]
affinity: {nodeAffinity: {}}
priorityClassName: system-cluster-critical
networkPolicy: {apiPorts: [6443]}
"""


def test_it_has_no_faults_that_lint_knows() -> None:
    ran = Helm("").attempt("lint", "--strict", CHART)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("replicas: 2", "replicas"),
        ("replicaCount: 2", "replicaCount"),
        ("image: {repo: x}", "repo"),
        ("image: {repository: ''}", "repository"),
        ("image: {pullPolicy: Sometimes}", "pullPolicy"),
        ("image: {digest: abc}", "digest"),
        ("layout: sidecars", "layout"),
        ("watchNamespaces: shop", "watchNamespaces"),
        ("watchNamespaces: [Shop]", "watchNamespaces"),
        ("watchNamespaces: [a, a]", "watchNamespaces"),
        ("crds: {enable: false}", "enable"),
        ("health: {port: 0}", "port"),
        ("log: {level: loud}", "level"),
        ("resources: {limits: {memory: much}}", "memory"),
        ("networkPolicy: {apiPorts: []}", "apiPorts"),
        ("imagePullSecrets: [login]", "imagePullSecrets"),
        ("image: {repository: 'https://registry.example/edge'}", "repository"),
        ("registryOverride: https://mirror.example", "registryOverride"),
        ("registryOverride: mirror.example//all", "registryOverride"),
        ("health: {host: localhost}", "host"),
    ],
)
def test_values_that_it_does_not_know_are_refused(values: str, words: str) -> None:
    ran = Helm("").attempt("template", "edge", CHART, values=values)
    assert ran.returncode != 0
    assert "values don't meet the specifications of the schema" in ran.stderr
    assert words in ran.stderr


def test_one_operator_never_two() -> None:
    (deployment,) = of_kind(rendered(), "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    one = container([deployment])
    assert one["command"] == ["iotistic-edge", "operator"]
    assert one["image"] == "iotistic-edge:0.1.0"
    assert one["resources"] == {
        "requests": {"cpu": "10m", "memory": "80Mi"},
        "limits": {"memory": "256Mi"},
    }
    assert {one[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/healthz"}
    assert one["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    assert one["securityContext"]["readOnlyRootFilesystem"] is True


def test_rights_are_listed_verb_by_verb() -> None:
    objects = rendered()
    roles = [*of_kind(objects, "ClusterRole"), *of_kind(objects, "Role")]
    assert len(roles) == 4
    for role in roles:
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
    (operator,) = [role for role in roles if role["metadata"]["name"] == "iotistic-edge-iotistic-edge"]
    may = {
        (resource, verb)
        for rule in operator["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert ("apps", "delete") not in may
    assert ("nodes", "list") not in may
    assert ("pods/exec", "create") not in may


def test_with_namespaces_named_it_has_no_rights_elsewhere() -> None:
    objects = rendered("watchNamespaces: [first, second]\nrbac: {aggregate: false}")
    assert of_kind(objects, "ClusterRole") == of_kind(objects, "ClusterRoleBinding") == []
    roles = [
        one for one in of_kind(objects, "Role") if one["metadata"]["name"] == "iotistic-edge-iotistic-edge"
    ]
    assert [role["metadata"]["namespace"] for role in roles] == list(NAMES)
    assert environment(objects)["WATCH_NAMESPACES"] == "first,second"
    (test_role,) = [one for one in of_kind(objects, "Role") if one not in roles]
    assert test_role["metadata"]["namespace"] == "first"


def test_no_list_of_namespaces_is_all_of_them() -> None:
    assert rendered("watchNamespaces: null") == rendered("watchNamespaces: []")


@pytest.mark.parametrize(
    ("values", "place", "other"),
    [
        ("", "shop", "first"),
        ("watchNamespaces: null", "shop", "first"),
        ("watchNamespaces: [first, second]", "first", "shop"),
    ],
)
def test_what_it_says_in_the_end_can_be_typed(api_server: Kube, values: str, place: str, other: str) -> None:
    ran = Helm(api_server.kubeconfig).attempt(
        "install", "edge", CHART, "--dry-run=client", "--take-ownership", values=values
    )
    assert ran.returncode == 0, ran.stderr
    notes = ran.stdout.partition("NOTES:")[2]
    assert f"kubectl -n {place} apply -f app.yaml" in notes
    assert f"kubectl -n {place} get apps,appservices" in notes
    assert f"-n {other}" not in notes
    assert ("kubectl create namespace" in notes) is ("first" not in values)
    assert "\n\n\n" not in notes


def test_iotctl_reads_from_its_deployment_what_it_watches() -> None:
    for values, watched in (
        ("", True),
        ("watchNamespaces: [shop]", True),
        ("watchNamespaces: [first]", False),
    ):
        (deployment,) = of_kind(rendered(values), "Deployment")
        assert watches(deployment, "shop") is watched
    assert release_of(deployment) == {
        "release": "edge",
        "namespace": "iotistic",
        "deployment": "edge-iotistic-edge",
    }


def test_definitions_stay_when_it_goes() -> None:
    kept = of_kind(rendered(), "CustomResourceDefinition")
    assert [one["metadata"]["name"] for one in kept] == ["apps.iotistic.io", "appservices.iotistic.io"]
    assert {one["metadata"]["annotations"]["helm.sh/resource-policy"] for one in kept} == {"keep"}
    gone = of_kind(rendered("crds: {keep: false}"), "CustomResourceDefinition")
    assert [one["metadata"].get("annotations") for one in gone] == [None, None]
    assert of_kind(rendered("crds: {enabled: false}"), "CustomResourceDefinition") == []


def test_definitions_are_those_of_the_models() -> None:
    for made in of_kind(rendered(), "CustomResourceDefinition"):
        plural = made["spec"]["names"]["plural"]
        assert made["spec"] == yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())["spec"]


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ("image: {tag: dev}", "iotistic-edge:dev"),
        ("image: {repository: 'registry.example:5000/edge'}", "registry.example:5000/edge:0.1.0"),
        ("registryOverride: '[fd00::1]:5000/all/'", "[fd00::1]:5000/all/library/iotistic-edge:0.1.0"),
        (f"image: {{digest: 'sha256:{'0' * 64}'}}", f"iotistic-edge@sha256:{'0' * 64}"),
        ("registryOverride: mirror.example:5000/all", "mirror.example:5000/all/library/iotistic-edge:0.1.0"),
        (
            "registryOverride: mirror.example\nimage: {repository: 'registry.example/edge/operator'}",
            "mirror.example/edge/operator:0.1.0",
        ),
    ],
)
def test_its_image_comes_from_where_it_is_told(values: str, image: str) -> None:
    assert container(rendered(values))["image"] == image


def test_what_it_is_told_reaches_the_operator() -> None:
    objects = rendered(EVERYTHING)
    told = environment(objects)
    assert told["HTTPS_PROXY"] == told["HTTP_PROXY"] == "http://proxy:3128"
    assert told["NO_PROXY"] == ".local"
    assert told["SSL_CERT_FILE"] == "/etc/iotistic/ca/root.crt"
    assert told["CLUSTER_DNS"] == "10.43.0.10"
    assert (told["LOG_FORMAT"], told["LOG_LEVEL"]) == ("text", "debug")
    assert (told["HEALTH_HOST"], told["HEALTH_PORT"]) == ("::", "9090")


def test_its_pods_are_fetched_with_the_logins_named() -> None:
    objects = rendered("imagePullSecrets: [{name: login}, {name: mirror}]\nregistryOverride: mirror.example")
    pods = [one["spec"]["template"]["spec"] for one in of_kind(objects, "Deployment")]
    pods += [one["spec"] for one in of_kind(objects, "Pod")]
    assert len(pods) == 2
    for pod in pods:
        assert pod["imagePullSecrets"] == [{"name": "login"}, {"name": "mirror"}]
        assert {one["image"] for one in pod["containers"]} == {"mirror.example/library/iotistic-edge:0.1.0"}
    assert environment(objects)["REGISTRY_OVERRIDE"] == "mirror.example"
    for objects in (rendered(), rendered("imagePullSecrets: []")):
        (deployment,) = of_kind(objects, "Deployment")
        assert "imagePullSecrets" not in deployment["spec"]["template"]["spec"]


def test_the_manifest_for_k3s_has_values_that_it_takes() -> None:
    text = (ROOT / "docs" / "k3s-helmchart.yaml").read_text()
    _, manifest = yaml.safe_load_all(text)
    assert manifest["spec"]["chart"].endswith(f"/{CHART.name}-{VERSION}.tgz")
    assert container(rendered(manifest["spec"]["valuesContent"]))["image"] == "iotistic-edge:dev"


@pytest.fixture
def places(api_server: Kube) -> Iterator[list[str]]:
    """Two namespaces, the first with restricted pod security."""
    made = [f"chart-{secrets.token_hex(4)}" for _ in range(2)]
    for name in made:
        api_server.kubectl("create", "namespace", name)
    api_server.kubectl("label", "namespace", made[0], "pod-security.kubernetes.io/enforce=restricted")
    yield made
    for name in made:
        api_server.remove_namespace(name)


@pytest.mark.parametrize("values", ["", EVERYTHING, "watchNamespaces: [first, second]"])
def test_the_api_server_takes_all_of_it(api_server: Kube, places: list[str], values: str) -> None:
    for name, place in zip(NAMES, places, strict=True):
        values = values.replace(name, place)
    text = yaml.safe_dump_all(rendered(values, places[0]))
    refused = api_server.try_kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=text
    )
    # The pod of `helm test` names an account that a dry run does not make.
    complaints = [line for line in refused.stderr.splitlines() if "serviceaccount" not in line]
    assert complaints == []


def test_its_pods_keep_to_restricted_pod_security(api_server: Kube, places: list[str]) -> None:
    objects = rendered(EVERYTHING, places[0])
    (deployment,) = of_kind(objects, "Deployment")
    template = deployment["spec"]["template"]
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": template["spec"]}]
    pods += of_kind(objects, "Pod")
    for pod in pods:
        account = pod["spec"]["serviceAccountName"]
        api_server.kubectl("create", "serviceaccount", account, "-n", places[0])
        pod["metadata"].pop("annotations", None)
        pod["spec"].pop("priorityClassName", None)
        printed = api_server.kubectl(
            "create", "--dry-run=server", "-n", places[0], "-f", "-", stdin=yaml.safe_dump(pod)
        )
        assert "created (server dry run)" in printed
