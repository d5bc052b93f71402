"""Where the cluster is, and who asks: a kubeconfig as kubectl reads it, or the account of a pod.

Only what clusters on the edge have: certificates, tokens, and a program that gives a token (`exec`).
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from iotctl.exits import BadInputError, CommandError, ExitCode

Json = dict[str, Any]
K3S_FILE = Path("/etc/rancher/k3s/k3s.yaml")
POD_FILES = Path("/var/run/secrets/kubernetes.io/serviceaccount")
EXEC_SECONDS = 30.0
MOST_FILES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One API server, and what to show there. Secrets never leave `repr`."""

    context: str
    """Name of the context in the kubeconfig; `in-cluster` in a pod."""
    source: str
    """File that says so."""
    server: str
    namespace: str = "default"
    ca: str = field(default="", repr=False)
    """PEM of its authority; empty: those of the system."""
    insecure: bool = False
    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    """PEM of the client's certificate; its key likewise."""
    key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


def kubeconfig_files(environment: Mapping[str, str]) -> list[Path]:
    """Kubeconfigs that exist here, in the order in which kubectl merges them."""
    named = environment.get("KUBECONFIG", "")
    if named:
        files = [Path(part).expanduser() for part in named.split(":") if part][:MOST_FILES]
    else:
        files = [Path.home() / ".kube" / "config", K3S_FILE]
    return [file for file in files if file.is_file()]


def connect(environment: Mapping[str, str], *, context: str = "", namespace: str = "") -> Connection:
    """The cluster that is meant.

    Args:
        context: of the kubeconfig; empty for its current one.
        namespace: wins over the context's.

    Raises: BadInputError for a file or a context that makes no sense; CommandError when there is none.
    """
    files = kubeconfig_files(environment)
    if not files:
        return _of_pod(environment, namespace)
    merged = _merged(files)
    name = context or merged.current
    if name not in merged.contexts:
        known = ", ".join(merged.contexts) or "none"
        what = f"There is no context {name!r}" if name else "No context is chosen"
        raise BadInputError(f"{what} in {_names(files)}.", hint=f"There are: {known}.  --context NAME")
    source, chosen = merged.contexts[name]
    cluster_file, cluster = _part(merged.clusters, str(chosen.get("cluster", "")), "cluster", name, source)
    user_file, user = _part(merged.users, str(chosen.get("user", "")), "user", name, source)
    server = str(cluster.get("server", ""))
    if not server.startswith(("https://", "http://")):
        raise BadInputError(f"{cluster_file}: the server of cluster {chosen.get('cluster')!r} is no address.")
    token, certificate, key = _credentials(user, user_file)
    return Connection(
        context=name,
        source=str(source),
        server=server.rstrip("/"),
        namespace=namespace or str(chosen.get("namespace") or "default"),
        ca=_content(cluster, "certificate-authority", cluster_file),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        token=token,
        certificate=certificate,
        key=key,
        user=str(user.get("username") or ""),
        password=str(user.get("password") or ""),
    )


@dataclass(frozen=True, slots=True)
class _Merged:
    """Kubeconfigs as one: the first that names something wins."""

    current: str
    contexts: dict[str, tuple[Path, Json]]
    clusters: dict[str, tuple[Path, Json]]
    users: dict[str, tuple[Path, Json]]


def _merged(files: list[Path]) -> _Merged:
    merged = _Merged("", {}, {}, {})
    current = ""
    for file in files:
        content = _read(file)
        current = current or str(content.get("current-context") or "")
        for plural, known in (
            ("contexts", merged.contexts),
            ("clusters", merged.clusters),
            ("users", merged.users),
        ):
            for one in content.get(plural) or []:
                known.setdefault(str(one.get("name")), (file, dict(one.get(plural[:-1]) or {})))
    return _Merged(current, merged.contexts, merged.clusters, merged.users)


def _read(file: Path) -> Json:
    import yaml

    try:
        content = yaml.load(
            file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
    except OSError as error:
        raise BadInputError(
            f"{file} can't be read ({(error.strerror or 'error').lower()}).",
            hint="Use sudo, or set KUBECONFIG to a file of yours.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file} is no kubeconfig: it is not YAML.") from error
    if not isinstance(content, dict):
        raise BadInputError(f"{file} is no kubeconfig.")
    return content


def _part(
    known: dict[str, tuple[Path, Json]], name: str, what: str, context: str, source: Path
) -> tuple[Path, Json]:
    if name not in known:
        raise BadInputError(f"{source}: context {context!r} names the {what} {name!r}, which is not there.")
    return known[name]


def _credentials(user: Json, file: Path) -> tuple[str, str, str]:
    """Token, certificate and key."""
    token = str(user.get("token") or "")
    if not token and user.get("tokenFile"):
        token = _text(_beside(file, str(user["tokenFile"])))
    certificate = _content(user, "client-certificate", file)
    key = _content(user, "client-key", file)
    if not token and not certificate and user.get("exec"):
        return _asked(user["exec"])
    return token, certificate, key


def _asked(how: Json) -> tuple[str, str, str]:
    """What a credential program answers (client.authentication.k8s.io, ExecCredential)."""
    import os

    words = [str(how.get("command", "")), *(str(one) for one in how.get("args") or [])]
    more = {str(one["name"]): str(one["value"]) for one in how.get("env") or []}
    asks = {"apiVersion": how.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = os.environ | more | {"KUBERNETES_EXEC_INFO": json.dumps(asks)}  # noqa: TID251
    try:
        answer = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=EXEC_SECONDS, check=True
        )
        status = json.loads(answer.stdout).get("status") or {}
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise CommandError(
            f"The program {words[0]!r}, which the kubeconfig names for credentials, gave none.",
            hint="Try it by hand; kubectl needs it too.",
        ) from error
    return (
        str(status.get("token") or ""),
        str(status.get("clientCertificateData") or ""),
        str(status.get("clientKeyData") or ""),
    )


def _content(part: Json, name: str, file: Path) -> str:
    """What stands in the file, or beside it."""
    data = part.get(f"{name}-data")
    if data:
        try:
            return base64.b64decode(data).decode()
        except (ValueError, UnicodeDecodeError) as error:
            raise BadInputError(f"{file}: {name}-data is not base64.") from error
    path = part.get(name)
    return _text(_beside(file, str(path))) if path else ""


def _beside(file: Path, path: str) -> Path:
    return file.parent / Path(path).expanduser()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInputError(f"{path} can't be read ({(error.strerror or 'error').lower()}).") from error


def _of_pod(environment: Mapping[str, str], namespace: str) -> Connection:
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    if not host or not POD_FILES.is_dir():
        named = environment.get("KUBECONFIG", "")
        looked = f"KUBECONFIG names {named}, which is not there" if named else "no kubeconfig was found"
        raise CommandError(
            f"There is no cluster to speak with: {looked}.",
            hint=f"Set KUBECONFIG (k3s keeps it in {K3S_FILE}), or speak with a device:  iotctl --url URL",
            code=ExitCode.UNAVAILABLE,
        )
    address = f"[{host}]" if ":" in host else host
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    own = _text(POD_FILES / "namespace") if (POD_FILES / "namespace").is_file() else "default"
    return Connection(
        context="in-cluster",
        source=str(POD_FILES),
        server=f"https://{address}:{port}",
        namespace=namespace or own,
        ca=_text(POD_FILES / "ca.crt"),
        token=_text(POD_FILES / "token"),
    )


def _names(files: list[Path]) -> str:
    return ", ".join(str(file) for file in files)
