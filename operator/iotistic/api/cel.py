"""What the API server itself checks of an App: the rules of `checks` that look at one object, in CEL.

The operator checks an object once more, with all rules: what CEL can't say or may not spend (circles of
three and more services, host ports of several services) is told in the App's status instead. Messages
are those of `checks`; a test holds both to the same manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from iotistic.api.app import Update
from iotistic.api.base import AppName
from iotistic.api.checks import RESERVED
from iotistic.api.dependencies import PROBES
from iotistic.api.mounts import ONE_COLON, OWN_PATH
from iotistic.api.one_service import CAPABILITIES, LEAST_MEMORY, OWN_SYSCTLS, SYSCTL


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about `self`, the value that it stands at."""

    rule: str
    """True when all is well."""
    message: str
    """Without what was written: CEL counts a message that it has to put together as too dear."""
    path: str = ""
    """Field below that the message is about."""

    def wire(self) -> dict[str, str]:
        """As an entry of x-kubernetes-validations."""
        made = {"rule": self.rule, "message": self.message}
        return made | ({"fieldPath": self.path} if self.path else {})


def _of_services(wrong: str, message: str) -> Rule:
    """A rule about services among each other.

    Args:
        wrong: CEL that is true for a `service` of `self.services` that is wrong.
    """
    return Rule(f"!self.services.exists(service, {wrong})", message, path=".services")


