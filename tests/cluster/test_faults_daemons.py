"""Parts of the cluster go away for a while, in the middle of an update: what serves goes on, and the update
comes in once they are back.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.cluster.faulty import STATE, needs_daemons, without, world
from tests.cluster.kube import Kube
from tests.cluster.site import Site, app, serving
from tests.faults.seeds import FULL

pytestmark = pytest.mark.alone
AWAY_SECONDS = 120 if FULL else 20
LOCKED_SECONDS = 60 if FULL else 8
UPDATE = {"progressDeadlineSeconds": 300, "minReadySeconds": 10}


@pytest.fixture
def daemons(cluster: Kube) -> None:
    """Daemons that a test may stop."""
    needs_daemons(cluster)


class Asking:
    """Asks a service from outside, all the time."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}:8080/index.html"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.good = 0
        self.bad: list[str] = []

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            try:
                with urllib.request.urlopen(self._url, timeout=10) as answer:
                    assert answer.read().strip() == b"steady"
                    self.good += 1
            except (OSError, AssertionError) as error:
                self.bad.append(repr(error))


def steady() -> dict[str, object]:
    """A service that no update here touches."""
    return serving("steady", name="steady")


def installed(site: Site) -> str:
    """Bring in release 1. Returns: the address of the pod of the service that is never touched."""
    site.apply(app(serving("one"), steady(), update=UPDATE))
    site.until_state("Ready", release="1")
    site.operator.until_idle()
    return str(
        next(pod for pod in site.items("pod") if "steady" in pod["metadata"]["name"])["status"]["podIP"]
    )


def begun(site: Site) -> None:
    """Begin release 2 and wait until it is under way."""
    site.apply(app(serving("two"), steady(), update=UPDATE))
    site.until_state("Updating")


def came_in(site: Site) -> None:
    """Wait for release 2, and look whether all is well."""
    site.until_state("Ready", release="2")
    site.until_serves("two", "shop-web")
    site.operator.until_ready()
    site.operator.until_idle()
    # A watch that hangs on a server that is only half there is begun again after 70 s of silence.
    site.until(lambda: site.operator.reasons("/healthz") == [], f"all watches hear; {site.operator.tail()}")
    found = world(site)
    assert found["pods"] == {"web": 1, "steady": 1}
    assert found["deployments"] == {"shop-web": [1, 1], "shop-steady": [1, 1]}


def test_the_api_server_is_away_during_an_update(site: Site, daemons: None) -> None:
    address, pid = installed(site), site.operator.pid
    with Asking(address) as asking:
        begun(site)
        with without("apiserver"):
            site.until(lambda: site.operator.page("/readyz")[0] == 503, "it is told")
            end = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < end:
                # A restart of the operator would not bring it back.
                assert site.operator.reasons("/healthz") == [], site.operator.tail()
                time.sleep(1)
        came_in(site)
    assert site.operator.pid == pid
    assert site.operator.running()
    assert asking.good > 0
    assert asking.bad == []


@pytest.fixture
def locked() -> Iterator[threading.Event]:
    """Once it is set, the cluster's datastore takes no writes for some seconds."""
    begin = threading.Event()

    def lock() -> None:
        begin.wait()
        with closing(sqlite3.connect(STATE / "kine" / "state.db", timeout=60, isolation_level=None)) as store:
            store.execute("BEGIN EXCLUSIVE")
            time.sleep(LOCKED_SECONDS)
            store.execute("ROLLBACK")

    thread = threading.Thread(target=lock)
    thread.start()
    yield begin
    begin.set()
    thread.join()


def test_the_datastore_is_locked_during_an_update(site: Site, daemons: None, locked: threading.Event) -> None:
    if not os.access(STATE / "kine" / "state.db", os.W_OK):
        pytest.skip("needs root: the datastore is root's")
    address = installed(site)
    with Asking(address) as asking:
        site.apply(app(serving("two"), steady(), update=UPDATE))
        locked.set()
        came_in(site)
    assert asking.bad == []


def test_kubelet_containers_and_operator_end_at_once(site: Site, daemons: None) -> None:
    installed(site)
    begun(site)
    with without("kubelet", "KILL"):
        site.operator.kill()
        end_containers(site.namespace)
    site.operator.start()
    came_in(site)
    status = site.status()
    assert (status["state"], status["ready"]) == ("Ready", "2/2")


def end_containers(namespace: str) -> None:
    """Kill all that runs in the pods of a namespace, with what keeps their networks."""
    ctr = ["ctr", "-a", str(STATE / "run" / "containerd.sock"), "-n", "k8s.io"]
    filter = f'labels."io.kubernetes.pod.namespace"=={namespace}'
    found = subprocess.run(
        [*ctr, "containers", "ls", "-q", filter], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert found
    for name in found:
        subprocess.run(
            [*ctr, "tasks", "kill", "-s", "SIGKILL", name], check=False, capture_output=True, timeout=60
        )
