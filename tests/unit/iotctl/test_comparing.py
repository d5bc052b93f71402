"""What `iotctl diff` takes for a difference: what is meant, not how it is noted."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.comparing import meaning

Json = dict[str, Any]
NOTED = {
    "iotistic.io/retry": "now",
    "iotistic.io/lock": "{}",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
}


def shop(service: Json | None = None, *, metadata: Json | None = None, **spec: Any) -> Json:
    web = {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]} | (service or {})
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": "shop"} | (metadata or {}),
        "spec": {"services": [web], **spec},
    }


@pytest.mark.parametrize(
    "there",
    [
        shop({"ports": [{"containerPort": 80, "protocol": "TCP"}]}),
        shop({"restartPolicy": "Always"}),
        shop(update={"strategy": "DownloadThenKill"}),
        shop(metadata={"namespace": "till", "uid": "1", "managedFields": [{"manager": "iotctl"}]}),
        shop(metadata={"annotations": NOTED, "labels": {"iotistic.io/app-id": "1"}}),
        shop(appId=7),
        shop() | {"status": {"state": "Ready"}},
    ],
)
def test_no_difference_in_meaning(there: Json) -> None:
    assert meaning("App", there, shop()) == meaning("App", shop(), shop())


@pytest.mark.parametrize(
    "there",
    [
        shop({"ports": [{"containerPort": 80, "protocol": "UDP"}]}),
        shop({"restartPolicy": "Never"}),
        shop(update={"strategy": "KillThenDownload"}),
        shop(metadata={"annotations": {"note": "x"}}),
        shop(metadata={"labels": {"team": "tills"}}),
        shop(suspend=True),
        shop({"unknown": "of an older model"}),
    ],
)
def test_a_difference_in_meaning(there: Json) -> None:
    assert meaning("App", there, shop()) != meaning("App", shop(), shop())