def _text(text: str) -> str:
    """The text as a literal of CEL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _unique(items: str, key: str) -> str:
    """True when no two items that have the field have the same."""
    same = f"{items}.exists_one(other, has(other.{key}) && other.{key} == one.{key})"
    return f"{items}.all(one, !has(one.{key}) || {same})"


def _exactly_one(*fields: str) -> Rule:
    listed = ", ".join(f"has(self.{field})" for field in fields)
    words = " and ".join([", ".join(fields[:-1]), fields[-1]])
    return Rule(f"[{listed}].exists_one(given, given)", f"exactly one of {words} is needed")


def _probe_rules(probe: str) -> tuple[Rule, ...]:
    """What a probe says must fit its service."""
    asked = [f"self.{probe}.{question}" for question in ("httpGet", "tcpSocket")]
    named = "has(self.ports) && self.ports.exists(port, has(port.name) && port.name == {0}.port)"
    known = " && ".join(f"(!has({one}) || type({one}.port) == int || ({named.format(one)}))" for one in asked)
    elsewhere = " && ".join(f"(!has({one}) || has({one}.host))" for one in asked)
    rules = [
        Rule(f"!has(self.{probe}) || ({known})", "no port of this name in this service", path=f".{probe}"),
        Rule(
            f"!has(self.{probe}) || !has(self.networkMode) || self.networkMode != 'none' || ({elsewhere})",
            "can't reach a service with networkMode none: use exec",
            path=f".{probe}",
        ),
    ]
    if probe != "readinessProbe":
        once = (
            f"!has(self.{probe}) || !has(self.{probe}.successThreshold) || self.{probe}.successThreshold == 1"
        )
        rules.append(Rule(once, f"must be 1 for a {probe}", path=f".{probe}.successThreshold"))
    return tuple(rules)


_PROBES = ", ".join(f"has(other.{probe})" for probe in PROBES)
_MEMORY: Final = "has(self.{0}) && has(self.{0}.memory) && isQuantity(string(self.{0}.memory))"
_LIMIT = _MEMORY.format("limits")
_REQUEST = _MEMORY.format("requests")
_SOURCES = "[has(self.secret), has(self.configMap), has(self.hostPath)]"
_OWN_FIELDS = "has(self.driver) || has(self.driverOpts) || has(self.size) || has(self.storageClass)"

_LABELS = Rule(
    f"self.all(key, !key.startsWith('{RESERVED}'))",
    f"labels that begin with {RESERVED} are the agent's own: choose another",
)
_NO_WAY_UP = "!self.matches('(^|/)[.][.](/|$)')"
_MOUNT_PATH = (
    Rule("!self.matches('^/+$')", "nothing can be mounted over the root"),
    Rule(_NO_WAY_UP, "has a '..': write the path that is meant"),
    Rule("!self.contains(':')", f"can't be mounted: {ONE_COLON}"),
    Rule(
        f"self != '{OWN_PATH}' && !self.startsWith('{OWN_PATH}/')",
        f"{OWN_PATH} is where the agent mounts the folder for update locks",
    ),
)
_CAPABILITY = Rule(
    f"self in [{', '.join(_text(name) for name in sorted(CAPABILITIES))}]",
    "is no capability: as in NET_ADMIN",
)
_NO_BREAK = Rule(r"!self.matches('[\\r\\n]')", "a header can't have a line break")
_OR_ELSE = "(has(self.{0}) ? self.{0} : {1})"
_DEADLINE = _OR_ELSE.format("progressDeadlineSeconds", Update().progress_deadline_seconds)
_READY = _OR_ELSE.format("minReadySeconds", Update().min_ready_seconds)
_ANY_ADDRESS = "isIP(address.replace('[', '').replace(']', ''))"
_HOST_ADDRESS = (
    f"[self.substring(self.indexOf(':') + 1)].all(address, address == 'host-gateway' || {_ANY_ADDRESS})"
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "AppSpec": (
        _of_services(
            "has(service.dependsOn) && service.dependsOn.exists(name, "
            "!self.services.exists(other, other.name == name))",
            "a service depends on one that is not in this App",
        ),
        _of_services(
            "has(service.dependsOn) && self.services.exists(other, other.name != service.name && "
            "has(other.dependsOn) && other.name in service.dependsOn && service.name in other.dependsOn)",
            "two services depend on each other: a circle",
        ),
        _of_services(
            "has(service.dependsOn) && self.services.exists(other, other.name in service.dependsOn && "
            f"service.dependsOn[other.name] == 'healthy' && ![{_PROBES}].exists(given, given))",
            'a service waits for one without a probe: "healthy" never comes',
        ),
        _of_services(
            "has(service.dependsOn) && self.services.exists(other, other.name in service.dependsOn && "
            "service.dependsOn[other.name] == 'completed' && "
            "(!has(other.restartPolicy) || other.restartPolicy == 'Always'))",
            'a service waits for one that is always started again: "completed" never comes',
        ),
        _of_services(
            "has(service.networks) && service.networks.exists(name, name != 'default' && "
            "!(has(self.networks) && self.networks.exists(network, network.name == name)))",
            "a service joins a network that is not in this App",
        ),
        _of_services(
            "has(service.volumeMounts) && service.volumeMounts.exists(mount, "
            "!(has(self.volumes) && self.volumes.exists(volume, volume.name == mount.name)))",
            "a service mounts a volume that is not in this App",
        ),
        Rule(_unique("self.services", "serviceId"), "the number is there twice", path=".services"),
    ),
    "Service": (
        Rule(
            "!has(self.dependsOn) || !(self.name in self.dependsOn)", "depends on itself", path=".dependsOn"
        ),
        Rule(
            f"!has(self.ports) || {_unique('self.ports', 'name')}", "the name is there twice", path=".ports"
        ),
        Rule(
            "!has(self.networkMode) || !has(self.networks) || size(self.networks) == 0",
            "networks can't be had with networkMode: drop one of them",
            path=".networks",
        ),
        Rule(
            "!has(self.networkMode) || self.networkMode != 'none' || !has(self.ports) || "
            "!self.ports.exists(port, has(port.hostPort))",
            "hostPort can't be had with networkMode none: drop one of them",
            path=".ports",
        ),
        Rule(
            "!has(self.networkMode) || self.networkMode != 'host' || !has(self.ports) || "
            "self.ports.all(port, !has(port.hostPort) || port.hostPort == port.containerPort)",
            "hostPort is not the containerPort, but networkMode is host",
            path=".ports",
        ),
        Rule(
            "!has(self.tmpfs) || !has(self.volumeMounts) || "
            "!self.tmpfs.exists(one, self.volumeMounts.exists(other, other.mountPath == one.mountPath))",
            "the mount path is there twice",
            path=".tmpfs",
        ),
        *(rule for probe in PROBES for rule in _probe_rules(probe)),
    ),
    "Service.workingDir": (
        Rule("self == '' || self.startsWith('/')", "expected an absolute path like /app"),
    ),
    # Here alone it is more than `checks` says: kubectl leaves out what is null, which would be silent.
    "Service.networks": (
        Rule(
            "size(self) > 0", "is empty; kubectl drops a network without a value: write  networks: {back: {}}"
        ),
    ),
    "Service.labels": (_LABELS,),
    "Network.labels": (_LABELS,),
    "Service.sysctls": (
        Rule(f"self.all(name, name.matches(r'^(?:{SYSCTL})$'))", "is no sysctl: as in net.core.somaxconn"),
        Rule(
            f"self.all(name, name.matches(r'^(?:{OWN_SYSCTLS})$'))",
            "a container has none of its own of this: set it on the host",
        ),
    ),
    "Service.extraHosts": (
        Rule(_HOST_ADDRESS, "is no address: write  name:10.0.0.7  or  name:host-gateway"),
    ),
    "ContainerPort": (
        Rule("!has(self.hostIP) || has(self.hostPort)", "means nothing without hostPort", path=".hostIP"),
    ),
    "ContainerPort.hostIP": (Rule("self == '' || isIP(self)", "expected an address like 127.0.0.1"),),
    "EnvVar": (Rule("!has(self.value) || !has(self.valueFrom)", "value and valueFrom exclude each other"),),
    "ValueFrom": (_exactly_one("secretKeyRef", "configMapKeyRef"),),
    "EnvFrom": (_exactly_one("secretRef", "configMapRef"),),
    "Probe": (_exactly_one("httpGet", "tcpSocket", "exec"),),
    "HttpGet.path": (Rule("self == '' || self.startsWith('/')", "expected a path like /health"),),
    "HttpHeader.name": (_NO_BREAK,),
    "HttpHeader.value": (_NO_BREAK,),
    "SecurityContext": (
        Rule("!has(self.runAsGroup) || has(self.runAsUser)", "runAsGroup needs runAsUser"),
        Rule(
            "!has(self.privileged) || !self.privileged || !has(self.allowPrivilegeEscalation) || "
            "self.allowPrivilegeEscalation",
            "false can't be had with privileged: true",
            path=".allowPrivilegeEscalation",
        ),
    ),
    "Capabilities.add": (_CAPABILITY,),
    "Capabilities.drop": (_CAPABILITY,),
    "Resources": (
        Rule(
            f"!({_LIMIT}) || !({_REQUEST}) || quantity(string(self.requests.memory))"
            ".compareTo(quantity(string(self.limits.memory))) <= 0",
            "is more than the limit",
            path=".requests.memory",
        ),
        Rule(
            f"!({_LIMIT}) || quantity(string(self.limits.memory)).compareTo(quantity('{LEAST_MEMORY}')) >= 0",
            "is too little: Docker needs at least 6Mi",
            path=".limits.memory",
        ),
    ),
    "Volume": (
        Rule(f"{_SOURCES}.filter(given, given).size() <= 1", "only one of secret, configMap and hostPath"),
        Rule(
            f"!{_SOURCES}.exists(given, given) || !({_OWN_FIELDS})",
            "driver, driverOpts, size and storageClass are for volumes without another source",
        ),
    ),
    "KeyToPath.path": (Rule(_NO_WAY_UP, "leads out of the volume"),),
    "HostPathSource.path": (Rule("!self.contains(':')", f"can't be mounted: {ONE_COLON}"),),
    "VolumeMount.mountPath": _MOUNT_PATH,
    "Tmpfs.mountPath": _MOUNT_PATH,
    "IpamConfig.subnet": (
        Rule("isCIDR(self) && cidr(self) == cidr(self).masked()", "expected a subnet like 10.5.0.0/24"),
        Rule("!isCIDR(self) || cidr(self).ip().family() == 4", "IPv6 is not supported yet"),
    ),
    "IpamConfig.gateway": (Rule("self == '' || isIP(self)", "expected an address like 10.5.0.1"),),
    "IpamConfig.ipRange": (
        Rule("isCIDR(self) && cidr(self) == cidr(self).masked()", "expected a subnet like 10.5.0.0/24"),
    ),
    "NetworkAttachment.ipv4Address": (
        Rule("self == '' || (isIP(self) && ip(self).family() == 4)", "expected an address like 10.5.0.7"),
    ),
    "Update": (
        Rule(
            "!has(self.windows) || size(self.windows) == 0",
            "not supported yet: leave it out: updates begin at once",
            path=".windows",
        ),
        Rule(
            "!has(self.approval) || self.approval != 'Manual'",
            "Manual is not supported yet: leave it out: updates begin at once",
            path=".approval",
        ),
        Rule(
            f"{_DEADLINE} > {_READY}",
            "no release is ever good: minReadySeconds don't fit into progressDeadlineSeconds",
        ),
    ),
    "AppServiceSpec": (
        Rule(
            "self.app == oldSelf.app && self.service == oldSelf.service", "app and service can't be changed"
        ),
        Rule(
            "!has(self.runState) || self.runState != 'Paused'",
            "Kubernetes can't freeze a container; stop the service instead",
            path=".runState",
        ),
    ),
}
"""By class, or by class and field: then of the field's text, of each text of a list, or of a mapping."""


def app_name() -> Rule:
    """The name of an App, which CEL reads from the whole object."""
    text, words = (part for part in AppName.__metadata__)  # type: ignore[attr-defined]
    extra: Any = words.json_schema_extra
    rule = f"size(self.metadata.name) <= {text.max_length} && self.metadata.name.matches(r'{text.pattern}')"
    return Rule(rule, f"metadata.name: expected {extra['patternErrorMessage']}")
