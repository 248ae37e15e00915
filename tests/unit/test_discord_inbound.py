"""Which of Discord's messages are questions to us: heard over the gateway, as discord.py reads them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
import pytest_asyncio

from bots.demo.discord import DiscordServer, DiscordWorld, MessageKind
from bots.discord.client import ThreadlineClient, let_in, log_in, pointed_at, stay_connected
from bots.discord.inbound import Where, to_question, where, withdrawn
from bots.discord.keys import DIRECT, Kind, spot, thread_key, workspace
from bots.discord.marks import Mark, Marks
from bots.discord.messages import Said
from core.model import DeliveryId, Question, Reason, WorkspaceId
from core.testing import SettableClock

OURS = Marks("token")


@dataclass
class Town:
    """A guild and what our client hears in it. `reads_everything`: with the message-content intent."""

    world: DiscordWorld
    client: ThreadlineClient
    guild: str
    ana: str
    ben: str
    general: str
    reads_everything: bool
    heard: dict[str, discord.Message] = field(default_factory=dict)

    @property
    def me(self) -> str:
        return self.world.bot_user

    @property
    def home(self) -> WorkspaceId:
        return workspace(int(self.guild))

    async def on_said(self, message: discord.Message) -> None:
        self.heard[str(message.id)] = message
        self.world.changes.happened()

    async def message(self, message: str) -> discord.Message:
        await self.world.until(lambda: message in self.heard)
        return self.heard[message]

    async def read(self, message: str) -> Question | None:
        """Return what we make of a message that was heard."""
        found = await self.message(message)
        guild = None if found.guild is None else found.guild.id
        here = where(found.channel, guild)
        if here is None:
            here = where(await self.client.fetch_channel(found.channel.id), guild)
        assert here is not None
        return to_question(found, here, me=int(self.me), reads_everything=self.reads_everything)

    async def say(self, words: str, *, channel: str = "", who: str = "", **more: Any) -> Question | None:
        """Have something said, and return what we make of it."""
        return await self.read(await self.world.say(who or self.ana, channel or self.general, words, **more))

    async def asked(self, words: str, **more: Any) -> Question:
        question = await self.say(words, **more)
        assert question is not None
        return question

    async def answered(self, found: Mark | None, *, channel: str = "") -> str:
        """Say something ourselves, with that button under it."""
        with Said("order-service owns it.", mark=found).parameters() as params:
            sent = await self.client.http.send_message(int(channel or self.general), params=params)
        return str(sent["id"])

    async def heard_as(self, message: str, **changes: Any) -> Question | None:
        """Return what we make of a message like that one, but with these changes to what Discord sends."""
        before = next(one for one in reversed(self.world.events) if one.data.get("id") == message)
        changed = before.data | {"id": self.world.snowflakes.new()} | changes
        self.world.announce("MESSAGE_CREATE", changed, before.guild, before.intent)
        return await self.read(str(changed["id"]))


@asynccontextmanager
async def town_that(*, reads_everything: bool) -> AsyncIterator[Town]:
    world = DiscordWorld(SettableClock())
    server = DiscordServer(world)
    await server.start()
    guild = world.add_guild("acme")
    ana, ben = world.add_user("Ana"), world.add_user("Ben")
    for who in (ana, ben):
        world.join(guild, who)
    general = world.add_channel(guild, "general")
    if reads_everything:
        world.granted_intents.add("message_content")
    with pointed_at(server.api_url, server.gateway_url):
        client = ThreadlineClient(world.clock, message_content=reads_everything, proxy=None)
        town = Town(world, client, guild, ana, ben, general, reads_everything)
        client.on_said = town.on_said
        await log_in(client, world.token)
        task = asyncio.create_task(stay_connected(client, world.clock))
        await let_in(client, task, 10)
        yield town
        await client.close()
        await task
    await server.stop()


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    async with town_that(reads_everything=True) as made:
        yield made


@pytest_asyncio.fixture
async def blind() -> AsyncIterator[Town]:
    """Without the message-content intent, as most servers will have us."""
    async with town_that(reads_everything=False) as made:
        yield made


# --- in channels -----------------------------------------------------------------------------------


async def test_a_mention_begins_a_conversation_in_its_channel(blind: Town) -> None:
    question = await blind.asked(f"<@{blind.me}> who calls billing?")
    message = blind.heard[question.message]
    assert (question.text, question.author) == ("who calls billing?", blind.ana)
    assert (question.event, question.message) == (str(message.id), str(message.id))
    assert question.asked_at == discord.utils.snowflake_time(message.id)
    assert question.thread == thread_key(blind.home, int(blind.general), message.id)
    assert spot(question.thread).kind is Kind.OPEN
    assert question.addressed
    assert not question.has_files
    assert not question.begins
    assert question.objection is None


async def test_talk_that_is_not_for_us_is_left_alone_with_the_intent_and_without(town: Town) -> None:
    assert await town.say("lunch?") is None
    assert await town.say(f"<@{town.ben}> lunch?") is None
    assert await town.say("@everyone lunch?") is None


async def test_what_we_may_not_read_is_not_for_us(blind: Town) -> None:
    assert await blind.say("lunch?") is None
    assert await blind.say("", files=["map.png"]) is None


async def test_who_mentions_us_and_somebody_else_means_us(town: Town) -> None:
    question = await town.asked(f"<@{town.ben}> ask <@!{town.me}>!")
    assert question.text == "@Ben ask !"
    assert question.addressed


@pytest.mark.parametrize("kind", ["announcement", "forum"])
async def test_other_channels_are_channels_too(town: Town, kind: str) -> None:
    place = town.world.add_channel(town.guild, "news", kind=kind)
    found = where(await town.client.fetch_channel(int(place)), int(town.guild))
    assert found == Where(town.home, int(place))


async def test_a_channel_that_is_not_known_yet_has_to_be_asked_for(town: Town) -> None:
    assert where(town.client.get_partial_messageable(1), int(town.guild)) is None
    assert where(None, None) is None


# --- our role --------------------------------------------------------------------------------------


async def test_who_pings_our_role_means_us(town: Town) -> None:
    role = town.world.bot_role(town.guild)
    question = await town.asked(f"<@&{role}> who calls billing?")
    assert (question.text, question.addressed, question.objection) == ("who calls billing?", True, None)


async def test_a_ping_of_our_role_alone_is_a_mention_without_words(town: Town) -> None:
    question = await town.asked(f"<@&{town.world.bot_role(town.guild)}>")
    assert (question.text, question.addressed, question.objection) == ("", True, None)


async def test_without_the_intent_a_ping_of_our_role_cannot_be_read_and_says_so(blind: Town) -> None:
    question = await blind.asked(f"<@&{blind.world.bot_role(blind.guild)}> who calls billing?")
    assert (question.text, question.addressed, question.objection) == ("", True, Reason.UNREADABLE)


async def test_with_our_name_beside_it_a_ping_of_our_role_can_be_read(blind: Town) -> None:
    role = blind.world.bot_role(blind.guild)
    question = await blind.asked(f"<@&{role}> <@{blind.me}> who calls billing?")
    assert (question.text, question.objection) == ("who calls billing?", None)


async def test_a_ping_of_another_role_is_not_for_us(town: Town) -> None:
    ops = town.world.add_role(town.guild, "ops", mentionable=True)
    town.world.announce(
        "GUILD_ROLE_CREATE",
        {"guild_id": town.guild, "role": town.world.guild_payload(town.guild)["roles"][-1]},
        town.guild,
        "guilds",
    )
    thread = await town.world.open_thread(town.ana, town.general, "billing")
    assert await town.say(f"<@&{ops}> lunch?") is None
    assert await town.say(f"<@&{ops}> do you know?", channel=thread) is None
    question = await town.asked(f"<@{town.me}> what does <@&{ops}> own?")
    assert question.text == "what does @ops own?"


# --- in threads ------------------------------------------------------------------------------------


async def test_a_thread_is_one_conversation_whatever_is_replied_to(town: Town) -> None:
    root = await town.world.say(town.ana, town.general, "billing")
    thread = await town.world.open_thread(town.ana, town.general, "billing", root)
    key = thread_key(town.home, int(town.general), int(root))
    elsewhere = OURS.make(thread_key(town.home, int(town.general), 1), DeliveryId("d1"))
    answer = await town.answered(elsewhere, channel=thread)
    for words, more in ((f"<@{town.me}> who?", {}), ("why?", {}), ("why?", {"reply_to": answer})):
        question = await town.asked(words, channel=thread, **more)
        assert question.thread == key
        assert not question.begins
        assert question.addressed is (words != "why?" or "reply_to" in more)


async def test_people_who_address_each_other_in_a_thread_are_left_alone(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "billing")
    words = await town.world.say(town.ana, thread, "who?")
    assert await town.say(f"<@{town.ben}> do you know?", channel=thread) is None
    assert await town.say("I do", channel=thread, who=town.ben, reply_to=words) is None
    assert await town.say("I do", channel=thread, who=town.ben, reply_to=words, ping=False) is not None


async def test_an_empty_remark_in_a_thread_is_none(blind: Town) -> None:
    thread = await blind.world.open_thread(blind.ana, blind.general, "billing")
    assert await blind.say("who?", channel=thread) is None


async def test_a_private_thread_is_a_closed_conversation(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "secret", private=True)
    await town.world.add_to_thread(thread, town.me)
    question = await town.asked(f"<@{town.me}> who calls billing?", channel=thread)
    assert question.thread == thread_key(town.home, int(town.general), int(thread), Kind.CLOSED)


async def test_a_post_in_a_forum_begins_a_thread_and_what_follows_does_not(town: Town) -> None:
    forum = town.world.add_channel(town.guild, "help", kind="forum")
    post = await town.world.open_post(town.ana, forum, "Billing", "who calls billing?")
    first = await town.read(post)
    assert first is not None
    assert (first.begins, first.addressed, first.text) == (True, False, "who calls billing?")
    assert first.thread == thread_key(town.home, int(forum), int(post))
    second = await town.asked("anybody?", channel=post, who=town.ben)
    assert (second.begins, second.addressed, second.thread) == (False, False, first.thread)


async def test_a_post_that_mentions_us_is_a_question_to_us_that_begins_a_thread(blind: Town) -> None:
    forum = blind.world.add_channel(blind.guild, "help", kind="forum")
    post = await blind.world.open_post(blind.ana, forum, "Billing", f"<@{blind.me}> who calls billing?")
    question = await blind.read(post)
    assert question is not None
    assert (question.begins, question.addressed, question.text) == (True, True, "who calls billing?")
    unread = await blind.world.open_post(blind.ana, forum, "Billing", "who calls billing?")
    assert await blind.read(unread) is None


async def test_a_post_that_is_meant_for_somebody_else_does_not_begin_anything(town: Town) -> None:
    forum = town.world.add_channel(town.guild, "help", kind="forum")
    post = await town.world.open_post(town.ana, forum, "Billing", f"<@{town.ben}> who calls billing?")
    assert await town.read(post) is None


# --- in direct messages ----------------------------------------------------------------------------


async def test_direct_messages_are_one_standing_conversation(blind: Town) -> None:
    channel = blind.world.open_dm(blind.ana)
    first, second = [await blind.asked(words, channel=channel) for words in ("who?", f"<@{blind.me}> why?")]
    assert first.thread == second.thread == thread_key(DIRECT, int(channel), int(channel))
    assert spot(first.thread).is_direct
    assert (first.text, second.text, first.addressed) == ("who?", "why?", True)


async def test_a_file_in_direct_messages_is_for_us_too(blind: Town) -> None:
    question = await blind.asked("", channel=blind.world.open_dm(blind.ana), files=["map.png"])
    assert (question.text, question.has_files, question.addressed) == ("", True, True)


async def test_a_reply_to_an_answer_in_direct_messages_goes_on_where_its_button_says(blind: Town) -> None:
    channel = blind.world.open_dm(blind.ana)
    asked = thread_key(DIRECT, int(channel), 7, Kind.BEGUN)
    answer = await blind.answered(OURS.make(asked, DeliveryId("d1")), channel=channel)
    assert (await blind.asked("why?", channel=channel, reply_to=answer)).thread == asked


async def test_a_reply_to_a_private_answer_goes_on_with_that_private_conversation(blind: Town) -> None:
    channel = blind.world.open_dm(blind.ana)
    private = thread_key(blind.home, int(blind.general), 7, Kind.PRIVATE)
    answer = await blind.answered(OURS.make(private, DeliveryId("d1")), channel=channel)
    question = await blind.asked("why?", channel=channel, reply_to=answer)
    assert (question.thread, question.addressed, question.text) == (private, True, "why?")


@pytest.mark.parametrize("kind", [Kind.OPEN, Kind.BEGUN, Kind.CLOSED])
async def test_what_a_guild_has_seen_does_not_go_on_in_direct_messages(blind: Town, kind: Kind) -> None:
    channel = blind.world.open_dm(blind.ana)
    shown = thread_key(blind.home, int(blind.general), 7, kind)
    answer = await blind.answered(OURS.make(shown, DeliveryId("d1")), channel=channel)
    question = await blind.asked("why?", channel=channel, reply_to=answer)
    assert question.thread == thread_key(DIRECT, int(channel), int(channel))


# --- replies ---------------------------------------------------------------------------------------


async def test_a_reply_to_an_inline_answer_goes_on_where_its_button_says(blind: Town) -> None:
    before = thread_key(blind.home, int(blind.general), 7)
    answer = await blind.answered(OURS.make(before, DeliveryId("d1")))
    question = await blind.asked("and who publishes it?", reply_to=answer)
    assert (question.thread, question.addressed, question.text) == (before, True, "and who publishes it?")


async def test_a_reply_without_a_ping_is_none_of_our_business(town: Town) -> None:
    before = thread_key(town.home, int(town.general), 7)
    answer = await town.answered(OURS.make(before, DeliveryId("d1")))
    assert await town.say("thanks", reply_to=answer, ping=False) is None
    question = await town.asked(f"<@{town.me}> why?", reply_to=answer, ping=False)
    assert question.thread == before


async def test_a_reply_to_what_has_no_button_begins_anew(town: Town) -> None:
    answer = await town.answered(None)
    question = await town.asked("why?", reply_to=answer)
    assert question.thread == thread_key(town.home, int(town.general), int(question.message))


async def test_a_button_of_another_channel_does_not_lead_there(town: Town) -> None:
    answer = await town.answered(OURS.make(thread_key(town.home, 1, 7), DeliveryId("d1")))
    question = await town.asked("why?", reply_to=answer)
    assert question.thread == thread_key(town.home, int(town.general), int(question.message))


@pytest.mark.parametrize("kind", Kind)
async def test_a_button_of_another_guild_does_not_lead_there(town: Town, kind: Kind) -> None:
    other = workspace(int(town.world.add_guild("other")))
    answer = await town.answered(OURS.make(thread_key(other, int(town.general), 7, kind), DeliveryId("d1")))
    question = await town.asked("why?", reply_to=answer)
    assert question.thread == thread_key(town.home, int(town.general), int(question.message))


async def test_a_button_like_ours_under_words_of_others_leads_nowhere(town: Town) -> None:
    answer = await town.answered(OURS.make(thread_key(town.home, int(town.general), 7), DeliveryId("d1")))
    reply = await town.world.say(town.ana, town.general, f"<@{town.me}> why?", reply_to=answer)
    shown = next(one.data for one in reversed(town.world.events) if one.data.get("id") == reply)
    author = town.world.user_payload(town.world.add_user("other-bot", bot=True))
    forged = shown["referenced_message"] | {"author": author}
    question = await town.heard_as(reply, referenced_message=forged)
    assert question is not None
    assert question.thread == thread_key(town.home, int(town.general), int(question.message))


async def test_a_reply_to_something_that_is_gone_begins_anew(town: Town) -> None:
    answer = await town.answered(OURS.make(thread_key(town.home, int(town.general), 7), DeliveryId("d1")))
    reply = await town.world.say(town.ana, town.general, f"<@{town.me}> why?", reply_to=answer)
    question = await town.heard_as(reply, referenced_message=None)
    assert question is not None
    assert question.thread == thread_key(town.home, int(town.general), int(question.message))


@pytest.mark.parametrize(
    ("target", "is_kept"), [("ours", True), ("unknown", True), ("gone", True), ("another's", False)]
)
async def test_an_edited_reply_that_we_are_not_shown_is_withdrawn_only_where_it_was_surely_not_to_us(
    blind: Town, target: str, *, is_kept: bool
) -> None:
    other = await blind.world.say(blind.ben, blind.general, "hello")
    answer = other if target == "another's" else await blind.answered(None)
    reply = await blind.world.say(blind.ana, blind.general, f"<@{blind.me}> why?", reply_to=answer)
    before = next(one for one in reversed(blind.world.events) if one.data.get("id") == reply)
    hidden = before.data | {"id": blind.world.snowflakes.new(), "content": "", "mentions": []}
    if target == "unknown":
        del hidden["referenced_message"]
    elif target == "gone":
        hidden["referenced_message"] = None
    blind.world.announce("MESSAGE_CREATE", hidden, before.guild, before.intent)
    edited = await blind.message(hidden["id"])
    here = Where(blind.home, int(blind.general))
    left = withdrawn(edited, here, me=int(blind.me), reads_everything=False)
    assert (left is None) is is_kept


# --- files -----------------------------------------------------------------------------------------

STICKER = {"id": "5", "name": "wave", "format_type": 1}
FORWARD = {
    "message_reference": {"type": 1, "channel_id": "1", "message_id": "2"},
    "message_snapshots": [
        {
            "message": {
                "type": 0,
                "content": "forwarded",
                "embeds": [],
                "attachments": [],
                "timestamp": "2026-03-02T09:00:00.000000+00:00",
                "edited_timestamp": None,
                "flags": 0,
                "mentions": [],
                "mention_roles": [],
                "components": [],
            }
        }
    ],
}


async def test_a_file_is_noted_whether_or_not_words_are_with_it(blind: Town) -> None:
    assert (await blind.asked(f"<@{blind.me}> what is this?", files=["map.png"])).has_files
    question = await blind.asked(f"<@{blind.me}>", files=["map.png"])
    assert (question.text, question.has_files) == ("", True)


async def test_a_file_alone_counts_in_a_thread(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "billing")
    question = await town.asked("", channel=thread, files=["map.png"])
    assert (question.text, question.has_files, question.addressed) == ("", True, False)


@pytest.mark.parametrize("changes", [{"sticker_items": [STICKER]}, FORWARD])
async def test_stickers_and_forwarded_messages_are_files_to_us(town: Town, changes: dict[str, Any]) -> None:
    message = await town.world.say(town.ana, town.world.open_dm(town.ana), "")
    question = await town.heard_as(message, **changes)
    assert question is not None
    assert (question.text, question.has_files) == ("", True)


# --- who and what is not answered ------------------------------------------------------------------


async def test_other_bots_and_we_ourselves_are_not_answered(town: Town) -> None:
    other = town.world.add_user("other-bot", bot=True)
    town.world.join(town.guild, other)
    assert await town.say(f"<@{town.me}> who calls billing?", who=other) is None
    assert await town.read(await town.answered(None)) is None


async def test_webhooks_are_not_answered(town: Town) -> None:
    message = await town.world.say(town.ana, town.general, f"<@{town.me}> who calls billing?")
    assert await town.heard_as(message) is not None
    assert await town.heard_as(message, webhook_id="7") is None


@pytest.mark.parametrize(
    "kind",
    [kind.value for kind in discord.MessageType if kind.name not in {"default", "reply"}],
)
async def test_joins_pins_and_whatever_else_is_no_speech_is_not_answered(kind: int) -> None:
    async with town_that(reads_everything=False) as town:
        message = await town.world.say(town.ana, town.general, f"<@{town.me}> who calls billing?")
        assert await town.heard_as(message, type=kind) is None


async def test_the_note_that_a_thread_was_opened_is_no_question(town: Town) -> None:
    await town.world.open_thread(town.ana, town.general, f"<@{town.me}> billing")
    notes = [one for one in town.world.messages(town.general) if one.kind is MessageKind.THREAD_CREATED]
    assert await town.read(notes[0].id) is None


# --- words -----------------------------------------------------------------------------------------


async def test_people_channels_and_threads_are_called_by_their_names(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "billing talk")
    words = f"ask <@{town.ben}> or <@!{town.ben}> in <#{town.general}> and <#{thread}>"
    question = await town.asked(f"<@{town.me}> {words}")
    assert question.text == "ask @Ben or @Ben in #general and #billing talk"


async def test_what_nobody_knows_is_named_in_general(town: Town) -> None:
    question = await town.asked(f"<@{town.me}> <@99> <@!98> <@&97> <#96>")
    assert question.text == "@somebody @somebody @role #channel"


async def test_in_direct_messages_channels_have_no_names(town: Town) -> None:
    question = await town.asked(f"see <#{town.general}>", channel=town.world.open_dm(town.ana))
    assert question.text == "see #channel"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{me} who calls billing?", "who calls billing?"),
        ("  who calls billing {me}  ", "who calls billing"),
        ("{me}\nwho?\n\n  why?", "who?\n\n  why?"),
        ("{me} <:smile:4> <t:1:R> <b> 1 < 2 <@> <#x>", "<:smile:4> <t:1:R> <b> 1 < 2 <@> <#x>"),
        ("{me}{me}", ""),
        ("{me} **bold** `code`", "**bold** `code`"),
    ],
)
async def test_everything_else_is_left_as_it_was_written(town: Town, written: str, read: str) -> None:
    assert (await town.asked(written.format(me=f"<@{town.me}>"))).text == read


async def test_where_our_name_stood_one_space_is_left(town: Town) -> None:
    assert (await town.asked(f"who <@{town.me}> owns billing?")).text == "who owns billing?"


async def test_a_text_that_cannot_be_sent_on_is_made_fit(town: Town) -> None:
    text = (await town.asked(f"<@{town.me}> a\x00b \ud800 c")).text
    assert text.encode()
    assert "\x00" not in text


async def test_who_calls_everybody_in_a_thread_of_ours_has_not_asked_us(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "billing")
    assert await town.say("@here lunch?", channel=thread) is None
