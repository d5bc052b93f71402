"""One service of an App: one container, described with Kubernetes' names where it has one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from iotistic.api.base import Count, DnsLabel, DnsName, Model, Number, Seconds, shaped
from iotistic.api.written import Cpu, Duration, Image, Memory

Port = Annotated[int, Field(ge=1, le=65535)]
PortOrName = Annotated[
    Port | str,
    Field(json_schema_extra={"patternErrorMessage": "a port from 1 to 65535, or the name of one"}),
]
Times = Annotated[int, Field(ge=1, le=2**31 - 1)]
Id = Annotated[int, Field(ge=0, le=2**31 - 1)]
Absolute = Annotated[str, *shaped(r"^/", "an absolute path like /data")]


class Strategy(StrEnum):
    """How a changed service is replaced."""

    DOWNLOAD_THEN_KILL = "DownloadThenKill"
    KILL_THEN_DOWNLOAD = "KillThenDownload"
    DELETE_THEN_DOWNLOAD = "DeleteThenDownload"
    HAND_OVER = "HandOver"


class RestartPolicy(StrEnum):
    """What becomes of a container that has exited."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class Condition(StrEnum):
    """What a dependency must have reached."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETED = "completed"


class KeyRef(Model):
    """One key of a Secret or ConfigMap."""

    name: DnsName
    """Name of the Secret or ConfigMap."""
    key: str
    """Key inside it."""
    optional: bool = False
    """Go on without the value when it is missing."""


class ValueFrom(Model):
    """Where a value comes from; exactly one."""

    secret_key_ref: KeyRef | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyRef | None = None
    """A key of a ConfigMap."""

    @model_validator(mode="after")
    def _one(self) -> ValueFrom:
        if (self.secret_key_ref is None) == (self.config_map_key_ref is None):
            raise ValueError("exactly one of secretKeyRef and configMapKeyRef is needed")
        return self


class EnvVar(Model):
    """One environment variable."""

    name: Annotated[str, *shaped(r"^[^=\x00]+$", "a name without '='")]
    """Name of the variable."""
    value: str | None = None
    """Its value; empty when absent."""
    value_from: ValueFrom | None = None
    """Take the value from a Secret or ConfigMap instead."""

    @model_validator(mode="after")
    def _one(self) -> EnvVar:
        if self.value is not None and self.value_from is not None:
            raise ValueError("value and valueFrom exclude each other")
        return self


class NameRef(Model):
    """A Secret or ConfigMap by name."""

    name: DnsName
    """Its name."""
    optional: bool = False
    """Go on without it when it is missing."""


class EnvFrom(Model):
    """All keys of a Secret or ConfigMap as variables."""

    secret_ref: NameRef | None = None
    """The Secret."""
    config_map_ref: NameRef | None = None
    """The ConfigMap."""
    prefix: str = ""
    """Put before each name."""

    @model_validator(mode="after")
    def _one(self) -> EnvFrom:
        if (self.secret_ref is None) == (self.config_map_ref is None):
            raise ValueError("exactly one of secretRef and configMapRef is needed")
        return self


class LocalRef(Model):
    """A Secret of type kubernetes.io/dockerconfigjson."""

    name: DnsName
    """Its name."""


class ContainerPort(Model):
    """A port that the service listens on."""

    name: DnsLabel | None = None
    """Name by which probes may call it."""
    container_port: Port
    """Port inside the container."""
    host_port: Port | None = None
    """Port of the host that leads to it; none: not published."""
    host_ip: str | None = Field(default=None, alias="hostIP")
    """Address of the host to bind; all when absent."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Protocol."""


class VolumeMount(Model):
    """A volume of the App inside the container."""

    name: DnsLabel
    """Name of the volume in `spec.volumes`."""
    mount_path: Absolute
    """Absolute path inside the container."""
    read_only: bool = False
    """Mount it so that the container can't write to it."""


class Amounts(Model):
    """Amounts of the two things that can be limited."""

    cpu: Cpu | None = None
    """Cores: 0.5 or 500m."""
    memory: Memory | None = None
    """Bytes: 64Mi or 67108864."""


class Resources(Model):
    """What a service may use."""

    limits: Amounts = Amounts()
    """Never more than this; over the memory limit the kernel kills it (OOMKilled)."""
    requests: Amounts = Amounts()
    """Set aside for it: CPU shares and a soft memory limit on Docker."""


class HttpHeader(Model):
    """One header of a probe's request."""

    name: str
    """Name of the header."""
    value: str
    """Its value."""


class HttpGet(Model):
    """GET on the container; 200 to 399 is a success."""

    path: str = "/"
    """Path of the request."""
    port: PortOrName
    """Number, or name of a port of the service."""
    scheme: Literal["HTTP", "HTTPS"] = "HTTP"
    """HTTPS does not verify the certificate, as in Kubernetes."""
    host: str | None = None
    """Host to ask instead of the container."""
    http_headers: list[HttpHeader] = Field(default_factory=list)
    """Headers to send."""


class TcpSocket(Model):
    """A connection that opens is a success."""

    port: PortOrName
    """Number, or name of a port of the service."""
    host: str | None = None
    """Host to ask instead of the container."""


class Exec(Model):
    """A command inside the container; exit code 0 is a success."""

    command: Annotated[list[str], Field(min_length=1)]
    """The command, not run by a shell."""


