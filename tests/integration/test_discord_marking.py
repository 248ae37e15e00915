"""Answers that say what became of their question: below what they said, whole, quietly, and once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import discord
import pytest
import pytest_asyncio

from bots import texts
from bots.demo.assistant import faults
from bots.demo.discord import DiscordServer, DiscordWorld, HttpError, Message, RateLimited
from bots.demo.discord.asking import new_interaction
from bots.demo.discord.interaction import InteractionKind
from bots.demo.discord.responding import respond
from bots.discord.client import ThreadlineClient, pointed_at
from bots.discord.keys import Kind, thread_key, workspace
from bots.discord.marking import marked, unmarked
from bots.discord.marks import Marks
from bots.discord.members import Members
from bots.discord.opening import Opening
from bots.discord.outbound import DiscordPoster
from bots.discord.receipts import Receipts, Ticket
from bots.discord.replies import Replies
from bots.discord.typists import Typing
from core.errors import AskerAway, OutcomeUnknown, PostRefused
from core.errors import RateLimited as Limited
from core.model import NO_RECEIPT, Address, AnswerPart, AuthorId, DeliveryId, Mark, ThreadKey
from core.testing import SettableClock
from tests.fixtures.guild import CHANGE, EDIT, FOLLOW_UP, GuildWalk, guild_walk

FIRST = "who consumes order.created?"
EDITED, DELETED = (f"\n-# {texts.mark(mark)}" for mark in (Mark.EDITED, Mark.DELETED))
CHANGE_OWN = EDIT
CHANGE_THREAD = "PATCH /channels/{channel}"


# --- over the whole walk ---------------------------------------------------------------------------


async def _labels(town: GuildWalk, message: str, wanted: list[str]) -> Message:
    """Wait until a message has these buttons, and return it."""

    def has() -> Message | None:
        found = town.world.message(message)
        assert found is not None
        labels = [button["label"] for row in found.components for button in row["components"]]
        return found if labels == wanted else None

    return await town.world.until(has)


async def test_an_answer_in_the_channel_is_marked_there_and_pings_nobody_again(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        town.world.deny(town.general, "create_public_threads")
        message = await town.mention(FIRST)
        (answer,) = await town.answers(town.general)
        pings = list(town.world.pings)
        await town.edit(message, "who owns billing?")
        await town.world.until(lambda: town.said(town.general)[0].content == answer + EDITED)
        assert town.world.pings == pings


async def test_the_last_message_of_a_very_long_answer_keeps_its_file(tmp_path: Path) -> None:
    whole = "\n\n".join(f"Paragraph {number} of a very long answer. " * 20 for number in range(40))
    async with guild_walk(tmp_path) as town, town.run():
        town.assistant.faults.add(faults.says(whole))
        thread = await town.thread(await town.mention("tell me everything"))
        await town.world.until(lambda: any(one.attachments for one in town.said(thread)))
        before = town.said(thread)
        await town.edit(thread, "tell me nothing")
        await town.world.until(lambda: town.said(thread)[-1].content.endswith(EDITED))
        last = town.said(thread)[-1]
        assert (last.attachments, last.components) == (before[-1].attachments, before[-1].components)
        assert town.said(thread)[:-1] == before[:-1]


async def test_where_there_is_no_room_a_greyed_out_button_says_it(tmp_path: Path) -> None:
    words = ("orders " * 271).strip()
    async with guild_walk(tmp_path) as town, town.run():
        town.assistant.faults.add(faults.says(words))
        thread = await town.thread(await town.mention(FIRST))
        await town.answers(thread)
        (answer,) = town.said(thread)
        await town.edit(thread, "who owns billing?")
        told = await _labels(town, answer.id, [FOLLOW_UP, texts.MARKED[Mark.EDITED]])
        assert told.content == answer.content
        assert told.components[0]["components"][1]["disabled"]
        await town.go_on(thread, "and who publishes it?")
        await town.answers(thread, 3)
        await town.world.delete(thread)
        after = await _labels(town, answer.id, [FOLLOW_UP])
        assert after.content == answer.content + DELETED


@pytest.mark.parametrize("mark", [EDITED, DELETED])
async def test_an_archived_thread_is_woken_so_that_its_answer_can_be_marked(
    tmp_path: Path, mark: str
) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention(FIRST))
        (answer,) = await town.answers(thread)
        town.world.archive(thread)
        if mark == EDITED:
            await town.edit(thread, "who owns billing?")
        else:
            await town.world.delete(thread)
        await town.world.until(lambda: town.said(thread)[0].content == answer + mark)
        assert [call.status for call in town.world.calls_of(CHANGE)] == [400, 200]
        (woken,) = town.world.calls_of(CHANGE_THREAD)
        assert woken.json == {"archived": False}


async def test_a_thread_that_is_locked_and_archived_is_left_in_peace(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention(FIRST))
        (answer,) = await town.answers(thread)
        town.world.deny(town.general, "manage_threads")
        town.world.archive(thread)
        town.world.lock(thread)
        town.world.faults.add(CHANGE, HttpError(400, 50083))
        await town.edit(thread, "who owns billing?")
        await town.called(CHANGE_THREAD, 403)
        await town.elsewhere()
        assert [one.content for one in town.said(thread)] == [answer]
        assert town.world.channels[thread].archived
        assert len(town.world.calls_of(CHANGE)) == 1


async def test_what_fails_for_now_is_marked_later(tmp_path: Path) -> None:
    async with guild_walk(tmp_path) as town, town.run():
        thread = await town.thread(await town.mention(FIRST))
        (answer,) = await town.answers(thread)
        town.world.faults.add(CHANGE, RateLimited(100.0))
        await town.edit(thread, "who owns billing?")
        await town.called(CHANGE, 429)
        await town.until_later(lambda: town.said(thread)[0].content == answer + EDITED)


# --- the poster alone ------------------------------------------------------------------------------


@dataclass
class Stage:
    """A poster, and the places where it has posted."""

    world: DiscordWorld
    poster: DiscordPoster
    guild: str
    general: str
    ana: str
    receipts: Receipts

    def address(self, thread: ThreadKey, ticket: Ticket | None = None) -> Address:
        receipt = NO_RECEIPT if ticket is None else self.receipts.seal(ticket)
        return Address(thread, DeliveryId("d1"), AuthorId(self.ana), self.world.clock.now(), receipt)

    def private(self) -> Address:
        """Return where a private question is answered, that Discord was told "thinking" of."""
        asked = new_interaction(self.world, InteractionKind.COMMAND, self.ana, self.general)
        respond(self.world, asked, {"type": 5, "data": {"flags": 64}}, {})
        key = thread_key(workspace(int(self.guild)), int(self.general), int(asked.id), Kind.PRIVATE)
        return self.address(key, Ticket(int(asked.id), asked.token, "<@1> asked: who?"))

    async def posted(self, to: Address, number: int = 0, words: str = "here") -> AnswerPart:
        part = AnswerPart(number, words)
        return replace(part, posted=await self.poster.post(to, part))

    def reads(self, part: AnswerPart) -> str:
        found = self.world.message(part.posted or "")
        assert found is not None
        return found.content


async def _stays(_: ThreadKey, __: str) -> bool:
    return False


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = SettableClock()
    async with stage_by(clock, DiscordWorld(clock)) as made:
        yield made


@asynccontextmanager
async def stage_by(clock: SettableClock, world: DiscordWorld) -> AsyncIterator[Stage]:
    """A stage whose poster has a clock of its own."""
    server = DiscordServer(world)
    await server.start()
    guild, ana = world.add_guild("acme"), world.add_user("ana")
    world.join(guild, ana)
    general = world.add_channel(guild, "general")
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(clock, message_content=False, proxy=None)
        await client.login(world.token)
        replies, receipts = Replies(client), Receipts(world.token)
        typing = Typing(client, clock)
        poster = DiscordPoster(
            client,
            opening=Opening(client, replies, receipts, _stays),
            replies=replies,
            receipts=receipts,
            marks=Marks(world.token),
            members=Members(client, clock),
            typing=typing,
            clock=clock,
        )
        yield Stage(world, poster, guild, general, ana, receipts)
        await typing.aclose()
        await client.close()
    await server.stop()


async def test_while_an_interaction_can_be_answered_private_answers_are_marked_by_it(stage: Stage) -> None:
    to = stage.private()
    first, second = await stage.posted(to), await stage.posted(to, 1)
    for part in (first, second):
        await stage.poster.mark(to, part, Mark.EDITED)
        assert stage.reads(part) == "here" + EDITED
    assert len(stage.world.ephemerals(stage.ana)) == 2
    assert stage.world.calls_of(CHANGE) == []


async def test_an_interaction_is_as_old_as_the_time_of_day_says_that_was_set_right_meanwhile() -> None:
    world, fast = DiscordWorld(SettableClock()), SettableClock()
    fast.advance(3600)
    fast.jump(-3600)
    async with stage_by(fast, world) as stage:
        part = await stage.posted(stage.private())
        assert [one.id for one in world.ephemerals(stage.ana)] == [part.posted]


async def test_a_private_answer_that_came_by_direct_message_is_marked_there(stage: Stage) -> None:
    to = stage.private()
    stage.world.expire(next(iter(stage.world.interactions.values())))
    part = await stage.posted(to)
    await stage.poster.mark(to, part, Mark.DELETED)
    assert stage.reads(part).endswith("here" + DELETED)
    await stage.poster.mark(replace(to, receipt=NO_RECEIPT), part, Mark.DELETED)
    assert stage.reads(part).count(texts.mark(Mark.DELETED)) == 1


async def test_a_private_answer_out_of_reach_is_not_marked(stage: Stage) -> None:
    to = stage.private()
    part = await stage.posted(to)
    stage.world.expire(next(iter(stage.world.interactions.values())))
    for address in (to, replace(to, receipt=NO_RECEIPT)):
        with pytest.raises(AskerAway):
            await stage.poster.mark(address, part, Mark.EDITED)
    assert stage.reads(part) == "here"


async def test_an_answer_is_found_in_the_channel_where_its_thread_was_refused(stage: Stage) -> None:
    root = await stage.world.say(stage.ana, stage.general, FIRST)
    await stage.world.open_thread(stage.ana, stage.general, "orders", root)
    stage.world.lock(root)
    stage.world.deny(stage.general, "manage_threads")
    to = stage.address(thread_key(workspace(int(stage.guild)), int(stage.general), int(root)))
    part = await stage.posted(to)
    assert stage.world.message(part.posted or "") in stage.world.messages(stage.general)
    await stage.poster.mark(to, part, Mark.EDITED)
    assert stage.reads(part).endswith(EDITED)
    with pytest.raises(PostRefused):
        await stage.poster.mark(to, replace(part, posted=None), Mark.EDITED)


async def test_what_an_interaction_began_without_a_thread_is_marked_in_its_channel(stage: Stage) -> None:
    key = thread_key(workspace(int(stage.guild)), int(stage.general), 77, Kind.BEGUN)
    to = stage.address(key)
    part = await stage.posted(to)
    await stage.poster.mark(to, part, Mark.EDITED)
    assert stage.reads(part).endswith("here" + EDITED)


async def test_who_may_not_read_there_cannot_mark(stage: Stage) -> None:
    key = thread_key(workspace(int(stage.guild)), int(stage.general), 77, Kind.BEGUN)
    to = stage.address(key)
    part = await stage.posted(to)
    stage.world.deny(stage.general, "read_message_history")
    with pytest.raises(PostRefused):
        await stage.poster.mark(to, part, Mark.EDITED)


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (HttpError(500, after=True), OutcomeUnknown),
        (HttpError(501), OutcomeUnknown),
        (RateLimited(45.0), Limited),
        (HttpError(400, 50035), PostRefused),
    ],
    ids=["500 after", "501", "429", "400"],
)
async def test_failures_are_what_the_queue_knows_them_as(
    stage: Stage, fault: HttpError | RateLimited, raised: type[Exception]
) -> None:
    root = await stage.world.say(stage.ana, stage.general, FIRST)
    await stage.world.open_thread(stage.ana, stage.general, "orders", root)
    to = stage.address(thread_key(workspace(int(stage.guild)), int(stage.general), int(root)))
    part = await stage.posted(to)
    stage.world.faults.add(CHANGE, fault, times=1)
    try:
        await stage.poster.mark(to, part, Mark.EDITED)
    except raised:
        await stage.poster.mark(to, part, Mark.EDITED)
    else:
        assert isinstance(fault, HttpError)  # discord.py repeats what is safe to repeat
        assert fault.after
    assert stage.reads(part) == "here" + EDITED


# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", list(Mark))
def test_a_hint_makes_room_and_nothing_else_does(mark: Mark) -> None:
    small = f"\n-# {texts.mark(mark)}"
    fits = "x" * (2_000 - len(small))
    assert marked(fits, mark) == fits + small
    assert marked(fits + texts.HOW_TO_GO_ON, mark) == fits + small
    assert marked(fits + "x", mark) is None
    assert marked("🙂" * 999, mark) is None
    assert unmarked(fits + small) == fits
    assert unmarked(f"a{small}b") == f"a{small}b"


def test_our_labels_fit_discords_buttons() -> None:
    assert all(0 < len(label) <= 80 for label in texts.MARKED.values())
    assert discord.ui.Button(label=texts.STOP_BUTTON).label == texts.STOP_BUTTON
