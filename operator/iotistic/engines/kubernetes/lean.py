"""The asyncio half of the official client without what it brings along: imported as it is, it also loads its
blocking half and some clients of its own (informer, dynamic, leader election): 9 MB resident and half a
second that an operator on a small board has no use for. kopf looks for the same library, for logins that are
not used here.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType


def leave_out() -> None:
    """Load kopf and make `kubernetes.aio.client` and `.config` importable by themselves; to be called once,
    before anything imports them."""
    if "kubernetes" in sys.modules:
        return
    spec = find_spec("kubernetes")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("the package kubernetes is needed: pip install 'iotistic-edge[operator]'")
    sys.modules["kubernetes"] = None  # type: ignore[assignment]  # Python's way to say: not there
    try:
        import kopf as kopf  # noqa: PLC0414  # loaded here and now, for its effect
    finally:
        del sys.modules["kubernetes"]
    (folder,) = spec.submodule_search_locations
    for name, path in (("kubernetes", folder), ("kubernetes.aio", f"{folder}/aio")):
        package = ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
