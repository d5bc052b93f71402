"""Target states as the original's cloud writes them."""

from __future__ import annotations

from typing import Any

from iotistic.api.app import App
from iotistic.cloud.wire import read_target

BOTTLING: dict[str, Any] = {
    "appId": 1001,
    "appName": "Bottling Line",
    "appUuid": "b1d2",
    "services": [
        {
            "serviceId": 1,
            "serviceName": "broker",
            "imageName": "eclipse-mosquitto:2.0",
            "state": "running",
            "config": {
                "image": "eclipse-mosquitto:2.0",
                "ports": ["1883:1883", "127.0.0.1:9001:9001", "53:5353/udp"],
                "volumes": ["broker_data:/mosquitto/data", "/etc/site:/site:ro"],
                "networks": ["floor"],
                "environment": {"TZ": "UTC", "LEVEL": 3, "DEBUG": False, "RATIO": 1.0, "NONE": None},
                "restart": "unless-stopped",
                "labels": {"team": "ot"},
                "resources": {
                    "limits": {"cpu": "0.5", "memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128K"},
                },
                "livenessProbe": {
                    "type": "tcp",
                    "tcpPort": 1883,
                    "initialDelaySeconds": 5,
                    "periodSeconds": 10,
                    "timeoutSeconds": 1,
                    "failureThreshold": 3,
                },
            },
        },
        {
            "serviceId": 2,
            "serviceName": "collector",
            "imageName": "registry.local:5000/collector:1.4",
            "state": "stopped",
            "config": {
                "image": "registry.local:5000/collector:1.4",
                "networks": ["floor", "Out Side"],
                "networkMode": "bridge",
                "restart": "on-failure",
                "command": ["collector", "--fast"],
                "entrypoint": ["/init"],
                "user": "1000:1000",
                "startupProbe": {
                    "type": "exec",
                    "command": ["test", "-f", "/ready"],
                    "periodSeconds": 2,
                    "failureThreshold": 30,
                },
                "readinessProbe": {
                    "type": "http",
                    "path": "/ready",
                    "port": 8080,
                    "scheme": "https",
                    "headers": {"X-Probe": "1"},
                },
            },
        },
        {"serviceId": 3, "serviceName": "Reporter_2", "state": "paused", "imageName": "reporter:2"},
    ],
}
"""An App with much of what a state can say."""


def one_app(*services: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A state with one App of these services."""
    return {"apps": {"1001": {"appId": 1001, "appName": "shop", "services": list(services)} | fields}}


def service(config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A service with this config."""
    given = {"serviceId": 1, "serviceName": "web", "imageName": "web:1", "config": {"image": "web:1"}}
    return given | {"config": {"image": "web:1"} | (config or {})} | fields


def only(state: Any) -> App:
    """The one App of a state."""
    (app,) = read_target(state).apps
    return app
