"""The whole API on the real server, asked by a machine that has read its description."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from tests.unit.device_api.conftest import KEY, Api
from tests.unit.device_api.contract import check_contract
from tests.unit.device_api.memory import shop

KNOWN = {
    "name": ["shop", "1001", "login", "conf"],
    "service": ["web", "db-2"],
    "address": ["web", "shop-db-2", "till-ui-1"],
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"a": "YQ=="}}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "b"}}


async def test_every_answer_is_described_and_none_is_the_agents_fault(api: Api) -> None:
    await api.control.apply([shop(), shop("ui", name="till"), SECRET, CONFIG])
    with capture_logs() as logs:
        codes = await asyncio.to_thread(check_contract, api.listening.url, KEY, known=KNOWN)

    assert logs == []
    assert {"200", "202", "400", "404", "422"} <= codes.keys(), codes
    assert codes["200"] > 100, "else little was asked that makes sense"
