"""App: services, networks and volumes that belong together and are updated together."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from iotistic.api.base import (
    API_VERSION,
    AppName,
    Count,
    DnsLabel,
    DnsName,
    Model,
    Number,
    ObjectMeta,
    Seconds,
    shaped,
)
from iotistic.api.conditions import StatusCondition
from iotistic.api.service import Service, Strategy
from iotistic.api.written import Memory


class DeletionPolicy(StrEnum):
    """What becomes of an App's volumes when it goes."""

    RETAIN = "Retain"
    DELETE = "Delete"


class IpamConfig(Model):
    """Addresses of a network."""

    subnet: str
    """As 10.5.0.0/24."""
    gateway: str | None = None
    """Address of the host in it."""
    ip_range: str | None = None
    """Part of the subnet to give addresses from."""


class Ipam(Model):
    """Who gives addresses."""

    driver: str = "default"
    """IPAM driver."""
    config: list[IpamConfig] = Field(default_factory=list)
    """Pools of addresses."""


class Network(Model):
    """A network of the App's own."""

    name: DnsLabel
    """Name inside the App; `default` is always there."""
    driver: str = "bridge"
    """Driver of the engine."""
    driver_opts: dict[str, str] = Field(default_factory=dict)
    """Options of the driver."""
    internal: bool = False
    """No way out of it."""
    ipam: Ipam = Ipam()
    """Addresses."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the network."""


class KeyToPath(Model):
    """One key as a file."""

    key: str
    """Key of the Secret or ConfigMap."""
    path: Annotated[str, *shaped(r"^[^/].*$", "a relative path like conf/app.ini")]
    """Relative path of the file."""


class SecretSource(Model):
    """A Secret as files."""

    secret_name: DnsName
    """Its name."""
    items: list[KeyToPath] = Field(default_factory=list)
    """These keys only; all when absent."""
    optional: bool = False
    """Go on with no files when it is missing."""


class ConfigMapSource(Model):
    """A ConfigMap as files."""

    name: DnsName
    """Its name."""
    items: list[KeyToPath] = Field(default_factory=list)
    """These keys only; all when absent."""
    optional: bool = False
    """Go on with no files when it is missing."""


class HostPathSource(Model):
    """A path of the host."""

    path: Annotated[str, *shaped(r"^/", "an absolute path like /var/lib/data")]
    """Absolute path on the host."""
    type: Literal[
        "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"
    ] = ""
    """What must be there, as in Kubernetes."""


class Volume(Model):
    """Storage that services mount. Without a source it is a volume of the App's own that outlives it."""

    name: DnsLabel
    """Name inside the App."""
    driver: str = "local"
    """Driver of the engine."""
    driver_opts: dict[str, str] = Field(default_factory=dict)
    """Options of the driver."""
    size: Memory | None = None
    """Size to ask for on a cluster (1Gi when absent); accepted and not compared on Docker."""
    storage_class: str | None = None
    """Storage class on a cluster; accepted and not compared on Docker."""
    secret: SecretSource | None = None
    """Files from a Secret, read-only."""
    config_map: ConfigMapSource | None = None
    """Files from a ConfigMap, read-only."""
    host_path: HostPathSource | None = None
    """A path of the host."""

    @property
    def named(self) -> bool:
        """True for a volume of the App's own, made and kept by the engine."""
        return self.secret is None and self.config_map is None and self.host_path is None

    @model_validator(mode="after")
    def _one_source(self) -> Volume:
        sources = [name for name in ("secret", "config_map", "host_path") if getattr(self, name) is not None]
        if len(sources) > 1:
            raise ValueError("only one of secret, configMap and hostPath")
        own = self.model_fields_set & {"driver", "driver_opts", "size", "storage_class"}
        if sources and own:
            raise ValueError(
                "driver, driverOpts, size and storageClass are for volumes without another source"
            )
        return self


class Window(Model):
    """A time in which updates may interrupt services."""

    cron: str
    """When it opens, five fields."""
    duration: str
    """How long it stays open."""
    time_zone: str = "UTC"
    """Time zone of `cron`."""


