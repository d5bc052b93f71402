"""Which of both is meant: an agent on a device, or a cluster. The first that is given wins."""

from __future__ import annotations

from iotctl.agent import Agent
from iotctl.endpoint import SOCKET_FILE, find_endpoint
from iotctl.exits import BadInputError
from iotctl.settings import Settings

DEVICE, CLUSTER = "device", "cluster"


def find_agent(
    settings: Settings, *, url: str = "", api_key: str = "", context: str = "", namespace: str = ""
) -> Agent:
    """What to speak with: the command line, then the environment, then what is here.

    Of what is here an agent's socket wins over a kubeconfig; without both it is the agent's port.

    Args:
        context: `device`, `cluster`, or the name of a context of the kubeconfig.

    Raises: BadInputError for what makes no sense together; CommandError where a cluster is asked for and
    there is none.
    """
    if url and context not in ("", DEVICE):
        raise BadInputError("--url is an agent and --context a cluster: give one of both.")
    if context or not url:
        wanted = context or settings.context
        if wanted and wanted != DEVICE:
            why = "--context says so" if context else "IOTCTL_CONTEXT says so"
            return _cluster(settings, "" if wanted == CLUSTER else wanted, namespace, why)
        if not wanted and not settings.url and not (settings.config_dir / SOCKET_FILE).is_socket():
            why = _cluster_here(settings)
            if why or namespace:
                return _cluster(settings, "", namespace, why or "--namespace is of a cluster")
    return Agent(find_endpoint(settings, url=url, api_key=api_key))


def _cluster_here(settings: Settings) -> str:
    """Why a cluster is meant though nobody said so; empty when none is here."""
    from iotctl.cluster.kubeconfig import kubeconfig_files

    files = kubeconfig_files(settings.kubernetes)
    if files:
        return f"there is no agent's socket here, and there is {files[0]}"
    return "iotctl runs in a pod" if settings.kubernetes.get("KUBERNETES_SERVICE_HOST") else ""


def _cluster(settings: Settings, context: str, namespace: str, why: str) -> Agent:
    from iotctl.cluster.agent import ClusterAgent
    from iotctl.cluster.kubeconfig import connect

    where = connect(settings.kubernetes, context=context, namespace=namespace or settings.namespace)
    return ClusterAgent(where, why)
