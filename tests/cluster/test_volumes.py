"""Volumes that grow."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.site import Site, app, failing, serving

MOUNT = [{"name": "data", "mountPath": "/data"}]


@pytest.fixture
def growing(site: Site) -> Iterator[str]:
    """A storage class whose volumes may grow, as far as the API server is concerned."""
    found = site.kube.items("storageclass", "default")
    name = f"growing-{secrets.token_hex(4)}"
    site.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": found[0]["provisioner"],
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        }
    )
    yield name
    site.kube.kubectl("delete", "storageclass", name)


def test_what_has_grown_is_never_asked_to_shrink(site: Site, growing: str) -> None:
    def volumes(size: str) -> list[dict[str, Any]]:
        return [{"name": "data", "size": size, "storageClass": growing}]

    def size() -> str:
        return str(site.get("pvc", "shop-data")["spec"]["resources"]["requests"]["storage"])

    site.apply(app(serving("one", volumeMounts=MOUNT), volumes=volumes("16Mi")))
    site.until_state("Ready", release="1")
    site.patch("pvc", "shop-data", {"spec": {"resources": {"requests": {"storage": "32Mi"}}}})
    bad = failing("more", code=3)
    quick = {"progressDeadlineSeconds": 20}
    site.apply(app(serving("two", volumeMounts=MOUNT), bad, volumes=volumes("48Mi"), update=quick))
    site.until(lambda: size() == "48Mi", "the volume was made larger")
    site.until_state("Undone")
    site.until_serves("one", "shop-web")
    assert size() == "48Mi"
    site.apply(app(serving("three", volumeMounts=MOUNT), volumes=volumes("16Mi"), deletionPolicy="Delete"))
    assert "why" not in site.until_state("Ready", release="3")
    site.until(lambda: site.get("pvc", "shop-data")["metadata"].get("ownerReferences"), "it would go too")
    assert size() == "48Mi"