class Update(Model):
    """How a changed App is brought in."""

    strategy: Strategy = Strategy.DOWNLOAD_THEN_KILL
    """For all services that say nothing else."""
    progress_deadline_seconds: Seconds = 300
    """Time for all services to get ready."""
    min_ready_seconds: Count = 10
    """Time that they must stay ready before an update is good; a first install is Ready at its first
    readiness."""
    auto_undo: bool = True
    """Go back to the last good release when the deadline passes."""
    windows: list[Window] = Field(default_factory=list)
    """Not supported yet: refused when given; updates begin at once."""
    approval: Literal["Auto", "Manual"] = "Auto"
    """Auto. Manual (somebody has to say yes) is not supported yet."""


class AppSpec(Model):
    """What should run."""

    app_id: Number | None = None
    """The cloud's number; given one when absent."""
    release: (
        Annotated[str, Field(min_length=1, max_length=63)] | Annotated[int, Field(ge=1, lt=10**63)] | None
    ) = None
    """Name of this release; absent: each changed spec gets the next number."""
    services: Annotated[list[Service], Field(min_length=1)]
    """The services; names are unique."""
    networks: list[Network] = Field(default_factory=list)
    """Networks beside `default`, which is always there and may be described here too."""
    volumes: list[Volume] = Field(default_factory=list)
    """Volumes; names are unique."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """What becomes of its volumes when the App goes."""
    update: Update = Update()
    """How changes are brought in."""
    suspend: bool = False
    """Leave everything as it is."""
    history_limit: Count = 3
    """Old releases to remember."""


class ServiceStatus(Model):
    """What one service of the App is doing."""

    name: str
    """Name of the service."""
    service_id: int | None = None
    """Its number."""
    state: str
    """Running, Stopped, Paused, Waiting, Pulling, Starting, CrashLoop, Failed, Completed."""
    ready: bool = False
    """It runs as the App says and its probes agree."""
    run_state: str = "Running"
    """What somebody asked for with start and stop."""
    reason: str = ""
    """Why it is not ready, in a few words."""
    image: str = ""
    """Image of the container that is there."""
    image_digest: str = ""
    """Its digest, where the engine knows one."""
    container_id: str = ""
    """Id of the container."""
    release: str = ""
    """Release that the container belongs to."""
    restarts: int = 0
    """Times that it was started again."""
    exit_code: int | None = None
    """How it ended last."""
    ports: list[str] = Field(default_factory=list)
    """Published ports, as 8080->80/tcp."""
    since: str = ""
    """When it came into this state, RFC 3339."""


class AppStatus(Model):
    """What is so now. Written by Iotistic Edge only."""

    observed_generation: int = -1
    """Generation of the spec that this speaks of."""
    release: str = ""
    """Release that may run: the wanted one, or the last good one when that was undone."""
    state: str = ""
    """Ready, Updating, Undoing, Undone, Failed, Degraded, Stopped, Stalled, Held, Deleting, Orphaned: one
    word for tables."""
    ready: str = ""
    """Services that are ready of those that are to run, as 2/3; 0/0 when all are stopped by hand."""
    why: str = ""
    """One sentence: what it is waiting for, and what unblocks it."""
    services: list[ServiceStatus] = Field(default_factory=list)
    """One each, in the order of the spec."""
    conditions: list[StatusCondition] = Field(default_factory=list)
    """Ready, Reconciling, Stalled, Available."""


class AppMeta(ObjectMeta):
    """Metadata of an App."""

    name: AppName
    """Name; unique on a device, starting with a letter."""


class App(Model):
    """Services that belong together: deployed, updated and removed as one."""

    api_version: Literal["iotistic.io/v1alpha1"] = API_VERSION
    """Version of the form of this document."""
    kind: Literal["App"] = "App"
    """What it is."""
    metadata: AppMeta
    """Its name, and what else may be said about it."""
    spec: AppSpec
    """What should run."""
    status: AppStatus | None = None
    """Written by Iotistic Edge; ignored on the way in."""

    @property
    def name(self) -> str:
        """Name of the App."""
        return self.metadata.name

    def service(self, name: str) -> Service | None:
        """The service of that name."""
        return next((service for service in self.spec.services if service.name == name), None)

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        return next((volume for volume in self.spec.volumes if volume.name == name), None)
