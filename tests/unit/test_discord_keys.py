"""Where conversations are on Discord, and how our messages are known again: ids in, ids out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bots.demo.discord import DiscordServer, DiscordWorld
from bots.discord.client import ThreadlineClient, pointed_at
from bots.discord.keys import (
    DIRECT,
    TEMPLATE,
    Kind,
    Mark,
    mark,
    marks,
    moved,
    nonce,
    queued_nonce,
    read_mark,
    spot,
    thread_key,
    workspace,
)
from bots.discord.messages import Said
from bots.discord.views import FORM
from bots.wiring import new_delivery_id
from core.model import AnswerPart, DeliveryId, Notice, Reason, WorkspaceId
from core.testing import SettableClock

ACME = WorkspaceId("80351110224678912")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = 2**64 - 1  # a snowflake has 64 bits

snowflakes = st.integers(1, LONGEST)
deliveries = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20).map(DeliveryId)


@given(st.sampled_from(Kind), snowflakes, snowflakes)
def test_a_key_says_again_what_it_was_made_of(kind: Kind, channel: int, place: int) -> None:
    found = spot(thread_key(ACME, channel, place, kind))
    assert (found.kind, found.channel, found.id) == (kind, channel, place)
    assert found.is_direct is (channel == place)


def test_keys_of_different_kinds_are_different_conversations() -> None:
    assert len({thread_key(ACME, 1, 2, kind) for kind in Kind}) == len(Kind)


def test_direct_messages_are_a_workspace_of_their_own() -> None:
    assert workspace(None) == DIRECT
    assert workspace(int(ACME)) == ACME


def test_a_conversation_goes_on_in_the_thread_opened_for_it() -> None:
    begun = thread_key(ACME, 1, 2, Kind.BEGUN)
    assert moved(begun, 3) == thread_key(ACME, 1, 3)


@given(st.sampled_from(Kind), snowflakes, snowflakes, deliveries)
def test_a_button_says_again_whose_it_is(kind: Kind, channel: int, place: int, delivery: DeliveryId) -> None:
    key = thread_key(ACME, channel, place, kind)
    made = mark(key, delivery)
    assert read_mark(made.custom_id) == made
    assert TEMPLATE.fullmatch(made.custom_id)
    assert made.key(ACME) == key
    assert made.delivery == delivery


def test_marks_of_the_longest_ids_fit_discord_also_in_a_form() -> None:
    delivery = new_delivery_id(FAR)
    for kind in Kind:
        made = mark(thread_key(ACME, LONGEST, LONGEST, kind), delivery)
        assert len(FORM + made.custom_id) <= 100
        assert read_mark(made.custom_id) == made


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "ask",
        "ask:1:2",
        "ask:1:2:",
        "ask:1:2:D1",
        "ask:1:#2:d1",
        "ask:1:@~2:d1",
        "ask:x:2:d1",
        "ask:1:2:d1:more",
        " ask:1:2:d1",
        "ask:1:2:d1\n",
        "form:ask:1:2:d1",
        "ask:" + "1" * 21 + ":2:d1",
        "vote:yes",
    ],
)
def test_buttons_of_strangers_mean_nothing(custom_id: str) -> None:
    assert read_mark(custom_id) is None


@given(st.text(max_size=100))
def test_no_custom_id_whatever_raises(custom_id: str) -> None:
    found = read_mark(custom_id)
    assert found is None or found.custom_id == custom_id


def test_a_post_has_a_nonce_of_its_own_the_same_each_time() -> None:
    delivery = new_delivery_id(FAR)
    pieces: list[AnswerPart | Notice] = [
        *(AnswerPart(number, "words") for number in range(500)),
        *map(Notice, Reason),
    ]
    made = [nonce(delivery, piece) for piece in pieces]
    assert len(set(made)) == len(pieces)
    assert made == [nonce(delivery, piece) for piece in pieces]
    assert max(map(len, made)) <= 25
    assert nonce(delivery, AnswerPart(0, "other words", posted="1", last=False)) == made[0]
    assert nonce(DeliveryId("d2"), AnswerPart(0, "words")) not in made


def test_a_wait_is_told_once_and_another_one_again() -> None:
    delivery = new_delivery_id(FAR)
    told = queued_nonce(delivery, NOW)
    assert told == queued_nonce(delivery, NOW)
    assert told != queued_nonce(delivery, NOW + timedelta(seconds=60))
    assert len(told) <= 25
    others: list[AnswerPart | Notice] = [
        *map(Notice, Reason),
        *(AnswerPart(number, "words") for number in range(500)),
    ]
    assert told not in {nonce(delivery, other) for other in others}


@pytest_asyncio.fixture
async def town() -> AsyncIterator[tuple[DiscordWorld, ThreadlineClient]]:
    world = DiscordWorld(SettableClock())
    server = DiscordServer(world)
    await server.start()
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(world.clock, message_content=False, proxy=None)
        await client.login(world.token)
        yield world, client
        await client.close()
    await server.stop()


async def test_the_marks_of_a_message_are_read_back_from_discord(
    town: tuple[DiscordWorld, ThreadlineClient],
) -> None:
    world, client = town
    channel = world.add_channel(world.add_guild("acme"), "general")
    made = Mark(channel, "~2", DeliveryId("d1"))
    with Said("here", mark=made).parameters(nonce="d1-0") as params:
        sent = await client.http.send_message(int(channel), params=params)
    place = client.get_partial_messageable(int(channel))
    assert marks(await place.fetch_message(int(sent["id"]))) == [made]
    plain = await world.say(world.bot_user, channel, "here")
    assert marks(await place.fetch_message(int(plain))) == []


async def test_among_the_components_of_strangers_only_our_marks_are_seen(
    town: tuple[DiscordWorld, ThreadlineClient],
) -> None:
    world, client = town
    channel = world.add_channel(world.add_guild("acme"), "general")
    numbers = count(1)

    def part(kind: int, **more: object) -> dict[str, object]:
        return {"type": kind, "id": next(numbers), **more}

    buttons = [
        part(2, style=2, label="yes", custom_id="vote:yes"),
        part(2, style=5, label="docs", url="https://a.example"),
        part(2, style=2, label="more", custom_id="ask:1:2:d1"),
    ]
    menu = part(3, custom_id="ask:1:2:d2", options=[{"label": "a", "value": "a"}])
    rows = (part(1, components=buttons), part(1, components=[menu]), part(10, content="words"))
    message = world.message(await world.say(world.bot_user, channel, "here"))
    assert message is not None
    world.keep(replace(message, components=rows))
    read = await client.get_partial_messageable(int(channel)).fetch_message(int(message.id))
    assert marks(read) == [Mark("1", "2", DeliveryId("d1"))]
