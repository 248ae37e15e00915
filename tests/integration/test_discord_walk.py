"""From a question on Discord to its answer, and on."""

from pathlib import Path

import pytest

from bots.demo.assistant import faults
from tests.fixtures.guild import FOLLOW_UP, MEDIA, guild_walk


async def test_a_slash_question_is_shown_opens_a_thread_and_is_answered_there(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            asked = await town.ask("who consumes order.created?")
            thread = await town.thread_of(asked)
            (answer,) = await town.answers(thread)
        assert asked.original is not None
        assert asked.original.content == f"<@{town.ana}> asked: who consumes order.created?"
        assert not asked.original.is_loading
        assert "billing" in answer
        assert town.world.channels[thread].name == "who consumes order.created?"
        assert not town.world.typing(thread)
        assert town.world.pings == []
        assert town.states() == ["done"]


async def test_a_mention_opens_a_thread_in_which_one_goes_on_by_mention(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread(await town.mention("who consumes order.created?"))
            await town.answers(thread)
            await town.mention("and who publishes it?", channel=thread)
            answer = (await town.answers(thread, 2))[-1]
        assert "order-service" in answer
        assert town.turns() == ["user", "assistant", "user"]


async def test_the_button_opens_a_form_by_which_the_conversation_goes_on(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread_of(await town.ask("who consumes order.created?"))
        await town.answers(thread)
        more = await town.go_on(thread, "and who publishes it?", user=town.ben)
        shown, answer = (await town.answers(thread, 3))[1:]
        assert more.original is not None
        assert shown == more.original.content == f"<@{town.ben}> asked: and who publishes it?"
        assert "order-service" in answer
        assert town.turns() == ["user", "assistant", "user"]


async def test_after_a_restart_the_button_goes_on_with_its_conversation(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
            (answer,) = town.said(thread)
            pressed = await town.world.press(town.ana, thread, answer.id, FOLLOW_UP)
        async with town.run():
            await town.world.submit(town.ana, pressed, question="and who publishes it?")
            assert "order-service" in (await town.answers(thread, 3))[-1]
            await town.go_on(thread, "who owns billing?")
            await town.answers(thread, 5)
        assert town.turns() == ["user", "assistant", "user", "assistant", "user"]
        assert town.states() == ["done"] * 3


async def test_a_named_project_answers_in_a_thread_of_its_own(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        asked = await town.ask("who consumes order.created?", project=f" {MEDIA} ")
        await town.answers(await town.thread_of(asked))
        assert town.assistant.journal[-1].project == MEDIA


async def test_what_is_no_project_id_is_told_to_its_asker_alone(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            words = await town.slash("ask", question="who owns billing?", project="`Shop`")
            assert "`'Shop'` is not a project id" in words
        assert not town.assistant.journal
        assert town.states() == []


async def test_another_project_inside_a_thread_that_has_one_is_refused_in_words(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town:
        async with town.run():
            thread = await town.thread_of(await town.ask("who consumes order.created?"))
            await town.answers(thread)
            await town.world.slash(town.ana, thread, "ask", question="who owns it?", project=MEDIA)
            told = (await town.answers(thread, 3))[-1]
            assert "keeps it" in told
        assert len(town.assistant.journal) == 1


async def test_a_question_asked_by_command_in_a_thread_goes_on_with_it(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention("who consumes order.created?"))
        await town.answers(thread)
        await town.world.slash(town.ben, thread, "ask", question="and who publishes it?")
        assert "order-service" in (await town.answers(thread, 3))[-1]
        assert town.turns() == ["user", "assistant", "user"]


async def test_people_who_share_a_thread_are_told_apart_by_name(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention("who consumes order.created?"))
        await town.answers(thread)
        await town.mention("and who publishes it?", user=town.ben, channel=thread)
        await town.answers(thread, 2)
        asked = [words for role, words in town.assistant.journal[-1].messages if role == "user"]
        assert [words.partition(":")[0] for words in asked] == ["ana", "ben"]


async def test_one_can_ask_about_a_message_that_the_bot_may_not_read_otherwise(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        message = await town.world.say(town.ben, town.general, "order.created is late again\nsince noon")
        opened = await town.world.menu(town.ana, town.general, message, "Ask about this message")
        asked = await town.world.submit(town.ana, opened, question="who consumes order.created?")
        await town.answers(await town.thread_of(asked))
        assert asked.original is not None
        shown = f"<@{town.ana}> asked: who consumes order.created?\n> order.created is late again since noon"
        assert asked.original.content == shown
        ((_, words),) = town.assistant.journal[-1].messages
        assert words.startswith("who consumes order.created?")
        assert words.endswith("order.created is late again\nsince noon")


async def test_one_can_ask_about_a_message_without_saying_what(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        message = await town.world.say(town.ben, town.general, "order.created is late again " * 30)
        opened = await town.world.menu(town.ana, town.general, message, "Ask about this message")
        asked = await town.world.submit(town.ana, opened)
        await town.answers(await town.thread_of(asked))
        assert asked.original is not None
        assert asked.original.content.endswith(" …")
        assert "What does this mean for our services and topics?" in asked.original.content


async def test_about_a_message_without_words_there_is_nothing_to_ask(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        message = await town.world.say(town.ben, town.general, "", files=["chart.png"])
        refused = await town.world.menu(town.ana, town.general, message, "Ask about this message")
        assert refused.modal is None
        assert "no text" in (await town.whispers(1))[0]


async def test_a_very_long_answer_comes_in_messages_and_as_a_file(tmp_path: Path) -> None:
    whole = "\n\n".join(f"Paragraph {number} of a very long answer. " * 20 for number in range(40))
    async with guild_walk(tmp_path) as town, town.run():
        town.assistant.faults.add(faults.says(whole))
        thread = await town.thread_of(await town.ask("tell me everything"))
        await town.world.until(lambda: any(one.attachments for one in town.said(thread)))
        *shown, last = town.said(thread)
        assert len(shown) == 3
        assert all(len(one.content) <= 2_000 and not one.components for one in shown)
        assert last.components
        (call,) = [one for one in town.world.calls if one.files]
        assert call.files == {"answer.md": whole.encode()}


@pytest.mark.parametrize("answer", ["<@{ana}> look", "@everyone <@&{role}>", "<@&{everyone}>"])
async def test_an_answer_pings_nobody(tmp_path: Path, answer: str) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        role = town.world.bot_role(town.guild)
        town.world.allow(town.general, "mention_everyone")
        town.assistant.faults.add(faults.says(answer.format(ana=town.ana, role=role, everyone=town.guild)))
        await town.answers(await town.thread(await town.mention("who?")))
        assert town.world.pings == []
