"""The simulated Discord used by people whose app is the real discord.py, over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

from bots.demo.discord import Callback, DiscordServer, DiscordWorld, MessageKind
from bots.demo.discord.records import Json
from core.clock import SystemClock
from core.testing import SettableClock

Did = Callable[[discord.Interaction[Any]], Awaitable[None]]


class FollowUp(discord.ui.Modal, title="Ask a follow-up"):
    """A form with one text of each era of Discord's."""

    question: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Question", min_length=3)
    tone: discord.ui.Label[Any] = discord.ui.Label(
        text="Tone", component=discord.ui.Select(options=[discord.SelectOption(label="short")])
    )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        select = self.tone.component
        assert isinstance(select, discord.ui.Select)
        await interaction.response.send_message(f"{self.question.value} ({select.values[0]})", ephemeral=True)


class Buttons(discord.ui.View):
    """A form behind one button, an update behind another, silence behind the third, and a menu."""

    @discord.ui.button(label="Ask follow-up", custom_id="follow-up")
    async def follow_up(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(FollowUp())

    @discord.ui.button(label="Helpful")
    async def helpful(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="thanks", view=None)

    @discord.ui.button(label="Later")
    async def later(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()
        await interaction.followup.send("noted")

    @discord.ui.button(label="Off", disabled=True)
    async def off(self, interaction: discord.Interaction[Any], _: discord.ui.Button[Any]) -> None:
        """Nobody can press it."""

    @discord.ui.select(custom_id="project", options=[discord.SelectOption(label="shop")])
    async def project(self, interaction: discord.Interaction[Any], chosen: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"now {chosen.values[0]}")


class App(discord.Client):
    """An app with commands of every kind; `did` is what it does with `/ask`."""

    def __init__(self, stage: "Stage", did: Did) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            guild_ready_timeout=0.01,
        )
        self.stage = stage
        self.did = did
        self.heard: list[discord.Message] = []
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="ask", description="Ask")(self._ask())
        self.tree.context_menu(name="Ask about this")(self._menu())
        admins = discord.Permissions(manage_guild=True)
        group = app_commands.Group(name="threadline", description="Set up", default_permissions=admins)
        group.command(name="link", description="Link a project")(self._link())
        self.tree.add_command(group)

    def _ask(self) -> Any:
        async def ask(interaction: discord.Interaction[Any], question: str, project: str = "") -> None:
            interaction.extras["question"], interaction.extras["project"] = question, project
            await self.did(interaction)

        async def projects(_: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
            names = ("shop", "shipping", "billing")
            return [app_commands.Choice(name=name, value=name) for name in names if name.startswith(typed)]

        return app_commands.autocomplete(project=projects)(ask)

    def _menu(self) -> Any:
        async def menu(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            await interaction.response.send_message(f"about {message.content!r} of {message.author}")

        return menu

    def _link(self) -> Any:
        async def link(
            interaction: discord.Interaction[Any], person: discord.Member, where: discord.TextChannel
        ) -> None:
            await interaction.response.send_message(f"{person.display_name} in {where.name}", ephemeral=True)

        return link

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.stage.world.changes.happened()


class Stage:
    """A world on the wire, with two people and a channel, and the app when it has been started."""

    def __init__(self, world: DiscordWorld, server: DiscordServer) -> None:
        self.world = world
        self.server = server
        self.guild = world.add_guild("Acme")
        self.ana, self.bob = world.add_user("Ana"), world.add_user("Bob")
        world.join(self.guild, self.ana, permissions=["manage_guild"])
        world.join(self.guild, self.bob)
        self.general = world.add_channel(self.guild, "general")
        self.running: asyncio.Task[None] | None = None
        self.app: App | None = None

    async def run(self, did: Did) -> App:
        """Start the app, its commands registered, and wait until it is connected."""
        self.app = app = App(self, did)
        await app.login(self.world.token)
        await app.tree.sync()
        self.running = asyncio.create_task(app.connect())
        await self.server.gateway.connected()
        await app.wait_until_ready()
        return app

    async def stop(self) -> None:
        if self.app is not None and self.running is not None:
            await self.app.close()
            await self.running
        await self.server.stop()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    world = DiscordWorld(SystemClock())
    server = DiscordServer(world)
    await server.start()
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = server.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    stage = Stage(world, server)
    yield stage
    await stage.stop()
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


async def answer_in_a_thread(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.defer(thinking=True)
    shown = await interaction.edit_original_response(content=interaction.extras["question"])
    channel = interaction.channel
    assert isinstance(channel, discord.TextChannel)
    thread = await (await channel.fetch_message(shown.id)).create_thread(name="billing")
    await thread.send("orders and web", nonce="a-1")


async def show_buttons(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.send_message("orders", view=Buttons(timeout=None))


async def be_silent(_: discord.Interaction[Any]) -> None:
    return


async def test_a_question_is_deferred_shown_and_answered_in_its_thread(stage: Stage) -> None:
    app = await stage.run(answer_in_a_thread)
    asked = await stage.world.slash(stage.ana, stage.general, "ask", question="who calls billing?")
    assert (asked.response, asked.failed) == (Callback.DEFERRED_MESSAGE, False)
    assert asked.acked_after is not None
    thread = await stage.world.until(lambda: stage.world.threads(stage.general))
    said = await stage.world.until(lambda: stage.world.messages(thread[0].id)[1:])
    assert [message.content for message in said] == ["orders and web"]
    assert asked.original is not None
    assert (asked.original.content, asked.original.is_loading) == ("who calls billing?", False)
    assert (thread[0].name, thread[0].id) == ("billing", asked.original.id)
    kinds = [message.kind for message in stage.world.messages(thread[0].id)]
    assert kinds == [MessageKind.THREAD_STARTER, MessageKind.DEFAULT]
    heard = await stage.world.until(lambda: app.heard if len(app.heard) > 2 else None)
    assert heard[0].interaction_metadata is not None
    assert str(heard[0].interaction_metadata.user) == "ana"
    assert [message.content for message in heard if message.type is discord.MessageType.default] == [
        "orders and web"
    ]


async def test_the_app_knows_who_asked_where_and_what_it_may_do(stage: Stage) -> None:
    seen: list[discord.Interaction[Any]] = []

    async def note(interaction: discord.Interaction[Any]) -> None:
        seen.append(interaction)
        await interaction.response.send_message("ok", ephemeral=True)

    await stage.run(note)
    stage.world.deny(stage.general, "create_public_threads")
    await stage.world.slash(stage.ana, stage.general, "ask", question="who?")
    direct = stage.world.open_dm(stage.bob)
    await stage.world.slash(stage.bob, direct, "ask", question="who?")
    in_guild, in_private = seen
    assert isinstance(in_guild.user, discord.Member)
    assert isinstance(in_guild.channel, discord.TextChannel)
    assert in_guild.permissions.manage_guild
    assert in_guild.app_permissions.send_messages_in_threads
    assert not in_guild.app_permissions.create_public_threads
    assert (in_guild.filesize_limit, str(in_guild.locale)) == (10 * 1024 * 1024, "en-US")
    assert in_guild.context.guild
    assert not in_guild.is_expired()
    assert isinstance(in_private.channel, discord.DMChannel)
    assert in_private.context.dm_channel
    assert in_private.user.name == "bob"
    assert [note.content for note in stage.world.ephemerals(stage.ana)] == ["ok"]
    assert stage.world.messages(stage.general) == []
    assert seen[0].command is not None


async def test_typing_a_project_offers_what_fits(stage: Stage) -> None:
    await stage.run(show_buttons)
    choices = await stage.world.complete(stage.ana, stage.general, "ask", "project", "sh", question="who?")
    assert [choice["name"] for choice in choices] == ["shop", "shipping"]


async def test_a_message_menu_hands_over_what_the_app_could_not_read(stage: Stage) -> None:
    app = await stage.run(show_buttons)
    message = await stage.world.say(stage.bob, stage.general, "the build is red")
    heard = await stage.world.until(lambda: app.heard)
    assert heard[0].content == ""
    asked = await stage.world.menu(stage.ana, stage.general, message, "Ask about this")
    assert asked.original is not None
    assert asked.original.content == "about 'the build is red' of bob"
    assert asked.original.kind is MessageKind.MENU_COMMAND


async def test_a_subcommand_is_offered_to_those_who_may(stage: Stage) -> None:
    await stage.run(show_buttons)
    given = {"person": stage.bob, "where": stage.general}
    linked = await stage.world.slash(stage.ana, stage.general, "threadline link", **given)
    assert linked.original is not None
    assert (linked.original.content, linked.original.ephemeral) == ("Bob in general", True)
    with pytest.raises(LookupError, match="not offered to Bob"):
        await stage.world.slash(stage.bob, stage.general, "threadline link", **given)


async def test_a_button_opens_a_form_whose_submission_comes_back(stage: Stage) -> None:
    await stage.run(show_buttons)
    shown = await stage.world.slash(stage.ana, stage.general, "ask", question="who?")
    assert shown.original is not None
    pressed = await stage.world.press(stage.bob, stage.general, shown.original.id, "Ask follow-up")
    assert pressed.modal is not None
    assert pressed.modal["title"] == "Ask a follow-up"
    with pytest.raises(ValueError, match="must be filled in"):
        await stage.world.submit(stage.bob, pressed, Tone="short")
    with pytest.raises(ValueError, match="takes 3 to"):
        await stage.world.submit(stage.bob, pressed, Question="hi", Tone="short")
    with pytest.raises(ValueError, match="must be chosen"):
        await stage.world.submit(stage.bob, pressed, Question="and web?")
    with pytest.raises(LookupError, match="no field"):
        await stage.world.submit(stage.bob, pressed, Colour="red")
    await stage.world.submit(stage.bob, pressed, Question="and web?", Tone=["short"])
    assert [note.content for note in stage.world.ephemerals(stage.bob)] == ["and web? (short)"]
    assert stage.world.ephemerals(stage.ana) == []


async def test_buttons_and_menus_change_and_answer_their_message(stage: Stage) -> None:
    await stage.run(show_buttons)
    shown = await stage.world.slash(stage.ana, stage.general, "ask", question="who?")
    assert shown.original is not None
    message = shown.original.id
    later = await stage.world.press(stage.ana, stage.general, message, "Later")
    assert later.response is Callback.DEFERRED_UPDATE
    noted = await stage.world.until(lambda: later.followups)
    assert (noted[0].content, noted[0].reply_to) == ("noted", message)
    chosen = await stage.world.choose(stage.ana, stage.general, message, "project", "shop")
    assert chosen.original is not None
    assert (chosen.original.content, chosen.original.kind) == ("now shop", MessageKind.REPLY)
    helped = await stage.world.press(stage.ana, stage.general, message, "Helpful")
    assert helped.original is not None
    assert (helped.original.id, helped.original.content) == (message, "thanks")
    assert helped.original.components == ()


async def test_what_cannot_be_pressed_cannot_be_pressed(stage: Stage) -> None:
    await stage.run(show_buttons)
    shown = await stage.world.slash(stage.ana, stage.general, "ask", question="who?")
    assert shown.original is not None
    message = shown.original.id
    with pytest.raises(LookupError, match="cannot be pressed"):
        await stage.world.press(stage.ana, stage.general, message, "Off")
    with pytest.raises(LookupError, match="no button"):
        await stage.world.press(stage.ana, stage.general, message, "On")
    with pytest.raises(LookupError, match="no select"):
        await stage.world.choose(stage.ana, stage.general, message, "colour", "red")
    with pytest.raises(LookupError, match="opened no modal"):
        await stage.world.submit(stage.ana, shown)
    with pytest.raises(LookupError, match="no message"):
        await stage.world.press(stage.ana, stage.general, "1", "Off")


async def test_what_is_not_registered_cannot_be_run(stage: Stage) -> None:
    await stage.run(show_buttons)
    for command, fault in (("sing", "no command"), ("threadline sing", "no part"), ("ask", "no option")):
        with pytest.raises(LookupError, match=fault):
            await stage.world.slash(stage.ana, stage.general, command, song="x")
    with pytest.raises(ValueError, match="required options are missing"):
        await stage.world.slash(stage.ana, stage.general, "ask")


class Bare:
    """An app without a library: it hears of interactions from the world and answers by hand."""

    def __init__(self, clock: SettableClock, session: aiohttp.ClientSession) -> None:
        self.clock = clock
        self.world = DiscordWorld(clock)
        self.server = DiscordServer(self.world)
        self.session = session
        self.guild = self.world.add_guild("Acme")
        self.ana = self.world.add_user("Ana")
        self.world.join(self.guild, self.ana)
        self.general = self.world.add_channel(self.guild, "general")

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call without a bot token, which these routes do not need."""
        async with self.session.request(method, self.server.api_url + path, json=body) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def asked(self, **options: Any) -> tuple[asyncio.Task[Any], Json]:
        """Let Ana ask, and return her waiting with what the app was sent."""
        before = len(self.world.events)
        waiting = asyncio.create_task(self.world.slash(self.ana, self.general, "ask", **options))
        await self.world.until(lambda: len(self.world.events) > before)
        return waiting, self.world.events[-1].data

    async def respond(self, sent: Json, body: Any, query: str = "") -> tuple[int, Any]:
        """Make the first response."""
        return await self.call("POST", f"/interactions/{sent['id']}/{sent['token']}/callback{query}", body)

    def webhook(self, sent: Json, message: str = "") -> str:
        """Return the path of the interaction's token, or of a message said by it."""
        path = f"/webhooks/{self.world.application_id}/{sent['token']}"
        return f"{path}/messages/{message}" if message else path


@pytest.fixture
async def bare() -> AsyncIterator[Bare]:
    async with aiohttp.ClientSession() as session:
        bare = Bare(SettableClock(), session)
        await bare.server.start()
        yield bare
        await bare.server.stop()


async def test_an_interaction_that_nobody_answers_fails_after_three_seconds(bare: Bare) -> None:
    waiting, sent = await bare.asked(question="who?")
    bare.clock.advance(3.1)
    asked = await waiting
    assert (asked.failed, asked.response, asked.original) == (True, None, None)
    status, body = await bare.respond(sent, {"type": 5})
    assert (status, body["code"]) == (404, 10062)
    status, body = await bare.respond(sent | {"id": "1"}, {"type": 5})
    assert (status, body["code"]) == (404, 10062)
    status, body = await bare.call("POST", bare.webhook(sent), {"content": "late"})
    assert (status, body["code"]) == (404, 10015)


async def test_a_response_may_ask_for_what_it_made_and_comes_once(bare: Bare) -> None:
    waiting, sent = await bare.asked(question="who?", count=3, deep=True, share=0.5)
    kinds = [option["type"] for option in sent["data"]["options"]]
    assert kinds == [3, 4, 5, 10]
    status, body = await bare.respond(sent, {"type": 5, "data": {"flags": 64}}, "?with_response=true")
    asked = await waiting
    assert (status, body["interaction"]["response_message_loading"]) == (200, True)
    assert body["interaction"]["response_message_ephemeral"] is True
    assert body["interaction"]["guild_id"] == bare.guild
    assert body["resource"]["message"]["id"] == asked.original_id
    assert (await bare.respond(sent, {"type": 5}))[1]["code"] == 40060
    status, body = await bare.call("POST", bare.webhook(sent), {"content": "<@1> done"})
    assert (body["id"], body["flags"]) == (asked.original_id, 64)
    assert asked.followups == []
    status, body = await bare.call("POST", bare.webhook(sent), {"content": "more", "flags": 64})
    assert [message.content for message in bare.world.ephemerals(bare.ana)] == ["<@1> done", "more"]
    status, body = await bare.call("GET", bare.webhook(sent, body["id"]))
    assert (body["content"], body["type"]) == ("more", 19)
    channel = f"/channels/{bare.general}/messages/{body['id']}"
    assert (await bare.call("DELETE", bare.webhook(sent, body["id"])))[0] == 204
    assert (await bare.call("GET", bare.webhook(sent, body["id"])))[1]["code"] == 10008
    assert (await bare.call("GET", channel))[0] == 401
    status, body = await bare.call("PATCH", bare.webhook(sent, "@original"), {"content": "edited"})
    assert (body["content"], body["id"]) == ("edited", asked.original_id)


async def test_a_followup_to_a_finished_response_answers_it_and_pings_no_role(bare: Bare) -> None:
    waiting, sent = await bare.asked(question="who?")
    await bare.respond(sent, {"type": 4, "data": {"content": "orders"}})
    asked = await waiting
    loud = f"<@{bare.ana}> <@&{bare.world.bot_role(bare.guild)}> @everyone"
    status, body = await bare.call("POST", bare.webhook(sent), {"content": loud})
    assert (status, body["message_reference"]["message_id"]) == (200, asked.original_id)
    assert [user["id"] for user in body["mentions"]] == [bare.ana]
    assert (body["mention_roles"], body["mention_everyone"]) == ([], False)
    assert [message.id for message in asked.followups] == [body["id"]]
    await bare.call("DELETE", bare.webhook(sent, "@original"))
    status, body = await bare.call("POST", bare.webhook(sent), {"content": "more"})
    assert (status, body["type"]) == (200, 0)
    for stranger in (f"/webhooks/1/{sent['token']}", f"/webhooks/{bare.world.application_id}/other"):
        assert (await bare.call("POST", stranger, {"content": "x"}))[1]["code"] == 10015
    assert body["interaction_metadata"]["id"] == asked.id


@pytest.mark.parametrize(("code", "status"), [(50027, 401), (10015, 404), (10062, 404)])
async def test_a_token_dies_after_fifteen_minutes_or_when_told_to(bare: Bare, code: int, status: int) -> None:
    bare.world.expired_as = code
    waiting, sent = await bare.asked(question="who?")
    await bare.respond(sent, {"type": 4, "data": {"content": "orders"}})
    asked = await waiting
    assert (await bare.call("GET", bare.webhook(sent, "@original")))[0] == 200
    bare.clock.advance(15 * 60)
    found, body = await bare.call("PATCH", bare.webhook(sent, "@original"), {"content": "late"})
    assert (found, body["code"]) == (status, code)
    waiting, sent = await bare.asked(question="and?")
    await bare.respond(sent, {"type": 4, "data": {"content": "web"}})
    bare.world.expire(await waiting)
    found, body = await bare.call("POST", bare.webhook(sent), {"content": "late"})
    assert (found, body["code"]) == (status, code)
    assert asked.original is not None
    assert asked.original.content == "orders"


@pytest.mark.parametrize(
    "body",
    [
        {"type": 1},
        {"type": 6},
        {"type": 7, "data": {"content": "x"}},
        {"type": 8, "data": {"choices": []}},
        {"type": 4, "data": {"content": "x" * 2001}},
        {"type": 9, "data": {"title": "x" * 46, "custom_id": "m", "components": []}},
        {"type": 9, "data": {"custom_id": "m", "components": []}},
        {"type": 9, "data": {"title": "t", "custom_id": "m", "components": []}},
        {"type": 9, "data": {"title": "t", "custom_id": "m", "components": [{"type": 2}]}},
        {"type": 9, "data": {"title": "t", "custom_id": "m", "components": [{"type": 18, "label": "x"}]}},
    ],
)
async def test_a_first_response_discord_would_not_take_leaves_the_second_its_chance(
    bare: Bare, body: Json
) -> None:
    waiting, sent = await bare.asked(question="who?")
    status, refusal = await bare.respond(sent, body)
    assert (status, refusal["code"]) == (400, 50035)
    assert refusal["errors"]
    assert (await bare.respond(sent, {"type": 4, "data": {"content": "orders"}}))[0] == 204
    assert (await waiting).original.content == "orders"


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ({"type": 4, "custom_id": "q", "label": "x" * 46, "style": 1}, "label"),
        ({"type": 4, "custom_id": "q", "label": "x", "style": 1, "placeholder": "x" * 101}, "placeholder"),
        ({"type": 4, "custom_id": "q", "label": "x", "style": 3}, "style"),
        ({"type": 4, "label": "x", "style": 1}, "custom_id"),
    ],
)
async def test_a_field_that_discord_would_not_show_is_refused(bare: Bare, field: Json, where: str) -> None:
    _waiting, sent = await bare.asked(question="who?")
    modal = {"title": "t", "custom_id": "m", "components": [{"type": 1, "components": [field]}]}
    status, refusal = await bare.respond(sent, {"type": 9, "data": modal})
    assert (status, where in str(refusal["errors"])) == (400, True)
    await bare.respond(sent, {"type": 5})
    await _waiting


async def test_a_form_of_texts_ticks_and_words_is_filled_in(bare: Bare) -> None:
    waiting, sent = await bare.asked(question="who?")
    text = {"type": 4, "custom_id": "q", "label": "Question", "style": 2, "value": "who?", "required": False}
    tick = {"type": 23, "custom_id": "sure"}
    many = {"type": 3, "custom_id": "many", "required": False, "options": [{"label": "a", "value": "a"}]}
    components = [
        {"type": 10, "content": "Ask away"},
        {"type": 1, "components": [text]},
        {"type": 18, "label": "Sure", "component": tick},
        {"type": 18, "label": "Many", "component": many},
    ]
    modal = {"title": "t", "custom_id": "m", "components": components}
    status, body = await bare.respond(sent, {"type": 9, "data": modal}, "?with_response=true")
    assert (status, "resource" in body) == (200, False)
    asked = await waiting
    submitting = asyncio.create_task(bare.world.submit(bare.ana, asked, Sure=True))
    await bare.world.until(lambda: bare.world.events[-1].data["type"] == 5)
    form = bare.world.events[-1].data
    words, row, label, chosen = form["data"]["components"]
    assert (words["type"], row["components"][0]["value"]) == (10, "who?")
    assert (label["component"]["value"], chosen["component"]["values"]) == (True, [])
    again = await bare.respond(form, {"type": 9, "data": modal})
    assert again[1]["code"] == 50035
    await bare.respond(form, {"type": 4, "data": {"content": "thanks"}})
    shown = (await submitting).original
    assert shown is not None
    assert shown.interaction is not None
    assert shown.interaction["triggering_interaction_metadata"]["id"] == asked.id


async def test_autocomplete_takes_25_choices_of_100_characters(bare: Bare) -> None:
    typing = asyncio.create_task(bare.world.complete(bare.ana, bare.general, "ask", "project", "s"))
    await bare.world.until(lambda: bare.world.events[-1].event == "INTERACTION_CREATE")
    sent = bare.world.events[-1].data
    good = {"name": "shop", "value": "shop"}
    for choices in ([good] * 26, [good | {"name": ""}], [good | {"value": "x" * 101}]):
        status, body = await bare.respond(sent, {"type": 8, "data": {"choices": choices}})
        assert (status, body["code"]) == (400, 50035)
    assert (await bare.respond(sent, {"type": 4, "data": {"content": "x"}}))[1]["code"] == 50035
    await bare.respond(sent, {"type": 8, "data": {"choices": [good]}})
    assert await typing == [good]


async def test_a_menu_before_any_command_is_registered_and_a_private_press(bare: Bare) -> None:
    direct = bare.world.open_dm(bare.ana)
    message = await bare.world.say(bare.ana, direct, "hello")
    waiting = asyncio.create_task(bare.world.menu(bare.ana, direct, message, "Ask"))
    await bare.world.until(lambda: bare.world.events[-1].event == "INTERACTION_CREATE")
    sent = bare.world.events[-1].data
    assert sent["context"] == 1
    row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}
    link = {"type": 2, "style": 5, "label": "Read", "url": "https://example.org"}
    row["components"].append(link)  # type: ignore[attr-defined] # the list above
    answer = {"type": 4, "data": {"content": "x", "flags": 64, "components": [row]}}
    status, body = await bare.respond(sent, answer, "?with_response=1")
    assert (status, "guild_id" in body["interaction"]) == (200, False)
    asked = await waiting
    bob = bare.world.add_user("Bob")
    with pytest.raises(LookupError, match="does not see"):
        await bare.world.press(bob, direct, asked.original_id, "Go")
    with pytest.raises(LookupError, match="cannot be pressed"):
        await bare.world.press(bare.ana, direct, asked.original_id, "Read")
    pressing = asyncio.create_task(bare.world.press(bare.ana, direct, asked.original_id, "go"))
    await bare.world.until(lambda: bare.world.events[-1].data.get("type") == 3)
    pressed = bare.world.events[-1].data
    assert pressed["message"]["flags"] == 64
    await bare.respond(pressed, {"type": 7, "data": {"content": "gone", "components": []}})
    changed = (await pressing).original
    assert changed is not None
    assert changed.content == "gone"
    assert not [event for event in bare.world.events if event.event == "MESSAGE_UPDATE"]
    assert (await bare.call("DELETE", bare.webhook(sent, "@original")))[0] == 204
    assert not [event for event in bare.world.events if event.event == "MESSAGE_DELETE"]


async def test_options_of_registered_commands_are_held_to_their_definition(bare: Bare) -> None:
    option = {"name": "mood", "description": "How", "type": 3, "choices": [{"name": "Good", "value": "good"}]}
    short = {"name": "word", "description": "One", "type": 3, "max_length": 3}
    role = {"name": "team", "description": "Who", "type": 8}
    anybody = {"name": "whom", "description": "Whom", "type": 9}
    commands = [
        {"name": "feel", "description": "Feel", "options": [option, short, role, anybody], "contexts": [0]},
        {"name": "greet", "description": "Greet", "options": [anybody]},
        {"name": "admin", "description": "No one", "default_member_permissions": "0"},
    ]
    headers = {"Authorization": f"Bot {bare.world.token}"}
    path = f"{bare.server.api_url}/applications/{bare.world.application_id}/commands"
    async with bare.session.put(path, json=commands, headers=headers) as response:
        assert response.status == 200
    for given, fault in (({"mood": "bad"}, "one of"), ({"word": "long"}, "takes 0 to 3")):
        with pytest.raises(ValueError, match=fault):
            await bare.world.slash(bare.ana, bare.general, "feel", **given)
    with pytest.raises(LookupError, match="not offered in private"):
        await bare.world.slash(bare.ana, bare.world.open_dm(bare.ana), "feel")
    with pytest.raises(LookupError, match="not offered to Ana"):
        await bare.world.slash(bare.ana, bare.general, "admin")
    team = bare.world.bot_role(bare.guild)
    waiting = asyncio.create_task(bare.world.slash(bare.ana, bare.general, "feel", team=team, whom=bare.ana))
    await bare.world.until(lambda: bare.world.events[-1].event == "INTERACTION_CREATE")
    sent = bare.world.events[-1].data
    assert sent["data"]["resolved"]["roles"][team]["managed"] is True
    assert sent["data"]["resolved"]["users"][bare.ana]["username"] == "ana"
    await bare.respond(sent, {"type": 5})
    deferred = (await waiting).original
    assert deferred is not None
    assert deferred.is_loading
    direct = bare.world.open_dm(bare.ana)
    greeting = asyncio.create_task(bare.world.slash(bare.ana, direct, "greet", whom=bare.ana))
    await bare.world.until(lambda: bare.world.events[-1].data.get("context") == 1)
    sent = bare.world.events[-1].data
    assert list(sent["data"]["resolved"]) == ["users"]
    await bare.respond(sent, {"type": 5})
    await greeting


async def test_a_subcommand_goes_before_any_is_registered(bare: Bare) -> None:
    waiting = asyncio.create_task(bare.world.slash(bare.ana, bare.general, "threadline link", project="shop"))
    await bare.world.until(lambda: bare.world.events[-1].event == "INTERACTION_CREATE")
    sent = bare.world.events[-1].data
    assert sent["data"]["options"][0]["name"] == "link"
    assert sent["data"]["options"][0]["options"][0]["value"] == "shop"
    await bare.respond(sent, {"type": 5})
    await waiting
