"""The simulated Discord's REST API, asked by the real discord.py and by bare requests over loopback."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from bots.demo.discord import (
    Delay,
    DiscordServer,
    DiscordWorld,
    Flags,
    Hold,
    HttpError,
    MessageKind,
    RateLimited,
    Reset,
)
from bots.demo.discord.records import Json
from core.testing import SettableClock

SEND = "POST /channels/{channel}/messages"


class Stage:
    """A world with two people, a channel and a forum; the bot by library and by bare requests."""

    def __init__(self, clock: SettableClock, session: aiohttp.ClientSession) -> None:
        self.clock = clock
        self.world = DiscordWorld(clock)
        self.server = DiscordServer(self.world)
        self.session = session
        self.client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30)
        self.guild = self.world.add_guild("Acme")
        self.ana, self.bob = self.world.add_user("Ana"), self.world.add_user("Bob")
        self.world.join(self.guild, self.ana)
        self.general = self.world.add_channel(self.guild, "general")
        self.help = self.world.add_channel(self.guild, "help", kind="forum")

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Call as the bot; return the status and the JSON, None for none."""
        headers = {"Authorization": f"Bot {self.world.token}"}
        url = self.server.api_url + path
        async with self.session.request(method, url, json=body, headers=headers, **more) as response:
            return response.status, None if response.status == 204 else await response.json()

    async def send(self, channel: str, content: str = "", **more: Any) -> tuple[int, Any]:
        """Send a message as the bot."""
        return await self.call("POST", f"/channels/{channel}/messages", {"content": content, **more})

    async def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """Call as the bot, and return the status and code of the refusal."""
        status, answer = await self.call(method, path, body)
        assert status >= 400, answer
        return status, answer["code"]

    def heard(self, event: str) -> list[Json]:
        """Return what was announced under this name."""
        return [announced.data for announced in self.world.events if announced.event == event]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    base = discord.http.Route.BASE
    async with aiohttp.ClientSession() as session:
        stage = Stage(SettableClock(), session)
        await stage.server.start()
        discord.http.Route.BASE = stage.server.api_url
        yield stage
        await stage.client.close()
        await stage.server.stop()
    discord.http.Route.BASE = base


