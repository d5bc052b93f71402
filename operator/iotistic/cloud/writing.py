"""An App as the original's cloud writes it: for reports, and to show that nothing was lost on the way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.api.app import App, Volume
from iotistic.api.appservice import RunState
from iotistic.api.quantity import duration_seconds
from iotistic.api.service import ContainerPort, RestartPolicy, Service
from iotistic.cloud.probes import write_probe
from iotistic.cloud.values import without_escapes
from iotistic.cloud.wire import OriginalNames, original_names

_RESTART = {
    RestartPolicy.ALWAYS: "unless-stopped",
    RestartPolicy.ON_FAILURE: "on-failure",
    RestartPolicy.NEVER: "no",
}


def write_app(
    app: App,
    *,
    app_id: int,
    service_ids: Mapping[str, int],
    run_states: Mapping[str, RunState] | None = None,
) -> dict[str, Any]:
    """The App as one entry of `apps` in a target state, under the names that the cloud knows.

    `read_target` of it gives the App again, as long as it uses only what such a state has words for; the rest
    (dependsOn, values from Secrets, update settings, ...) is left out. Values of Secrets are never in it.

    Args:
        app_id: its number, for an App that names none.
        service_ids: numbers of its services, for those that name none.
        run_states: services that somebody stopped or paused.
    """
    names = original_names(app)
    volumes = {volume.name: volume for volume in app.spec.volumes}
    states = run_states or {}
    return {
        "appId": app.spec.app_id or app_id,
        "appName": names.app,
        **({"appUuid": names.uuid} if names.uuid else {}),
        "services": [
            {
                "serviceId": service.service_id or service_ids.get(service.name, 0),
                "serviceName": names.services.get(service.name, service.name),
                "imageName": service.image,
                "state": states.get(service.name, RunState.RUNNING).lower(),
                "config": _config(service, names, volumes),
            }
            for service in app.spec.services
        ],
    }


def _config(service: Service, names: OriginalNames, volumes: Mapping[str, Volume]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "image": service.image,
        "environment": {
            var.name: without_escapes(var.value or "") for var in service.env if var.value_from is None
        },
        "ports": [_port(port) for port in service.ports],
        "volumes": _volumes(service, names, volumes),
        "networks": [names.networks.get(name, name) for name in service.networks],
        "networkMode": service.network_mode,
        "restart": _RESTART[service.restart_policy],
        "labels": dict(service.labels),
        "resources": service.resources.wire(),
        "command": [without_escapes(word) for word in service.args],
        "entrypoint": [without_escapes(word) for word in service.command],
        "workingDir": service.working_dir,
        "user": _user(service),
        "readonlyRootfs": service.security_context.read_only_root_filesystem or None,
        "hostname": service.hostname,
        "livenessProbe": service.liveness_probe and write_probe(service.liveness_probe, service),
        "readinessProbe": service.readiness_probe and write_probe(service.readiness_probe, service),
        "startupProbe": service.startup_probe and write_probe(service.startup_probe, service),
    }
    if "stop_grace_period" in service.model_fields_set:
        config["stopTimeout"] = round(duration_seconds(service.stop_grace_period))
    return {key: value for key, value in config.items() if value not in (None, "", [], {})}


def _port(port: ContainerPort) -> str:
    ip = f"[{port.host_ip}]" if port.host_ip and ":" in port.host_ip else port.host_ip
    parts = [ip, port.host_port, port.container_port]
    text = ":".join(str(part) for part in parts if part is not None)
    return text if port.protocol == "TCP" else f"{text}/udp"


def _volumes(service: Service, names: OriginalNames, volumes: Mapping[str, Volume]) -> list[str]:
    texts = []
    for mount in service.volume_mounts:
        volume = volumes.get(mount.name)
        if volume is None or not (volume.named or volume.host_path):
            continue
        source = volume.host_path.path if volume.host_path else names.volumes.get(mount.name, mount.name)
        texts.append(f"{source}:{mount.mount_path}{':ro' if mount.read_only else ''}")
    return texts


def _user(service: Service) -> str | None:
    context = service.security_context
    if context.run_as_user is None:
        return None
    group = "" if context.run_as_group is None else f":{context.run_as_group}"
    return f"{context.run_as_user}{group}"
