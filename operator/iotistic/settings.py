"""All settings of the agent and of the operator; the only place that reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment; the command line may override some."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", use_attribute_docstrings=True)

    config_dir: Path = Path("/app/data")
    """Directory that holds everything the agent keeps: database, socket, key, locks."""
    database_path: Path | None = None
    """Database file; `device.sqlite` in CONFIG_DIR when absent."""
    device_api_port: int = Field(default=48484, ge=0, le=65535)
    """Port of the Device API; 0 takes a free one."""
    api_security_mode: Literal["LOCALHOST_ONLY", "LOCAL_NETWORK", "API_KEY", "OPEN"] = "LOCALHOST_ONLY"
    """From where the Device API is reached: this machine, private networks, everywhere, everywhere and said
    loudly. All but the first ask for the key in any case."""
    device_api_host: str = ""
    """Address that the Device API listens on; 127.0.0.1 or, in the wider modes, 0.0.0.0 when absent. `::`
    takes IPv6 and IPv4."""
    device_api_allowed_hosts: str = ""
    """Further names of this device that a caller may use, with commas between; its own hostname and the
    address that was called are known."""
    enable_auth: bool = True
    """False: no key is asked on loopback. Said loudly at start; only for LOCALHOST_ONLY."""
    api_key: str = ""
    """Key of the Device API; made at first boot when absent."""
    docker_host: str = ""
    """Address of the Docker engine; its own default when absent."""
    docker_config: Path | None = None
    """Directory with Docker's config.json for logins of registries; ~/.docker when absent."""
    resync_seconds: float = Field(default=60, gt=0)
    """Time between two full observations when nothing happens; reads only."""
    keep_images: bool = False
    """Never remove images that nobody needs."""
    log_format: Literal["text", "json"] = "text"
    """How log lines are written to standard error."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important lines that are written."""
    engine: Literal["docker", "simulated"] = "docker"
    """What runs the containers."""
    notify_socket: str = ""
    """Where systemd wants to hear that the agent is ready and alive; set by systemd."""
    watchdog_usec: int = Field(default=0, ge=0)
    """Microseconds within which systemd wants to hear so again; set by systemd (WatchdogSec)."""

    @field_validator("enable_auth")
    @classmethod
    def _never_open_to_others(cls, value: bool, info: ValidationInfo) -> bool:
        mode = info.data.get("api_security_mode", "LOCALHOST_ONLY")
        if not value and mode != "LOCALHOST_ONLY":
            raise ValueError(
                f"false is for LOCALHOST_ONLY; API_SECURITY_MODE={mode} is reached from elsewhere"
            )
        return value

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names in DEVICE_API_ALLOWED_HOSTS."""
        return tuple(name.strip() for name in self.device_api_allowed_hosts.split(",") if name.strip())

    @property
    def database(self) -> Path:
        """The database file."""
        return self.database_path or self.config_dir / "device.sqlite"

    @property
    def socket(self) -> Path:
        """The Unix socket of the Device API."""
        return self.config_dir / "agent.sock"


class OperatorSettings(BaseSettings):
    """Settings of the operator from the environment."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", use_attribute_docstrings=True)

    kubeconfig: str = ""
    """Path of a kubeconfig. Empty: the pod's service account, or outside of a pod ~/.kube/config."""
    watch_namespaces: str = ""
    """Namespaces whose Apps are kept running, with commas between; the whole cluster when empty."""
    cluster_dns: str = ""
    """Addresses of the cluster's DNS servers, with commas between; as in the pod's own /etc/resolv.conf when
    empty."""
    cluster_domain: str = ""
    """Domain of the cluster's names; as in the pod's own /etc/resolv.conf when empty, else cluster.local."""
    registry_override: str = ""
    """Registry (with a path or without) to take all images from instead of theirs."""
    health_host: str = "0.0.0.0"
    """Address on which /healthz, /readyz and /metrics are served. `::` takes IPv6 and IPv4."""
    health_port: int = Field(default=8080, ge=0, le=65535)
    """Port of these; 0 takes a free one."""
    watch_check_seconds: float = Field(default=60, gt=0)
    """Time in which each watch is compared once with a listing of metadata; reads only. A watch that has
    left something untold fails /healthz."""
    log_format: Literal["text", "json"] = "json"
    """How log lines are written to standard error."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important lines that are written."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Names in WATCH_NAMESPACES."""
        return tuple(dict.fromkeys(name.strip() for name in self.watch_namespaces.split(",") if name.strip()))

    @property
    def nameservers(self) -> tuple[str, ...]:
        """Addresses in CLUSTER_DNS."""
        return tuple(one.strip() for one in self.cluster_dns.split(",") if one.strip())
