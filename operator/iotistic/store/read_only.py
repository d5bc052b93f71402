"""What to do where the disk is read-only: rights are not what is missing then."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def hint_where_read_only(directory: Path, error: BaseException) -> str:
    """What to do about a read-only file system; empty when that is not the trouble.

    Args:
        directory: what could not be written to, also one that could not be made.
        error: of the kernel, or of the database, which tells rights and a read-only disk not apart.
    """
    if getattr(error, "errno", None) != errno.EROFS and not _is_read_only(directory):
        return ""
    return (
        f"the file system of {directory} is read-only: look at dmesg for a failing disk, then mount it "
        f"writable: mount -o remount,rw {_mount_point(directory)} (in a container: its volume without ro)"
    )


def _is_read_only(directory: Path) -> bool:
    try:
        return bool(os.statvfs(_there(directory)).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _mount_point(directory: Path) -> Path:
    there = _there(directory)
    return next(path for path in (there, *there.parents) if os.path.ismount(path))


def _there(directory: Path) -> Path:
    """The nearest directory above that exists."""
    whole = directory.absolute()
    # Path.exists() would raise where rights are missing
    return next(path for path in (whole, *whole.parents) if os.path.exists(path))
