"""What stands between a request and the cluster in one namespace, as policy engines put it there: a webhook
that changes what is written, one that is down, a policy that says no."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.cluster.kube import Answer, Kube, until

Patches = Mapping[str, Sequence[Mapping[str, Any]]]
"""JSON patches by kind."""
ADMISSION = "admissionregistration.k8s.io/v1"
CREATED = 201
RULES = [("apps", "deployments"), ("batch", "jobs"), ("", "pods")]


class Webhook(ThreadingHTTPServer):
    """Answers each review of a kind with the same patch."""

    daemon_threads = True

    def __init__(self, folder: Path, patches: Patches) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.patches = patches
        self.asked: list[str] = []
        """Operation and kind of each review."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.socket = tls.wrap_socket(self.socket, server_side=True)


class _Answering(BaseHTTPRequestHandler):
    server: Webhook
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        self.server.asked.append(f"{request['operation']} {request['kind']['kind']}")
        patch = json.dumps(self.server.patches.get(request["kind"]["kind"], []))
        response = {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch"}
        response["patch"] = base64.b64encode(patch.encode()).decode()
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        body = json.dumps(review | {"response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def webhook(kube: Kube, namespace: str, folder: Path, patches: Patches) -> Iterator[Webhook]:
    """One that the API server asks already."""
    _certificate(folder)
    server = Webhook(folder, patches)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        kube.kubectl("apply", "-f", "-", stdin=json.dumps(_configuration(server, namespace, folder)))
        until(lambda: _asks(kube, server, namespace), "the API server asks the webhook")
        yield server
    finally:
        kube.try_kubectl("delete", "mutatingwebhookconfiguration", namespace, "--ignore-not-found")
        server.shutdown()
        server.server_close()


@contextmanager
def webhook_down(kube: Kube, namespace: str) -> Iterator[None]:
    """One that has to be asked about Deployments, and answers nobody; at the end it is gone."""
    hook = {
        "name": "down.test.iotistic.io",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [_rule("apps", "deployments", "CREATE", "UPDATE")],
        "namespaceSelector": _only(namespace),
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
    }
    made = {"apiVersion": ADMISSION, "kind": "ValidatingWebhookConfiguration"}
    kube.apply(made | {"metadata": {"name": namespace}, "webhooks": [hook]}, namespace=namespace)
    try:
        until(lambda: "failed calling webhook" in _try(kube, namespace).message, "the webhook is missed")
        yield
    finally:
        kube.try_kubectl("delete", "validatingwebhookconfiguration", namespace, "--ignore-not-found")
    until(lambda: _try(kube, namespace).status == CREATED, "the webhook is missed no longer")


@contextmanager
def removal_denied(kube: Kube, namespace: str, deployment: str, words: str) -> Iterator[None]:
    """A policy by which nobody may remove Deployments; at the end it is gone."""
    constraints = {
        "namespaceSelector": _only(namespace),
        "resourceRules": [_rule("apps", "deployments", "DELETE")],
    }
    validations = [{"expression": "false", "message": words}]
    policy = {"failurePolicy": "Fail", "matchConstraints": constraints, "validations": validations}
    binding = {"policyName": namespace, "validationActions": ["Deny"]}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"
    head = {"apiVersion": ADMISSION, "metadata": {"name": namespace}}
    kube.apply(
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": policy},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
        namespace=namespace,
    )
    both = "validatingadmissionpolicybinding,validatingadmissionpolicy"

    def denies() -> bool:
        return words in kube.request("DELETE", path, dryRun="All").message

    try:
        until(denies, "the policy counts")
        yield
    finally:
        kube.try_kubectl("delete", both, namespace, "--ignore-not-found")
    until(lambda: not denies(), "the policy counts no longer")


def _asks(kube: Kube, server: Webhook, namespace: str) -> bool:
    """Some moments pass before a new configuration counts."""
    _try(kube, namespace)
    return bool(server.asked)


def _try(kube: Kube, namespace: str) -> Answer:
    """What is answered to a Deployment that is not made after all."""
    container = {"name": "a", "image": "a"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    probe = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    return kube.request("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", probe, dryRun="All")


def _rule(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": ["v1"], "operations": list(verbs), "resources": [resource]}


def _only(namespace: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def _configuration(server: Webhook, namespace: str, folder: Path) -> dict[str, Any]:
    authority = base64.b64encode((folder / "tls.crt").read_bytes()).decode()
    return {
        "apiVersion": ADMISSION,
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [
            {
                "name": "changes.test.iotistic.io",
                "clientConfig": {"url": f"https://127.0.0.1:{server.server_port}/", "caBundle": authority},
                "rules": [_rule(group, resource, "CREATE", "UPDATE") for group, resource in RULES],
                "namespaceSelector": _only(namespace),
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 5,
            }
        ],
    }


def _certificate(folder: Path) -> None:
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run(
        [*made, "-keyout", "tls.key", "-out", "tls.crt"], cwd=folder, check=True, capture_output=True
    )
