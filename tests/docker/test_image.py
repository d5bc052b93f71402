"""The image as devices run it: built here, started with the README's own line."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.docker.conftest import ROOT, missing
from tests.docker.registry import free_port
from tests.docker.rig import IMAGE as HELLO

IMAGE = "iotistic-edge:tested"
BUILD_SECONDS = 1500
SECONDS = 180
UNPRIVILEGED = [
    "--read-only",
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--network",
    "none",
]


@pytest.fixture(scope="session")
def image(api: Any) -> str:
    """The image; minutes where nothing is cached, seconds after."""
    try:
        built = subprocess.run(
            [ROOT / "hack" / "image"],
            env={**os.environ, "IMAGE": IMAGE},
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        missing(f"hack/image took more than {BUILD_SECONDS} s")
    if built.returncode:
        missing(f"the image can't be built: {built.stderr[-2000:]}")
    return IMAGE


@dataclass
class Agent:
    """An agent in a container of its own name, port and volume."""

    name: str = field(default_factory=lambda: f"image-{uuid.uuid4().hex[:8]}")
    port: int = field(default_factory=lambda: free_port("127.0.0.1"))

    def start(self, *options: str) -> float:
        """Start it as the README says, with options more; seconds until its API answers."""
        began = time.monotonic()
        docker(*self._readme(), *options, "-e", f"DEVICE_API_PORT={self.port}", IMAGE)
        wait_for(self._answers, f"an answer of {self.name}", self.say)
        return time.monotonic() - began

    def iotctl(self, *words: str, stdin: str = "") -> str:
        return docker("exec", "-i", self.name, "iotctl", *words, stdin=stdin)

    def get(self, path: str) -> str:
        """What the page or the API says to this machine's own loopback."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def health(self) -> str:
        return str(inspected(self.name)["State"]["Health"]["Status"])

    def say(self) -> str:
        """All that it has written; for failures."""
        return _run("logs", "--tail", "50", self.name).stderr

    def services(self) -> dict[str, str]:
        """Ids of its App's containers, and since when they run."""
        ids = docker("ps", "-q", "--no-trunc", "--filter", f"label=iotistic.io/app={self.name}").split()
        return {id: inspected(id)["State"]["StartedAt"] for id in ids}

    def remove(self) -> None:
        """This agent's container and all of its App's."""
        label = f"label=iotistic.io/app={self.name}"
        for id in (self.name, *_run("ps", "-aq", "--filter", label).stdout.split()):
            _run("rm", "-fv", id)
        for id in _run("network", "ls", "-q", "--filter", label).stdout.split():
            _run("network", "rm", id)
        for id in (self.name, *_run("volume", "ls", "-q", "--filter", label).stdout.split()):
            _run("volume", "rm", "-f", id)

    def _readme(self) -> list[str]:
        """The README's line with this agent's name and volume, up to its image."""
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        [line] = re.findall(
            r"^docker (run -d .*?) iotistic-edge:dev$", readme.replace("\\\n", " "), re.MULTILINE
        )
        own = {"iotistic": self.name, "iotistic:/app/data": f"{self.name}:/app/data"}
        return [own.get(word, word) for word in shlex.split(line)]

    def _answers(self) -> bool:
        try:
            return self.get("/v1/healthy") != ""
        except OSError:
            return False


@pytest.fixture
def agent(image: str) -> Iterator[Agent]:
    agent = Agent()
    yield agent
    agent.remove()


def test_the_readmes_line_brings_an_app_up_and_a_new_agent_takes_it_over(agent: Agent) -> None:
    seconds = agent.start("--health-interval", "2s")
    size = inspected(IMAGE)["Size"] / 1e6
    print(f"image {size:.0f} MB; docker run to API ready: {seconds:.2f} s")

    agent.iotctl("apply", "-f", "-", "--wait", "--timeout", f"{SECONDS}s", stdin=app(agent.name))

    [service] = agent.services()
    assert docker("exec", service, "cat", "/secret/password") == "for-the-image"
    assert "<title>" in agent.get("/")
    assert_unprivileged(agent)
    wait_for(lambda: agent.health() == "healthy", "a healthy container", agent.say)

    before = agent.services()
    docker("stop", "--time", "60", agent.name)
    assert inspected(agent.name)["State"]["ExitCode"] == 0
    assert agent.services() == before
    docker("rm", agent.name)
    print(f"later, docker run to API ready: {agent.start():.2f} s")
    wait_for(lambda: ready(agent), f"App {agent.name} ready again", agent.say)
    assert agent.services() == before


