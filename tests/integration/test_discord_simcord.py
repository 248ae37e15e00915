"""The walk through simcord's Discord, which checks what a real one would: permissions, ids, and time."""

from pathlib import Path

import discord
import pytest

from bots import texts
from tests.fixtures.simcord_town import MEDIA, SHOP, shown, simcord_town

CONSUMERS = "who consumes order.created?"
PUBLISHER = "and who publishes it?"


async def test_one_goes_on_by_command_mention_and_button_and_after_a_restart(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            asked = await town.ana.slash(town.general, "ask", question=CONSUMERS)
            assert shown(asked) == f"{town.ana.mention} asked: {CONSUMERS}"
            (first,) = await town.answers(town.thread)
            assert "**billing**" in first

            await town.ana.send(town.thread, f"{town.me} {PUBLISHER}")
            _, second = await town.answers(town.thread)
            assert "**order-service** publishes `order.created`" in second
            assert town.given() == ["user", "assistant", "user"]

            filled = await town.follow_up("what breaks if billing stops?")
            assert shown(filled) == f"{town.ana.mention} asked: what breaks if billing stops?"
            third = (await town.answers(town.thread))[-1]
            assert "6 services are affected" in third
            assert len(town.given()) == 5

        async with town.run():
            await town.follow_up("who consumes payment.captured?")
            said = await town.answers(town.thread)
            assert "order-service" in said[-1]
            assert len(said) == 6
            assert len(town.given()) == 7
        assert len(town.general.threads) == 1
        assert town.states() == ["done"] * 4


async def test_somebodys_message_is_asked_about_from_its_menu_without_any_intent(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        spoken = await town.ana.send(town.general, "we are about to retire order.created")
        assert town.states() == []
        form = await town.ana.context_menu(town.general, texts.ASK_ABOUT_MENU, spoken)
        assert form.modal is not None
        carried = form.modal["components"][1]["component"]["value"]
        filled = await town.ana.submit_modal(form, {"question": CONSUMERS, "message": carried})
        assert shown(filled).startswith(f"{town.ana.mention} asked: {CONSUMERS}\n> we are about to retire")
        (answer,) = await town.answers(town.thread)
        assert "**billing**" in answer
        assert "about to retire" in town.assistant.journal[-1].messages[-1][1]


async def test_projects_are_offered_while_one_types_and_then_asked(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        mods = town.guild.create_role("mods", permissions=discord.Permissions(manage_guild=True))
        mia = town.guild.add_member(town.env.create_user("mia"), roles=[mods])
        films = [{"name": f"Media demo ({MEDIA})", "value": MEDIA}]
        assert await mia.autocomplete(town.general, "ask", "project", "media", question="what?") == films
        assert await town.ana.autocomplete(town.general, "ask", "project", "media", question="what?") == []
        refused = await town.ana.slash(town.general, "ask", question="what?", project=MEDIA)
        assert shown(refused) == texts.PROJECT_NOT_HERE.format(project=MEDIA)
        await mia.slash(town.guild.create_text_channel("films"), "threadline link", project=MEDIA)
        assert await town.ana.autocomplete(town.general, "ask", "project", "media", question="what?") == films
        await town.ana.slash(town.general, "ask", question="which services are there?", project=MEDIA)
        assert len(await town.answers(town.thread)) == 1
        assert town.assistant.journal[-1].project == MEDIA


async def test_only_who_may_manage_the_server_links_a_channel(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        mods = town.guild.create_role("mods", permissions=discord.Permissions(manage_guild=True))
        mia = town.guild.add_member(town.env.create_user("mia"), roles=[mods])
        refused = await town.ana.slash(town.general, "threadline link", project=MEDIA)
        assert shown(refused) == texts.GUILD_NOT_ALLOWED
        linked = await mia.slash(town.general, "threadline link", project=MEDIA)
        assert f"This channel now asks `{MEDIA}`" in shown(linked)
        assert linked.ephemeral
        await town.ana.slash(town.general, "ask", question="which services are there?")
        await town.at_rest()
        assert town.assistant.journal[-1].project == MEDIA


async def test_the_assistant_learns_by_their_names_who_asks_in_a_thread(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        ben = town.guild.add_member(town.env.create_user("ben"), nick="Benny")
        await town.ana.slash(town.general, "ask", question=CONSUMERS)
        await town.at_rest()
        await ben.send(town.thread, f"{town.me} {PUBLISHER}")
        assert len(await town.answers(town.thread)) == 2
        (_, first), _, (_, second) = town.assistant.journal[-1].messages
        assert "ana" in first
        assert "Benny" in second


async def test_in_direct_messages_all_is_one_conversation(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        here = town.ana.user.dm_channel
        await town.ana.send_dm(CONSUMERS)
        assert len(await town.answers(here)) == 1
        await town.ana.user.slash("ask", question=PUBLISHER)
        *_, asked, answer = await town.answers(here)
        assert asked == f"{town.ana.mention} asked: {PUBLISHER}"
        assert "**order-service**" in answer
        assert town.assistant.journal[-1].project == SHOP


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("create_public_threads", "Create Public Threads"),
        ("send_messages_in_threads", "Send Messages in Threads"),
    ],
)
async def test_where_there_can_be_no_thread_the_channel_is_told_why(
    tmp_path: Path, lacking: str, named: str
) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        narrow = town.narrow(**{lacking: False})
        await town.ana.slash(narrow, "ask", question=CONSUMERS)
        asked, answer = await town.answers(narrow)
        assert asked == f"{town.ana.mention} asked: {CONSUMERS}"
        assert answer.startswith(f"{town.ana.mention}\n-# {texts.no_thread(named)}\n")
        assert "**billing**" in answer
        assert narrow.threads == []


async def test_where_nothing_can_be_said_the_asker_is_told_and_nothing_is_asked(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        narrow = town.narrow(send_messages=False, create_public_threads=False)
        refused = await town.ana.slash(narrow, "ask", question=CONSUMERS)
        assert shown(refused) == texts.may_not_write("Send Messages")
        assert refused.ephemeral
        assert town.states() == []
        assert town.assistant.journal == []


async def test_mentions_that_nobody_heard_are_answered_after_the_start(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            await town.ana.send(town.general, f"{town.me} {CONSUMERS}")
            await town.at_rest()
            thread = town.thread
        await town.ana.send(thread, f"{town.me} {PUBLISHER}")
        await town.ana.send(town.general, f"{town.me} who consumes payment.captured?")
        await town.later(60)
        async with town.run():
            await town.until(lambda: len(town.general.threads) == 2)
            assert "**order-service**" in (await town.answers(thread))[-1]
            assert len(await town.answers(town.thread)) == 1
        assert town.states() == ["done"] * 3
