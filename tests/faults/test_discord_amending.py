"""Rows 36 and 44 over the real walk: questions edited and deleted at any time, and a server that is left."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import Hold
from bots.wiring import running
from core.model import Mark
from core.testing import SettableClock
from tests.fixtures.guild import CHANGE, ELSEWHERE, POST, SHOP, GuildWalk, guild_walk, in_time

EDITED, DELETED = (f"\n-# {texts.mark(mark)}" for mark in (Mark.EDITED, Mark.DELETED))
A_DAY = 24 * 3600 + 60  #: seconds, for which a question is tried, and some
pytestmark = pytest.mark.measured

FIRST, SECOND = "who consumes order.created?", "and who publishes it?"


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[GuildWalk]:
    async with guild_walk(tmp_path) as whole:
        yield whole


async def until_marked(town: GuildWalk, channel: str, mark: str) -> None:
    await town.world.until(lambda: [one for one in town.said(channel) if one.content.endswith(mark)])


# --- before ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [SECOND, f"  {SECOND} "])
async def test_edited_before_it_is_asked_its_latest_text_is_sent(town: GuildWalk, after: str) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.mention("and who publsihes it?", channel=thread)
        await town.edit(later, "and who publiches it?")
        await town.edit(later, after)
        await town.elsewhere()
        held.release()
        await town.answers(thread, 2)
    assert town.asked() == [FIRST, SECOND]
    assert town.world.calls_of(CHANGE) == []
    assert town.states() == ["done"] * 3


async def test_deleted_before_it_is_asked_it_is_not(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.mention(SECOND, channel=thread)
        await town.elsewhere()
        await town.world.delete(later)
        await town.elsewhere()
        held.release()
        await town.answers(thread)
        await town.mention("who owns billing?", channel=thread)
        await town.answers(thread, 2)
    assert town.asked() == [FIRST, "who owns billing?"]
    assert "publishes" not in str(town.assistant.journal[-1].messages)
    assert town.states() == ["cancelled", *["done"] * 4]


async def test_deleted_in_bulk_none_of_them_is_asked(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        gone = [await town.mention(f"question {number}?", channel=thread) for number in range(3)]
        await town.elsewhere()
        await town.world.delete_many(*gone)
        await town.elsewhere()
        held.release()
        await town.answers(thread)
    assert town.asked() == [FIRST]
    assert town.states() == ["cancelled"] * 3 + ["done"] * 3


@pytest.mark.parametrize("text", ["never mind", ""], ids=["no mention", "nothing"])
async def test_what_no_longer_mentions_us_is_not_asked(town: GuildWalk, text: str) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.mention(SECOND, channel=thread)
        await town.elsewhere()
        await town.world.edit(later, text)
        await town.elsewhere()
        held.release()
        await town.answers(thread)
    assert town.asked() == [FIRST]
    assert town.states() == ["cancelled", "done", "done", "done"]


async def test_a_reply_whose_new_text_we_are_not_shown_is_asked_as_it_was(town: GuildWalk) -> None:
    held = faults.hold()
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.answers(thread)
        (answer,) = town.said(thread)
        town.assistant.faults.add(held)
        await town.mention("who owns billing?", channel=thread)
        await town.assistant.wait_for_calls(2)
        reply = await town.world.say(town.ana, thread, SECOND, reply_to=answer.id)
        await town.elsewhere()
        await town.world.edit(reply, "and who publishes it, and why?")
        await town.elsewhere()
        held.release()
        await town.answers(thread, 3)
    assert town.asked() == [FIRST, "who owns billing?", SECOND]


async def test_with_the_intent_plain_follow_ups_are_amended_too(town: GuildWalk) -> None:
    town.reads_everything()
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.world.say(town.ben, thread, "and who publsihes it?")
        others = await town.world.say(town.ben, thread, "who owns billing?")
        await town.elsewhere()
        await town.world.edit(later, SECOND)
        await town.world.edit(others, f"<@{town.ana}> who owns billing?")
        talk = await town.world.say(town.ben, town.general, "hello")
        await town.world.edit(talk, "hello all")
        await town.world.delete(talk)
        await town.elsewhere()
        held.release()
        await town.answers(thread, 2)
    assert town.asked()[1].endswith(SECOND)
    assert len(town.asked()) == 2
    assert town.states() == ["cancelled", *["done"] * 4]


async def test_a_message_that_comes_to_mention_us_is_a_question(town: GuildWalk) -> None:
    async with town.run():
        message = await town.world.say(town.ana, town.general, FIRST)
        await town.elsewhere()
        await town.edit(message, FIRST)
        thread = await town.thread(message)
        assert "billing" in (await town.answers(thread))[0]
        assert town.world.channels[thread].name == FIRST
    assert town.asked() == [FIRST]


async def test_an_old_message_that_comes_to_mention_us_is_none(town: GuildWalk) -> None:
    message = await town.world.say(town.ana, town.general, FIRST)
    town.clock.advance(3600)
    async with town.run():
        await town.elsewhere()
        await town.edit(message, FIRST)
        await town.elsewhere()
        assert message not in town.world.channels
    assert town.asked() == []


async def test_deleted_while_it_is_taken_in_it_is_not_asked(town: GuildWalk) -> None:
    """A message in a thread that is not known yet has to be looked for: meanwhile it is deleted."""
    looking = Hold()
    async with town.run():
        gateway, town.world.gateway = town.world.gateway, None
        thread = await town.world.open_thread(town.ana, town.general, "hush")
        town.world.gateway = gateway
        town.world.faults.add("GET /channels/{channel}", looking)
        message = await town.mention(FIRST, channel=thread)
        await in_time(looking.held.wait())
        await town.world.delete(message)
        await town.elsewhere()
        looking.release()
        await town.elsewhere()
    assert town.asked() == []
    assert town.states() == ["done", "done"]


# --- during ------------------------------------------------------------------------------------


async def test_edited_while_it_is_asked_the_answer_says_so(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        await town.edit(thread, "who owns billing?")
        await town.elsewhere()
        held.release()
        await until_marked(town, thread, EDITED)
        (answer,) = town.said(thread)
        assert answer.components
        assert "billing" in answer.content
    assert town.asked() == [FIRST]


async def test_edited_and_deleted_while_it_is_posted_the_answer_says_that(town: GuildWalk) -> None:
    held = Hold()
    town.world.faults.add(POST, held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await in_time(held.held.wait())
        for text in ("who owns billing?", "who owns it?"):
            await town.edit(thread, text)
        await town.world.delete(thread)
        held.release()
        await until_marked(town, thread, DELETED)
        assert len(town.said(thread)) == 1
    assert town.asked() == [FIRST]


async def test_deleted_while_it_is_asked_nothing_is_posted(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        await town.world.until(lambda: town.world.typing(thread))
        await town.world.delete(thread)
        await town.elsewhere()
        held.release()
        await town.elsewhere()
        assert town.said(thread) == []
        assert town.said(town.general) == []
    assert town.asked() == [FIRST]
    assert town.states() == ["cancelled", "done", "done"]


async def test_a_question_by_command_goes_with_the_message_that_shows_it(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread_of(await town.ask(FIRST))
        await town.assistant.wait_for_calls(1)
        await town.world.delete(thread)  # as a moderator may
        await town.elsewhere()
        held.release()
        assert town.said(thread) == []
    assert town.states() == ["cancelled", "done"]


# --- after -------------------------------------------------------------------------------------


async def test_edited_or_deleted_after_its_answer_the_answer_says_so_once(town: GuildWalk) -> None:
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        (answer,) = await town.answers(thread)
        assert answer.endswith(texts.HOW_TO_GO_ON)
        for text in ("who owns billing?", "who owns it?"):
            await town.edit(thread, text)
        await until_marked(town, thread, EDITED)
        await town.elsewhere()
        assert len(town.world.calls_of(CHANGE)) == 1
        assert town.said(thread)[0].content == answer + EDITED
        await town.world.delete(thread)
        await until_marked(town, thread, DELETED)
        assert town.said(thread)[0].content == answer + DELETED
        assert town.said(thread)[0].components
        await town.mention(SECOND, channel=thread)
        await town.answers(thread, 2)
    assert town.asked() == [FIRST, SECOND]
    assert "consumes" not in str(town.assistant.journal[-1].messages)
    assert town.world.pings == []


async def test_a_preview_a_thread_and_other_bots_changes_are_no_edits(town: GuildWalk) -> None:
    robot = town.world.add_user("robot", bot=True)
    town.world.join(town.guild, robot)
    async with town.run():
        thread = await town.thread(await town.mention("what of https://example.org/page?"))
        await town.answers(thread)
        await town.world.embed(thread, {"type": "link", "url": "https://example.org/page"})
        partial = {"id": thread, "channel_id": town.general, "guild_id": town.guild, "embeds": []}
        town.world.announce("MESSAGE_UPDATE", partial, town.guild, "guild_messages")
        report = await town.mention("build 7 failed", user=robot)
        await town.edit(report, "build 7 passed")
        await town.world.delete(report)
        await town.world.edit(town.said(thread)[0].id, "the bot's own")
        await town.elsewhere()
        assert town.world.calls_of(CHANGE) == []
    assert len(town.asked()) == 1
    assert town.states() == ["done", "done"]


async def test_an_edit_of_which_half_is_told_is_looked_up(town: GuildWalk) -> None:
    robot = town.world.add_user("robot", bot=True)
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.mention("and who publsihes it?", channel=thread)
        await town.elsewhere()
        gateway, town.world.gateway = town.world.gateway, None
        await town.edit(later, SECOND)
        town.world.gateway = gateway
        half = {"id": later, "channel_id": thread, "guild_id": town.guild}
        half |= {"edited_timestamp": "2026-01-01T00:00:00+00:00"}
        town.world.announce("MESSAGE_UPDATE", half, town.guild, "guild_messages")
        await town.called("GET /channels/{channel}/messages/{message}")
        report = await town.world.say(robot, town.general, "build 7 passed")
        half |= {"id": report, "channel_id": town.general}
        town.world.announce("MESSAGE_UPDATE", half, town.guild, "guild_messages")
        await town.elsewhere()
        held.release()
        await town.answers(thread, 2)
    assert town.asked() == [FIRST, SECOND]


async def test_direct_messages_are_amended_like_others(town: GuildWalk) -> None:
    direct = town.world.open_dm(town.ana)
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        first = await town.world.say(town.ana, direct, FIRST)
        await town.assistant.wait_for_calls(1)
        later = await town.world.say(town.ana, direct, "and who publsihes it?")
        third = await town.world.say(town.ana, direct, "who owns billing?")
        await town.elsewhere()
        await town.world.edit(later, SECOND)
        await town.world.delete(third)
        await town.elsewhere()
        held.release()
        await town.answers(direct, 2)
        await town.world.edit(first, "who consumes it?")
        await until_marked(town, direct, EDITED)
    assert town.asked() == [FIRST, SECOND]


async def _replied_to_a_private_answer(town: GuildWalk, direct: str) -> str:
    """Ask in private, and go on by a reply to what came as a direct message; return the reply."""
    town.leaves_thinking = True
    held = faults.hold()
    town.assistant.faults.add(held)
    asked = await town.ask(FIRST, private=True)
    town.world.expire(asked)
    held.release()
    await town.answers(direct)
    reply = await town.world.say(town.ana, direct, SECOND, reply_to=town.said(direct)[0].id)
    await town.answers(direct, 2)
    return reply


async def test_a_reply_to_a_private_answer_is_amended_where_it_belongs(town: GuildWalk) -> None:
    direct = town.world.open_dm(town.ana)
    async with town.run():
        reply = await _replied_to_a_private_answer(town, direct)
        await town.world.delete(reply)
        await until_marked(town, direct, DELETED)
        assert town.said(direct)[1].content.endswith(DELETED)
        unknown = await town.world.say(town.ana, direct, "stop")
        await town.answers(direct, 3)
        await town.world.delete(unknown)
        await town.elsewhere()
    assert town.world.messages(town.general) == []


async def test_a_reply_to_a_private_answer_is_found_by_the_time_of_day_that_was_set_right_meanwhile(
    town: GuildWalk,
) -> None:
    direct = town.world.open_dm(town.ana)
    async with town.run():
        reply = await _replied_to_a_private_answer(town, direct)
    fast = SettableClock(town.clock.now())
    fast.advance(A_DAY)
    fast.jump(-A_DAY)
    async with running(town.settings, fast):
        await town.world.delete(reply)
        await until_marked(town, direct, DELETED)
    assert town.said(direct)[1].content.endswith(DELETED)


async def test_what_was_edited_while_nobody_listened_is_sent_as_it_is_now(town: GuildWalk) -> None:
    town.assistant.faults.add(faults.rate_limited("1000"))
    async with town.run():
        thread = await town.thread(await town.mention("who consumes ordr.created?"))
        await town.answers(thread)  # that it waits
    await town.edit(thread, FIRST)
    async with town.run():
        latest = f"SELECT 1 FROM turns WHERE content = '{FIRST}'"  # noqa: S608 no stranger's words
        await town.until_later(lambda: town.sql(latest), 0.0)
        town.clock.advance(1000)
        await town.answers(thread, 2)
    assert town.asked()[-1] == FIRST


async def test_what_cannot_be_stored_is_amended_soon_after(town: GuildWalk) -> None:
    held = faults.hold()
    town.assistant.faults.add(held)
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.assistant.wait_for_calls(1)
        later = await town.mention("and who publsihes it?", channel=thread)
        gone = await town.mention("who owns billing?", channel=thread)
        await town.elsewhere()
        town.sql("ALTER TABLE turns RENAME TO turns_away")
        await town.edit(later, "and who pubishes it?")
        await town.edit(later, SECOND)
        await town.world.delete(gone)
        await town.until_asleep(30.0)
        town.sql("ALTER TABLE turns_away RENAME TO turns")
        town.clock.advance(30)
        await town.elsewhere()
        held.release()
        await town.answers(thread, 2)
    assert town.asked() == [FIRST, SECOND]


# --- purged ------------------------------------------------------------------------------------


def rows(town: GuildWalk) -> int:
    """Return how many rows there are of the guild."""
    tables = [town.sql(f"SELECT workspace FROM {name}") for name in ("conversations", "deliveries", "links")]  # noqa: S608 our own names
    return sum(where == town.guild for table in tables for (where,) in table)


@pytest.mark.parametrize("stage", ["asking", "posting", "queued"])
async def test_a_server_that_removes_us_mid_question_is_forgotten(town: GuildWalk, stage: str) -> None:
    asking, posting = faults.hold(), Hold()
    town.assistant.faults.add(faults.rate_limited("100") if stage == "queued" else asking)
    with capture_logs() as logs:
        async with town.run():
            await town.slash("threadline link", project=SHOP)
            thread = await town.thread(await town.mention(FIRST))
            await town.assistant.wait_for_calls(1)
            await town.mention(SECOND, channel=thread, user=town.ben)
            if stage == "posting":
                town.world.faults.add(POST, posting)
                asking.release()
                await in_time(posting.held.wait())
            elif stage == "queued":
                await town.answers(thread)  # that it waits
            assert rows(town) >= 3
            town.world.remove_bot(town.guild)
            posting.release()
            asking.release()
            town.clock.advance(130)
            await town.elsewhere()
            assert rows(town) == 0
        assert rows(town) == 0
    assert town.states() == ["done"]
    assert {call.messages[-1][1] for call in town.assistant.journal} <= {FIRST, ELSEWHERE}
    (purged,) = [line for line in logs if line["event"].startswith("workspace purged")]
    assert (purged["workspace"], purged["conversations"]) == (town.guild, 1)
    assert "order.created" not in str(purged)


async def test_an_outage_of_a_server_is_no_leaving(town: GuildWalk) -> None:
    async with town.run():
        thread = await town.thread(await town.mention(FIRST))
        await town.answers(thread)
        town.world.fail(town.guild)
        await town.elsewhere()
        town.world.recover(town.guild)
        await town.mention(SECOND, channel=thread)
        await town.answers(thread, 2)
        await town.server.gateway.invalidate()
        town.world.fail(town.guild)
        await town.until_later(lambda: town.server.gateway.identifies == 2, 5.0)
        await town.elsewhere()
        assert rows(town) >= 3
