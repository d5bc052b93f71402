"""iotctl as a person types it, with a kubeconfig and a namespace; and Apps as their files have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kube import Kube
from tests.cluster.site import IMAGE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shell:
    """A person with iotctl, a kubeconfig and a namespace."""

    kube: Kube
    namespace: str

    def run(self, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run iotctl, whatever becomes of it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IOTCTL_")}
        here = {"KUBECONFIG": self.kube.kubeconfig, "IOTCTL_NAMESPACE": self.namespace}
        paths = {"PYTHONPATH": f"{ROOT / 'operator'}{os.pathsep}{ROOT}", "CONFIG_DIR": "/nowhere"}
        command = [sys.executable, "-c", "import sys; from iotctl.main import main; sys.exit(main())", *words]
        path = f"{Path(self.kube.kubectl_path).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            input=stdin,
            env=inherited | here | paths | {"PATH": path} | env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ok(self, *words: str, stdin: str = "") -> str:
        """Run iotctl; what it printed."""
        ran = self.run(*words, stdin=stdin)
        assert ran.returncode == 0, f"iotctl {' '.join(words)}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout


def app(name: str, *services: dict[str, object], **spec: object) -> str:
    """An App as a file has it."""
    return json.dumps(
        {
            "apiVersion": "iotistic.io/v1alpha1",
            "kind": "App",
            "metadata": {"name": name},
            "spec": {"services": list(services), **spec},
        }
    )


def web(**fields: object) -> dict[str, object]:
    """A service that stays."""
    return {
        "name": "web",
        "image": IMAGE,
        "command": ["sh", "-c", "echo hello from web; exec sleep 100000"],
        "stopGracePeriod": "1s",
    } | fields
