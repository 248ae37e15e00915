"""What somebody's own program could send in place of our forms; and faults at awkward moments."""

import json
from pathlib import Path

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import Delay, HttpError, Interaction
from tests.fixtures.guild import FOLLOW_UP, MEDIA, POST, SHOP, GuildWalk, guild_walk

LONG = "\n\n".join(f"Paragraph {number} of a long answer. " * 15 for number in range(9)).strip()
PATCH_ORIGINAL = "PATCH /webhooks/{application}/{token}/messages/{message}"


async def _pressed(town: GuildWalk, asked: Interaction) -> Interaction:
    thread = await town.thread_of(asked)
    await town.answers(thread)
    return await town.world.press(town.ana, thread, town.said(thread)[-1].id, FOLLOW_UP)


async def test_a_form_that_names_another_channel_is_refused(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        hidden = town.world.add_channel(town.guild, "hidden")
        opened = await _pressed(town, await town.ask("who consumes order.created?"))
        assert opened.modal is not None
        forged = json.loads(json.dumps(opened.modal).replace(f":{town.general}:", f":{hidden}:"))
        opened.modal = forged
        done = await town.world.submit(town.ana, opened, question="and who publishes it?")
        assert done.original is not None
        assert done.original.content == texts.OLD_BUTTON
        assert done.original.ephemeral
        assert town.world.messages(hidden) == []
        assert len(town.assistant.journal) == 1


async def test_a_private_answer_waits_for_the_first_sign_to_be_taken(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        town.world.faults.add("POST /interactions/{interaction}/{token}/callback", Delay(0.3))
        asked = await town.ask("who consumes order.created?", private=True)
        (notice,) = await town.whispers(1)
        assert "no project" in notice
        assert asked.original is not None
        assert not asked.original.is_loading
        assert town.world.calls_of("POST /users/@me/channels") == []


async def test_an_answer_in_the_channel_is_found_there_after_a_restart(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.world.deny(town.general, "create_public_threads")
        town.world.faults.add(POST, HttpError(503, after=True), times=1)
        async with town.run():
            await town.mention("who consumes order.created?")
            await town.called(POST, 503)
        before = len(town.said(town.general))
        town.clock.advance(1_000)
        async with town.run():
            await town.until_later(lambda: town.states() == ["done"])
        assert (before, len(town.said(town.general))) == (1, 1)


async def test_a_question_left_unshown_by_a_fault_is_shown_with_its_answer(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread_of(await town.ask("who consumes order.created?"))
        await town.answers(thread)
        town.world.faults.add(PATCH_ORIGINAL, HttpError(503))
        asked = await town.world.slash(town.ana, thread, "ask", question="and who publishes it?")
        await town.answers(thread, 3)
        assert asked.original is not None
        assert not asked.original.is_loading


async def test_a_follow_up_missed_in_a_thread_of_this_very_run_is_found(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention("who consumes order.created?"))
        await town.answers(thread)
        gateway = town.server.gateway
        await gateway.invalidate()
        town.world.gateway = None  # nobody hears this
        await town.mention("and who publishes it?", channel=thread)
        town.world.gateway = gateway
        await town.until_later(lambda: len(town.said(thread)) == 2)
        assert "order-service" in town.said(thread)[-1].content


async def test_what_members_may_ask_about_is_what_was_linked_for_them(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        offered = await town.world.complete(town.ben, town.general, "ask", "project", "")
        assert [choice["value"] for choice in offered] == [SHOP]
        done = await town.ask("what is there?", user=town.ben, project=MEDIA)
        assert done.original is not None
        assert done.original.content == texts.PROJECT_NOT_HERE.format(project=MEDIA)
        direct = town.world.open_dm(town.ben)
        refused = await town.world.slash(town.ben, direct, "ask", question="what is there?", project=MEDIA)
        assert refused.original is not None
        assert refused.original.content == texts.PROJECT_NOT_HERE.format(project=MEDIA)
        films = town.world.add_channel(town.guild, "films")
        await town.slash("threadline link", channel=films, project=MEDIA)
        await town.world.slash(town.ben, direct, "ask", question="what is there?", project=MEDIA)
        await town.answers(direct, 2)
        assert town.assistant.journal[-1].project == MEDIA


async def test_new_posts_are_for_forums_alone(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.reads_everything()
        async with town.run():
            said = await town.slash("threadline link", project=MEDIA, new_posts=True)
            assert said == texts.POSTS_ARE_IN_FORUMS
            assert SHOP in await town.slash("threadline status")


async def test_in_direct_messages_one_is_told_to_name_a_project(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        direct = town.world.open_dm(town.ana)
        await town.world.say(town.ana, direct, "who consumes order.created?")
        assert await town.answers(direct) == [texts.DIRECT_NOT_LINKED]
        done = await town.world.slash(town.ana, direct, "threadline status")
        await town.world.until(lambda: done.original is not None and not done.original.is_loading)
        assert done.original is not None
        assert done.original.content == texts.DIRECT_STATUS


async def test_a_part_that_is_refused_in_private_is_kept_and_takes_nothing_away(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.assistant.faults.add(faults.says(LONG))
        town.world.faults.add("POST /webhooks/{application}/{token}", HttpError(403, 50013))
        async with town.run():
            asked = await town.ask("who consumes order.created?", private=True)
            await town.until_later(lambda: town.states() == ["kept"])
            assert asked.original is not None
            assert asked.original.content.startswith("Paragraph 0")
            done = await town.world.slash(town.ana, town.general, "threadline answers")
            await town.world.until(lambda: bool(done.followups))
            assert done.followups[0].content.startswith("-# who consumes order.created?")


async def test_a_form_that_meets_a_fault_of_ours_tells_its_author(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        opened = await _pressed(town, await town.ask("who consumes order.created?"))
        town.sql("ALTER TABLE conversations RENAME TO elsewhere")
        done = await town.world.submit(town.ana, opened, question="and who publishes it?")
        await town.world.until(lambda: done.original is not None and not done.original.is_loading)
        assert done.original is not None
        assert done.original.content in {texts.NOT_STORED, texts.command_failed(texts.STORE_AWAY)}


async def test_a_project_named_in_direct_messages_that_had_none_is_theirs_from_now_on(
    tmp_path: Path,
) -> None:
    async with guild_walk(tmp_path, default=None) as town, town.run():
        await town.slash("threadline link", project=SHOP)
        direct = town.world.open_dm(town.ben)
        await town.world.say(town.ben, direct, "who consumes order.created?")
        await town.answers(direct)
        await town.world.slash(town.ben, direct, "ask", question="and who publishes it?", project=SHOP)
        said = await town.answers(direct, 4)  # the notice, the question shown, both answers
        assert any("billing" in one for one in said)
        assert "order-service" in said[-1]
        await town.world.say(town.ben, direct, "who owns it?")
        await town.answers(direct, 5)
        assert town.turns() == ["user", "assistant", "user", "assistant", "user"]
        assert town.assistant.journal[-1].project == SHOP
