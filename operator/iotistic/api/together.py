"""What Apps and documents may not be side by side: known only where all of them are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from iotistic.api.app import App


def check_together(
    apps: Sequence[App], others: Sequence[App], documents: Collection[tuple[str, str]]
) -> None:
    """Check Apps against each other and against the Secrets and ConfigMaps that there are.

    Args:
        apps: what is applied now; only these are told of.
        others: the Apps that there are; those with the name of an applied one are what it was.
        documents: (kind, name) of all Secrets and ConfigMaps as they would be.

    Raises: InvalidResourceError with every problem.
    """
