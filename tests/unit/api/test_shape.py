"""What is written otherwise than it should be: where, what is wrong, what was probably meant."""

# ruff: noqa: E501  a message on one line is found by searching for it
from __future__ import annotations

import pytest

from iotistic.api.documents import check_documents
from iotistic.api.errors import InvalidResourceError
from tests.unit.api.writing import app, app_text, said, said_of

WEB = "services:\n- name: web\n  image: web:1\n"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("imagee: web:2", "imagee: unknown field; did you mean image?"),
        ("depends_on: {}", "depends_on: unknown field; did you mean dependsOn?"),
        ("restart: always", "restart: unknown field; did you mean restartPolicy?"),
        ("environment: {}", "environment: unknown field; did you mean env?"),
        ("volumes: []", "volumes: unknown field; did you mean volumeMounts?"),
        ("cap_add: []", "cap_add: unknown field; did you mean securityContext.capabilities.add?"),
        ("zzz: 1", "zzz: unknown field"),
        (
            "logging: {colour: red}",
            "logging.colour: unknown field; known: driver, options",
        ),
        ("ports: [{containerPort: x}]", "ports[0].containerPort: expected a whole number from 1 to 65535, got 'x'"),
        ("ports: [{containerPort: 0}]", "ports[0].containerPort: expected a whole number from 1 to 65535, got 0"),
        ("ports: [{containerPort: true}]", "ports[0].containerPort: expected a whole number from 1 to 65535, got true"),
        ("ports: [{containerPort: 80.5}]", "ports[0].containerPort: expected a whole number from 1 to 65535, got 80.5"),
        (
            "ports: [{containerPort: '80'}]",
            "ports[0].containerPort: expected a whole number from 1 to 65535, got '80'; write it without quotes",
        ),
        ("ports: [{}]", "ports[0].containerPort: is missing"),
        (
            "ports: ['8080:80']",
            "ports[0]: expected a mapping, got '8080:80'; write  ports: [{containerPort: 80, hostPort: 8080}]",
        ),
        ("ports: [{containerPort: 80, protocol: tcp}]", "ports[0].protocol: expected one of TCP, UDP, got 'tcp'; did you mean TCP?"),
        ("restartPolicy: never", "restartPolicy: expected one of Always, OnFailure, Never, got 'never'; did you mean Never?"),
        ("env: [{name: A, value: 8080}]", "env[0].value: expected text, got 8080; put it in quotes"),
        ("env: [{name: A, value: yes}]", "env[0].value: expected text, got true; put it in quotes"),
        ("env: [{name: A, value: 1.10}]", "env[0].value: expected text, got 1.1; put it in quotes"),
        ("env: [{name: A=B}]", "env[0].name: expected a name without '=', got 'A=B'"),
        ("env: {A: b}", "env: expected a list, got a mapping; write  env: [{name: NAME, value: 'text'}]"),
        ("env: [{name: A, value: b, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "env[0]: value and valueFrom exclude each other"),
        ("env: [{name: A, valueFrom: {}}]", "env[0].valueFrom: exactly one of secretKeyRef and configMapKeyRef is needed"),
        ("dependsOn: [db]", "dependsOn: expected a mapping, got a list; write  dependsOn: {db: started}"),
        ("command: sh -c ls", "command: expected a list, got 'sh -c ls'; write  command: [sh, -c, 'text']"),
        ("command: [sleep, 10]", "command[1]: expected text, got 10; put it in quotes"),
        ("labels: {a: }", "labels.a: expected text, got nothing"),
        ("resources: {limits: {memory: 64MB}}", "resources.limits.memory: '64MB' is no quantity: expected like 64Mi, 0.5 or 500m"),
        ("resources: {limits: {memory: 1e99}}", "resources.limits.memory: expected an amount like 64Mi or 67108864, got 1e+99"),
        ("resources: {limits: {cpu: true}}", "resources.limits.cpu: expected an amount like 500m or 0.5, got true"),
        ("resources: {limits: {cpu: -1}}", "resources.limits.cpu: -1 is no quantity: expected like 64Mi, 0.5 or 500m"),
        ("stopGracePeriod: soon", "stopGracePeriod: 'soon' is no duration: expected like 10, 10s or 1m30s"),
        ("stopGracePeriod: -1", "stopGracePeriod: -1 is no sensible duration: expected from 0 to ten years"),
        ("stopGracePeriod: .nan", "stopGracePeriod: is no number that can be written down"),
        ("readinessProbe: {}", "readinessProbe: exactly one of httpGet, tcpSocket and exec is needed"),
        (
            "readinessProbe: {httpGet: {port: 70000}}",
            "readinessProbe.httpGet.port: expected a port from 1 to 65535, or the name of one, got 70000",
        ),
        ("readinessProbe: {exec: {command: []}}", "readinessProbe.exec.command: needs at least one entry"),
        ("devices: [ttyUSB0]", "devices[0]: expected a device like /dev/ttyUSB0 or /dev/a:/dev/b:rwm, got 'ttyUSB0'"),
        ("tmpfs: [/tmp]", "tmpfs[0]: expected a mapping, got '/tmp'; write  tmpfs: [{mountPath: /tmp}]"),
        ("tmpfs: [{mountPath: tmp}]", "tmpfs[0].mountPath: expected an absolute path like /data, got 'tmp'"),
        ("hostname: My_Host", "hostname: expected a name of lower case letters, digits and '-', at most 63, got 'My_Host'"),
        ("networks: {B_d: {}}", "networks.B_d: expected a name of lower case letters, digits and '-', got 'B_d'"),
        ("networks: [front]", "networks: expected a mapping, got a list; write  networks: {back: {}}  in a service, and  networks: [{name: back}]  in the App"),
        ("extraHosts: [db]", "extraHosts[0]: expected a name and an address like db:10.0.0.7, got 'db'"),
        ("securityContext: {runAsUser: -1}", "securityContext.runAsUser: expected a whole number from 0, got -1"),
        ("securityContext: {runAsGroup: 5}", "securityContext: runAsGroup needs runAsUser"),
        ("serviceId: 0", "serviceId: expected a whole number from 1, got 0"),
        ('workingDir: "/a\\0b"', "workingDir: has a zero character, which ends text for the system"),
        ('workingDir: "/\\ud800"', ""),
    ],
)  # fmt: skip
def test_one_wrong_line_of_a_service(line: str, problem: str) -> None:
    found = said_of(f"{WEB}  {line}")
    assert found == ([f"spec.services[0].{problem}"] if problem else [])


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("WEB:1", "repository 'WEB' must be lower case"),
        ("'web:'", "bad tag '': letters, digits, '_', '.' and '-', at most 128"),
        ("web@sha1", "bad digest 'sha1': expected like sha256:0123..."),
        ("'web 1'", "bad repository 'web 1': expected like team/web"),
        ("https://registry/web", "bad registry 'https:': expected HOST or HOST:PORT"),
        ("''", "empty, or with spaces around it"),
        ("1", "expected an image like web:1, got 1"),
    ],
)
def test_names_of_images(image: str, problem: str) -> None:
    assert said_of(f"services: [{{name: web, image: {image}}}]") == [f"spec.services[0].image: {problem}"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("services: []", "spec.services: needs at least one entry"),
        ("{}", "spec.services: is missing"),
        ("services: {web: {image: a}}", "spec.services: expected a list, got a mapping; write  services: [{name: web, image: 'web:1'}]"),
        (f"{WEB}release: 1.0", "spec.release: expected text of at most 63 characters or a whole number from 1, got 1.0; put it in quotes"),
        (f"{WEB}deletionPolicy: delete", "spec.deletionPolicy: expected one of Retain, Delete, got 'delete'; did you mean Delete?"),
        (f"{WEB}suspend: 'yes'", "spec.suspend: expected true or false, got 'yes'"),
        (f"{WEB}appId: '7'", "spec.appId: expected a whole number from 1, got '7'; write it without quotes"),
        (f"{WEB}update: {{progressDeadlineSeconds: 0}}", "spec.update.progressDeadlineSeconds: expected a whole number from 1, got 0"),
        (f"{WEB}volumes: [{{name: v, secret: {{secretName: s}}, hostPath: {{path: /a}}}}]", "spec.volumes[0]: only one of secret, configMap and hostPath"),
        (f"{WEB}volumes: [{{name: v, secret: {{secretName: s}}, size: 1Gi}}]", "spec.volumes[0]: driver, driverOpts, size and storageClass are for volumes without another source"),
        (f"{WEB}volumes: [{{name: v, configMap: {{name: c, items: [{{key: k, path: /etc}}]}}}}]", "spec.volumes[0].configMap.items[0].path: expected a relative path like conf/app.ini, got '/etc'"),
        (f"{WEB}volumes: [{{name: v, hostPath: {{path: data}}}}]", "spec.volumes[0].hostPath.path: expected an absolute path like /var/lib/data, got 'data'"),
    ],
)  # fmt: skip
def test_one_wrong_line_of_a_spec(spec: str, problem: str) -> None:
    assert said_of(spec) == [problem]


