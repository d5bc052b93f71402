"""The pure parts of the Docker engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iotistic.api.errors import EngineError
from iotistic.api.service import Service
from iotistic.engines.docker.client import _spoken
from iotistic.engines.docker.containers import Parts, body, limits
from iotistic.engines.docker.environment import expanded
from iotistic.engines.docker.hostpaths import own_ids, translated
from iotistic.engines.docker.kinds import kind_of
from iotistic.engines.docker.labels import owner_of, read_spec, service_labels, write_spec
from iotistic.engines.docker.output import frames, lines
from iotistic.engines.docker.platforms import (
    may_be_emulated,
    platform_of_host,
    platform_of_image,
    runs,
)
from iotistic.engines.docker.pull import Layers
from iotistic.engines.docker.times import from_seconds, seconds, sortable

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("$(A)", "1"),
        ("a $(A)$(B) b", "a 1two b"),
        ("$(C)", "$(C)"),
        ("$$(A)", "$(A)"),
        ("$$", "$"),
        ("$A ${A} $! $(date +%s) $", "$A ${A} $! $(date +%s) $"),
        ("$(A", "$(A"),
    ],
)
def test_names_in_words_are_replaced_as_in_kubernetes(word: str, result: str) -> None:
    assert expanded([word], {"A": "1", "B": "two"}) == [result]


@pytest.mark.parametrize(
    ("resources", "cpus", "told"),
    [
        (None, 4, (0, 0, 0, 0)),
        ({"limits": {"memory": "64Mi", "cpu": "1.5"}}, 4, (67108864, 1_500_000_000, 0, 0)),
        ({"limits": {"cpu": 8}}, 2, (0, 2_000_000_000, 0, 0)),
        ({"limits": {"cpu": 8}}, 0, (0, 8_000_000_000, 0, 0)),
        ({"limits": {"cpu": "1m"}}, 4, (0, 10_000_000, 0, 0)),
        ({"requests": {"memory": "1G", "cpu": 2}}, 4, (0, 0, 1_000_000_000, 2048)),
        ({"requests": {"cpu": "1m"}}, 4, (0, 0, 0, 2)),
    ],
)
def test_resources_as_the_engine_is_told_them(
    resources: dict[str, Any] | None, cpus: int, told: tuple[int, ...]
) -> None:
    found = limits(resources, cpus)

    assert tuple(found[key] for key in ("Memory", "NanoCpus", "MemoryReservation", "CpuShares")) == told


def test_what_only_a_privileged_host_could_start() -> None:
    service = Service.model_validate(
        {"name": "web", "image": "web:1", "securityContext": {"privileged": True}, "networkMode": "host"}
    )

    made = body(Parts(app="shop", service=service, image="web:1", labels={}), joined=True)

    assert made["HostConfig"]["Privileged"] is True
    assert made["HostConfig"]["NetworkMode"] == "host"
    assert "NetworkingConfig" not in made
    assert "PortBindings" not in made["HostConfig"]


def test_secret_values_do_not_show_in_what_is_printed() -> None:
    service = Service.model_validate({"name": "web", "image": "web:1"})

    parts = Parts(app="shop", service=service, image="web:1", labels={}, variables={"P": "hunter2"})

    assert "hunter2" not in repr(parts)


def test_labels_of_the_user_never_replace_ours() -> None:
    labels = service_labels(
        app="shop",
        service="web",
        install="i",
        release="2",
        record={"image": "web:1"},
        users={"team": "ot", "iotistic.io/app": "other", "iotistic.io/new": "x"},
    )

    assert labels == {
        "team": "ot",
        "iotistic.io/app": "shop",
        "iotistic.io/service": "web",
        "iotistic.io/install": "i",
        "iotistic.io/release": "2",
        "iotistic.io/spec": '{"record":{"image":"web:1"},"version":1}',
    }
    assert owner_of(labels, "i") is not None
    assert owner_of(labels, "j") is None
    assert owner_of({}, "i") is None
    assert owner_of(None, "i") is None


@given(
    st.recursive(
        st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()),
        lambda inner: st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_a_record_comes_back_from_its_label(record: dict[str, Any]) -> None:
    assert read_spec(write_spec(record)) == record


@given(st.none() | st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_anything_else_in_a_label_is_no_record(text: str | None) -> None:
    assert read_spec(text) is None


@pytest.mark.parametrize(
    ("time", "result"),
    [
        ("2026-01-02T03:04:05.12Z", "2026-01-02T03:04:05.120000000Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
        ("0001-01-01T00:00:00Z", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_times_have_one_length(time: str | None, result: str) -> None:
    assert sortable(time) == result


def test_times_there_and_back() -> None:
    assert from_seconds(1_767_323_045) == "2026-01-02T03:04:05.000000000Z"
    assert seconds("2026-01-02T03:04:05.120000001Z") == "1767323045.120000001"
    assert seconds("2026-01-02T03:04:05Z") == "1767323045.0"


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [("1.41", "1.12", "1.41"), ("1.43", "1.24", "1.43"), ("1.52", "1.44", "1.44"), ("1.60", "1.50", "1.50")],
)
def test_the_api_version_that_both_know(newest: str, oldest: str, spoken: str) -> None:
    said = {"ApiVersion": newest, "MinAPIVersion": oldest, "Version": "x"}

    assert _spoken(said, "unix:///x") == spoken


def test_an_older_api_is_refused() -> None:
    with pytest.raises(EngineError, match=r"too old: version 19.03 speaks API 1.40, and at least 1.41"):
        _spoken({"ApiVersion": "1.40", "MinAPIVersion": "1.12", "Version": "19.03"}, "unix:///x")


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "ids"),
    [
        (
            f"9 1 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 d rw",
            "0::/",
            [ID],
        ),
        ("", f"12:pids:/docker/{ID}\n", [ID]),
        ("", f"0::/system.slice/docker-{ID}.scope\n", [ID]),
        (f"9 1 8:1 /containers/{ID}/hosts /etc/hosts rw", f"1:cpu:/docker/{ID}\n", [ID]),
        ("9 1 8:1 / / rw - ext4 /dev/sda1 rw", "0::/init.scope\n", []),
    ],
)
def test_a_process_finds_the_container_it_is_in(mountinfo: str, cgroup: str, ids: list[str]) -> None:
    assert own_ids(mountinfo, cgroup) == ids


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/app/data/mounts/x", "/var/lib/docker/volumes/iotistic/_data/mounts/x"),
        ("/app/data", "/var/lib/docker/volumes/iotistic/_data"),
        ("/app/data/inner/x", "/srv/inner/x"),
        ("/app/database", None),
        ("/opt", None),
    ],
)
def test_paths_are_translated_by_the_nearest_mount(path: str, host: str | None) -> None:
    mounts = [
        {"Destination": "/app/data", "Source": "/var/lib/docker/volumes/iotistic/_data"},
        {"Destination": "/app/data/inner", "Source": "/srv/inner"},
        {"Destination": "/tmp", "Source": ""},
    ]

    assert translated(path, mounts) == host


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        (0o644, "file"),
        (1 << 31 | 0o755, "directory"),
        (1 << 24 | 0o660, "socket"),
        (1 << 26 | 1 << 21 | 0o666, "character device"),
        (1 << 26 | 0o660, "block device"),
        (1 << 25, "pipe"),
    ],
)
def test_what_a_mode_of_the_engine_says(mode: int, word: str) -> None:
    assert kind_of(mode) == word


class Raw:
    """Bytes that are read as from a connection."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, count: int) -> bytes:
        part, self._data = self._data[:count], self._data[count:]
        return part


