"""All settings of the agent; the only place that reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment; the command line may override some."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", use_attribute_docstrings=True)

    config_dir: Path = Path("/app/data")
    """Directory that holds everything the agent keeps: database, socket, key, locks."""
    database_path: Path | None = None
    """Database file; `device.sqlite` in CONFIG_DIR when absent."""
    device_api_port: int = Field(default=48484, ge=0, le=65535)
    """Port of the Device API on 127.0.0.1; 0 takes a free one."""
    enable_auth: bool = True
    """False: no key is asked on loopback. Said loudly at start."""
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

    @property
    def database(self) -> Path:
        """The database file."""
        return self.database_path or self.config_dir / "device.sqlite"

    @property
    def socket(self) -> Path:
        """The Unix socket of the Device API."""
        return self.config_dir / "agent.sock"
