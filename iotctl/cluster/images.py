"""Images that the services of a namespace run."""

from __future__ import annotations

from typing import Any

from iotctl.cluster.server import Server

Json = dict[str, Any]


def listed(server: Server) -> Json:
    """Images by the services that use them; what else a node keeps is the kubelet's affair."""
    used: dict[tuple[str, str], set[str]] = {}
    for service in server.items("AppService"):
        status = service.get("status") or {}
        if status.get("image"):
            key = (str(status["image"]), str(status.get("imageDigest") or ""))
            used.setdefault(key, set()).add(f"{service['spec']['app']}/{service['spec']['service']}")
    return {"items": [_row(image, digest, sorted(users)) for (image, digest), users in sorted(used.items())]}


def _row(image: str, digest: str, users: list[str]) -> Json:
    return {"ref": image, "digest": digest, "sizeBytes": 0, "users": users}