async def test_discord_py_logs_in_and_finds_its_way(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    assert stage.client.user is not None
    assert str(stage.client.user.id) == stage.world.bot_user
    info = await stage.client.application_info()
    assert (str(info.id), info.name, info.owner.name) == (stage.world.application_id, "Threadline", "owner")
    guild = await stage.client.fetch_guild(int(stage.guild))
    assert (guild.name, [role.name for role in guild.roles]) == ("Acme", ["@everyone", "Threadline"])
    assert [channel.name for channel in await guild.fetch_channels()] == ["general", "help"]
    assert (await guild.fetch_member(int(stage.ana))).name == "ana"
    roles = await guild.fetch_roles()
    assert roles[1].is_bot_managed()
    assert (await stage.client.fetch_user(int(stage.bob))).name == "bob"
    assert await guild.active_threads() == []
    channel = await stage.client.fetch_channel(int(stage.general))
    assert isinstance(channel, discord.TextChannel)


async def test_a_call_without_the_token_is_refused(stage: Stage) -> None:
    await DiscordServer(DiscordWorld(stage.clock)).stop()
    async with stage.session.get(f"{stage.server.api_url}/users/@me") as response:
        assert response.status == 401
        assert response.headers["Content-Type"] == "application/json"
        assert await response.json() == {"message": "401: Unauthorized", "code": 0}
    with pytest.raises(discord.LoginFailure):
        await stage.client.login("another.token")


async def test_what_discord_does_not_have_is_not_found(stage: Stage) -> None:
    guild, ghost = f"/guilds/{stage.guild}", "123"
    answers = {
        path: await stage.refusal("GET", path)
        for path in (
            "/songs",
            f"/users/{ghost}",
            f"/guilds/{ghost}",
            f"{guild}/members/{ghost}",
            f"{guild}/members/{stage.bob}",
            f"/channels/{ghost}",
            f"/channels/{stage.general}/messages/{ghost}",
            f"/applications/{ghost}/commands",
            "/channels/general",
        )
    }
    assert list(answers.values()) == [
        (404, 0),
        (404, 10013),
        (404, 10004),
        (404, 10013),
        (404, 10007),
        (404, 10003),
        (404, 10008),
        (404, 10002),
        (400, 50035),
    ]


async def test_the_gateway_is_where_rest_says_it_is(stage: Stage) -> None:
    status, plain = await stage.call("GET", "/gateway")
    status, full = await stage.call("GET", "/gateway/bot")
    assert (status, plain["url"], full["url"]) == (200, stage.server.gateway_url, stage.server.gateway_url)
    assert full["session_start_limit"]["total"] == 1000


async def test_a_message_is_stored_announced_and_read_newest_first(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    question = await stage.world.say(stage.ana, stage.general, "who calls billing?", files=["diagram.png"])
    embed = discord.Embed(title="Orders", description="calls billing")
    sent = await channel.send("orders", embed=embed, file=discord.File(io.BytesIO(b"# hi"), "a.md"))
    assert [file.filename for file in sent.attachments] == ["a.md"]
    assert stage.world.calls_of(SEND)[0].files == {"a.md": b"# hi"}
    read = [message async for message in channel.history(limit=10)]
    assert [message.content for message in read] == ["orders", ""]
    stage.world.granted_intents.add("message_content")
    read = [message async for message in channel.history(limit=10)]
    assert [message.content for message in read] == ["orders", "who calls billing?"]
    created = stage.heard("MESSAGE_CREATE")
    assert [message["guild_id"] for message in created] == [stage.guild] * 2
    assert created[0]["member"]["roles"] == []
    assert created[1]["author"]["bot"] is True
    assert (await channel.fetch_message(int(question))).attachments[0].content_type == "image/png"


async def test_history_is_read_before_after_and_around(stage: Stage) -> None:
    ids = [await stage.world.say(stage.bob, stage.general, str(number)) for number in range(5)]
    found = {}
    for query in (
        "limit=2",
        f"before={ids[2]}&limit=2",
        f"after={ids[2]}&limit=1",
        f"around={ids[2]}&limit=3",
    ):
        _, read = await stage.call("GET", f"/channels/{stage.general}/messages?{query}")
        found[query.partition("=")[0]] = [ids.index(message["id"]) for message in read]
    assert found == {"limit": [4, 3], "before": [1, 0], "after": [3], "around": [3, 2, 1]}
    path = f"/channels/{stage.general}/messages"
    assert await stage.refusal("GET", f"{path}?limit=0") == (400, 50035)
    stage.world.deny(stage.general, "read_message_history")
    assert await stage.call("GET", path) == (200, [])
    assert await stage.refusal("GET", f"{path}/{ids[0]}") == (403, 50001)


async def test_a_repeated_nonce_returns_the_first_message_for_some_minutes(stage: Stage) -> None:
    _, first = await stage.send(stage.general, "orders", nonce="a-1", enforce_nonce=True)
    _, again = await stage.send(stage.general, "orders and web", nonce="a-1", enforce_nonce=True)
    assert (again["id"], again["content"], again["nonce"]) == (first["id"], "orders", "a-1")
    elsewhere = stage.world.add_channel(stage.guild, "elsewhere")
    _, other = await stage.send(elsewhere, "orders", nonce="a-1", enforce_nonce=True)
    _, loose = await stage.send(stage.general, "orders", nonce="a-1")
    assert len({first["id"], other["id"], loose["id"]}) == 3
    stage.clock.advance(5 * 60 + 1)
    _, later = await stage.send(stage.general, "orders", nonce="a-1", enforce_nonce=True)
    assert later["id"] not in {first["id"], other["id"], loose["id"]}
    assert "nonce" in stage.heard("MESSAGE_CREATE")[0]


EMBEDS = [{"description": "x" * 4096}]
BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({}, 50006, None),
        ({"content": "  "}, 50006, None),
        ({"content": "x" * 2001}, 50035, "content"),
        ({"content": ["x"]}, 50035, "content"),
        ({"content": "x", "nonce": "n" * 26}, 50035, "nonce"),
        ({"embeds": [{"title": "x"}] * 11}, 50035, "embeds"),
        ({"embeds": [{"description": "x" * 4097}]}, 50035, "embeds"),
        ({"embeds": [*EMBEDS, {"fields": [{"name": "n", "value": "v" * 2000}]}]}, 50035, "embeds"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            50035,
            "allowed_mentions",
        ),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035, "message_reference"),
        ({"content": "x", "components": {"type": 1}}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON)] * 6}, 50035, "components"),
        ({"content": "x", "components": [BUTTON]}, 50035, "components"),
        ({"content": "x", "components": [row()]}, 50035, "components"),
        ({"content": "x", "components": [row({"type": 4})]}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON, BUTTON)]}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON | {"label": "x" * 81})]}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON | {"label": ""})]}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON | {"custom_id": ""})]}, 50035, "components"),
        ({"content": "x", "components": [row(BUTTON | {"custom_id": "x" * 101})]}, 50035, "components"),
        ({"content": "x", "components": [row({"type": 2, "style": 5, "label": "x"})]}, 50035, "components"),
        ({"content": "x", "components": [row({"type": 3, "custom_id": "s"})]}, 50035, "components"),
        ({"content": "x", "flags": 1 << 15}, 50035, "content"),
        ({"components": [{"type": 10, "content": "x" * 4001}], "flags": 1 << 15}, 50035, "components"),
        ({"components": [{"type": 10, "content": "x"}] * 41, "flags": 1 << 15}, 50035, "components"),
        ({"components": [row(BUTTON)] * 21, "flags": 1 << 15}, 50035, "components"),
        (["x"], 50035, "_errors"),
    ],
)
async def test_a_message_discord_would_not_take_is_refused(
    stage: Stage, body: Any, code: int, where: str | None
) -> None:
    status, refusal = await stage.call("POST", f"/channels/{stage.general}/messages", body)
    assert (status, refusal["code"]) == (400, code)
    assert (where is None) or where in refusal["errors"]
    assert stage.world.messages(stage.general) == []


