"""Which images this host's processor can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

BINFMT = Path("/proc/sys/fs/binfmt_misc")
"""Where a kernel lists what runs foreign programs for it."""
KERNELS_NAMES = {
    "x86_64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
}
"""Kernels' names of architectures to those of images; the others are alike."""
_OLDER = {"amd64": "386", "arm64": "arm"}
"""What a processor runs beside its own."""


def platform_of_host(info: Mapping[str, Any]) -> str:
    """What the engine's host is, as linux/amd64, from `GET /info`."""
    architecture = info.get("Architecture") or ""
    return f"{info.get('OSType') or 'linux'}/{KERNELS_NAMES.get(architecture, architecture)}"


def platform_of_image(seen: Mapping[str, Any]) -> str:
    """What an image is for, as linux/amd64, from `GET /images/NAME/json`; empty when it does not say."""
    architecture = seen.get("Architecture") or ""
    return f"{seen.get('Os') or 'linux'}/{architecture}" if architecture else ""


def runs(image: str, host: str) -> bool:
    """Whether a host's processor runs an image for that platform by itself."""
    system, _, architecture = host.partition("/")
    return image in {"", host, f"{system}/{_OLDER.get(architecture, architecture)}"}


def may_be_emulated(directory: Path = BINFMT) -> bool:
    """Whether this machine's kernel has help with foreign programs, of whatever kind."""
    try:
        return any(entry.name not in {"register", "status"} for entry in directory.iterdir())
    except OSError:
        return False