def test_a_misspelt_field_is_not_missing_as_well() -> None:
    assert said_of("services: [{name: web, imgae: web:1}]") == [
        "spec.services[0].imgae: unknown field; did you mean image?"
    ]
    assert said_of("services: [{name: web}]") == ["spec.services[0].image: is missing"]


def test_everything_at_once_in_the_order_of_the_file() -> None:
    text = (
        app_text(
            "services:\n- name: api\n  image: api:1\n- name: web\n  imgae: web:1\n  ports: [{containerPort: x}]\n"
            "  dependsOn: {dbb: started}\n- name: db\n  image: db:1\n  volumeMounts: [{name: dta, mountPath: /data}]\n"
            "volumes: [{name: data}]"
        ).replace("name: shop", "name: Shop")
        + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {a: '!'}\n"
    )
    assert said(text, "shop.yaml") == [
        "shop.yaml:3  App Shop  metadata.name: expected a name of lower case letters, digits and '-' that begins "
        "with a letter, at most 63, got 'Shop'",
        "shop.yaml:9  App Shop  spec.services[1].imgae: unknown field; did you mean image?",
        "shop.yaml:10  App Shop  spec.services[1].ports[0].containerPort: expected a whole number from 1 to 65535, "
        "got 'x'",
        'shop.yaml:11  App Shop  spec.services[1].dependsOn.dbb: no service "dbb" in this App (services: api, db, web); '
        "did you mean db?",
        'shop.yaml:14  App Shop  spec.services[2].volumeMounts[0].name: no volume "dta" in this App (volumes: data); '
        "did you mean data?",
        "shop.yaml:20  Secret db  data.a: is not base64; plain text goes under stringData (ConfigMap: data)",
    ]


