"""The interactive demo on Discord's side: commands, buttons, menus, private answers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.cli.demo.town import OWN_KEY, Town, town
from tests.fixtures.demo import Session


@pytest_asyncio.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    async with town(tmp_path, by_socket=False) as place:
        yield Session(place)


async def test_on_discord_one_asks_by_command_and_goes_on_by_the_button(session: Session) -> None:
    shown = await session.play(
        ":channel general",
        ":slow 1",
        "/ask who consumes order.created?",
        session.sees("Threadline is typing…"),
        ":slow 0",
        session.sees("Growth"),
        ":more and who publishes it?",
        session.sees("publishes order.created"),
        ":thread 1",
        ":more who owns it?",
        session.sees("owned by team Checkout"),
        "@threadline thank you",
        session.sees("welcome"),
        ":up",
    )
    assert "Discord #general  [1]\n  Threadline\n  @ana asked: who consumes order.created?" in shown
    assert "┃ @ana asked: and who publishes it?" in shown
    assert "┃ [ Ask a follow-up ]" in shown
    assert "Threadline is typing…" in shown
    assert "Discord #general [1] ana> " in shown
    assert len(session.place.chats()) == 4


async def test_on_discord_one_asks_in_private_and_about_a_message(session: Session) -> None:
    shown = await session.play(
        ":channel general",
        "/ask who owns billing? private:true",
        session.sees("team Payments"),
        ":more and what does it depend on?",
        session.sees("depends on fraud-check"),
        "shipping was slow last night",
        session.sees("[1]\n  ana  shipping was"),
        ":about 1 which topics does it consume?",
        session.sees("stock.reserved"),
    )
    assert shown.count("only ana sees this") >= 2
    assert "▌ shipping was slow last night" in shown
    assert "[3]" not in shown


async def test_projects_on_discord_are_chosen_by_a_part_of_their_name(session: Session) -> None:
    shown = await session.play(
        ":channel random",
        "/threadline link demo",
        session.sees("Discord offers: Shop demo (shop-demo-7f3k2), Media demo (media-demo-4p9x1)."),
        "/threadline link med",
        session.sees("now asks media-demo-4p9x1"),
        "/threadline link nowhere-near everywhere:yes",
        session.sees("now ask nowhere-near"),
        ":dm",
        "/ask who owns billing? project:shop",
        session.sees("team Payments"),
        ":about 1",
        ":as ben",
    )
    assert "Name a project: /ask WORDS project:shop-demo-7f3k2" in shown
    assert "Direct messages have no menu here" in shown
    assert "Discord @Threadline ben> " in shown


async def test_a_long_wait_is_told_in_discords_thread(session: Session) -> None:
    shown = await session.play(
        ":channel video",
        ":429 70",
        "@threadline list all topics",
        session.sees("try again at"),
        ":queue",
        session.sees("settled"),
    )
    words = re.sub(r"[\s┃]+", " ", shown)
    assert re.search(r"try again at \d\d:\d\d UTC \(in 1 minute\)", words)
    assert "Discord #video  [1]\n  ┃ Threadline\n" in shown


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/remind me", "This server has the slash commands /ask and /threadline."),
        ("/threadline", "After /threadline comes one of: "),
        ("/threadline help me", "This command takes no words."),
        ("/threadline unlink all", "This command takes everywhere:…."),
        ("/ask", "Discord does not take that: required options are missing: ['question']."),
        (":more and then?", "No answer here has a button yet."),
    ],
)
async def test_what_cannot_be_done_on_discord_is_said(session: Session, line: str, told: str) -> None:
    assert told in await session.play(":channel general", line)


async def test_on_discord_a_thread_begins_with_a_mention(session: Session) -> None:
    shown = await session.play(
        ":channel general", "@eve talk", session.sees("ana  @eve talk"), ":thread 1", "more talk"
    )
    assert "No thread hangs on that message" in shown


async def test_an_app_that_is_away_does_not_respond(session: Session) -> None:
    async def leave() -> None:
        session.place.world.gateway = None

    shown = await session.play(":channel general", leave, "/ask who owns billing?")
    assert "“The application did not respond.”" in shown


async def test_a_menu_that_has_nothing_to_ask_about_opens_no_form(session: Session) -> None:
    shown = await session.play(
        ":channel general",
        "   ",
        lambda: empty_message(session.place),
        session.sees("[1]"),
        ":about 1",
        session.sees("only ana sees this"),
    )
    assert "no text that I could ask about" in shown


async def empty_message(place: Town) -> None:
    ben = next(user.id for user in place.world.users.values() if user.name == "ben")
    await place.world.say(ben, place.channels["general"].channel, "", files=["picture.png"])


async def test_on_discord_too_words_are_changed_a_wait_is_stopped_and_a_key_is_set(session: Session) -> None:
    await session.play(
        ":channel general",
        "@threadline who owns billing?",
        session.sees("team Payments"),
        ":edit @threadline who owns inventory?",
        session.sees("was edited"),
        ":key no-such-key-0000",
        session.sees("does not accept"),
        f":key {OWN_KEY}",
        session.sees("accepts the key"),
        ":429 300",
        "@threadline who owns shipping?",
        session.sees("[ Stop ]"),
        ":stop",
        session.sees("Stopped: I have let go"),
    )
    assert session.place.chats()[-1].key == OWN_KEY
