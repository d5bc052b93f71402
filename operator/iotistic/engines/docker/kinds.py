"""What is at a path of the host, asked of the engine: it may be another machine's, or another
container's, file system.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iotistic.api.app import HostPathSource
from iotistic.api.errors import EngineError

# Bits of Go's os.FileMode, in which the engine answers.
_DIRECTORY, _DEVICE, _PIPE, _SOCKET, _CHARACTER = 1 << 31, 1 << 26, 1 << 25, 1 << 24, 1 << 21
_SPECIAL = _DIRECTORY | _DEVICE | _PIPE | _SOCKET | _CHARACTER
_KINDS = {
    "Directory": (_DIRECTORY, "directory"),
    "DirectoryOrCreate": (_DIRECTORY, "directory"),
    "File": (0, "file"),
    "FileOrCreate": (0, "file"),
    "Socket": (_SOCKET, "socket"),
    "CharDevice": (_DEVICE | _CHARACTER, "character device"),
    "BlockDevice": (_DEVICE, "block device"),
}


def check_kinds(api: Any, subject: str, id: str, sources: Mapping[str, HostPathSource]) -> None:
    """Check that mounted paths of the host are what the App says.

    Args:
        api: the SDK's APIClient.
        subject: as in errors.
        id: the container, created and not started.
        sources: by mount path.

    Raises: EngineError naming the path and what is there.
    """
    for mount_path, source in sources.items():
        response = api.head(api._url("/containers/{0}/archive", id), params={"path": mount_path})
        api._raise_for_status(response)
        header = response.headers["X-Docker-Container-Path-Stat"]
        mode = int(json.loads(base64.b64decode(header))["mode"])
        bits, word = _KINDS[source.type]
        if mode & _SPECIAL != bits:
            raise EngineError(
                f"{subject}: {source.path} on the host is a {kind_of(mode)}, not a {word}",
                hint="change hostPath.path or hostPath.type of the volume",
            )


def kind_of(mode: int) -> str:
    """What a mode of Go's says, in a word or two."""
    found = {bits: word for bits, word in _KINDS.values()} | {_PIPE: "pipe"}
    return found.get(mode & _SPECIAL, "file of an unknown kind")


def make_file(subject: str, path: str) -> None:
    """An empty file where there is nothing. Raises EngineError."""
    try:
        Path(path).touch(mode=0o644, exist_ok=True)
    except OSError as error:
        raise EngineError(
            f"{subject}: {path} can't be made on the host: {error.strerror}", hint="make it by hand"
        ) from error
