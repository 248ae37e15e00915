"""Long waits: told with their time, survived by the question, and by an answer whose interaction is over."""

from pathlib import Path

from bots.demo.assistant import faults
from bots.demo.discord import RateLimited
from tests.fixtures.guild import EDIT, OPEN_THREAD, POST, guild_walk

LONG = 1_000.0  #: seconds; an interaction can be answered for 900


async def test_a_long_wait_is_told_in_the_thread_and_outlives_the_interaction(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited(f"{LONG:.0f}"))
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            thread = await town.thread_of(asked)
            (told,) = await town.answers(thread)
            assert "Your question is safe; I will try again at <t:" in told
            assert ":R>" in told
            town.clock.advance(LONG)
            assert "billing" in (await town.answers(thread, 2))[-1]
        assert town.states() == ["done"]
        assert len(town.assistant.journal) == 2
        assert len(town.said(thread)) == 2
        assert town.world.pings == []


async def test_a_wait_that_began_before_a_restart_ends_after_it(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited(f"{LONG:.0f}"))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
        town.clock.advance(LONG)
        async with town.run():
            assert "billing" in (await town.answers(thread, 2))[-1]


async def test_who_asks_during_a_pause_is_told_too(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.rate_limited(f"{LONG:.0f}"))
        async with town.run():
            first = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(first)
            second = await town.thread_of(await town.ask("who owns billing?", user=town.ben))
            assert "try again at" in (await town.answers(second))[0]
        assert len(town.assistant.journal) == 1


async def test_a_long_wait_for_what_has_no_thread_is_told_to_its_asker_in_the_channel(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.deny(town.general, "create_public_threads")
        town.assistant.faults.add(faults.rate_limited(f"{LONG:.0f}"))
        async with town.run():
            await town.mention("who consumes order.created?")
            (told,) = await town.answers(town.general)
            assert told.startswith(f"<@{town.ana}>")
            town.clock.advance(LONG)
            assert "billing" in (await town.answers(town.general, 2))[-1]


async def test_after_the_token_and_a_restart_the_question_is_shown_anew_and_answered_once(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path) as town:
        town.leaves_thinking = True  # its interaction is over: nobody can take that away
        town.world.faults.add(EDIT, RateLimited(400.0), times=9)
        town.assistant.faults.add(faults.rate_limited(f"{LONG:.0f}"))
        async with town.run():
            await town.ask("who consumes order.created?")
            await town.assistant.wait_for_finished(1)
        assert town.world.messages(town.general)[0].is_loading
        town.world.faults.clear()
        town.clock.advance(LONG)
        async with town.run():
            _, shown = await town.answers(town.general, 2)
            assert shown == f"<@{town.ana}> asked: who consumes order.created?"
            thread = await town.thread(town.said(town.general)[-1].id)
            assert "billing" in (await town.answers(thread))[0]
            await town.go_on(thread, "and who publishes it?")
            await town.answers(thread, 3)
            assert town.turns() == ["user", "assistant", "user"]
        assert [ping.mention for ping in town.world.pings] == [town.ana]
        assert len(town.world.calls_of(POST)) == 3


async def test_a_short_limit_of_discords_is_sat_out_and_a_long_one_waits_in_the_queue(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, RateLimited(0.05), RateLimited(40.0))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.called(POST, 429, 2)
            assert town.said(thread) == []
            await town.until_later(lambda: town.said(thread))
        assert len(town.world.calls_of(POST)) == 3
        assert len(town.assistant.journal) == 1
        assert town.states() == ["done"]


async def test_a_ban_by_the_proxy_before_discord_waits_in_the_queue_too(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, RateLimited(40.0, via=False))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.called(POST, 429)
            await town.until_later(lambda: town.said(thread))
        assert len(town.world.calls_of(POST)) == 2


async def test_a_thread_that_cannot_be_opened_just_now_is_opened_later(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(OPEN_THREAD, RateLimited(40.0), times=2)
        async with town.run():
            thread = await town.mention("who consumes order.created?")
            await town.called(OPEN_THREAD, 429, 2)
            await town.until_later(lambda: thread in town.world.channels and town.said(thread))
        assert town.said(town.general) == []
        assert town.states() == ["done"]
