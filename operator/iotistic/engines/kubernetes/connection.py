"""How the API server is reached: from inside a pod by its service account, else by a kubeconfig."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

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
        else:
            _check(path)
            await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path,
                context=context or None,
                client_configuration=configuration,
                persist_config=False,
            )
            configuration.proxy = configuration.proxy or environment_proxy(str(configuration.host))
    except (ConfigException, OSError) as error:
        raise NoConnectionError(f"no way to reach a cluster: {error}") from error
    configuration.connection_pool_maxsize = 0  # watches hold theirs; writes are bounded by the client
    # It would look for a proxy and into ~/.netrc at each request, in threads: twice the time of a request.
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def environment_proxy(server: str) -> str | None:
    """The proxy that the environment names for this server (HTTPS_PROXY, NO_PROXY), as for kubectl: none to
    the machine itself."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if host == "localhost" or _is_own_or_excepted(host) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _is_own_or_excepted(host: str) -> bool:
    """Of an address: whether it is the machine's own, or in a range of NO_PROXY."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    excepted = getproxies().get("no", "").split(",")
    return address.is_loopback or any(address in one for one in map(_network, excepted) if one)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _check(kubeconfig: str) -> None:
    """Raises: NoConnectionError when none of its files is there."""
    paths = [Path(os.path.expanduser(one)) for one in kubeconfig.split(os.pathsep)]
    if not any(path.is_file() for path in paths):
        raise NoConnectionError(
            f"this is no pod with a service account, and there is no kubeconfig {kubeconfig}: set KUBECONFIG"
        )
