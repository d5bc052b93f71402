"""Guessing the key is slow for whoever guesses, and for nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from iotistic.device_api import wrong_keys
from iotistic.device_api.wrong_keys import AT_ONCE, MOST_CALLERS, SECONDS_EACH, WrongKeys
from tests.unit.device_api.conftest import KEY, Api, running


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_ten_at_once_then_one_every_six_seconds() -> None:
    clock = Clock()
    keys = WrongKeys(clock)
    for _ in range(AT_ONCE):
        assert keys.wait_seconds("a") == 0
        keys.count("a", 1)

    assert keys.wait_seconds("a") == SECONDS_EACH
    assert keys.wait_seconds("b") == 0
    clock.seconds += SECONDS_EACH
    assert keys.wait_seconds("a") == 0
    keys.count("a", 1)
    assert keys.wait_seconds("a") == SECONDS_EACH


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 3)), max_size=60),
)
def test_nobody_guesses_faster_than_that(tries: list[tuple[float, int]]) -> None:
    """Whatever the pace: so many wrong keys at most were looked at, each request showing up to three."""
    clock = Clock()
    keys = WrongKeys(clock)
    looked_at = 0
    for pause, wrong in tries:
        clock.seconds += pause
        if keys.wait_seconds("a") == 0:
            keys.count("a", wrong)
            looked_at += wrong

    assert looked_at <= AT_ONCE + 2 + (clock.seconds - 1000) / SECONDS_EACH + 1e-6


def test_a_caller_is_told_of_once_in_ten_minutes() -> None:
    clock = Clock()
    keys = WrongKeys(clock)
    told = [keys.count("a", 1) for _ in range(30)]

    assert told.count(True) == 1
    clock.seconds += wrong_keys.QUIET_SECONDS
    assert [keys.count("a", 1) for _ in range(30)].count(True) == 1


def test_only_so_many_callers_are_remembered() -> None:
    clock = Clock()
    keys = WrongKeys(clock)
    for number in range(MOST_CALLERS + 50):
        clock.seconds += 0.001
        keys.count(f"caller-{number}", 3)

    assert len(keys._callers) == MOST_CALLERS
    clock.seconds += 3 * SECONDS_EACH
    keys.count("one more", 1)
    assert list(keys._callers) == ["one more"]


async def test_the_server_holds_the_guesser_back_and_nobody_else(folder: Path) -> None:
    """127.0.0.2 guesses, 127.0.0.1 has the key; both are this machine."""
    async with running(folder, mode="API_KEY") as api:
        guesser = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        with capture_logs() as logs:
            async with httpx.AsyncClient(transport=guesser, base_url=api.listening.url) as client:
                tries = [
                    await client.get("/v1/apps", headers={"X-API-Key": f"guess-{number}"})
                    for number in range(AT_ONCE + 3)
                ]
                right = await client.get("/v1/apps", headers={"X-API-Key": KEY})
                without = await client.get("/v1/apps")
                health = await client.get("/v1/healthy")
        others = await api.tcp.get("/v1/apps")
        unix = await api.unix.get("/v1/apps")

    assert [one.status_code for one in tries] == [401] * AT_ONCE + [429] * 3
    assert 1 <= int(tries[-1].headers["retry-after"]) <= SECONDS_EACH
    assert tries[-1].json()["reason"] == "TooManyAttempts"
    assert right.status_code == 429, "else a guess would still be answered"
    assert (without.status_code, health.status_code) == (401, 200)
    assert (others.status_code, unix.status_code) == (200, 200)
    assert [(line["event"], line["caller"]) for line in logs] == [("api_wrong_keys", "127.0.0.2")]
    assert "guess" not in str(logs)


async def test_no_key_at_all_is_no_guess(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.listening.url, trust_env=False) as client:
        codes = {(await client.get("/v1/apps")).status_code for _ in range(3 * AT_ONCE)}

    assert codes == {401}
    assert (await api.tcp.get("/v1/apps")).status_code == 200


async def test_the_right_key_comes_in_again_after_the_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_keys, "SECONDS_EACH", 0.2)
    async with running(folder) as api:
        for number in range(AT_ONCE):
            await api.tcp.get("/v1/apps", headers={"X-API-Key": f"guess-{number}"})
        assert (await api.tcp.get("/v1/apps")).status_code == 429
        await asyncio.sleep(0.25)
        assert (await api.tcp.get("/v1/apps")).status_code == 200


async def test_many_keys_in_one_request_are_not_many_guesses(api: Api) -> None:
    query = "&".join(f"apiKey=guess-{number}" for number in range(200))

    assert (await api.tcp.get(f"/v1/apps?{query}", headers={"X-API-Key": "no"})).status_code == 401
    many = await api.tcp.get(f"/v1/apps?{query}&apiKey=x&apiKey=y", headers={"X-API-Key": KEY})
    assert many.status_code == 200
