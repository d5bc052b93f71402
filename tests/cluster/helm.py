"""helm, as tests use it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kube import BIN

CHART = Path(__file__).parents[2] / "charts" / "iotistic-edge"
VERSION = "0.1.0"


def helm_path() -> str:
    """The cluster's own helm, else the machine's; empty when there is none."""
    own = BIN / "helm"
    return str(own) if own.exists() else shutil.which("helm") or ""


@dataclass(frozen=True)
class Helm:
    """helm on one cluster, in one namespace."""

    kubeconfig: str
    namespace: str = "default"

    def run(self, *words: str | Path, seconds: float = 600) -> str:
        """What it printed. Raises: AssertionError with its words when it fails."""
        ran = self.attempt(*words, seconds=seconds)
        assert ran.returncode == 0, f"helm {' '.join(map(str, words))}: {ran.stderr}"
        return ran.stdout

    def attempt(
        self, *words: str | Path, values: str = "", seconds: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run it, whatever becomes of it.

        Args:
            values: YAML for `-f`.
        """
        command = [helm_path(), *map(str, words), "--namespace", self.namespace]
        command += ["--kubeconfig", self.kubeconfig] if self.kubeconfig else []
        command += ["-f", "-"] if values else []
        return subprocess.run(
            command, input=values, capture_output=True, text=True, timeout=seconds, check=False
        )


def previous_chart(directory: Path) -> Path:
    """The chart as a version before today's: the same templates, as long as there is no other."""
    chart = directory / "previous"
    shutil.copytree(CHART, chart)
    definition = chart / "Chart.yaml"
    definition.write_text(definition.read_text().replace(f"version: {VERSION}", "version: 0.0.9"))
    return chart
