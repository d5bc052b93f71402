"""Steps on containers that are there, and on those that are gone or were somebody else's."""

from __future__ import annotations

import time

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.values import Action, Status
from tests.docker.rig import Rig, until

APP = "lifecycle"
DEAF = {"name": "web", "command": ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]}


async def test_a_container_that_hears_no_sigterm_is_killed_after_its_grace_period(rig: Rig) -> None:
    rig.app(APP, DEAF | {"stopGracePeriod": 2})
    [web] = await rig.up()

    began = time.monotonic()
    await rig.do(Action.STOP, "web", container=web.id)

    assert 1.8 <= time.monotonic() - began < 8
    stopped = await rig.container("web")
    assert (stopped.status, stopped.exit_code) == (Status.EXITED, 137)
    assert stopped.finished


async def test_one_that_hears_it_has_its_time(rig: Rig) -> None:
    ends = ["/bin/sh", "-c", "trap 'sleep 0.5; exit 3' TERM; while :; do sleep 0.1; done"]
    rig.app(APP, {"name": "web", "command": ends, "stopGracePeriod": 20})
    [web] = await rig.up()

    began = time.monotonic()
    await rig.do(Action.STOP, "web", container=web.id)

    assert time.monotonic() - began < 10
    assert (await rig.container("web")).exit_code == 3


async def test_stopped_is_started_again_as_the_same_container(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()
    await rig.do(Action.STOP, "web", container=web.id)
    assert (await rig.container("web")).spec == web.spec

    await rig.do(Action.START, "web", container=web.id)

    again = await rig.container("web")
    assert (again.id, again.status, again.finished) == (web.id, Status.RUNNING, "")
    assert again.started > web.started


async def test_paused_and_running_again(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    await rig.do(Action.PAUSE, "web", container=web.id)
    await rig.do(Action.PAUSE, "web", container=web.id)
    assert (await rig.container("web")).status is Status.PAUSED
    await rig.do(Action.UNPAUSE, "web", container=web.id)
    await rig.do(Action.UNPAUSE, "web", container=web.id)
    assert (await rig.container("web")).status is Status.RUNNING


async def test_a_paused_one_can_be_killed(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()
    await rig.do(Action.PAUSE, "web", container=web.id)

    await rig.do(Action.KILL, "web", container=web.id)

    assert not [one for one in (await rig.observe()).containers if one.app]


async def test_restarted_is_another_run_of_the_same_container(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    await rig.do(Action.RESTART, "web", container=web.id)

    again = await rig.container("web")
    assert (again.id, again.status) == (web.id, Status.RUNNING)
    assert again.started > web.started


async def test_one_that_restarts_all_the_time_can_be_stopped(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "command": ["/bin/sh", "-c", "exit 4"]})
    [web] = await rig.up()
    await until(lambda: rig.inspect(web)["RestartCount"] >= 1)

    await rig.do(Action.STOP, "web", container=web.id)

    stopped = await rig.container("web")
    assert (stopped.status, stopped.exit_code) == (Status.EXITED, 4)
    assert stopped.restarts >= 1


async def test_a_job_that_has_ended_says_how(rig: Rig) -> None:
    rig.app(APP, {"name": "job", "restartPolicy": "Never", "command": ["/bin/sh", "-c", "exit 5"]})
    [job] = await rig.up()
    await until(lambda: not rig.inspect(job)["State"]["Running"])

    ended = await rig.container("job")

    assert (ended.status, ended.exit_code, ended.restarts) == (Status.EXITED, 5, 0)


async def test_one_over_its_memory_limit_says_so(rig: Rig) -> None:
    eats = ["/bin/sh", "-c", "tail /dev/zero"]
    limits = {"limits": {"memory": "16Mi"}}
    rig.app(APP, {"name": "job", "restartPolicy": "Never", "command": eats, "resources": limits})
    for _ in range(5):  # the engine forgets it when it handles the exit before the kernel's word of it
        [job] = await rig.up()
        await until(lambda id=job: not rig.inspect(id)["State"]["Running"])
        if rig.inspect(job)["State"]["OOMKilled"]:
            break
        await rig.do(Action.REMOVE, "job", container=job.id)

    assert (await rig.container("job")).oom_killed


@pytest.mark.parametrize("action", [Action.STOP, Action.KILL, Action.REMOVE])
async def test_what_is_gone_already_is_as_good(rig: Rig, action: Action) -> None:
    rig.app(APP, {"name": "web"})

    await rig.do(action, "web", container="0" * 64)


@pytest.mark.parametrize("action", [Action.PAUSE, Action.UNPAUSE, Action.RESTART])
async def test_what_is_gone_can_not_be_paused_or_restarted(rig: Rig, action: Action) -> None:
    rig.app(APP, {"name": "web"})

    with pytest.raises(EngineError, match="App lifecycle, service web: container 000000000000 is gone"):
        await rig.do(action, "web", container="0" * 64)


@pytest.mark.parametrize("action", [Action.STOP, Action.KILL, Action.REMOVE, Action.PAUSE, Action.RESTART])
async def test_a_strangers_container_is_never_touched(rig: Rig, action: Action) -> None:
    rig.app(APP, {"name": "web"})
    id = rig.foreign("lifecycle-stranger")
    before = rig.inspect(id)["State"]

    with pytest.raises(EngineError, match="is not of this service"):
        await rig.do(action, "web", container=id)

    assert rig.inspect(id)["State"] == before


async def test_removing_one_that_runs_is_refused(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    with pytest.raises(EngineError, match=r"App lifecycle, service web: .*running container"):
        await rig.do(Action.REMOVE, "web", container=web.id)

    assert (await rig.container("web")).status is Status.RUNNING


async def test_the_images_own_volumes_go_with_the_container(rig: Rig) -> None:
    rig.goes("image", "iotistic/lifecycle-volume:1")
    made = rig.api.create_container_from_config(
        {"Image": "iotistic/hello:1", "Cmd": ["true"]}, "lifecycle-base"
    )
    rig.api.commit(made["Id"], "iotistic/lifecycle-volume", "1", changes=["VOLUME /kept"])
    rig.api.remove_container(made["Id"])
    rig.app(APP, {"name": "web", "image": "iotistic/lifecycle-volume:1"})
    [web] = await rig.up()
    [volume] = [mount["Name"] for mount in rig.inspect(web)["Mounts"] if mount["Type"] == "volume"]

    await rig.do(Action.KILL, "web", container=web.id)

    names = [row["Name"] for row in rig.api.volumes()["Volumes"] or ()]
    assert volume not in names
