"""The command line of agent and operator: `iotistic-edge agent`, `iotistic-edge operator`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from iotistic import __version__

if TYPE_CHECKING:
    from pydantic import ValidationError

HEALTHY_SECONDS = 8.0


def main() -> None:
    """Entry point; exit codes: 0 stopped as asked, 1 it could not run, 2 bad usage or settings."""
    options = _parser().parse_args()
    commands = {
        "agent": lambda: _agent(options),
        "healthy": _healthy,
        "operator": _operator,
        "recover": _recover,
    }
    sys.exit(commands[options.command]())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="iotistic-edge", description="Runs container Apps on this device and keeps them running."
    )
    parser.add_argument("--version", action="version", version=f"iotistic-edge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    agent = commands.add_parser(
        "agent",
        help="run the agent in the foreground",
        description="Run the agent in the foreground until SIGTERM or Ctrl-C; containers stay up. It keeps "
        "everything in CONFIG_DIR (/app/data) and answers on the socket there and on "
        "127.0.0.1:DEVICE_API_PORT (48484).",
        epilog="example:  CONFIG_DIR=/var/lib/iotistic iotistic-edge agent --engine docker",
    )
    agent.add_argument(
        "--engine", choices=["docker", "simulated"], help="what runs the containers (default: ENGINE, docker)"
    )
    commands.add_parser(
        "operator",
        help="run the operator of a Kubernetes cluster in the foreground",
        description="Run the operator in the foreground until SIGTERM or Ctrl-C; what runs on the cluster "
        "goes on. It reaches the API server by the pod's service account, else by KUBECONFIG, and answers "
        "/healthz, /readyz and /metrics on HEALTH_PORT (8080).",
        epilog="example:  KUBECONFIG=~/.kube/config WATCH_NAMESPACES=shop iotistic-edge operator",
    )
    commands.add_parser(
        "healthy",
        help="ask the agent of this data directory whether it is well",
        description="Ends with 0 when the agent of CONFIG_DIR is well, else with 1 and the reasons: for "
        "HEALTHCHECK and the like.",
    )
    commands.add_parser(
        "recover",
        help="make a new database of what can be read of a damaged one",
        description="For when the agent refuses to start on a damaged database. The damaged file is kept "
        "beside the new one; containers go on, and what is not in the new database is shown as Orphaned.",
    )
    return parser


def _recover() -> int:
    from iotistic.settings import Settings
    from iotistic.store.sqlite.recover import main as recover

    return recover([str(Settings().database)])


def _healthy() -> int:
    """One question on the agent's socket; imports nothing that takes time."""
    import socket

    # settings.py would take longer to import than the question takes; on a small board that is seconds.
    path = os.path.join(os.environ.get("CONFIG_DIR") or "/app/data", "agent.sock")  # noqa: TID251
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(HEALTHY_SECONDS)
            connection.connect(path)
            connection.sendall(b"GET /v1/healthy HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as error:
        sys.stderr.write(f"no agent answers on {path}: {error.strerror or error}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    sys.stdout.write(body.decode(errors="replace").rstrip("\n") + "\n")
    return 0 if head.split(b" ", 2)[1:2] == [b"200"] else 1


def _agent(options: argparse.Namespace) -> int:
    _leave_out_what_libraries_try_to_import()
    from pydantic import ValidationError

    from iotistic.api.errors import EdgeError
    from iotistic.settings import Settings

    try:
        settings = Settings(**({"engine": options.engine} if options.engine else {}))
    except ValidationError as error:
        return _bad_settings(error)

    from iotistic.agent import run_agent
    from iotistic.logging import set_up_logging

    set_up_logging(level=settings.log_level, form=settings.log_format)
    try:
        run_agent(settings)
    except EdgeError as error:
        hint = f"What now: {error.hint}\n" if error.hint else ""
        sys.stderr.write(f"iotistic-edge: {error.message}\n{hint}")
        return 1
    return 0


def _operator() -> int:
    _leave_out_what_libraries_try_to_import()
    from pydantic import ValidationError

    from iotistic.engines.kubernetes.connection import NoConnectionError
    from iotistic.settings import OperatorSettings

    try:
        settings = OperatorSettings()
    except ValidationError as error:
        return _bad_settings(error)

    from iotistic.logging import set_up_logging, take_over_library_lines

    set_up_logging(level=settings.log_level, form=settings.log_format)
    take_over_library_lines()

    from iotistic.operator import run_operator

    try:
        run_operator(settings)
    except NoConnectionError as error:
        sys.stderr.write(f"iotistic-edge: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"iotistic-edge: {settings.health_host}:{settings.health_port}: {error.strerror}\n")
        return 1
    return 0


def _bad_settings(error: ValidationError) -> int:
    for problem in error.errors():
        name = ".".join(map(str, problem["loc"])).upper()
        sys.stderr.write(f"iotistic-edge: setting {name}: {problem['msg']}\n")
    return 2


def _leave_out_what_libraries_try_to_import() -> None:
    """structlog and requests load these where they are installed, and do without where not: 8 MB resident
    that an agent on a small board has no use for."""
    import warnings

    for name in ("rich", "better_exceptions", "colorama", "charset_normalizer", "chardet"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # Python's way to say: not there
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