def test_the_root_can_be_read_only(agent: Agent) -> None:
    agent.start("--read-only", "--tmpfs", "/tmp")

    agent.iotctl("apply", "-f", "-", "--wait", "--timeout", f"{SECONDS}s", stdin=app(agent.name))

    assert ready(agent)
    assert_unprivileged(agent)
    changed = docker("diff", agent.name).split()
    assert not [path for path in changed if path.startswith(("/opt", "/usr", "/etc"))], changed


def test_any_user_without_rights_may_start_it(image: str) -> None:
    """As a pod with restricted pod security does: no root, nothing to write to, no Docker socket."""
    for command in (
        ["iotistic-edge", "--version"],
        ["iotctl", "--help"],
        ["python", "-c", "import kopf, kubernetes.aio, iotistic.planning, iotistic.settings"],
    ):
        for user in ("48484:48484", "1000680000:0"):
            docker("run", "--rm", *UNPRIVILEGED, "--user", user, image, *command)
            docker(
                "run", "--rm", *UNPRIVILEGED, "--user", user, "--entrypoint", command[0], image, *command[1:]
            )


def test_a_data_directory_of_another_user_is_enough(agent: Agent) -> None:
    docker(
        *("run", "-d", "--name", agent.name, *UNPRIVILEGED, "--user", "23456:23456"),
        *("--tmpfs", "/data:uid=23456,gid=23456,mode=0700", "-e", "CONFIG_DIR=/data"),
        *("--health-interval", "2s", IMAGE, "iotistic-edge", "agent", "--engine", "simulated"),
    )

    wait_for(lambda: agent.health() == "healthy", "a healthy container", agent.say)


def test_a_data_directory_that_cant_be_written_is_said_by_the_agent(agent: Agent) -> None:
    ended = _run("run", "--name", agent.name, "--read-only", "-v", f"{agent.name}:/app/data:ro", IMAGE)

    assert ended.returncode == 1
    assert ended.stderr.startswith("iotistic-edge: ")
    assert "/app/data" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_an_agent_it_is_not_healthy(image: str) -> None:
    ended = _run("run", "--rm", "--network", "none", image, "iotistic-edge", "healthy")

    assert ended.returncode == 1
    assert "no agent answers" in ended.stderr


def test_nothing_is_in_it_that_no_device_needs(image: str) -> None:
    tools = "for tool in cc gcc g++ make pip pip3 git curl; do command -v $tool; done"
    assert (
        docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", f"{tools}; true") == ""
    )

    assert docker("run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", UNCOMPILED) == ""


UNCOMPILED = """
import importlib.util, json, pathlib, site
for file in [*pathlib.Path(site.getsitepackages()[0]).rglob("*.py"), pathlib.Path(json.__file__)]:
    if not pathlib.Path(importlib.util.cache_from_source(str(file))).exists():
        print("not compiled:", file)
"""


def assert_unprivileged(agent: Agent) -> None:
    """The agent and all that it started is user iotistic, without any of root's rights."""
    lines = docker("exec", agent.name, "grep", "-hE", "^(Uid|CapEff|CapPrm):", "/proc/1/status").splitlines()
    status = {words[0]: words[1:] for words in map(str.split, lines)}
    assert set(status["Uid:"]) == {"48484"}
    assert {*status["CapEff:"], *status["CapPrm:"]} == {"0000000000000000"}


def app(name: str) -> str:
    """An App whose only service serves a mounted Secret; it is ready when the Secret is there."""
    service = {
        "name": "web",
        "image": HELLO,
        "command": ["httpd", "-f", "-p", "8080", "-h", "/secret"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "secret", "mountPath": "/secret", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/password", "port": "http"}, "periodSeconds": 1},
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {"password": "for-the-image"},
    }
    document = {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": [service], "volumes": [{"name": "secret", "secret": {"secretName": name}}]},
    }
    return f"{json.dumps(secret)}\n---\n{json.dumps(document)}\n"


def ready(agent: Agent) -> bool:
    [row] = [line.split() for line in agent.iotctl("get", "apps").splitlines() if line.startswith(agent.name)]
    return row[2] == "1/1"


def wait_for(condition: Any, what: str, explained: Any) -> None:
    """Ask until it is so; how long that takes is for the machine."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {SECONDS} s:\n{explained()}"
        time.sleep(0.05)


def inspected(name: str) -> Any:
    [it] = json.loads(docker("inspect", name))
    return it


def docker(*words: str, stdin: str = "") -> str:
    """What the docker command printed; it has to succeed."""
    done = _run(*words, stdin=stdin)
    assert done.returncode == 0, f"docker {shlex.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def _run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words], input=stdin, capture_output=True, text=True, check=False, timeout=SECONDS + 60
    )