async def test_distinct_buttons_in_the_newer_layout_are_too_many_together(stage: Stage) -> None:
    rows = [row(BUTTON | {"custom_id": f"go-{number}"}) for number in range(21)]
    refused = await stage.send(stage.general, components=rows, flags=1 << 15)
    assert refused[1]["errors"]["components"]["_errors"][0]["code"] == "BASE_TYPE_BAD_LENGTH"
    section = {"type": 9, "components": [{"type": 10, "content": "hi"}], "accessory": BUTTON}
    status, sent = await stage.call(
        "POST",
        f"/channels/{stage.general}/messages",
        {"components": [{"type": 17, "components": [section]}], "flags": 1 << 15},
    )
    assert (status, sent["components"][0]["components"][0]["accessory"]["id"]) == (200, 4)


async def test_files_have_their_limits(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    with pytest.raises(discord.HTTPException) as caught:
        await channel.send(file=discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "big.bin"))
    assert (caught.value.status, caught.value.code) == (413, 40005)
    form = aiohttp.FormData()
    for number in range(11):
        form.add_field(f"files[{number}]", b"x", filename=f"{number}.txt")
    headers = {"Authorization": f"Bot {stage.world.token}"}
    url = f"{stage.server.api_url}/channels/{stage.general}/messages"
    async with stage.session.post(url, data=form, headers=headers) as response:
        assert (await response.json())["code"] == 50035


async def test_only_what_is_allowed_pings(stage: Stage) -> None:
    role = stage.world.add_role(stage.guild, "crew", mentionable=True)
    quiet = stage.world.add_role(stage.guild, "quiet")
    text = f"<@{stage.ana}> <@!{stage.bob}> <@&{role}> <@&{quiet}> <@&1> <@1> @everyone"
    _, loud = await stage.send(stage.general, text)
    assert [user["id"] for user in loud["mentions"]] == [stage.ana, stage.bob]
    assert (loud["mention_roles"], loud["mention_everyone"]) == ([role], False)
    _, silent = await stage.send(stage.general, text, allowed_mentions={"parse": []})
    assert (silent["mentions"], silent["mention_roles"]) == ([], [])
    named = {"parse": ["everyone"], "users": [stage.bob], "roles": [quiet]}
    stage.world.allow(stage.general, "mention_everyone")
    _, some = await stage.send(stage.general, text, allowed_mentions=named)
    assert [user["id"] for user in some["mentions"]] == [stage.bob]
    assert (some["mention_roles"], some["mention_everyone"]) == ([quiet], True)
    pinged = [ping.mention for ping in stage.world.pings if ping.message == some["id"]]
    assert pinged == [stage.bob, quiet, "everyone"]
    await stage.send(stage.general, f"<@{stage.world.bot_user}> is me")
    assert stage.world.bot_user not in {ping.mention for ping in stage.world.pings}
    path = f"/channels/{stage.general}/messages/{silent['id']}"
    _, edited = await stage.call("PATCH", path, {"content": f"<@{stage.ana}>"})
    assert [user["id"] for user in edited["mentions"]] == [stage.ana]
    assert not [ping for ping in stage.world.pings if ping.message == silent["id"]]


