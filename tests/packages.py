"""Packages of the distribution that tests want, where this user may install them: one run at a time, as
others of these tests, in other processes, want theirs at the same moment.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

LOCK = Path(tempfile.gettempdir()) / "iotistic-tests-packages.lock"


def install(*packages: str, unless: Callable[[], object]) -> None:
    """Install these, `unless` what is wanted of them is there; whether it is then is the caller's to see."""
    if unless() or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    get = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if unless():
            return
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run([*get, *words], env=quietly, capture_output=True, check=False)