def frame(stream: int, text: str) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text.encode()).to_bytes(4, "big") + text.encode()


T1, T2, T3 = (f"2026-01-02T03:04:0{n}.000000000Z" for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (frame(1, f"{T1} one\n") + frame(2, f"{T2} two\n"), [("stdout", T1, "one"), ("stderr", T2, "two")]),
        (frame(1, f"{T1} long ") + frame(1, f"{T2} line\n"), [("stdout", T1, "long line")]),
        (
            frame(1, f"{T1} long ") + frame(2, f"{T2} other\n") + frame(1, f"{T3} line\n"),
            [("stderr", T2, "other"), ("stdout", T1, "long line")],
        ),
        (frame(1, f"{T1} no end"), [("stdout", T1, "no end")]),
        (frame(1, f"{T1} \r\n"), [("stdout", T1, "")]),
        (frame(1, f"{T1} cut off\n")[:-3], [("stdout", T1, "cut o")]),
        (b"\x01\x00", []),
        (b"", []),
    ],
)
def test_lines_from_the_engines_frames(data: bytes, result: list[tuple[str, str, str]]) -> None:
    found = [(line.stream, line.time, line.text) for line in lines(frames(Raw(data)))]

    assert found == result


def test_progress_adds_up_layers_and_never_goes_back() -> None:
    layers = Layers()
    said = [
        {"status": "Pulling from team/web", "id": "2"},
        {"status": "Pulling fs layer", "id": "a"},
        {"status": "Pulling fs layer", "id": "b"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 5, "total": 50}},
        {"status": "Download complete", "id": "b"},
        {"status": "Extracting", "id": "b", "progressDetail": {"current": 1, "total": 50}},
        {"status": "Retrying in 5 seconds", "id": "a"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 60, "total": 100}},
        {"status": "Download complete", "id": "a"},
        {"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 100}},
        {"status": "Pull complete", "id": "a"},
        {"status": "Status: Downloaded newer image"},
    ]

    told = [layers.after(message) for message in said]

    assert [(one.current, one.total) for one in told] == [
        (0, 0), (0, 0), (0, 0), (10, 100), (15, 150), (60, 150), (60, 150), (60, 150), (110, 150),
        (150, 150), (150, 150), (150, 150), (150, 150),
    ]  # fmt: skip
    assert told[7].message == "pulling: the connection broke, retrying in 5 seconds"
    assert told[8].message == "pulling"
    assert told[10].message == "extracting"


@pytest.mark.parametrize(
    ("image", "host", "result"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/386", "linux/amd64", True),
        ("linux/arm", "linux/arm64", True),
        ("", "linux/arm64", True),
        ("linux/arm64", "linux/arm", False),
        ("linux/arm64", "linux/amd64", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_what_a_processor_runs_by_itself(image: str, host: str, result: bool) -> None:
    assert runs(image, host) is result


def test_help_with_foreign_programs_shows_in_the_kernels_list(tmp_path: Path) -> None:
    assert not may_be_emulated(tmp_path / "none")
    for name in ("register", "status"):
        (tmp_path / name).touch()
    assert not may_be_emulated(tmp_path)
    (tmp_path / "qemu-aarch64").touch()
    assert may_be_emulated(tmp_path)


def test_a_hosts_platform_is_named_as_images_name_theirs() -> None:
    assert platform_of_host({"Architecture": "aarch64", "OSType": "linux"}) == "linux/arm64"
    assert platform_of_host({"Architecture": "riscv64"}) == "linux/riscv64"
    assert platform_of_image({"Architecture": "arm", "Os": "linux", "Variant": "v7"}) == "linux/arm"
    assert platform_of_image({"Architecture": "", "Os": ""}) == ""
