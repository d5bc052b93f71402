"""The cluster in the place of an agent: the same questions as the Device API, answered from CRDs.

So each command is written once. What only a device has is refused with what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from iotctl.agent import ANSWER_SECONDS, Agent
from iotctl.cluster import about, applying, apps, checking, images, logs, planning, releases, services
from iotctl.cluster.kubeconfig import Connection
from iotctl.cluster.server import Server
from iotctl.endpoint import Endpoint
from iotctl.exits import CommandError

if TYPE_CHECKING:
    from iotistic.api.documents import Document
    from iotistic.api.errors import Problem

Json = dict[str, Any]
Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEndpoint(Endpoint):
    """One cluster, as the place that a command speaks with."""

    connection: Connection

    @property
    def is_here(self) -> bool:
        """Whose internet connection it uses is not known."""
        return False


@dataclass(frozen=True, slots=True)
class Call:
    """One question: the words of its path, its query, its body."""

    server: Server
    words: tuple[str, ...]
    query: Query
    body: Any


Answer = Callable[[Call], Json]
NAME = r"([^/]+)"
ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/v1/apps", lambda call: apps.all_apps(call.server)),
    ("GET", f"/v1/apps/{NAME}", lambda call: apps.here(call.server, call.words[0])),
    ("GET", f"/v1/apps/{NAME}/services", lambda call: services.of_app(call.server, call.words[0])),
    ("GET", f"/v1/apps/{NAME}/explain", lambda call: releases.explain(call.server, call.words[0])),
    ("GET", f"/v1/apps/{NAME}/history", lambda call: releases.history(call.server, call.words[0])),
    (
        "POST",
        f"/v1/apps/{NAME}/rollback",
        lambda call: releases.rollback(call.server, call.words[0], call.body),
    ),
    ("POST", f"/v1/apps/{NAME}/retry", lambda call: releases.retry(call.server, call.words[0], call.body)),
    ("POST", f"/v1/apps/{NAME}/lock", lambda call: releases.lock(call.server, call.words[0], call.body)),
    ("DELETE", f"/v1/apps/{NAME}/lock", lambda call: releases.unlock(call.server, call.words[0])),
    (
        "POST",
        f"/v1/apps/{NAME}/(start|stop|restart)",
        lambda call: services.whole_app(call.server, call.words[0], call.words[1]),
    ),
    (
        "DELETE",
        f"/v1/apps/{NAME}",
        lambda call: apps.delete(call.server, call.words[0], call.query.get("purge")),
    ),
    ("GET", "/v1/services", lambda call: services.all_services(call.server, call.query.get("app"))),
    (
        "GET",
        f"/v1/services/{NAME}",
        lambda call: services.find(call.server, call.words[0], call.query.get("app")),
    ),
    (
        "POST",
        f"/v1/apps/{NAME}/services/{NAME}/(start|stop|restart|pause|unpause)",
        lambda call: services.act(call.server, call.words[0], call.words[1], call.words[2]),
    ),
    (
        "POST",
        f"/v1/apps/{NAME}/services/{NAME}/exec",
        lambda call: logs.run_inside(call.server, call.words[0], call.words[1], call.body),
    ),
    ("GET", "/v1/usage", lambda call: logs.usage(call.server, call.query.get("app"))),
    ("GET", "/v1/events", lambda call: logs.events(call.server, call.query.get("app"))),
    ("GET", "/v1/volumes", lambda call: apps.volumes(call.server)),
    ("GET", "/v1/images", lambda call: images.listed(call.server)),
    ("GET", "/v1/(secrets|configmaps)", lambda call: apps.documents(call.server, call.words[0])),
    (
        "GET",
        f"/v1/(secrets|configmaps)/{NAME}",
        lambda call: apps.document(call.server, call.words[0], call.words[1]),
    ),
    (
        "DELETE",
        f"/v1/(secrets|configmaps)/{NAME}",
        lambda call: apps.delete_document(call.server, call.words[0], call.words[1]),
    ),
    (
        "POST",
        "/v1/apply",
        lambda call: applying.apply(call.server, call.body, dry_run=bool(call.query.get("dryRun"))),
    ),
    ("POST", "/v1/plan", lambda call: planning.plan(call.server, call.body)),
    ("GET", "/v1/version", lambda call: about.version(call.server)),
    ("GET", "/v1/device", lambda call: about.device(call.server)),
    ("GET", "/v1/diagnostics", lambda call: about.diagnostics(call.server)),
)
ONLY_DEVICE = {
    "/v1/config": "An operator's settings are values of its chart:\n"
    f"helm upgrade {{release}} {about.CHART} -n {{namespace}} --reset-then-reuse-values --set KEY=VALUE",
    "/v1/reboot": "Restart the operator:  kubectl -n {namespace} rollout restart deployment/{deployment}",
    "/v1/factory-reset": "Remove Apps one by one (iotctl apps purge NAME), then:  "
    "helm uninstall {release} -n {namespace}",
    "/v1/images": "The kubelet removes images that nobody needs by itself.",
    "/v1/images/load": "On the node:  k3s ctr images import FILE",
    "/v1/logs": "The operator's own log:  kubectl -n {namespace} logs deployment/{deployment}",
}
"""What to type instead, with the names of the operator's release."""


class ClusterAgent(Agent):
    """A cluster. Every method raises CommandError, as an agent's do."""

    def __init__(self, connection: Connection, looked: str = "") -> None:
        where = f"{connection.server} (context {connection.context}, namespace {connection.namespace})"
        self.endpoint = ClusterEndpoint(
            address=where,
            key=connection.source,
            looked=looked,
            what="Cluster",
            connection=connection,
            place=f"in namespace {connection.namespace}",
        )
        self.server = Server(connection)

    def text(self, path: str) -> tuple[bool, str]:
        """Whether an operator works here, and why not."""
        return about.healthy(self.server)

    def upload(self, path: str, file: str) -> Json:
        """Images come to a node by its own tools."""
        raise _only_device(self.server, path)

    def change_of(self, document: Document) -> tuple[Json | None, Json]:
        """Both as the API server has them, so that its defaults are in both."""
        return applying.change_of(self.server, document.data)

    def problems_of(self, document: Document) -> list[Problem]:
        """What the operator would refuse of it."""
        return checking.problems_of(document)

    def lines(self, path: str, **query: object) -> Iterator[Json]:
        """Lines of logs as they come."""
        if path == "/v1/logs":
            raise _only_device(self.server, path)
        _, _, _, name, *rest = path.split("/")
        service = unquote(rest[1]) if rest[:1] == ["services"] else ""
        return logs.lines(self.server, unquote(name), service, query)

    def events(self, **query: object) -> Iterator[Json | None]:
        """New events as they come; None as a sign of life."""
        return logs.follow_events(self.server, query.get("app"))

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: object = None,
        patience_seconds: float = ANSWER_SECONDS,
    ) -> Json:
        for verb, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, path) if verb == method else None
            if found:
                return answer(Call(self.server, tuple(unquote(word) for word in found.groups()), query, body))
        raise _only_device(self.server, path)


def _only_device(server: Server, path: str) -> CommandError:
    hint = ONLY_DEVICE.get(path, "Speak with a device:  iotctl --url http://HOST:48484")
    if "{" in hint:
        hint = hint.format_map(about.release(server))
    return CommandError("On a cluster there is no such thing.", hint=hint)
