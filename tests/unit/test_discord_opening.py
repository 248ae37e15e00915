"""What a thread is called that is opened for a question, and when an interaction's message can be edited."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from bots import texts
from bots.discord.client import ThreadlineClient
from bots.discord.naming import thread_name
from bots.discord.opening import Opening
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from core.clock import SystemClock
from core.model import ThreadKey

SPACES = ["\n", "\r", "\t", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u00a0", "\u3000", "\0", "\u200b"]
pieces = st.sampled_from([
    *SPACES, " ", "<@1>", "<@!1>", "<@&2>", "<#3>", "<:smile:4>", "<a:wave:5>", "</ask:6>", "<t:1:R>", "**",
    "`", "#", ">", "~~", "|", "_", ":", ",", "<", "@everyone", "who", "calls", "billing?", "x" * 120,
    "字" * 60, "😀",
])  # fmt: skip


@given(st.text(max_size=400) | st.lists(pieces, max_size=40).map("".join))
@example("")
@example("<@1>\nsecond line")
@example("x" * 4_000)
@example(" " * 200)
@example("a" * 89 + " b" * 50)
@example(", " * 100)
def test_a_name_is_one_that_discord_takes_whatever_was_asked(question: str) -> None:
    name = thread_name(question)
    assert 1 <= len(name.strip()) <= len(name) <= 100
    assert len(name.splitlines()) == 1
    assert name.strip() == " ".join(name.split())


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("who calls billing?", "who calls billing?"),
        ("  who\tcalls   billing? ", "who calls billing?"),
        ("who calls billing?\nAnd who publishes?", "who calls billing?"),
        ("\n\nwho calls billing?", "who calls billing?"),
        ("**who** calls `billing`?", "who calls billing ?"),
        ("# Who calls *billing*", "Who calls billing"),
        ("> who calls it", "who calls it"),
        ("ask <@1> and <@!2>, <@&3> in <#4> <a:wave:5>", "ask and , in"),
        ("see <https://a.example/x>", "see"),
        ("a <b and c> d", "a <b and c d"),
        (": who?", "who?"),
        ("<@123>", texts.THREAD_NAME),
        ("", texts.THREAD_NAME),
        ("***", texts.THREAD_NAME),
        ("x" * 90, "x" * 90),
        ("x" * 91, "x" * 90 + " …"),
        ("word " * 18, ("word " * 18).strip()),
        ("word " * 40, ("word " * 17 + "word").strip() + " …"),
        ("who calls billing, " * 8, "who calls billing, " * 4 + "who calls …"),
    ],
)
def test_a_name_is_the_beginning_of_the_question(question: str, name: str) -> None:
    assert thread_name(question) == name


def test_a_name_is_cut_between_words_and_says_so() -> None:
    assert thread_name("consumer " * 30) == "consumer " * 10 + "…"


# --- when an interaction's own message can be edited -------------------------------------------------

TOKEN = "bot.token"
ASKED = Ticket(7, "interaction.token", "<@1> asked: who?")
REMEMBERED = 10_000


@pytest_asyncio.fixture
async def opening() -> AsyncIterator[Opening]:
    client = ThreadlineClient(SystemClock(), message_content=False, proxy=None)
    yield Opening(client, Replies(client), Receipts(TOKEN), _stays)
    await client.close()


async def _stays(_: ThreadKey, __: str) -> bool:
    return False


async def waiting_for(opening: Opening, ticket: Ticket) -> "asyncio.Task[None]":
    """Begin to wait, and return once that has come as far as it does by itself."""
    task = asyncio.create_task(opening.acknowledged(ticket))
    await asyncio.sleep(0)
    return task


async def test_who_edits_waits_until_discord_was_told_thinking(opening: Opening) -> None:
    opening.attend(ASKED)
    first, second = [await waiting_for(opening, ASKED) for _ in range(2)]
    opening.attend(ASKED)  # once more is no news
    await asyncio.sleep(0)
    assert not first.done()
    assert not second.done()
    opening.heard(ASKED)
    await asyncio.wait_for(asyncio.gather(first, second), 5)
    await asyncio.wait_for(opening.acknowledged(ASKED), 5)


async def test_an_interaction_that_was_heard_before_it_was_attended_is_not_waited_for(
    opening: Opening,
) -> None:
    opening.heard(ASKED)
    opening.attend(ASKED)
    assert (await waiting_for(opening, ASKED)).done()


async def test_an_interaction_of_a_former_process_is_not_waited_for(opening: Opening) -> None:
    opening.attend(Ticket(8, ASKED.token, ASKED.header))
    assert (await waiting_for(opening, ASKED)).done()


async def test_one_interaction_does_not_release_those_who_wait_for_another(opening: Opening) -> None:
    other = Ticket(8, ASKED.token, ASKED.header)
    opening.attend(ASKED)
    opening.attend(other)
    task = await waiting_for(opening, ASKED)
    opening.heard(other)
    opening.leave(other)
    await asyncio.sleep(0)
    assert not task.done()
    opening.heard(ASKED)
    await asyncio.wait_for(task, 5)


async def test_an_interaction_that_is_left_is_waited_for_no_longer(opening: Opening) -> None:
    opening.attend(ASKED)
    task = await waiting_for(opening, ASKED)
    opening.leave(ASKED)
    await asyncio.wait_for(task, 5)
    assert (await waiting_for(opening, ASKED)).done()
    opening.leave(ASKED)  # twice is no fault


async def test_among_very_many_the_oldest_is_let_go_and_nobody_waits_for_it(opening: Opening) -> None:
    opening.attend(ASKED)
    task = await waiting_for(opening, ASKED)
    for number in range(1, REMEMBERED):
        opening.attend(Ticket(ASKED.interaction + number, ASKED.token, ASKED.header))
    await asyncio.sleep(0)
    assert not task.done()
    opening.attend(Ticket(ASKED.interaction + REMEMBERED, ASKED.token, ASKED.header))
    await asyncio.wait_for(task, 5)
    assert (await waiting_for(opening, ASKED)).done()
