"""What is allowed and may still surprise."""

from __future__ import annotations

from iotistic.api.app import App


def warnings_of(app: App) -> list[str]:
    """One sentence for each thing that works but may not be what was meant."""
    return []
