"""A cluster as tests use it: kubectl for what people type, requests for what must be quick or exact."""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
import kubernetes.client
import kubernetes.config
import yaml

BIN = Path(__file__).parents[2] / ".cache" / "cluster" / "bin"
GROUP_PATH = "/apis/iotistic.io/v1alpha1"
T = TypeVar("T")
PATIENCE_SECONDS = 120.0
"""For what takes a second on an idle machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said."""

    status: int
    body: Any = field(repr=False)
    warnings: str = ""

    @property
    def message(self) -> str:
        """Its words, when it refused."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else str(self.body)


@dataclass(frozen=True)
class Kube:
    """One cluster."""

    kubeconfig: str

    @property
    def kubectl_path(self) -> str:
        """The cluster's own kubectl, else the machine's."""
        return str(BIN / "kubectl") if (BIN / "kubectl").exists() else "kubectl"

    def kubectl(self, *words: str | Path, stdin: str = "", seconds: float = 180) -> str:
        """Run kubectl; what it printed. Raises: AssertionError with its words when it fails."""
        ran = self.try_kubectl(*words, stdin=stdin, seconds=seconds)
        assert ran.returncode == 0, f"kubectl {' '.join(map(str, words))}: {ran.stderr}"
        return ran.stdout

    def try_kubectl(
        self, *words: str | Path, stdin: str = "", seconds: float = 180
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl, whatever becomes of it."""
        command = [self.kubectl_path, "--kubeconfig", self.kubeconfig, *map(str, words)]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
        )

    def apply(self, *documents: Mapping[str, Any] | str, namespace: str) -> str:
        """`kubectl apply` documents or YAML texts."""
        texts = [one if isinstance(one, str) else yaml.safe_dump(dict(one)) for one in documents]
        return self.kubectl("apply", "-n", namespace, "-f", "-", stdin="\n---\n".join(texts))

    def get(self, kind: str, name: str, namespace: str) -> Any:
        """The object; None when there is none."""
        ran = self.try_kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    def items(self, kind: str, namespace: str, selector: str = "") -> list[Any]:
        """All objects of a kind in a namespace, those with the labels only."""
        words = ["-l", selector] if selector else []
        return list(json.loads(self.kubectl("get", kind, "-n", namespace, "-o", "json", *words))["items"])

    def make_namespace(self, prefix: str = "t") -> str:
        """A new namespace with a name that nobody else has, in which pods may be made."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        self.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=120s")
        return name

    def remove_namespace(self, name: str) -> None:
        """Begin to remove it; what is in it goes in the background."""
        self.try_kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: str = "application/json",
        **query: str,
    ) -> Answer:
        """One request, as any client may send it.

        Args:
            content: media type of the body.
            query: parameters of the address, such as `fieldValidation`.
        """
        sent = None if body is None else json.dumps(body)
        answer = self._client.request(
            method, path, content=sent, headers={"Content-Type": content}, params=query
        )
        try:
            parsed = answer.json()
        except ValueError:
            parsed = answer.text
        return Answer(answer.status_code, parsed, answer.headers.get("Warning", ""))

    def until_served(self, plural: str) -> None:
        """A new kind is served some moments after its definition is established."""
        until(
            lambda: self.request("GET", f"{GROUP_PATH}/{plural}", limit="1").status == 200, f"{plural} served"
        )

    @cached_property
    def _client(self) -> httpx.Client:
        found = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(self.kubeconfig, client_configuration=found)
        tls = ssl.create_default_context(cafile=found.ssl_ca_cert)
        if not found.verify_ssl:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        if found.cert_file:
            tls.load_cert_chain(found.cert_file, found.key_file)
        token = found.api_key.get("BearerToken") or found.api_key.get("authorization") or ""
        headers = {"Accept": "application/json"} | ({"Authorization": token} if token else {})
        return httpx.Client(base_url=found.host, verify=tls, headers=headers, timeout=60, trust_env=False)


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` gives once it is true. Raises: AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)
