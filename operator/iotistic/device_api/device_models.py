"""What the routes on the device itself answer: for OpenAPI, and for the names on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from iotistic.device_api.models import Answer


class EngineBody(Answer):
    """The engine that runs the containers."""

    kind: str
    version: str
    address: str
    details: dict[str, str]
    error: str | None = None
    """Why the engine does not answer."""


class VersionAnswer(Answer):
    """What answers here."""

    version: str
    engine: EngineBody
    api_version: str
    install_id: str


class DeviceAnswer(Answer):
    """The device under the original's names; what else is known of it comes beside these."""

    model_config = ConfigDict(extra="allow")

    uuid: str = ""
    device_id: str | None = None
    device_name: str | None = None
    device_type: str | None = None
    api_endpoint: str | None = None
    registered_at: int | None = None
    """Milliseconds since 1970."""
    provisioned: bool = False
    application_id: int | None = None
    mac_address: str | None = None
    os_version: str | None = None
    agent_version: str | None = None
    mqtt_username: str | None = None
    mqtt_broker_url: str | None = None
    apps: int
    """How many Apps there are."""
    status: Literal["Idle", "Updating"]
    """Updating while Apps change."""
    config: dict[str, Any]
    """The same as /v1/config."""


class OriginalDone(Answer):
    """That it will be done, in the words of the first agent."""

    data: str = Field(alias="Data")
    error: str | None = Field(alias="Error")


class FactoryResetAnswer(Answer):
    """Everything is gone."""

    message: str
    status: Literal["factory-reset"]


class ReadinessAnswer(Answer):
    """Whether the agent is there for its Apps."""

    ready: bool
    state: Literal["INIT", "READY", "RUNNING", "STOPPING", "STOPPED", "ERROR"]
    critical_failures: list[str]
    """The same as `reasons`, under the original's name."""
    reasons: list[str]


class Check(Answer):
    """One thing that was looked at."""

    name: str
    status: Literal["OK", "WARN", "FAIL", "SKIP"]
    text: str
    advice: str = ""
    """What to do now."""


class Diagnostics(Answer):
    """What was looked at, worst last."""

    ok: bool
    """No check failed."""
    items: list[Check]


class AgentLine(Answer):
    """One line of the agent's own log."""

    text: str


class ConnectionAnswer(Answer):
    """How the connection to the cloud does."""

    status: Literal["online", "degraded", "offline"]
    uptime: float | None = None
    """Seconds."""
    last_poll_success: str | float | None = None
    last_report_success: str | float | None = None
    poll_success_rate: float | None = None
    """Percent."""
    report_success_rate: float | None = None
    """Percent."""
    offline_duration: float | None = None
    """Seconds."""
