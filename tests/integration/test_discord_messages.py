"""What people write on Discord: what is a question to us, what is not, and where it goes on."""

from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from bots.discord.views import FORM
from tests.fixtures.guild import FOLLOW_UP, MEDIA, SHOP, GuildWalk, guild_walk


async def test_the_bots_own_role_means_the_bot(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.reads_everything()
        async with town.run():
            role = town.world.bot_role(town.guild)
            words = f"<@&{role}> who consumes order.created?"
            thread = await town.thread(await town.world.say(town.ana, town.general, words))
            assert "billing" in (await town.answers(thread))[0]
        ((_, asked),) = town.assistant.journal[-1].messages
        assert asked == "who consumes order.created?"


async def test_who_pings_the_role_where_its_text_is_hidden_is_told_how_to_ask(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            role = town.world.bot_role(town.guild)
            words = f"<@&{role}> who consumes order.created?"
            message = await town.world.say(town.ana, town.general, words)
            (told,) = await town.answers(await town.thread(message))
            assert "I was not shown the text" in told
        assert not town.assistant.journal


async def test_names_stand_where_the_assistant_could_not_read_an_id(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        ops = town.world.add_role(town.guild, "ops", mentionable=True)
        words = f"does <@{town.ben}> of <@&{ops}> in <#{town.general}> or <#{town.guild}> own billing?"
        async with town.run():
            await town.answers(await town.thread(await town.mention(words)))
        ((_, asked),) = town.assistant.journal[-1].messages
        assert asked == "does @ben of @ops in #general or #channel own billing?"


async def test_a_mention_without_words_is_told_what_to_ask(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            empty = await town.mention("")
            words = f"<@{town.world.bot_user}>"
            files = await town.world.say(town.ben, town.general, words, files=["chart.png"])
            assert "Ask me about" in (await town.answers(await town.thread(empty)))[0]
            assert "cannot read attachments" in (await town.answers(await town.thread(files)))[0]
            await town.mention("who owns billing?", channel=empty)
            await town.answers(empty, 2)
        assert town.states() == ["done"] * 3
        assert len(town.assistant.journal) == 1


async def test_direct_messages_are_one_conversation(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            direct = town.world.open_dm(town.ana)
            await town.world.say(town.ana, direct, "who consumes order.created?")
            await town.answers(direct)
            await town.world.say(town.ana, direct, "and who publishes it?")
            await town.answers(direct, 2)
            await town.go_on(direct, "and who owns billing?")
            await town.answers(direct, 4)
        assert len(town.turns()) == 5
        assert town.states() == ["done"] * 3


async def test_a_command_in_direct_messages_is_shown_and_answered_there(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        direct = town.world.open_dm(town.ana)
        await town.world.slash(town.ana, direct, "ask", question="who consumes order.created?")
        shown, answer = await town.answers(direct, 2)
        assert shown == f"<@{town.ana}> asked: who consumes order.created?"
        assert "billing" in answer


async def test_another_project_in_direct_messages_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        films = town.world.add_channel(town.guild, "films")
        await town.slash("threadline link", channel=films, project=MEDIA)
        direct = town.world.open_dm(town.ana)
        await town.world.slash(town.ana, direct, "ask", question="who consumes order.created?")
        await town.answers(direct, 2)
        await town.world.slash(town.ana, direct, "ask", question="what is there?", project=MEDIA)
        await town.answers(direct, 4)
        assert town.assistant.journal[-1].project == MEDIA
        assert town.turns() == ["user"]
        await town.go_on(direct, "and else?")
        await town.answers(direct, 6)
        assert town.assistant.journal[-1].project == MEDIA
        assert town.turns() == ["user", "assistant", "user"]


async def test_talk_that_is_not_meant_for_the_bot_is_not_answered(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.reads_everything()
        other = town.world.add_user("other", bot=True)
        town.world.join(town.guild, other)
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            await town.world.say(town.ben, town.general, "just talking")
            await town.world.say(town.ben, town.general, f"<@{town.ana}> have you seen this?")
            await town.world.say(town.ben, thread, f"<@{town.ana}> have you seen this?")
            await town.world.say(other, town.general, f"<@{town.world.bot_user}> who owns billing?")
            strange = await town.world.open_thread(town.ben, town.general, "ours alone")
            await town.world.say(town.ben, strange, "nothing for a bot")
            await town.mention("who owns billing?", channel=thread)
            await town.answers(thread, 2)
        assert len(town.assistant.journal) == 2
        assert town.states() == ["done", "done"]


async def test_with_the_intent_plain_messages_go_on_in_threads_of_ours(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        town.reads_everything()
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
            await town.world.say(town.ben, thread, "and who publishes it?")
            assert "order-service" in (await town.answers(thread, 2))[-1]


async def test_without_the_intent_plain_messages_in_threads_are_nothing_to_us(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
            await town.world.say(town.ben, thread, "and who publishes it?")
            (answer,) = town.said(thread)
            await town.world.say(town.ben, thread, "who owns billing?", reply_to=answer.id)
            await town.answers(thread, 2)
        assert [words for role, words in town.assistant.journal[-1].messages if role == "user"][1:] == [
            "ben: who owns billing?"
        ]


async def test_posts_are_answered_where_that_is_switched_on(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        town.reads_everything()
        forum = town.world.add_channel(town.guild, "questions", kind="forum")
        silent = town.world.add_channel(town.guild, "talk", kind="forum")
        async with town.run():
            await town.world.open_post(town.ben, silent, "Before", "who publishes order.created?")
            first = await town.world.open_post(town.ben, forum, "Consumers", "not yet switched on")
            await town.answers(await town.thread(await town.mention("is everything heard?")))
            told = await town.slash("threadline link", channel=first, project=SHOP, new_posts=True)
            assert "I answer each new post here" in told
            post = await town.world.open_post(town.ben, forum, "Consumers", "who consumes order.created?")
            assert "billing" in (await town.answers(post))[0]
            await town.world.say(town.ben, post, "and who publishes it?")
            await town.answers(post, 2)
            assert town.said(first) == [] == town.said(silent)
        assert len(town.assistant.journal) == 2


async def test_posts_can_not_be_answered_without_the_intent(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        forum = town.world.add_channel(town.guild, "questions", kind="forum")
        async with town.run():
            post = await town.world.open_post(town.ben, forum, "Consumers", "who consumes order.created?")
            told = await town.slash("threadline link", channel=post, project=SHOP, new_posts=True)
            assert "DISCORD_MESSAGE_CONTENT" in told
        assert town.sql("SELECT * FROM links") == []


async def _asked_inline(town: GuildWalk) -> str:
    """Have a question answered in the channel itself, and return the answer's id."""
    town.world.deny(town.general, "create_public_threads")
    await town.mention("who consumes order.created?")
    await town.answers(town.general)
    return town.said(town.general)[0].id


async def test_a_reply_to_an_answer_in_the_channel_goes_on_with_its_conversation(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            answer = await _asked_inline(town)
            await town.world.say(town.ana, town.general, "and who publishes it?", reply_to=answer)
            assert "order-service" in (await town.answers(town.general, 2))[-1]
            assert town.turns() == ["user", "assistant", "user"]
        async with town.run():
            second = town.said(town.general)[-1].id
            await town.world.say(town.ben, town.general, "who owns billing?", reply_to=second)
            await town.answers(town.general, 3)
            assert len(town.turns()) == 5


async def test_where_no_thread_can_be_opened_the_answer_names_why_and_pings_its_asker(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        await _asked_inline(town)
        (answer,) = town.said(town.general)
        assert answer.content.startswith(
            f"<@{town.ana}>\n-# No thread: I lack “Create Public Threads” here.\n"
        )
        assert [ping.mention for ping in town.world.pings] == [town.ana]


async def test_the_button_under_an_answer_in_the_channel_goes_on_there(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            town.world.deny(town.general, "create_public_threads")
            asked = await town.ask("who consumes order.created?")
            _, answer = await town.answers(town.general, 2)
            assert answer.startswith(f"<@{town.ana}>\n-# No thread: I lack “Create Public Threads” here.\n")
            assert asked.original is not None
            assert not asked.original.is_loading
        async with town.run():
            await town.go_on(town.general, "and who publishes it?", user=town.ben)
            shown, answer = (await town.answers(town.general, 4))[2:]
            assert shown == f"<@{town.ben}> asked: and who publishes it?"
            assert answer.startswith(f"<@{town.ben}>")
            assert "order-service" in answer
            assert town.turns() == ["user", "assistant", "user"]
        town.world.allow(town.general, "create_public_threads")
        async with town.run():
            await town.go_on(town.general, "who owns billing?")
            await town.answers(await town.thread_of(asked))
            assert len(town.turns()) == 5


async def test_a_button_of_somebody_else_means_nothing(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
            (answer,) = town.said(thread)
            pressed = await town.world.press(town.ana, thread, answer.id, FOLLOW_UP)
            assert pressed.modal is not None
            pressed.modal = {**pressed.modal, "custom_id": f"{FORM}ask:of:another:time"}
            refused = await town.world.submit(town.ana, pressed, question="and?")
            assert refused.original is not None
            assert refused.original.ephemeral
            assert refused.original.content
        assert len(town.assistant.journal) == 1


async def test_a_channel_that_has_no_project_is_told_and_answered_once_it_is_linked(tmp_path: Path) -> None:
    async with guild_walk(tmp_path, default=None) as town:
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            thread = await town.thread_of(asked)
            (told,) = await town.answers(thread)
            assert "Someone who may manage this server can set one with `/threadline link PROJECT`" in told
            linked = await town.slash("threadline link", channel=thread, project=SHOP)
            assert "The question that waited is being answered" in linked
            assert "billing" in (await town.answers(thread, 2))[-1]
        assert town.states() == ["done"]
        assert len(town.assistant.journal) == 1


async def test_nobody_asks_through_an_unknown_assistant_key(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        key = SecretStr("another")
        town.settings = replace(town.settings, chat=replace(town.settings.chat, key=key))
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            assert "API key" in (await town.answers(thread))[0]
        assert town.states() == ["buried"]
