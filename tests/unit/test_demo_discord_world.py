"""The simulated Discord by itself: ids, permissions, mentions, what is announced and what is blanked."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest

from bots.demo.discord import ChannelKind, DiscordWorld, Flags, MessageKind
from bots.demo.discord.permissions import ALL, BITS, bits
from bots.demo.discord.records import Json
from bots.demo.discord.refusals import Refused
from bots.demo.discord.snowflakes import Snowflakes, made_at
from core.testing import SettableClock


class Town:
    """A world with a server, two people and a channel."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.world = DiscordWorld(self.clock)
        self.guild = self.world.add_guild("Acme")
        self.ana, self.bob = self.world.add_user("Ana"), self.world.add_user("Bob")
        self.world.join(self.guild, self.ana, permissions=["manage_guild"])
        self.world.join(self.guild, self.bob)
        self.general = self.world.add_channel(self.guild, "general")

    def heard(self, event: str) -> list[Json]:
        return [announced.data for announced in self.world.events if announced.event == event]

    async def say(self, text: str, **more: Any) -> Json:
        """Let Ana talk in the channel, and return what the gateway was told."""
        await self.world.say(self.ana, self.general, text, **more)
        return self.heard("MESSAGE_CREATE")[-1]


@pytest.fixture
def town() -> Town:
    return Town()


def test_ids_grow_and_tell_their_time() -> None:
    clock = SettableClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    snowflakes = Snowflakes(clock)
    first, second = snowflakes.new(), snowflakes.new()
    assert int(first) < int(second)
    assert made_at(first) == made_at(second) == clock.now()
    clock.advance(1)
    assert made_at(snowflakes.new()) - made_at(first) == timedelta(seconds=1)


def test_permissions_come_from_roles_channels_and_ownership(town: Town) -> None:
    world = town.world
    assert world.may(town.general, "manage_guild", town.ana)
    assert not world.may(town.general, "manage_guild", town.bob)
    assert not world.may(town.general, "manage_threads")
    world.allow(town.general, "manage_threads")
    assert world.may(town.general, "manage_threads")
    world.deny(town.general, "manage_threads", "send_messages")
    assert not world.may(town.general, "send_messages")
    stranger = world.add_user("Eve")
    assert world.permissions(town.general, stranger) == 0
    admin = world.add_user("Zoe")
    world.join(town.guild, admin, permissions=["administrator"])
    assert world.permissions(town.general, admin) == ALL
    world.join(town.guild, stranger, owner=True)
    assert world.permissions(town.general, stranger) == ALL
    assert world.guilds[town.guild].owner == stranger
    direct = world.open_dm(town.ana)
    assert world.may(direct, "send_messages")
    assert world.permissions(direct, town.bob) == 0
    with pytest.raises(KeyError):
        bits(["fly"])


def test_permissions_are_named_as_discord_py_names_them() -> None:
    assert discord.Permissions.VALID_FLAGS == BITS
    assert bits(BITS) == discord.Permissions.all().value


async def test_a_mention_a_role_and_a_reply_reach_their_people(town: Town) -> None:
    bot, role = town.world.bot_user, town.world.bot_role(town.guild)
    said = await town.say(f"<@{bot}> and <@!{town.bob}> and <@&{role}>")
    assert [user["id"] for user in said["mentions"]] == [bot, town.bob]
    assert said["mentions"][1]["member"]["roles"] == []
    assert said["mention_roles"] == [role]
    reply = await town.say("yes", reply_to=said["id"])
    assert ([user["id"] for user in reply["mentions"]], reply["type"]) == ([town.ana], 19)
    quiet = await town.say("yes", reply_to=said["id"], ping=False)
    assert quiet["mentions"] == []
    assert quiet["referenced_message"]["id"] == said["id"]
    assert town.world.pings == []