class Probe(Model):
    """A question put to a running container again and again."""

    http_get: HttpGet | None = None
    """Ask over HTTP."""
    tcp_socket: TcpSocket | None = None
    """Open a TCP connection."""
    exec: Exec | None = None
    """Run a command inside."""
    initial_delay_seconds: Count = 0
    """Wait before the first question."""
    period_seconds: Seconds = 10
    """Time between two questions."""
    timeout_seconds: Seconds = 1
    """No answer by then is a failure."""
    success_threshold: Times = 1
    """Successes in a row that count."""
    failure_threshold: Times = 3
    """Failures in a row that count."""

    @model_validator(mode="after")
    def _one(self) -> Probe:
        if sum(part is not None for part in (self.http_get, self.tcp_socket, self.exec)) != 1:
            raise ValueError("exactly one of httpGet, tcpSocket and exec is needed")
        return self


class Capabilities(Model):
    """Linux capabilities, without CAP_."""

    add: list[str] = Field(default_factory=list)
    """To give."""
    drop: list[str] = Field(default_factory=list)
    """To take; ALL takes all."""


class SecurityContext(Model):
    """What the container's processes may do."""

    run_as_user: Id | None = None
    """User id."""
    run_as_group: Id | None = None
    """Group id; needs runAsUser."""
    read_only_root_filesystem: bool = False
    """Mount the image's file system read-only."""
    privileged: bool = False
    """All capabilities and devices of the host."""
    allow_privilege_escalation: bool = True
    """False: no new privileges through setuid programs."""
    capabilities: Capabilities = Capabilities()
    """Single capabilities."""

    @model_validator(mode="after")
    def _group_needs_user(self) -> SecurityContext:
        if self.run_as_group is not None and self.run_as_user is None:
            raise ValueError("runAsGroup needs runAsUser")
        return self


class NetworkAttachment(Model):
    """How a service is attached to a network."""

    aliases: list[str] = Field(default_factory=list)
    """Further names that resolve to it there."""
    ipv4_address: str | None = Field(default=None, alias="ipv4Address")
    """A fixed address; the network needs an IPAM subnet."""


class Tmpfs(Model):
    """A file system in memory."""

    mount_path: Absolute
    """Absolute path inside the container."""
    size: Memory | None = None
    """Largest size. When absent half of the memory; on Kubernetes the container's memory limit, or the node's
    memory."""


class Logging(Model):
    """Where the container's output goes."""

    driver: str = "json-file"
    """Log driver of the engine."""
    options: dict[str, str] = Field(default_factory=dict)
    """Its options; json-file is bounded to 3 files of 10 MB where nothing is said."""


class ServiceUpdate(Model):
    """Update settings of one service."""

    strategy: Strategy
    """Wins over the App's."""


Attachment = Annotated[NetworkAttachment, Field(default_factory=NetworkAttachment)]
ExtraHost = Annotated[str, *shaped(r"^[^:\s]+:\S+$", "a name and an address like db:10.0.0.7")]
Device = Annotated[
    str, *shaped(r"^/[^:]+(:/[^:]+(:[rwm]+)?)?$", "a device like /dev/ttyUSB0 or /dev/a:/dev/b:rwm")
]


class Service(Model):
    """One service: one container that is kept running."""

    name: DnsLabel
    """Name inside the App; other services reach it by this name."""
    service_id: Number | None = None
    """The cloud's number; given one when absent."""
    image: Image
    """Image, as `web:1`, `registry:5000/web:1` or with a digest."""
    command: list[str] = Field(default_factory=list)
    """Instead of the image's entry point."""
    args: list[str] = Field(default_factory=list)
    """Instead of the image's command."""
    working_dir: str | None = None
    """Directory in which the command starts."""
    env: list[EnvVar] = Field(default_factory=list)
    """Environment variables."""
    env_from: list[EnvFrom] = Field(default_factory=list)
    """Variables from all keys of Secrets and ConfigMaps; `env` wins, and of these the last."""
    ports: list[ContainerPort] = Field(default_factory=list)
    """Ports that it listens on."""
    volume_mounts: list[VolumeMount] = Field(default_factory=list)
    """Volumes of the App that it uses."""
    tmpfs: list[Tmpfs] = Field(default_factory=list)
    """File systems in memory."""
    devices: list[Device] = Field(default_factory=list)
    """Devices of the host: /dev/ttyUSB0 or /dev/a:/dev/b:rwm. On Kubernetes only with
    securityContext.privileged."""
    resources: Resources = Resources()
    """Limits and requests."""
    liveness_probe: Probe | None = None
    """Failing: the container is restarted."""
    readiness_probe: Probe | None = None
    """Failing: the service is not ready."""
    startup_probe: Probe | None = None
    """The others wait for it; failing: the container is restarted."""
    security_context: SecurityContext = SecurityContext()
    """What its processes may do."""
    image_pull_secrets: list[LocalRef] = Field(default_factory=list)
    """Secrets with logins of registries."""
    networks: dict[DnsLabel, NetworkAttachment | None] = Field(default_factory=dict)
    """Networks of the App that it joins; `default` when absent."""
    network_mode: Literal["host", "none"] | None = None
    """`host`: the host's own network; `none`: none at all."""
    depends_on: dict[DnsLabel, Condition] = Field(default_factory=dict)
    """Started after these, stopped before them."""
    hostname: DnsLabel | None = None
    """Host name inside the container."""
    extra_hosts: list[ExtraHost] = Field(default_factory=list)
    """More names for /etc/hosts: `name:address`."""
    sysctls: dict[str, str] = Field(default_factory=dict)
    """Kernel settings of its network and IPC."""
    stop_grace_period: Duration = 10
    """Time between SIGTERM and SIGKILL: seconds, or like 1m30s."""
    logging: Logging = Logging()
    """Where its output goes."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the container."""
    restart_policy: RestartPolicy = RestartPolicy.ALWAYS
    """Always, OnFailure, or Never (a job)."""
    update: ServiceUpdate | None = None
    """Update settings of this service."""

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes that there are."""
        return tuple(p for p in (self.startup_probe, self.liveness_probe, self.readiness_probe) if p)