def test_null_is_absent_as_in_kubernetes() -> None:
    found = app(f"release:\nvolumes:\n{WEB}  env:\n  - {{name: A, value: }}\n  networks: {{default: }}")
    assert found.wire()["spec"] == {
        "services": [{"name": "web", "image": "web:1", "env": [{"name": "A"}], "networks": {"default": None}}]
    }
    assert said_of("services:\n- name:\n  image: web:1") == ["spec.services[0].name: is missing"]


def test_what_a_server_adds_is_taken_and_status_is_ignored() -> None:
    text = app_text(WEB) + "status: {anything: [at, all]}\n"
    text = text.replace(
        "{name: shop}",
        "{name: shop, namespace: prod, uid: a, generation: 3, resourceVersion: '7', creationTimestamp: null, "
        "managedFields: [{}], finalizers: [], annotations: {a.b/c: d}}",
    )
    assert said(text) == []


def test_bodies_are_checked_as_files_are() -> None:
    body = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App", "metadata": {"name": "shop"}}
    with pytest.raises(InvalidResourceError) as caught:
        check_documents(
            [{**body, "spec": {"services": [{"name": "a", "imgae": "a"}]}}, {"kind": "x"}, [1], body, body]
        )  # type: ignore[list-item]
    assert [problem.text() for problem in caught.value.problems] == [
        "App shop  spec.services[0].imgae: unknown field; did you mean image?",
        "x without a name  kind: 'x' is not known here; known: App (iotistic.io/v1alpha1), Secret (v1), ConfigMap (v1)",
        "document 3: is a list, not a mapping with apiVersion, kind and metadata",
        "App shop  spec: is missing",
        "App shop  spec: is missing",
        "App shop  metadata.name: is there twice; keep one of them",
        "App shop  metadata.name: is there twice; keep one of them",
    ]


@pytest.mark.parametrize("field", ["container_port", "hostIp", "host_ip", "ContainerPort"])
def test_only_one_spelling_of_each_field(field: str) -> None:
    (problem,) = said_of(f"{WEB}  ports: [{{containerPort: 80, {field}: 80}}]")
    assert problem.startswith(f"spec.services[0].ports[0].{field}: unknown field; did you mean ")
