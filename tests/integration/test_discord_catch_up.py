"""What was said while nobody listened is found again: once, within bounds, and not what we had heard."""

from pathlib import Path

from tests.fixtures.guild import SHOP, guild_walk

HISTORY = "GET /channels/{channel}/messages"


async def test_mentions_missed_while_it_was_down_are_answered_once(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
        missed = await town.mention("who owns billing?")
        await town.mention("and who publishes it?", user=town.ben, channel=thread)
        async with town.run():
            await town.answers(await town.thread(missed))
            await town.answers(thread, 2)
        async with town.run():
            await town.answers(await town.thread(await town.mention("who consumes order.shipped?")))
            await town.world.until(lambda: len(town.world.calls_of(HISTORY)) >= 5)
        assert town.states() == ["done"] * 4
        assert len(town.assistant.journal) == 4


async def test_direct_messages_of_whom_we_know_are_found_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        direct = town.world.open_dm(town.ana)
        async with town.run():
            await town.world.say(town.ana, direct, "who consumes order.created?")
            await town.answers(direct)
        await town.world.say(town.ana, direct, "and who publishes it?")
        async with town.run():
            await town.answers(direct, 2)
        assert len(town.turns()) == 3


async def test_the_newest_of_a_busy_channel_are_found_not_the_oldest(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            pass
        for number in range(120):
            await town.world.say(town.ben, town.general, f"talk {number}")
        missed = await town.mention("who owns billing?")
        async with town.run():
            await town.answers(await town.thread(missed))


async def test_it_looks_back_for_hours_and_not_for_days(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        old = await town.mention("who consumes order.created?")
        town.clock.advance(6 * 3600 + 60)
        missed = await town.mention("who owns billing?")
        async with town.run():
            await town.answers(await town.thread(missed))
        assert old not in town.world.channels
        assert town.states() == ["done"]


async def test_it_looks_at_so_many_places_and_no_more(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        for number in range(60):
            town.world.add_channel(town.guild, f"channel-{number}")
        missed = await town.mention("who owns billing?")
        async with town.run():
            await town.answers(await town.thread(missed))
            await town.called(HISTORY, many=50)
            await town.answers(await town.thread(await town.mention("who consumes order.created?")))
        assert len(town.world.calls_of(HISTORY)) == 50


async def test_only_posts_younger_than_the_switch_are_found_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        town.reads_everything()
        forum = town.world.add_channel(town.guild, "questions", kind="forum")
        before = await town.world.open_post(town.ben, forum, "Before", "who publishes order.created?")
        async with town.run():
            await town.slash("threadline link", channel=before, project=SHOP, new_posts=True)
        after = await town.world.open_post(town.ben, forum, "After", "who consumes order.created?")
        async with town.run():
            await town.answers(after)
        assert town.said(before) == []
        assert len(town.assistant.journal) == 1


async def test_a_channel_that_cannot_be_read_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        hidden = town.world.add_channel(town.guild, "hidden")
        async with town.run():
            await town.slash("threadline link", channel=hidden, project=SHOP)
            thread = await town.thread(await town.mention("who consumes order.created?", channel=hidden))
            await town.answers(thread)
        town.world.deny(hidden, "view_channel")
        missed = await town.mention("who owns billing?")
        async with town.run():
            await town.answers(await town.thread(missed))


async def test_where_the_store_is_away_nothing_is_caught_up_and_nothing_breaks(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            pass
        missed = await town.mention("who owns billing?")
        async with town.run():
            town.sql("ALTER TABLE links RENAME TO gone")
            await town.server.gateway.connected()
            town.sql("ALTER TABLE gone RENAME TO links")
            await town.server.gateway.close(4007)  # the session is over, and a new one begins
            await town.answers(await town.thread(missed))


async def test_a_mention_that_could_not_be_stored_is_found_again_half_a_minute_later(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            await town.answers(await town.thread(await town.mention("who consumes order.created?")))
            town.sql("ALTER TABLE deliveries RENAME TO gone")
            missed = await town.mention("who owns billing?")
            await town.until_asleep(30.0)
            town.sql("ALTER TABLE gone RENAME TO deliveries")
            town.clock.advance(30.0)
            await town.answers(await town.thread(missed))
        assert town.states() == ["done", "done"]
