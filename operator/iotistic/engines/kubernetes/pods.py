"""The pod of a service: its container, what it mounts, and how it finds names."""

from __future__ import annotations

import re

from iotistic.api.app import App
from iotistic.api.image import parse_image
from iotistic.api.service import ContainerPort, EnvFrom, EnvVar, KeyRef, NameRef, SecurityContext, Service
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.amounts import resources, seconds
from iotistic.engines.kubernetes.networking import dns, joined, named_by_pod
from iotistic.engines.kubernetes.probes import probe
from iotistic.engines.kubernetes.storage import mounts, pod_volumes
from iotistic.engines.kubernetes.strategies import HAND_OVER_SECONDS, hands_over
from iotistic.engines.kubernetes.values import NAMED_LABEL, NETWORK_LABELS, Object, RenderContext

_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9-]{1,15}")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def template(app: App, service: Service, context: RenderContext) -> Object:
    """`spec.template` of a service's Deployment or Job."""
    labels, annotations = _labels(app, service)
    metadata: Object = {"labels": labels} | ({"annotations": annotations} if annotations else {})
    spec: Object = {
        "serviceAccountName": names.account(app.name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": service.restart_policy.value,
        "terminationGracePeriodSeconds": _grace_seconds(app, service),
        **_network(app, service, context),
        **_given(
            securityContext=_pod_security(service),
            imagePullSecrets=[{"name": n} for n in dict.fromkeys(s.name for s in service.image_pull_secrets)],
            hostAliases=_host_aliases(service),
            volumes=pod_volumes(app, service, context),
        ),
        "containers": [_container(app, service, context)],
    }
    return {"metadata": metadata, "spec": spec}


def image_text(image: str, registry_override: str) -> str:
    """An image as the pod names it: as written, or from the registry that takes the place of its own."""
    if not registry_override:
        return image
    ref = parse_image(image)
    path = f"{registry_override.rstrip('/')}/{ref.repository}"
    return f"{path}@{ref.digest}" if ref.digest else f"{path}:{ref.tag}"


def _container(app: App, service: Service, context: RenderContext) -> Object:
    handing_over = hands_over(app, service)
    probes = {
        "startupProbe": service.startup_probe,
        "livenessProbe": service.liveness_probe,
        "readinessProbe": service.readiness_probe,
    }
    return {
        "name": service.name,
        "image": image_text(service.image, context.registry_override),
        "imagePullPolicy": "IfNotPresent",
        **_given(
            command=list(service.command),
            args=list(service.args),
            workingDir=service.working_dir,
            env=[_variable(variable, context) for variable in service.env],
            envFrom=[_all_keys(source, context) for source in service.env_from],
            ports=[_port(port, service) for port in service.ports],
            resources=resources(service.resources),
            volumeMounts=mounts(app, service),
            lifecycle={"preStop": {"sleep": {"seconds": HAND_OVER_SECONDS}}} if handing_over else None,
            securityContext=_security(service.security_context),
        ),
        **{name: probe(written, service) for name, written in probes.items() if written is not None},
    }


def _given(**fields: object) -> Object:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _labels(app: App, service: Service) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations of the pod: a user's label that Kubernetes takes for none is an annotation."""
    own = names.labels(app.name, service.name)
    own |= {f"{NETWORK_LABELS}{network}": "joined" for network in joined(service)}
    own |= {NAMED_LABEL: "pod"} if named_by_pod(service) else {}
    fit = {
        key: value
        for key, value in service.labels.items()
        if key not in own and _LABEL_VALUE.fullmatch(value)
    }
    rest = {key: value for key, value in service.labels.items() if key not in fit}
    return fit | own, rest


def _network(app: App, service: Service, context: RenderContext) -> Object:
    """Host's network or the pod's own, its host name, and how it finds names."""
    if service.network_mode == "host":
        return {"hostNetwork": True, "dnsPolicy": "Default"}
    if service.network_mode == "none":
        unanswered: Object = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["127.0.0.1"]}}
        return _given(hostname=service.hostname) | unanswered
    if named_by_pod(service):
        own: Object = {"hostname": service.name, "subdomain": names.names_object(app.name)}
    else:
        own = _given(hostname=service.hostname)
    return own | dns(app, context)


def _grace_seconds(app: App, service: Service) -> int:
    more = HAND_OVER_SECONDS if hands_over(app, service) else 0
    return seconds(service.stop_grace_period) + more


def _host_aliases(service: Service) -> list[Object]:
    by_address: dict[str, list[str]] = {}
    for text in service.extra_hosts:
        name, _, address = text.partition(":")
        by_address.setdefault(address.strip("[]"), []).append(name)
    return [{"ip": address, "hostnames": found} for address, found in by_address.items()]


def _pod_security(service: Service) -> Object:
    sysctls = [{"name": name, "value": value} for name, value in sorted(service.sysctls.items())]
    return {"sysctls": sysctls} if sysctls else {}


def _security(written: SecurityContext) -> Object:
    """Rights of the container. The runtime's own seccomp profile is Docker's default too."""
    return _given(
        runAsUser=written.run_as_user,
        runAsGroup=written.run_as_group,
        runAsNonRoot=True if written.run_as_user else None,
        readOnlyRootFilesystem=written.read_only_root_filesystem or None,
        privileged=written.privileged or None,
        allowPrivilegeEscalation=None if written.allow_privilege_escalation else False,
        capabilities=_given(add=list(written.capabilities.add), drop=list(written.capabilities.drop)),
        seccompProfile=None if written.privileged else {"type": "RuntimeDefault"},
    )


def _variable(variable: EnvVar, context: RenderContext) -> Object:
    if variable.value_from is None:
        return {"name": variable.name, **_given(value=variable.value)}
    source = variable.value_from
    if source.secret_key_ref is not None:
        value = {"secretKeyRef": _key(source.secret_key_ref, "Secret", context)}
    else:
        assert source.config_map_key_ref is not None, "the model wants one of the two"
        value = {"configMapKeyRef": _key(source.config_map_key_ref, "ConfigMap", context)}
    return {"name": variable.name, "valueFrom": value}


def _key(reference: KeyRef, kind: str, context: RenderContext) -> Object:
    name = context.copy_of(kind, reference.name)
    return {"name": name, "key": reference.key, **_given(optional=reference.optional or None)}


def _all_keys(source: EnvFrom, context: RenderContext) -> Object:
    prefix = _given(prefix=source.prefix)
    if source.secret_ref is not None:
        return prefix | {"secretRef": _whole(source.secret_ref, "Secret", context)}
    assert source.config_map_ref is not None, "the model wants one of the two"
    return prefix | {"configMapRef": _whole(source.config_map_ref, "ConfigMap", context)}


def _whole(reference: NameRef, kind: str, context: RenderContext) -> Object:
    name = context.copy_of(kind, reference.name)
    return {"name": name, **_given(optional=reference.optional or None)}


def _port(port: ContainerPort, service: Service) -> Object:
    on_host = port.container_port if service.network_mode == "host" else port.host_port
    name = port.name if port.name and _PORT_NAME.fullmatch(port.name) else None
    return {
        "containerPort": port.container_port,
        "protocol": port.protocol,
        **_given(name=name, hostPort=on_host, hostIP=port.host_ip),
    }