async def test_a_reply_answers_a_message_or_nothing(stage: Stage) -> None:
    question = await stage.world.say(stage.ana, stage.general, "who?")
    _, reply = await stage.send(stage.general, "orders", message_reference={"message_id": question})
    assert (reply["type"], reply["referenced_message"]["id"]) == (19, question)
    assert [user["id"] for user in reply["mentions"]] == [stage.ana]
    await stage.world.delete(question)
    path = f"/channels/{stage.general}/messages/{reply['id']}"
    assert (await stage.call("GET", path))[1]["referenced_message"] is None
    lenient = {"message_id": question, "fail_if_not_exists": False}
    status, plain = await stage.send(stage.general, "orders", message_reference=lenient)
    assert (status, plain["type"]) == (200, 0)
    stage.world.deny(stage.general, "read_message_history")
    refused = await stage.send(stage.general, "x", message_reference={"message_id": reply["id"]})
    assert refused[1]["code"] == 160002
    assert stage.heard("MESSAGE_DELETE")[0]["guild_id"] == stage.guild


async def test_an_edit_changes_what_it_names(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    sent = await channel.send("orders", file=discord.File(io.BytesIO(b"1"), "a.md", description="first"))
    assert sent.attachments[0].description == "first"
    edited = await sent.edit(content="orders and web", suppress=True)
    assert (edited.content, [file.filename for file in edited.attachments]) == ("orders and web", ["a.md"])
    assert edited.edited_at is not None
    more = await edited.add_files(discord.File(io.BytesIO(b"2"), "b"))
    assert [file.filename for file in more.attachments] == ["a.md", "b"]
    path = f"/channels/{stage.general}/messages/{sent.id}"
    _, cleared = await stage.call("PATCH", path, {"attachments": [], "embeds": EMBEDS, "components": []})
    assert (cleared["attachments"], cleared["embeds"][0]["type"]) == ([], "rich")
    assert Flags.SUPPRESS_EMBEDS & cleared["flags"]
    assert await stage.refusal("PATCH", path, {"content": "", "embeds": []}) == (400, 50006)
    theirs = await stage.world.say(stage.ana, stage.general, "who?")
    theirs_path = f"/channels/{stage.general}/messages/{theirs}"
    assert await stage.refusal("PATCH", theirs_path, {"content": "x"}) == (403, 50005)
    assert await stage.refusal("DELETE", theirs_path) == (403, 50013)
    assert (await stage.call("DELETE", path))[0] == 204
    assert await stage.refusal("GET", path) == (404, 10008)


async def test_the_bot_reacts_and_types(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    question = await stage.world.say(stage.ana, stage.general, "who?")
    partial = channel.get_partial_message(int(question))
    await partial.add_reaction("👀")
    await partial.add_reaction("👀")
    await stage.world.react(stage.ana, question, "👀")
    found = await channel.fetch_message(int(question))
    assert (found.reactions[0].count, found.reactions[0].me) == (2, True)
    path = f"/channels/{stage.general}/messages/{question}/reactions/%F0%9F%91%80/@me"
    assert (await stage.call("DELETE", path))[0] == 204
    assert (await stage.call("DELETE", path))[0] == 204
    assert [one["user_id"] for one in stage.heard("MESSAGE_REACTION_ADD")] == [
        stage.world.bot_user,
        stage.ana,
    ]
    assert len(stage.heard("MESSAGE_REACTION_REMOVE")) == 1
    assert not stage.world.typing(stage.general)
    await stage.call("POST", f"/channels/{stage.general}/typing")
    assert stage.world.typing(stage.general)
    stage.clock.advance(10)
    assert not stage.world.typing(stage.general)
    await stage.call("POST", f"/channels/{stage.general}/typing")
    await channel.send("orders")
    assert not stage.world.typing(stage.general)


async def test_direct_messages_reach_those_who_take_them(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    ana = await stage.client.fetch_user(int(stage.ana))
    sent = await ana.send("hello")
    assert isinstance(sent.channel, discord.DMChannel)
    assert stage.world.messages(stage.world.open_dm(stage.ana))[0].content == "hello"
    assert "guild_id" not in stage.heard("MESSAGE_CREATE")[0]
    stage.world.refuse_dms(stage.bob)
    bob = await stage.client.fetch_user(int(stage.bob))
    with pytest.raises(discord.Forbidden) as caught:
        await bob.send("hello")
    assert caught.value.code == 50007
    assert await stage.refusal("POST", "/users/@me/channels", {"recipient_id": "1"}) == (400, 50033)
    direct = f"/channels/{stage.world.open_dm(stage.ana)}"
    assert await stage.refusal("POST", f"{direct}/threads", {"name": "x"}) == (400, 50024)
    assert await stage.refusal("PATCH", direct, {"name": "x"}) == (400, 50024)
    await stage.world.delete(str(sent.id))
    await stage.call(
        "PUT", f"{direct}/messages/{await stage.world.say(stage.ana, direct[10:], 'hi')}/reactions/x/@me"
    )
    assert stage.world.events[-1].intent == "direct_message_reactions"


async def test_a_thread_starts_from_a_message_once(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    question = await stage.world.say(stage.ana, stage.general, "who?")
    channel = await stage.client.fetch_channel(int(stage.general))
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.get_partial_message(int(question)).create_thread(
        name="billing", auto_archive_duration=60
    )
    assert (str(thread.id), thread.auto_archive_duration) == (question, 60)
    path = f"/channels/{stage.general}/messages/{question}"
    assert await stage.refusal("POST", f"{path}/threads", {"name": "again"}) == (400, 160004)
    await thread.send("orders")
    assert (await stage.call("GET", path))[1]["thread"]["id"] == question
    _, history = await stage.call("GET", f"/channels/{question}/messages")
    assert [message["type"] for message in history] == [0, 21]
    assert history[1]["referenced_message"]["id"] == question
    assert stage.heard("THREAD_CREATE")[0]["newly_created"] is True
    active = (await stage.call("GET", f"/guilds/{stage.guild}/threads/active"))[1]
    assert ([one["id"] for one in active["threads"]], len(active["members"])) == ([question], 1)
    below = f"/channels/{question}/messages/{history[0]['id']}/threads"
    assert await stage.refusal("POST", below, {"name": "deeper"}) == (400, 50024)
    assert await stage.refusal("POST", f"/channels/{question}/threads", {"name": "x"}) == (400, 50024)


async def test_threads_start_from_nothing_too(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = await stage.client.fetch_channel(int(stage.general))
    assert isinstance(channel, discord.TextChannel)
    public = await channel.create_thread(name="open", type=discord.ChannelType.public_thread)
    assert stage.world.messages(stage.general)[0].kind is MessageKind.THREAD_CREATED
    told = stage.world.messages(stage.general)[0]
    threads = f"/channels/{stage.general}/messages/{told.id}/threads"
    assert await stage.refusal("POST", threads, {"name": "x"}) == (400, 50068)
    private = await channel.create_thread(name="closed")
    assert private.is_private()
    news = stage.world.add_channel(stage.guild, "news", kind="announcement")
    _, announced = await stage.call("POST", f"/channels/{news}/threads", {"name": "x", "type": 10})
    assert announced["type"] == 10
    path = f"/channels/{stage.general}/threads"
    assert await stage.refusal("POST", path, {"name": "x", "type": 15}) == (400, 50035)
    assert await stage.refusal("POST", path, {"name": " ", "type": 11}) == (400, 50035)
    assert await stage.refusal("POST", path, {"name": "x" * 101, "type": 11}) == (400, 50035)
    odd = {"name": "x", "type": 11, "auto_archive_duration": 61}
    assert await stage.refusal("POST", path, odd) == (400, 50035)
    stage.world.most_active_threads = 3
    assert await stage.refusal("POST", path, {"name": "x", "type": 11}) == (400, 160006)
    stage.world.deny(stage.general, "create_public_threads", "create_private_threads")
    assert await stage.refusal("POST", path, {"name": "x", "type": 11}) == (403, 50013)
    assert await stage.refusal("POST", path, {"name": "x", "type": 12}) == (403, 50013)
    assert public.owner_id == int(stage.world.bot_user)


async def test_a_forum_takes_posts_but_no_messages(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    forum = await stage.client.fetch_channel(int(stage.help))
    assert isinstance(forum, discord.ForumChannel)
    thread, message = await forum.create_thread(name="billing", content="who calls it?")
    assert thread.id == message.id
    assert (await stage.send(stage.help, "hi"))[1]["code"] == 50008
    path = f"/channels/{stage.help}/threads"
    assert await stage.refusal("POST", path, {"name": "x"}) == (400, 50035)
    post = await stage.world.open_post(stage.ana, stage.help, "orders", "who?")
    assert stage.world.messages(post)[0].id == post
    assert (await stage.call("GET", f"/channels/{post}"))[1]["parent_id"] == stage.help


async def test_archived_and_locked_threads_keep_their_rules(stage: Stage) -> None:
    thread = await stage.world.open_thread(stage.ana, stage.general, "billing")
    _, sent = await stage.send(thread, "orders")
    path = f"/channels/{thread}/messages/{sent['id']}"
    stage.world.archive(thread)
    assert await stage.refusal("PATCH", path, {"content": "x"}) == (400, 50083)
    assert await stage.refusal("PUT", f"/channels/{thread}/thread-members/@me") == (400, 50083)
    assert await stage.refusal("PATCH", f"/channels/{thread}", {"name": "x"}) == (400, 50083)
    assert (await stage.send(thread, "web"))[0] == 200
    assert not stage.world.channels[thread].archived
    stage.world.lock(thread)
    assert (await stage.send(thread, "x"))[1]["code"] == 160005
    assert await stage.refusal("DELETE", path) == (403, 160005)
    assert await stage.refusal("PATCH", f"/channels/{thread}", {"name": "x"}) == (403, 50013)
    stage.world.archive(thread)
    assert await stage.refusal("PATCH", f"/channels/{thread}", {"archived": False}) == (403, 160005)
    stage.world.allow(stage.general, "manage_threads")
    _, opened = await stage.call("PATCH", f"/channels/{thread}", {"archived": False, "locked": False})
    assert not opened["thread_metadata"]["locked"]
    updates = stage.heard("THREAD_UPDATE")
    assert [update["thread_metadata"]["archived"] for update in updates] == [True, False, False, True, False]


async def test_the_bot_renames_and_archives_its_own_threads(stage: Stage) -> None:
    _, own = await stage.call("POST", f"/channels/{stage.general}/threads", {"name": "mine", "type": 11})
    path = f"/channels/{own['id']}"
    _, renamed = await stage.call("PATCH", path, {"name": "ours", "auto_archive_duration": 60})
    assert (renamed["name"], renamed["thread_metadata"]["auto_archive_duration"]) == ("ours", 60)
    assert (await stage.call("PATCH", path, {"archived": True}))[0] == 200
    assert (await stage.call("PATCH", path, {"archived": False}))[0] == 200
    assert await stage.refusal("PATCH", path, {"locked": True}) == (403, 50013)
    theirs = await stage.world.open_thread(stage.ana, stage.general, "theirs")
    assert await stage.refusal("PATCH", f"/channels/{theirs}", {"archived": True}) == (403, 50013)
    assert (await stage.call("PATCH", f"/channels/{theirs}", {}))[0] == 403
    assert (await stage.call("PUT", f"/channels/{theirs}/thread-members/@me"))[0] == 204
    general = f"/channels/{stage.general}"
    assert await stage.refusal("PUT", f"{general}/thread-members/@me") == (400, 50024)
    assert await stage.refusal("PATCH", general, {"name": "x"}) == (403, 50013)
    stage.world.allow(stage.general, "manage_channels")
    _, changed = await stage.call("PATCH", general, {"topic": "talk"})
    assert (changed["name"], changed["topic"]) == ("general", "talk")
    stage.world.delete_channel(stage.general)
    assert await stage.refusal("GET", path) == (404, 10003)
    assert [gone["type"] for gone in stage.heard("THREAD_DELETE")] == [11, 11]


async def test_permissions_are_asked_for_by_name(stage: Stage) -> None:
    thread = await stage.world.open_thread(stage.ana, stage.general, "billing")
    question = await stage.world.say(stage.ana, stage.general, "who?")
    general = f"/channels/{stage.general}"
    stage.world.deny(stage.general, "send_messages_in_threads")
    assert (await stage.send(thread, "x"))[1]["code"] == 50013
    assert await stage.refusal("POST", f"/channels/{thread}/typing") == (403, 50013)
    assert (await stage.send(stage.general, "x"))[0] == 200
    stage.world.deny(stage.general, "embed_links", "attach_files", "add_reactions")
    assert (await stage.send(stage.general, embeds=EMBEDS))[1]["code"] == 50013
    assert await stage.refusal("PUT", f"{general}/messages/{question}/reactions/x/@me") == (403, 50013)
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    with pytest.raises(discord.Forbidden):
        await channel.send(file=discord.File(io.BytesIO(b"1"), "a.md"))
    stage.world.revoke(stage.guild, "send_messages")
    assert (await stage.send(stage.general, "x"))[1]["code"] == 50013
    stage.world.deny(stage.general, "view_channel")
    assert await stage.refusal("GET", general) == (403, 50001)
    assert await stage.refusal("GET", f"/channels/{thread}") == (403, 50001)


async def test_a_rate_limit_is_told_in_headers_and_enforced_when_asked(stage: Stage) -> None:
    stage.world.rates.limit(SEND, 1, 0.2)
    headers = {"Authorization": f"Bot {stage.world.token}"}
    url = f"{stage.server.api_url}/channels/{stage.general}/messages"
    async with stage.session.post(url, json={"content": "x"}, headers=headers) as response:
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert response.headers["X-RateLimit-Reset-After"] == "0.200"
        bucket = response.headers["X-RateLimit-Bucket"]
    async with stage.session.post(url, json={"content": "x"}, headers=headers) as response:
        assert (response.status, response.headers["X-RateLimit-Bucket"]) == (429, bucket)
        assert (await response.json())["retry_after"] == 0.2
        assert response.headers["Via"]
    stage.clock.advance(0.2)
    assert (await stage.send(stage.general, "x"))[0] == 200
    assert [call.status for call in stage.world.calls_of(SEND)] == [200, 429, 200]


async def test_discord_py_waits_a_rate_limit_out_and_keeps_its_nonce(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    stage.world.faults.add(
        SEND, RateLimited(0.01), RateLimited(0.01, is_global=True), HttpError(502, after=True)
    )
    sent = await channel.send("orders", nonce="a-1")
    assert [message.id for message in stage.world.messages(stage.general)] == [str(sent.id)]
    assert [call.status for call in stage.world.calls_of(SEND)] == [429, 429, 502, 200]
    assert {call.json["nonce"] for call in stage.world.calls_of(SEND)} == {"a-1"}


async def test_long_and_proxied_rate_limits_and_other_faults_are_errors(stage: Stage) -> None:
    await stage.client.login(stage.world.token)
    channel = stage.client.get_partial_messageable(int(stage.general))
    stage.world.faults.add(SEND, RateLimited(45), RateLimited(1, via=False), HttpError(503, code=7))
    assert stage.world.faults.waiting(SEND) == 3
    with pytest.raises(discord.RateLimited):
        await channel.send("orders")
    for status in (429, 503):
        with pytest.raises(discord.HTTPException) as caught:
            await channel.send("orders")
        assert caught.value.status == status
    assert stage.world.calls[-1].code == 7
    stage.world.faults.add(SEND, HttpError(), times=3)
    stage.world.faults.clear()
    assert stage.world.faults.waiting(SEND) == 0


async def test_a_connection_is_cut_before_or_after_the_deed(stage: Stage) -> None:
    stage.world.faults.add(SEND, Reset(), Reset(after=True))
    for stored in (0, 1):
        with pytest.raises(aiohttp.ClientError):
            await stage.send(stage.general, "orders")
        assert len(stage.world.messages(stage.general)) == stored
    assert [call.status for call in stage.world.calls] == [0, 0]


async def test_a_held_call_waits_for_its_release_and_a_delayed_one_for_the_clock(stage: Stage) -> None:
    before, after = Hold(), Hold(after=True)
    stage.world.faults.add(SEND, before, after, Delay(2))
    for hold, stored in ((before, 0), (after, 2)):
        sending = asyncio.create_task(stage.send(stage.general, "orders"))
        await hold.held.wait()
        assert len(stage.world.messages(stage.general)) == stored
        hold.release()
        assert (await sending)[0] == 200
    sending = asyncio.create_task(stage.send(stage.general, "web"))
    await stage.world.until(lambda: not stage.world.faults.waiting(SEND))
    stage.clock.advance(2)
    assert (await sending)[0] == 200


async def test_commands_are_replaced_and_keep_their_ids(stage: Stage) -> None:
    path = f"/applications/{stage.world.application_id}/commands"
    option = {"name": "question", "description": "What", "type": 3, "required": True, "autocomplete": False}
    ask = {"name": "ask", "description": "Ask", "options": [option], "name_localizations": {"de": "frag"}}
    menu = {"name": "Ask about this", "type": 3, "contexts": [0], "default_member_permissions": 32}
    _, first = await stage.call("PUT", path, [ask, menu])
    assert first[0]["options"][0]["required"] is True
    assert "autocomplete" not in first[0]["options"][0]
    assert (first[0]["integration_types"], first[0]["contexts"], first[0]["dm_permission"]) == (
        [0, 1],
        None,
        True,
    )
    assert (first[1]["default_member_permissions"], first[1]["dm_permission"]) == ("32", False)
    _, again = await stage.call("PUT", path, [ask, menu | {"nsfw": True}])
    assert [command["id"] for command in again] == [command["id"] for command in first]
    assert [new["version"] == old["version"] for new, old in zip(again, first, strict=True)] == [True, False]
    _, listed = await stage.call("GET", path)
    assert "name_localizations" not in listed[0]
    _, full = await stage.call("GET", f"{path}?with_localizations=true")
    assert full[0]["name_localizations"] == {"de": "frag"}
    group = {"name": "link", "description": "Link", "type": 1, "options": [option]}
    nested = {"name": "threadline", "description": "Set up", "options": [group]}
    _, third = await stage.call("PUT", path, [nested])
    assert third[0]["options"][0]["options"][0]["name"] == "question"
    await stage.client.login(stage.world.token)
    tree = discord.app_commands.CommandTree(stage.client)
    assert [command.name for command in await tree.fetch_commands()] == ["threadline"]


TEXT = {"name": "a", "description": "A", "type": 3}
GOOD = {"name": "ask", "description": "Ask"}


@pytest.mark.parametrize(
    "commands",
    [
        {"name": "ask"},
        [GOOD | {"name": "Ask"}],
        [GOOD | {"name": "a b"}],
        [GOOD | {"name": "x" * 33}],
        [GOOD | {"name_localizations": {"de": "Frag"}}],
        [GOOD | {"description": ""}],
        [GOOD | {"description": "x" * 101}],
        [GOOD | {"description_localizations": {"de": "x" * 101}}],
        [GOOD | {"type": 9}],
        [GOOD, GOOD],
        [{"name": f"m{number}", "type": 3} for number in range(16)],
        [{"name": "", "type": 2}],
        [{"name": "m", "type": 3, "description": "no"}],
        [GOOD | {"options": [TEXT | {"name": f"o{number}"} for number in range(26)]}],
        [GOOD | {"options": [TEXT, TEXT]}],
        [GOOD | {"options": [TEXT, TEXT | {"name": "b", "required": True}]}],
        [GOOD | {"options": [TEXT, TEXT | {"name": "b", "type": 1}]}],
        [GOOD | {"options": [TEXT | {"type": 12}]}],
        [GOOD | {"options": [TEXT | {"autocomplete": True, "choices": [{"name": "x", "value": "x"}]}]}],
        [GOOD | {"options": [TEXT | {"choices": [{"name": "x", "value": "x"}] * 26}]}],
        [GOOD | {"options": [TEXT | {"choices": [{"name": "", "value": "x"}]}]}],
        [
            GOOD
            | {
                "options": [
                    TEXT | {"name": f"o{number}", "choices": [{"name": "x" * 90, "value": "x" * 100}] * 20}
                    for number in range(3)
                ]
            }
        ],
    ],
)
async def test_commands_discord_would_not_take_are_refused_whole(stage: Stage, commands: Any) -> None:
    path = f"/applications/{stage.world.application_id}/commands"
    status, refusal = await stage.call("PUT", path, commands)
    assert (status, refusal["code"]) == (400, 50035)
    assert refusal["errors"]
    assert stage.world.commands == []


async def test_broken_json_is_refused(stage: Stage) -> None:
    headers = {"Authorization": f"Bot {stage.world.token}"}
    url = f"{stage.server.api_url}/channels/{stage.general}/messages"
    async with stage.session.post(url, data=b"{", headers=headers) as response:
        assert (await response.json())["code"] == 50035


async def test_every_call_is_journalled(stage: Stage) -> None:
    await stage.send(stage.general, "orders")
    await stage.call("GET", f"/channels/{stage.general}/messages?limit=1")
    first, second = stage.world.calls
    assert (first.method, first.route, first.ids) == ("POST", SEND, {"channel": stage.general})
    assert (first.json, first.status, first.code) == ({"content": "orders"}, 200, 0)
    assert (second.query, second.at) == ({"limit": "1"}, stage.clock.now())
