"""Apps of the cluster: one turn of an App looks, decides, stores the decision, and acts on it."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from iotistic.controllers.clock import boot_id
from iotistic.controllers.cluster.effective import ClusterOptions
from iotistic.controllers.cluster.memory import Memory
from iotistic.controllers.cluster.ports import Api, Cache, Key, Object, Ref, RefusedError
from iotistic.controllers.cluster.reporting import recorded
from iotistic.controllers.cluster.turn import Turn
from iotistic.rollout.values import RolloutState

log = structlog.get_logger()


class Controller:
    """Brings Apps to what is wanted, and keeps them there."""

    def __init__(self, api: Api, cache: Cache, options: ClusterOptions | None = None) -> None:
        self._api = api
        self._cache = cache
        self._options = options or ClusterOptions()
        self._memories: dict[Key, Memory] = {}

    async def reconcile(self, key: Key) -> float | None:
        """One turn of an App.

        Returns: seconds until the next one is due although nothing happens; None when none is.

        Raises: ConflictError, UnreachableError: try again later; what was decided is not lost.
        """
        live = self._cache.get(Ref("App", key.namespace, key.name))
        if live is None or live["metadata"].get("deletionTimestamp"):
            # What it has made goes with it: the garbage collector follows the owner references.
            self._memories.pop(key, None)
            return None
        memory = self._memory(key, live)
        turn = Turn(self._api, self._cache, self._options, key, live, memory, now=datetime.now(UTC))
        try:
            return await turn.take()
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def content_changed(self, kind: str, namespace: str, name: str) -> list[Key]:
        """A Secret or ConfigMap was made, changed or removed: the Apps that have to look at it."""
        concerned = []
        for key, memory in self._memories.items():
            if key.namespace == namespace and (kind, name) in memory.uses:
                memory.found, memory.logins_read = None, False
                memory.content_changes += 1
                concerned.append(key)
        return concerned

    def _memory(self, key: Key, live: Object) -> Memory:
        uid = str(live["metadata"].get("uid") or "")
        memory = self._memories.get(key)
        if memory is None or memory.uid != uid:
            memory = self._memories[key] = self._remembered(key, live, uid)
        return memory

    def _remembered(self, key: Key, live: Object, uid: str) -> Memory:
        """What its status says of where the rollout was."""
        text = (live.get("status") or {}).get("rollout")
        if not text:
            return Memory(uid=uid)
        try:
            state, retried = recorded(str(text), machine=boot_id())
        except (ValueError, TypeError) as error:
            log.warning("rollout_lost", namespace=key.namespace, app=key.name, problem=str(error))
            return Memory(uid=uid, state=RolloutState())
        return Memory(uid=uid, state=state, retried=retried)
