"""What iotctl takes from the environment; nothing else here reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings from the environment; options on the command line win over them."""

    config_dir: Path
    """CONFIG_DIR: the agent's data directory, with its socket and its key."""
    port: int
    """DEVICE_API_PORT: where the agent listens on 127.0.0.1."""
    url: str
    """IOTCTL_URL, else DEVICE_API_URL: an agent elsewhere; empty for the one of this machine."""
    url_from: str
    """Which of the two it was."""
    api_key: str
    """IOTCTL_API_KEY: key of that agent."""
    context: str
    """IOTCTL_CONTEXT: device, cluster, or the name of a context of the kubeconfig."""
    namespace: str
    """IOTCTL_NAMESPACE: of a cluster."""
    kubernetes: Mapping[str, str]
    """KUBECONFIG, and what a pod is told of its cluster."""


def forbids_color() -> bool:
    """NO_COLOR: never colour anything (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))  # noqa: TID251


def read_settings() -> Settings:
    """Settings of this process. Raises: ValueError naming the variable that makes no sense."""
    environment = os.environ  # noqa: TID251
    url_from = next((name for name in ("IOTCTL_URL", "DEVICE_API_URL") if environment.get(name)), "")
    return Settings(
        config_dir=Path(environment.get("CONFIG_DIR") or "/app/data"),
        port=_port(environment.get("DEVICE_API_PORT") or "48484"),
        url=environment.get(url_from, ""),
        url_from=url_from,
        api_key=environment.get("IOTCTL_API_KEY", ""),
        context=environment.get("IOTCTL_CONTEXT", ""),
        namespace=environment.get("IOTCTL_NAMESPACE", ""),
        kubernetes={name: environment[name] for name in KUBERNETES if name in environment},
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(f"DEVICE_API_PORT is {text!r}: expected a port from 1 to 65535")
    return int(text)
