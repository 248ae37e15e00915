"""Where Discord will not let us: what is left is used, what is missing is named, nobody is left waiting."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bots.demo.assistant import faults
from bots.demo.discord import HttpError
from tests.fixtures.guild import OPEN_THREAD, POST, GuildWalk, guild_walk

REFUSE = "CREATE TRIGGER refuse BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk full'); END"


async def _answered(town: GuildWalk) -> str:
    """Have a first question answered, and return its thread."""
    thread = await town.thread_of(await town.ask("who consumes order.created?"))
    await town.answers(thread)
    return thread


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        (("view_channel",), "View Channel"),
        (("send_messages", "create_public_threads"), "Send Messages"),
        (("send_messages", "send_messages_in_threads"), "Send Messages"),
    ],
)
async def test_a_question_that_could_not_be_answered_is_refused_at_once(
    tmp_path: Path, denied: tuple[str, ...], named: str
) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            town.world.deny(town.general, *denied)
            told = await town.slash("ask", question="who consumes order.created?")
            assert f"I lack the permission “{named}”" in told
        assert town.states() == []


async def test_in_a_thread_where_it_may_not_write_it_refuses_at_once(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await _answered(town)
            town.world.deny(town.general, "send_messages_in_threads")
            told = await town.slash("ask", channel=thread, question="who consumes order.created?")
            assert "“Send Messages in Threads”" in told
        assert town.states() == ["done"]


async def test_without_send_messages_it_answers_in_the_thread_all_the_same(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.deny(town.general, "send_messages")
        await _answered(town)


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        ("create_public_threads", "“Create Public Threads”"),
        ("send_messages_in_threads", "“Send Messages in Threads”"),
    ],
)
async def test_without_a_thread_it_answers_in_the_channel_and_says_why(
    tmp_path: Path, denied: str, named: str
) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.deny(town.general, denied)
        await town.ask("who consumes order.created?", user=town.ben)
        _, answer = await town.answers(town.general, 2)
        assert answer.startswith(f"<@{town.ben}>\n-# No thread: I lack {named} here.\n")
        assert [ping.mention for ping in town.world.pings] == [town.ben]
        assert town.world.calls_of(OPEN_THREAD) == []


@pytest.mark.parametrize("slash", [False, True], ids=["mention", "slash"])
async def test_in_a_server_full_of_threads_it_answers_in_the_channel(tmp_path: Path, slash: bool) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.most_active_threads = 0
        if slash:
            await town.ask("who consumes order.created?")
        else:
            await town.mention("who consumes order.created?")
        answer = (await town.answers(town.general, 1 + slash))[-1]
        assert "No thread: this server has too many open ones." in answer


async def test_an_archived_thread_comes_back_by_the_answer(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await _answered(town)
        town.world.archive(thread)
        await town.go_on(thread, "and who publishes it?")
        await town.answers(thread, 3)
        assert not town.world.channels[thread].archived


async def test_what_a_locked_thread_refuses_is_said_in_its_channel(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            town.world.lock(thread)
            held.release()
            (answer,) = await town.answers(town.general)
            assert answer.startswith(
                f"<@{town.ana}>\n-# The thread is locked, and I lack “Manage Threads”.\n"
            )
            assert "billing" in answer
        assert town.states() == ["done"]


async def test_a_deleted_thread_is_opened_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            town.world.delete_channel(thread)
            held.release()
            await town.answers(await town.thread(thread))
            assert town.world.channels[thread].name == "who consumes order.created?"
        assert town.said(town.general) == []


async def test_where_the_question_is_gone_with_its_thread_the_channel_is_left(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            message = await town.mention("who consumes order.created?")
            town.world.forget(await town.thread(message))  # and nobody was told
            town.world.delete_channel(message)
            held.release()
            (answer,) = await town.answers(town.general)
            assert "-# The thread is gone." in answer


async def test_a_private_thread_never_falls_back_into_its_channel(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            thread = await town.world.open_thread(town.ana, town.general, "hush", private=True)
            await town.world.add_to_thread(thread, town.world.bot_user)
            await town.mention("who consumes order.created?", channel=thread)
            await town.assistant.wait_for_calls(1)
            town.world.lock(thread)
            held.release()
            (told,) = await town.answers(town.world.open_dm(town.ana))
            assert "but I may not answer there" in told
            assert town.said(town.general) == []
        assert town.states() == ["buried"]


async def test_a_notice_that_cannot_even_be_sent_directly_is_kept(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.refuse_dms(town.ana)
        held = faults.hold()
        town.assistant.faults.add(held)
        async with town.run():
            await town.mention("who consumes order.created?")
            await town.assistant.wait_for_calls(1)
            town.world.deny(town.general, "send_messages", "send_messages_in_threads")
            held.release()
            await town.called("POST /users/@me/channels")
        assert town.states() == ["kept"]
        async with town.run():
            done = await town.world.slash(town.ana, town.general, "threadline answers")
            await town.world.until(lambda: done.followups)
            assert (
                "billing" in done.followups[0].content
            )  # what was refused there is for its asker all the same


async def test_where_one_cannot_be_written_to_directly_the_notice_is_kept(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add("POST /users/@me/channels", HttpError(400, code=50033))
        town.world.faults.add(POST, HttpError(403, code=50001), times=2)
        async with town.run():
            await town.mention("who consumes order.created?")
            await town.called("POST /users/@me/channels", 400)
        assert town.states() == ["kept"]


async def test_what_could_not_be_stored_is_said_to_its_asker_alone(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            town.sql("ALTER TABLE deliveries RENAME TO gone")
            told = await town.slash("ask", question="who consumes order.created?")
            assert "nothing was stored" in told
            town.sql("ALTER TABLE gone RENAME TO deliveries")
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
        assert town.states() == ["done"]


@pytest.mark.parametrize("refuses", [False, True], ids=["stores", "fails"])
async def test_a_slow_database_keeps_nobody_waiting_for_the_first_sign(
    tmp_path: Path, *, refuses: bool
) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        with closing(sqlite3.connect(town.settings.database_url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            if refuses:
                other.execute(REFUSE)
            asked = await town.ask("who consumes order.created?")
            assert not asked.failed
            assert asked.original is not None
            assert asked.original.is_loading
            other.execute("COMMIT")
        if refuses:
            await town.world.until(lambda: asked.original is not None and not asked.original.is_loading)
            assert "nothing was stored" in asked.original.content
        else:
            await town.answers(await town.thread_of(asked))


async def test_a_thread_that_has_had_its_share_is_told_once_and_then_refused(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await _answered(town)
        ((columns,),) = town.sql("SELECT group_concat(name) FROM pragma_table_info('deliveries')")
        copied = {"state": "'done'", "lease_until": "NULL"} | {
            name: f"{name} || '-' || n" for name in ("id", "event", "message")
        }
        other = ",".join(copied.get(name, name) for name in columns.split(","))
        numbers = "WITH t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 59)"
        town.sql(f"{numbers} INSERT INTO deliveries ({columns}) SELECT {other} FROM t, deliveries")  # noqa: S608 no stranger's words in it
        await town.world.slash(town.ana, thread, "ask", question="one too many")
        assert "had its share of answers" in (await town.answers(thread, 3))[-1]
        refused = await town.world.slash(town.ana, thread, "ask", question="and another")
        await town.world.until(lambda: refused.original is not None and not refused.original.is_loading)
        assert refused.original is not None
        assert "As much has been asked here as may be in an hour" in refused.original.content
        assert len(town.assistant.journal) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, 10003),
        (404, 10008),
        (403, 50001),
        (403, 50013),
        (403, 50007),
        (400, 160002),
        (403, 160005),
        (400, 160006),
        (400, 50035),
    ],
)
async def test_what_discord_refuses_for_good_is_not_tried_again_and_again(
    tmp_path: Path, status: int, code: int
) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.faults.add(POST, *[HttpError(status, code=code)] * 20)
        async with town.run():
            await town.mention("who consumes order.created?")
            await town.called("POST /users/@me/channels")
        assert town.states() == ["kept"]
        refused = [call for call in town.world.calls if call.status >= 400]
        assert len(refused) <= 4
