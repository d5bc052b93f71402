"""Why a container can't be started, from what containerd and runc say of it. Pure."""

from __future__ import annotations

import re

_NO_PROGRAM = re.compile(
    r'exec: "([^"]*)": (?:executable file not found|no such file|stat [^:]*: no such file)'
)
_NO_RIGHT = re.compile(r'exec: "([^"]*)": permission denied')
_RUNTIME = re.compile(
    r"failed to (?:create|start) (?:containerd task|shim task|container(?: \"[^\"]*\")?): "
    r"|OCI runtime \w+ failed: |runc \w+ failed: |unable to start container process: "
    r"|error during container init: |(?:container_linux|process_linux)\.go:\d+: |: unknown$"
)
"""What containerd and runc put around a cause, layer by layer."""
_RUNTIME_LENGTH = 160


def runtime_words(reason: str, message: str) -> str:
    """Why a container can't be started, in a few words: `no program "run" in the image`."""
    if absent := _NO_PROGRAM.search(message):
        return f'no program "{absent[1]}" in the image'
    if forbidden := _NO_RIGHT.search(message):
        return f'the program "{forbidden[1]}" may not be run: permission denied'
    cause = " ".join(_RUNTIME.sub("", message).split())
    if len(cause) > _RUNTIME_LENGTH:
        cause = f"{cause[:_RUNTIME_LENGTH]} ..."
    return f"{reason}: {cause}" if cause else reason
