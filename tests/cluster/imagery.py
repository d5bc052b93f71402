"""Images that no node has, put into a registry without any engine; and what a node knows of registries."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.cluster.faulty import STATE
from tests.docker.registry import Registry
from tests.docker.rig import tarred

REGISTRIES = STATE / "registries"
BUSYBOX = Path("/bin/busybox")
SLEEP = ["/bin/busybox", "sleep", "100000"]
"""What such an image can do."""
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
KINDS = {
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def publish(registry: Registry, repository: str, tag: str, size: int = 0) -> str:
    """Put an image in, of a shell and so many random bytes. Returns: the digest of its configuration."""
    tar = tarred({"bin/busybox": BUSYBOX.read_bytes(), "content": random.randbytes(max(size, 32))})
    layer = gzip.compress(tar, compresslevel=1)
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    rootfs = {"type": "layers", "diff_ids": [_digest(tar)]}
    config = json.dumps(
        {"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs}
    ).encode()
    with httpx.Client(base_url=f"http://{registry.plain}/v2/{repository}/", timeout=60) as client:
        for blob in (layer, config):
            begun = client.post("blobs/uploads/").raise_for_status()
            client.put(begun.headers["Location"], params=_to(begun, blob), content=blob).raise_for_status()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _entry("config", config),
            "layers": [_entry("layer", layer)],
        }
        client.put(
            f"manifests/{tag}", content=json.dumps(manifest), headers={"Content-Type": MANIFEST}
        ).raise_for_status()
    return _digest(config)


def _to(begun: httpx.Response, blob: bytes) -> dict[str, str]:
    """The parameters of an upload that was begun, with what ends it."""
    return {**httpx.URL(begun.headers["Location"]).params, "digest": _digest(blob)}


def _entry(kind: str, blob: bytes) -> dict[str, str | int]:
    return {"mediaType": KINDS[kind], "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


@contextlib.contextmanager
def reached(host: str, ca: Path | None) -> Iterator[None]:
    """The node asks a registry (HOST:PORT) with TLS, and trusts this CA."""
    folder = REGISTRIES / host
    folder.mkdir(parents=True)
    words = [f'server = "https://{host}"']
    if ca is not None:
        shutil.copy(ca, folder / "ca.crt")
        words.append('ca = "ca.crt"')
    (folder / "hosts.toml").write_text("\n".join(words) + "\n")
    try:
        yield
    finally:
        shutil.rmtree(folder)


def forget(prefix: str, configs: list[str]) -> None:
    """Remove images from the node: those whose name begins so, and their other names."""
    ctr = ["ctr", "-a", str(STATE / "run" / "containerd.sock"), "-n", "k8s.io", "images"]
    listed = subprocess.run([*ctr, "ls", "-q"], capture_output=True, text=True, timeout=60, check=False)
    names = [name for name in listed.stdout.split() if name.startswith(prefix) or name in configs]
    if names:
        subprocess.run([*ctr, "rm", *names], capture_output=True, timeout=60, check=False)
