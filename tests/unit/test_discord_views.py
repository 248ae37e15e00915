"""What we show on Discord: messages that ping nobody, the button under an answer, and the forms."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord.http import MultipartParameters

from bots import texts
from bots.demo.discord import DiscordServer, DiscordWorld, Flags
from bots.demo.discord.modals import check_modal
from bots.discord.client import ThreadlineClient, let_in, log_in, pointed_at, stay_connected
from bots.discord.keys import Kind, thread_key
from bots.discord.marks import Mark, Marks
from bots.discord.messages import Said
from bots.discord.views import (
    ABOUT,
    FORM,
    LONGEST_MESSAGE,
    MESSAGE,
    QUESTION,
    about_form,
    filled_in,
    follow_up_form,
    row_of,
    sent_by,
)
from bots.wiring import new_delivery_id
from core.clock import SystemClock
from core.model import WorkspaceId

LONGEST = 2**64 - 1
KEY = thread_key(WorkspaceId(str(LONGEST)), LONGEST, LONGEST, Kind.PRIVATE)


@pytest.fixture
def made() -> Mark:
    return Marks("token").make(KEY, new_delivery_id(SystemClock().now()))


def body(params: MultipartParameters) -> dict[str, Any]:
    """Return what is sent as JSON, with a file or without."""
    if params.payload is not None:
        return params.payload
    assert params.multipart is not None
    found = next(part["value"] for part in params.multipart if part["name"] == "payload_json")
    return dict(json.loads(found))


# --- messages --------------------------------------------------------------------------------------


async def test_a_message_pings_nobody_and_loads_no_preview() -> None:
    with Said("Ask <@1>, @everyone: https://a.example").parameters(nonce="d1-0") as params:
        sent = body(params)
    assert sent["content"] == "Ask <@1>, @everyone: https://a.example"
    assert sent["allowed_mentions"]["parse"] == []
    assert not sent["allowed_mentions"].get("users")
    assert Flags(sent["flags"]) == Flags.SUPPRESS_EMBEDS
    assert (sent["nonce"], sent["enforce_nonce"]) == ("d1-0", True)


async def test_only_whom_it_names_is_pinged() -> None:
    with Said("<@1> <@2> here", names=(1,)).parameters() as params:
        allowed = body(params)["allowed_mentions"]
    assert [int(who) for who in allowed["users"]] == [1]
    assert allowed.get("parse") == []
    assert not allowed.get("replied_user")


async def test_what_is_for_one_person_alone_is_marked_so() -> None:
    with Said("here").parameters(unseen=True) as params:
        assert Flags.EPHEMERAL in Flags(body(params)["flags"])
    with Said("here").parameters() as params:
        assert Flags.EPHEMERAL not in Flags(body(params)["flags"])


async def test_a_file_goes_along_whole_and_quietly(made: Mark) -> None:
    with Said("all of it", "ä" * 5_000, made).parameters(nonce="d1-0") as params:
        assert params.files is not None
        (file,) = params.files
        assert (file.filename, file.fp.read().decode()) == ("answer.md", "ä" * 5_000)
        sent = body(params)
    assert sent["allowed_mentions"]["parse"] == []
    assert sent["components"][0]["components"][0]["custom_id"] == made.custom_id
    assert sent["nonce"] == "d1-0"


async def test_a_message_without_a_mark_has_no_button() -> None:
    with Said("here").parameters() as params:
        assert not body(params).get("components")


# --- buttons and forms, as they are sent -----------------------------------------------------------


async def test_the_button_says_what_it_does_and_is_remembered_by_nobody(made: Mark) -> None:
    view = row_of(made)
    assert view is not None
    ((button,),) = [row["components"] for row in view.to_components()]
    assert (button["label"], button["custom_id"]) == (texts.FOLLOW_UP, made.custom_id)
    assert view.is_finished()


async def test_what_a_button_only_tells_stands_beside_it_and_cannot_be_pressed(made: Mark) -> None:
    view = row_of(made, "The question was deleted")
    assert view is not None
    ((button, told),) = [row["components"] for row in view.to_components()]
    assert (button["label"], told["label"]) == (texts.FOLLOW_UP, "The question was deleted")
    assert told["disabled"]
    assert not button.get("disabled")
    alone = row_of(None, "The question was deleted")
    assert alone is not None
    assert len(alone.to_components()[0]["components"]) == 1
    assert view.is_finished()
    assert alone.is_finished()
    assert row_of(None) is None


async def test_under_a_wait_there_is_a_button_to_stop(made: Mark) -> None:
    stops = Marks("token").make(made.thread, made.delivery, stops=True)
    view = row_of(stops)
    assert view is not None
    ((button,),) = [row["components"] for row in view.to_components()]
    assert (button["label"], button["custom_id"]) == (texts.STOP_BUTTON, stops.custom_id)


async def test_discord_would_open_our_forms_however_long_the_ids_and_messages_are(made: Mark) -> None:
    for form in (follow_up_form(made), about_form("x"), about_form("x" * 10_000)):
        drawn = form.to_dict()
        assert len(check_modal(drawn)["components"]) == len(drawn["components"])
        assert form.is_finished()


async def test_a_form_about_a_message_carries_as_much_of_it_as_fits() -> None:
    question, message = about_form("x" * 10_000).to_dict()["components"]
    assert message["component"]["value"] == "x" * LONGEST_MESSAGE
    assert question["component"]["placeholder"] == texts.ASK_DEFAULT
    assert question["component"]["required"] is False


# --- what is filled in -----------------------------------------------------------------------------


class Listener(ThreadlineClient):
    """Remembers the forms that were filled in, and opens one for every command."""

    forms: list[tuple[str, dict[str, str]]]
    form: discord.ui.Modal

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            self.forms.append((sent_by(interaction), filled_in(interaction)))
            await interaction.response.defer(thinking=True)
        elif interaction.type is discord.InteractionType.application_command:
            assert filled_in(interaction) == {}
            assert sent_by(interaction) == ""
            await interaction.response.send_modal(self.form)


@pytest.fixture
async def town() -> AsyncIterator[tuple[DiscordWorld, Listener, str, str]]:
    world = DiscordWorld(SystemClock())
    server = DiscordServer(world)
    await server.start()
    guild, ana = world.add_guild("acme"), world.add_user("ana")
    world.join(guild, ana)
    general = world.add_channel(guild, "general")
    with pointed_at(server.api_url, server.gateway_url):
        client = Listener(world.clock, message_content=False, proxy=None)
        client.forms = []
        await log_in(client, world.token)
        task = asyncio.create_task(stay_connected(client, world.clock))
        await let_in(client, task, 10)
        yield world, client, ana, general
        await client.close()
        await task
    await server.stop()


async def test_what_people_write_in_a_form_comes_back_by_its_fields(
    town: tuple[DiscordWorld, Listener, str, str],
) -> None:
    world, client, ana, general = town
    client.form = about_form("order.created\nis late")
    asked = await world.slash(ana, general, "ask")
    await world.submit(ana, asked, **{QUESTION: "why?"})
    assert client.forms == [(FORM + ABOUT, {QUESTION: "why?", MESSAGE: "order.created\nis late"})]


async def test_a_button_opens_the_form_of_its_conversation_also_after_a_restart(
    town: tuple[DiscordWorld, Listener, str, str], made: Mark
) -> None:
    world, client, ana, general = town
    with Said("here", mark=made).parameters() as params:
        sent = await client.http.send_message(int(general), params=params)
    pressed = await world.press(ana, general, str(sent["id"]), texts.FOLLOW_UP)
    await world.submit(ana, pressed, **{QUESTION: "and then?"})
    assert client.forms == [(FORM + made.custom_id, {QUESTION: "and then?"})]
