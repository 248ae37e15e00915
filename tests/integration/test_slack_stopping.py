"""The end: what is under way is finished, what is not is kept, and nothing is left open."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bots.demo.assistant.faults import hold, rate_limited
from bots.demo.slack import Hold, Refuse
from bots.settings import HttpSettings
from bots.slack.calls import TokenRefused
from bots.web.serving import AddressUnusable
from core.errors import StoreUnusable
from core.model import State
from tests.fixtures.walk import Walk


async def test_what_is_under_way_is_answered_before_the_end(town: Walk) -> None:
    held = hold()
    town.assistant.faults.add(held)
    async with asyncio.TaskGroup() as tasks, town.run() as threadline:
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        assert (await threadline.tally()).by_state == {State.ASKING: 1}
        tasks.create_task(_once_ended(threadline.working[0], held.release))
    assert "billing" in town.posted(ts)[0]
    assert town.states() == ["done"]
    assert town.workspace.status(town.general, ts) == ""


async def test_a_command_under_way_is_replied_to_before_the_end(town: Walk) -> None:
    held = Hold()
    town.workspace.faults.add("users.info", held)
    async with town.run():
        text = "link shop-demo-7f3k2"
        interaction = await town.workspace.command(town.ana, town.general, "/threadline", text)
        await held.held.wait()
        asyncio.get_running_loop().call_later(0.05, held.release)  # the end has begun by then
    assert "now asks" in interaction.text


async def test_what_waits_is_answered_by_the_next_process(town: Walk) -> None:
    town.assistant.faults.add(rate_limited("1"))
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.workspace.until(lambda: town.workspace.status(town.general, ts))
    assert town.states() in (["accepted"], ["done"])
    async with town.run():
        await town.answers(ts)
    assert town.states() == ["done"]
    assert len(town.posted(ts)) == 1


@pytest.mark.parametrize("socket", [False, True], ids=["http", "socket"])
async def test_a_start_that_fails_leaves_nothing_open(town: Walk, socket: bool) -> None:
    if socket:
        town.by_socket()
    async with town.run() as threadline:
        port = int(threadline.url.rpartition(":")[2])
        with pytest.raises(StoreUnusable, match="another Threadline"):
            async with town.run():
                pass
        other = replace(town.settings, database_url=town.settings.database_url + "2")
        kept, town.settings = town.settings, replace(other, http=HttpSettings("127.0.0.1", port))
        with pytest.raises(AddressUnusable):
            async with town.run():
                pass
        town.settings = kept
    town.workspace.faults.add("auth.test", Refuse("invalid_auth"))
    with pytest.raises(TokenRefused):
        async with town.run():
            pass
    async with town.run():
        pass  # and now it starts


async def test_without_a_key_or_the_means_to_keep_some_there_is_nothing_to_run(town: Walk) -> None:
    town.settings = replace(town.settings, chat=replace(town.settings.chat, key=None))
    with pytest.raises(ValueError, match="assistant"):
        async with town.run():
            pass


async def _once_ended(working: "asyncio.Task[None]", release: Callable[[], None]) -> None:
    """Release what is held once nothing new is taken up."""
    await asyncio.wait([working])
    release()
