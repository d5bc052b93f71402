"""What the operator loads: on a small board every megabyte counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def loaded_by(statements: str) -> set[str]:
    """Names of the modules that a new Python has after these statements."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statements}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "operator")},
    )
    return set(ran.stderr.split())


def test_the_operator_does_without_the_blocking_half_of_the_client() -> None:
    loaded = loaded_by(
        "import iotistic.operator\nimport kubernetes.aio.client.api_client, kubernetes.aio.config.kube_config"
    )

    assert {"kopf", "kubernetes.aio.client.api_client"} <= loaded
    unwanted = {"kubernetes.client", "kubernetes.dynamic", "kubernetes.informer", "kubernetes.aio.dynamic"}
    assert loaded & unwanted == set()
    assert loaded & {"docker", "fastapi", "sqlalchemy", "uvicorn", "httpx", "numpy"} == set()


def test_the_command_line_by_itself_loads_none_of_it() -> None:
    assert loaded_by("import iotistic.main") & {"kopf", "aiohttp", "kubernetes", "pydantic"} == set()


def test_the_rest_of_the_client_is_still_to_be_had() -> None:
    loaded = loaded_by("import iotistic.operator\nimport kubernetes.client, kubernetes.config")

    assert {"kubernetes.client", "kubernetes.config"} <= loaded
