"""AppService: one service of an App as an object of its own, with the run state a person may set."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from iotistic.api.app import ServiceStatus
from iotistic.api.base import API_VERSION, Model, ObjectMeta


class RunState(StrEnum):
    """What somebody asked of a service; an overlay, never part of App.spec."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    PAUSED = "Paused"


class AppServiceSpec(Model):
    """What a person may ask of one service."""

    app: str
    """Name of the App."""
    service: str
    """Name of the service inside it."""
    run_state: RunState = RunState.RUNNING
    """Running, Stopped, or, on Docker only, Paused; kept over reboots and new versions of the App."""


class AppService(Model):
    """One service of an App; made from the App, not by hand."""

    api_version: Literal["iotistic.io/v1alpha1"] = API_VERSION
    """Version of the form of this document."""
    kind: Literal["AppService"] = "AppService"
    """What it is."""
    metadata: ObjectMeta
    """Its name: App, dash, service."""
    spec: AppServiceSpec
    """Which service it is, and its run state."""
    status: ServiceStatus | None = None
    """Written by Iotistic Edge."""
