"""Errands: each has an owner, whatever becomes of it."""

import asyncio
import gc

from structlog.testing import capture_logs

from bots.errands import Errands
from core.errors import PostRefused


async def test_what_is_under_way_is_finished_before_the_end() -> None:
    errands, go, done = Errands(), asyncio.Event(), []

    async def errand() -> None:
        await go.wait()
        done.append("told")

    errands.run(errand())
    closing = asyncio.create_task(errands.aclose())
    await asyncio.sleep(0)
    go.set()
    await closing
    assert done == ["told"]


async def test_what_takes_too_long_is_cut_off() -> None:
    errands, ended = Errands(), asyncio.Event()

    async def errand() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    errands.run(errand())
    await errands.aclose(seconds=0.01)
    assert ended.is_set()


async def test_an_errand_that_fails_is_logged_and_harms_nothing() -> None:
    errands = Errands()

    async def refused() -> None:
        raise PostRefused("Slack refused (not_in_channel)")

    async def stumbles() -> None:
        raise KeyError("view")

    with capture_logs() as logs:
        errands.run(refused())
        errands.run(stumbles())
        await errands.aclose()
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("errand failed", "PostRefused"),
        ("errand failed", "KeyError"),
    ]
    gc.collect()  # an exception nobody had looked at would be complained of here


async def test_with_nothing_under_way_the_end_is_at_once() -> None:
    await Errands().aclose()
