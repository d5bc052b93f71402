"""Paths of the host: what is there is what the App says, or the service is not started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from tests.docker.rig import Rig

APP = "hostpaths"


@pytest.mark.parametrize(
    ("kind", "make", "said"),
    [
        ("Directory", lambda path: path.write_text("x"), "is a file, not a directory"),
        ("File", lambda path: path.mkdir(), "is a directory, not a file"),
        ("Socket", lambda path: path.write_text("x"), "is a file, not a socket"),
        ("CharDevice", lambda path: path.mkdir(), "is a directory, not a character device"),
        (
            "BlockDevice",
            lambda path: path.symlink_to("/dev/null"),
            "is a character device, not a block device",
        ),
        ("Directory", lambda path: None, "does not exist"),
        ("File", lambda path: None, "does not exist"),
    ],
)
async def test_a_host_path_of_another_kind_is_refused(
    rig: Rig, tmp_path: Path, kind: str, make: Any, said: str
) -> None:
    make(tmp_path / "it")
    rig.app(
        APP,
        {"name": "web", "volumeMounts": [{"name": "it", "mountPath": "/it"}]},
        volumes=[{"name": "it", "hostPath": {"path": str(tmp_path / "it"), "type": kind}}],
    )

    with pytest.raises(EngineError, match=said) as raised:
        await rig.up()

    assert str(tmp_path / "it") in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("FileOrCreate", "fresh"),
        ("CharDevice", "/dev/null"),
        ("Socket", "/var/run/docker.sock"),
        ("", "anything"),
    ],
)
async def test_a_host_path_of_the_right_kind_is_mounted(
    rig: Rig, tmp_path: Path, kind: str, path: str
) -> None:
    source = path if path.startswith("/") else str(tmp_path / path)
    rig.app(
        APP,
        {"name": "web", "volumeMounts": [{"name": "it", "mountPath": "/it"}]},
        volumes=[{"name": "it", "hostPath": {"path": source, "type": kind}}],
    )

    [web] = await rig.up()

    assert {mount["Destination"]: mount["Source"] for mount in rig.inspect(web)["Mounts"]}["/it"] in {
        source,
        str(Path(source).resolve()),
    }
