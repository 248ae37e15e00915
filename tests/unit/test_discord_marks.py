"""The marks that buttons bear: what they say, which ones are ours, and how they come back from Discord."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bots.demo.discord import DiscordServer, DiscordWorld
from bots.discord.client import ThreadlineClient, pointed_at
from bots.discord.keys import DIRECT, Kind, thread_key, workspace
from bots.discord.marks import TEMPLATE, Mark, Marks, marks, read_mark, read_stop
from bots.discord.messages import Said
from bots.discord.views import FORM
from bots.wiring import new_delivery_id
from core.model import DeliveryId, WorkspaceId
from core.testing import SettableClock

ACME = WorkspaceId("80351110224678912")
OURS = Marks("bot.token")
D1 = DeliveryId("d1")
MADE = OURS.make(thread_key(ACME, 11, 22, Kind.PRIVATE), D1)
LIMIT = 100  # characters of a custom_id (Discord, message components)
FAR = datetime(2200, 1, 1, tzinfo=UTC)

snowflakes = st.integers(1, 2**64 - 1)  # a snowflake has 64 bits
workspaces = st.just(DIRECT) | snowflakes.map(workspace)
deliveries = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20).map(DeliveryId)


# --- what they say ---------------------------------------------------------------------------------


@given(st.sampled_from(Kind), workspaces, snowflakes, snowflakes, deliveries)
def test_a_mark_says_again_whose_it_is(
    kind: Kind, home: WorkspaceId, channel: int, place: int, delivery: DeliveryId
) -> None:
    key = thread_key(home, channel, place, kind)
    made = OURS.make(key, delivery)
    read = read_mark(made.custom_id)
    assert read == made
    assert (read.thread, read.delivery) == (key, delivery)
    assert TEMPLATE.fullmatch(made.custom_id)
    assert OURS.holds(read)
    stops = OURS.make(key, delivery, stops=True)
    assert read_stop(stops.custom_id) == stops
    assert len(stops.custom_id) == len(made.custom_id) <= LIMIT
    assert OURS.holds(stops)


@pytest.mark.parametrize(("digits", "longest"), [(19, 94), (20, 97)])
def test_a_mark_of_the_longest_ids_fits_discord_also_in_a_form(digits: int, longest: int) -> None:
    """Ids have 19 digits until 2090, and never more than 20."""
    number = 10**digits - 1
    delivery = new_delivery_id(FAR)
    assert len(delivery) == 20
    in_forms = [
        FORM + OURS.make(thread_key(workspace(number), number, number, kind), delivery).custom_id
        for kind in Kind
    ]
    assert max(map(len, in_forms)) == longest <= LIMIT
    assert all(read_mark(one.removeprefix(FORM)) for one in in_forms)


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "a",
        "a:",
        "vote:yes",
        "ask:1:2:d1",
        "a:1:2:d1",
        "a:1:2:3:d1",
        "a:1:2:3:d1:",
        "a:1:2:3:d1:abcdefg",
        "a:1:2:3:d1:abcdefghi",
        "a:1:2:3:d1:abcdefg1",
        "a:1:2:3:d1:ABCDEFGH",
        "a:1:2:3:d1:abcdefgé",
        "a:1:2:3:d1:abcdefgh:more",
        "a:1:2:3:D1:abcdefgh",
        "a:1:2:3::abcdefgh",
        "a:1:2:#3:d1:abcdefgh",
        "a:1:2:@~3:d1:abcdefgh",
        "a:1:~2:3:d1:abcdefgh",
        "a:me:2:3:d1:abcdefgh",
        "a:@you:2:3:d1:abcdefgh",
        "a:1:x:3:d1:abcdefgh",
        "a:1:-2:3:d1:abcdefgh",
        "a:" + "1" * 21 + ":2:3:d1:abcdefgh",
        "a:1:2:3:" + "d" * 21 + ":abcdefgh",
        " a:1:2:3:d1:abcdefgh",
        "a:1:2:3:d1:abcdefgh\n",
        "f:a:1:2:3:d1:abcdefgh",
        "f:about",
    ],
)
def test_ids_of_strangers_mean_nothing(custom_id: str) -> None:
    assert read_mark(custom_id) is None
    assert read_stop(custom_id.replace("a:", "s:", 1)) is None


@given(st.text(max_size=LIMIT) | st.from_regex(TEMPLATE, fullmatch=True))
def test_no_custom_id_whatever_raises(custom_id: str) -> None:
    found = read_mark(custom_id)
    assert found is None or (found.custom_id == custom_id and not OURS.holds(found))


# --- which ones are ours ---------------------------------------------------------------------------


def test_a_mark_holds_after_a_restart_and_is_the_same_then() -> None:
    again = Marks("bot.token")
    assert again.holds(MADE)
    assert again.make(MADE.thread, MADE.delivery) == MADE


def test_a_mark_of_another_token_does_not_hold() -> None:
    others = Marks("another.token").make(MADE.thread, MADE.delivery)
    assert not OURS.holds(others)
    assert not Marks("another.token").holds(MADE)


@pytest.mark.parametrize(
    "changed",
    [
        replace(MADE, thread=replace(MADE.thread, workspace=WorkspaceId("80351110224678913"))),
        replace(MADE, thread=replace(MADE.thread, workspace=DIRECT)),
        replace(MADE, thread=replace(MADE.thread, channel="12")),
        replace(MADE, thread=replace(MADE.thread, thread="~23")),
        *(replace(MADE, thread=replace(MADE.thread, thread=f"{sign}22")) for sign in ("", "@", "!")),
        replace(MADE, delivery=DeliveryId("d2")),
        replace(MADE, seal="abcdefgh"),
        replace(MADE, seal=MADE.seal[::-1]),
    ],
    ids=lambda made: made.custom_id,
)
def test_a_mark_that_was_changed_does_not_hold(changed: Mark) -> None:
    read = read_mark(changed.custom_id)
    assert read == changed != MADE
    assert not OURS.holds(read)


def test_the_mark_of_a_wait_does_not_pass_for_one_of_an_answer_nor_the_other_way_round() -> None:
    stops = OURS.make(MADE.thread, D1, stops=True)
    assert read_mark(stops.custom_id) is None
    assert read_stop(MADE.custom_id) is None
    for changed in (replace(stops, stops=False), replace(MADE, stops=True)):
        assert (read_stop if changed.stops else read_mark)(changed.custom_id) == changed
        assert not OURS.holds(changed)


def test_digits_do_not_pass_from_one_id_to_the_next() -> None:
    made = OURS.make(thread_key(WorkspaceId("12"), 34, 56), D1)
    for home, channel, place in (("1", 234, 56), ("123", 4, 56), ("12", 3, 456), ("12", 345, 6)):
        assert not OURS.holds(replace(made, thread=thread_key(WorkspaceId(home), channel, place)))


# --- as Discord shows them again -------------------------------------------------------------------


@pytest_asyncio.fixture
async def town() -> AsyncIterator[tuple[DiscordWorld, ThreadlineClient, str]]:
    world = DiscordWorld(SettableClock())
    server = DiscordServer(world)
    await server.start()
    with pointed_at(server.api_url, None):
        client = ThreadlineClient(world.clock, message_content=False, proxy=None)
        await client.login(world.token)
        yield world, client, world.add_channel(world.add_guild("acme"), "general")
        await client.close()
    await server.stop()


async def test_the_marks_of_a_message_are_read_back_from_discord(
    town: tuple[DiscordWorld, ThreadlineClient, str],
) -> None:
    world, client, channel = town
    with Said("here", mark=MADE).parameters(nonce="d1-0") as params:
        sent = await client.http.send_message(int(channel), params=params)
    place = client.get_partial_messageable(int(channel))
    assert marks(await place.fetch_message(int(sent["id"]))) == [MADE]
    plain = await world.say(world.bot_user, channel, "here")
    assert marks(await place.fetch_message(int(plain))) == []
    stops = OURS.make(MADE.thread, D1, stops=True)
    with Said("I have to wait", mark=stops).parameters(nonce="d1-q1") as params:
        wait = await client.http.send_message(int(channel), params=params)
    assert marks(await place.fetch_message(int(wait["id"]))) == []


async def test_among_the_components_of_strangers_only_our_marks_are_seen(
    town: tuple[DiscordWorld, ThreadlineClient, str],
) -> None:
    world, client, channel = town
    numbers = count(1)

    def part(kind: int, **more: object) -> dict[str, object]:
        return {"type": kind, "id": next(numbers), **more}

    buttons = [
        part(2, style=2, label="yes", custom_id="vote:yes"),
        part(2, style=5, label="docs", url="https://a.example"),
        part(2, style=2, label="more", custom_id=MADE.custom_id),
    ]
    elsewhere = OURS.make(MADE.thread, DeliveryId("d2"))
    menu = part(3, custom_id=elsewhere.custom_id, options=[{"label": "a", "value": "a"}])
    rows = (part(1, components=buttons), part(1, components=[menu]), part(10, content="words"))
    message = world.message(await world.say(world.bot_user, channel, "here"))
    assert message is not None
    world.keep(replace(message, components=rows))
    read = await client.get_partial_messageable(int(channel)).fetch_message(int(message.id))
    assert marks(read) == [MADE]