async def test_what_the_app_may_not_read_is_blank(town: Town) -> None:
    bot = town.world.bot_user
    plain = await town.say("hello", files=["a.png"])
    shown = town.world.censored(plain)
    assert (shown["content"], shown["attachments"], shown["embeds"], shown["components"]) == ("", [], [], [])
    assert (shown["author"]["username"], plain["content"]) == ("ana", "hello")
    assert town.world.censored(await town.say(f"<@{bot}> hello"))["content"]
    own = await town.world.say(bot, town.general, "orders")
    reply = town.world.censored(await town.say("why?", reply_to=own))
    assert (reply["content"], reply["referenced_message"]["content"]) == ("why?", "orders")
    assert town.world.censored(await town.say("why?", reply_to=own, ping=False))["content"] == ""
    other = town.world.censored(await town.say("why?", reply_to=plain["id"]))
    assert other["referenced_message"]["content"] == ""
    direct = town.world.open_dm(town.ana)
    greeting = await town.world.say(town.ana, direct, "hi")
    await town.world.say(town.ana, direct, "hello", reply_to=greeting)
    assert "guild_id" not in town.heard("MESSAGE_CREATE")[-1]["message_reference"]
    assert town.world.censored(town.heard("MESSAGE_CREATE")[-1])["content"] == "hello"
    role = town.world.bot_role(town.guild)
    assert town.world.censored(await town.say(f"<@&{role}> hello"))["content"] == ""


async def test_edits_unfurled_links_and_deletions_are_announced(town: Town) -> None:
    message = await town.world.say(town.ana, town.general, "https://example.org")
    await town.world.embed(message, {"title": "Example"})
    unfurled = town.world.message(message)
    assert unfurled is not None
    assert unfurled.edited_at is None
    await town.world.edit(message, f"<@{town.world.bot_user}> hello")
    updates = town.heard("MESSAGE_UPDATE")
    assert [update["content"] for update in updates] == [
        "https://example.org",
        f"<@{town.world.bot_user}> hello",
    ]
    assert updates[0]["edited_timestamp"] is None
    assert updates[1]["edited_timestamp"] is not None
    await town.world.delete(message)
    assert town.heard("MESSAGE_DELETE")[0]["id"] == message
    assert town.world.messages(town.general) == []
    with pytest.raises(LookupError, match="no message"):
        await town.world.edit(message, "x")


async def test_messages_deleted_at_once_are_announced_as_one_event(town: Town) -> None:
    kept, *gone = [await town.world.say(town.ana, town.general, f"{number}") for number in range(3)]
    await town.world.delete_many(*gone)
    told = {"ids": gone, "channel_id": town.general, "guild_id": town.guild}
    assert town.heard("MESSAGE_DELETE_BULK") == [told]
    assert town.heard("MESSAGE_DELETE") == []
    assert [message.id for message in town.world.messages(town.general)] == [kept]
    direct = town.world.open_dm(town.ana)
    await town.world.delete_many(await town.world.say(town.ana, direct, "hello"))
    assert "guild_id" not in town.heard("MESSAGE_DELETE_BULK")[-1]


async def test_an_outage_takes_a_server_away_and_gives_it_back(town: Town) -> None:
    await town.world.say(town.ana, town.general, "hello")
    town.world.fail(town.guild)
    assert town.heard("GUILD_DELETE") == [{"id": town.guild, "unavailable": True}]
    town.world.recover(town.guild)
    back = town.heard("GUILD_CREATE")[-1]
    assert (back["id"], back["unavailable"]) == (town.guild, False)
    assert len(town.world.messages(town.general)) == 1


async def test_a_thread_of_a_message_shares_its_id_and_wakes_when_spoken_in(town: Town) -> None:
    message = await town.world.say(town.ana, town.general, "who?")
    thread = await town.world.open_thread(town.ana, town.general, "billing", message)
    assert thread == message
    marked = town.world.message(message)
    assert marked is not None
    assert Flags.HAS_THREAD in marked.flags
    town.world.archive(thread)
    town.world.archive(thread)
    assert town.world.guild_payload(town.guild)["threads"] == []
    await town.world.say(town.bob, thread, "me")
    assert town.bob in town.world.channels[thread].members
    states = [update["thread_metadata"]["archived"] for update in town.heard("THREAD_UPDATE")]
    assert states == [True, False]
    assert [one["id"] for one in town.world.guild_payload(town.guild)["threads"]] == [thread]
    town.world.delete_channel(thread)
    assert town.heard("THREAD_DELETE")[0]["parent_id"] == town.general
    assert town.world.messages(thread) == []


