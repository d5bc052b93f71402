"""How the API server is reached: from inside a pod by its service account, else by a kubeconfig."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes.aio.client.configuration import Configuration

TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
KUBECONFIG = "~/.kube/config"
USER_AGENT = "iotistic-edge-operator"


class NoConnectionError(Exception):
    """Neither a service account nor a usable kubeconfig; the message says what is wrong."""


def in_pod(kubeconfig: str) -> bool:
    """Whether this is a pod, and no kubeconfig was asked for."""
    return not kubeconfig and TOKEN.exists()


async def load_configuration(kubeconfig: str, context: str = "") -> Configuration:
    """Where the API server is and how to speak to it.

    Args:
        kubeconfig: path of a file; empty for the pod's service account, else ~/.kube/config.
        context: of the kubeconfig; its current one when empty.

    Raises: NoConnectionError.
    """
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.config.config_exception import ConfigException
    from kubernetes.aio.config.incluster_config import load_incluster_config
    from kubernetes.aio.config.kube_config import load_kube_config

    configuration = Configuration()
    path = kubeconfig or KUBECONFIG
    try:
        if in_pod(kubeconfig):
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            # NO_PROXY names the service network as a range, which is not understood below here.
            configuration.client_session_kwargs = {"trust_env": False}
        else:
            _check(path)
            await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path,
                context=context or None,
                client_configuration=configuration,
                persist_config=False,
            )
    except (ConfigException, OSError) as error:
        raise NoConnectionError(f"no way to reach a cluster: {error}") from error
    configuration.connection_pool_maxsize = 0  # watches hold theirs; writes are bounded by the client
    return configuration


def _check(kubeconfig: str) -> None:
    """Raises: NoConnectionError when none of its files is there."""
    paths = [Path(os.path.expanduser(one)) for one in kubeconfig.split(os.pathsep)]
    if not any(path.is_file() for path in paths):
        raise NoConnectionError(
            f"this is no pod with a service account, and there is no kubeconfig {kubeconfig}: set KUBECONFIG"
        )