async def test_a_private_thread_is_hidden_from_a_bot_that_was_not_let_in(town: Town) -> None:
    thread = await town.world.open_thread(town.ana, town.general, "secret", private=True)
    assert town.world.channels[thread].kind is ChannelKind.PRIVATE_THREAD
    await town.world.say(town.ana, thread, "psst")
    await town.world.react(town.bob, town.world.messages(thread)[0].id, "👀")
    assert town.heard("THREAD_CREATE") == []
    assert town.heard("MESSAGE_CREATE") == []
    assert town.heard("MESSAGE_REACTION_ADD") == []
    await town.world.add_to_thread(thread, town.world.bot_user)
    await town.world.say(town.ana, thread, "hello")
    assert [said["content"] for said in town.heard("MESSAGE_CREATE")] == ["hello"]


async def test_other_bots_and_posts_look_like_what_they_are(town: Town) -> None:
    other = town.world.add_user("Deploys", bot=True)
    await town.world.say(other, town.general, "deployed")
    said = town.heard("MESSAGE_CREATE")[0]
    assert said["author"]["bot"] is True
    assert "member" not in said
    forum = town.world.add_channel(town.guild, "help", kind="forum")
    post = await town.world.open_post(town.ana, forum, "orders", "who?")
    created = town.heard("THREAD_CREATE")[0]
    assert (created["id"], created["parent_id"], created["name"]) == (post, forum, "orders")
    first = town.heard("MESSAGE_CREATE")[-1]
    assert (first["id"], first["channel_id"], first["channel_type"]) == (post, post, 11)
    news = town.world.add_channel(town.guild, "news", kind="announcement")
    thread = await town.world.open_thread(town.ana, news, "release")
    assert town.world.channels[thread].kind is ChannelKind.ANNOUNCEMENT_THREAD
    assert town.world.messages(news)[0].kind is MessageKind.THREAD_CREATED


async def test_a_role_that_nobody_may_mention_is_not_pinged(town: Town) -> None:
    town.world.add_role(town.guild, "crew")
    role = next(role.id for role in town.world.guilds[town.guild].roles.values() if role.name == "crew")
    assert (await town.say(f"<@&{role}>"))["mention_roles"] == []


def test_the_gateway_is_told_of_servers_and_channels(town: Town) -> None:
    payload = town.world.guild_payload(town.guild)
    assert [channel["name"] for channel in payload["channels"]] == ["general"]
    assert [member["user"]["id"] for member in payload["members"]] == [town.world.bot_user]
    assert payload["member_count"] == 4
    assert town.world.user_payload(town.world.bot_user)["verified"] is True
    assert town.world.user_payload(town.ana)["global_name"] == "Ana"
    town.world.refuse_dms(town.ana)
    town.world.refuse_dms(town.ana, refuses=False)
    assert not town.world.users[town.ana].refuses_dms
    direct = town.world.open_dm(town.ana)
    assert town.world.open_dm(town.ana) == direct
    town.world.delete_channel(town.general)
    town.world.remove_bot(town.guild)
    told = [announced.event for announced in town.world.events]
    assert told == ["GUILD_CREATE", "CHANNEL_CREATE", "CHANNEL_DELETE", "GUILD_DELETE"]
    assert set(town.world.channels) == {direct}


async def test_throwing_the_bot_out_forgets_its_channels(town: Town) -> None:
    await town.say("hello")
    town.world.remove_bot(town.guild)
    assert town.world.channels == {}
    assert town.world.guilds == {}


async def test_waiting_ends_with_the_change_or_the_time(town: Town) -> None:
    assert await town.world.until(lambda: town.world.users) is town.world.users
    with pytest.raises(TimeoutError):
        await town.world.until(lambda: town.world.messages(town.general), seconds=0.01)


def test_a_refusal_says_what_discord_says() -> None:
    assert Refused(50013).body() == {"message": "Missing Permissions", "code": 50013}
    assert str(Refused(10008)) == "404 (10008): Unknown Message"


async def test_interactions_fail_alone_when_no_app_runs(town: Town) -> None:
    waiting = asyncio.create_task(town.world.complete(town.ana, town.general, "ask", "project", "s"))
    await town.world.until(lambda: town.heard("INTERACTION_CREATE"))
    town.clock.advance(3)
    assert await waiting == []
