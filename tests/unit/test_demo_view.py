"""How the demo draws what people see, and how it notices and numbers what is new."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from rich.markdown import Markdown
from rich.text import Text

from bots.cli.demo.discord_window import DiscordWindow
from bots.cli.demo.seen import Chat, Said, Spot, Status
from bots.cli.demo.slack_window import SlackWindow
from bots.cli.demo.view import View, console
from bots.cli.demo.watch import Watch
from bots.demo.discord import DiscordWorld
from bots.demo.slack import SlackWorkspace
from core.clock import SystemClock
from core.testing import SettableClock

CHANNEL = Spot(Chat.SLACK, "C1")
THREAD = Spot(Chat.SLACK, "C1", "1.0")


def said(
    words: str, spot: Spot = CHANNEL, *, who: str = "ana", markdown: bool = False, **more: object
) -> Said:
    def draw() -> Text | Markdown:
        return Markdown(words) if markdown else Text(words)

    at = datetime(2026, 11, 24, tzinfo=UTC)
    return Said(spot, "2.0", at, who, words, draw, spot, **more)  # type: ignore[arg-type]  # passed through


@pytest.fixture
def view() -> View:
    out = console(io.StringIO())
    out.width = 40
    return View(out)


def drawn(view: View) -> list[str]:
    stream = view.out.file
    assert isinstance(stream, io.StringIO)
    assert "\x1b" not in stream.getvalue()
    return stream.getvalue().splitlines()


def test_messages_stand_at_the_margin_in_a_thread_or_before_one_person(view: View) -> None:
    view.place("Slack #shop", "  [1]")
    view.said(said("hello"))
    view.said(said("well", THREAD, who="ben"))
    view.said(said("psst", who="Threadline", is_app=True, only="ben"))
    view.said(said("again"))
    assert drawn(view) == [
        *("", "Slack #shop  [1]", "  ana  hello", "  ┃ ben  well"),
        *("  ┊ Threadline  only ben sees this", "  ┊ psst", "", "  ana  again"),
    ]


def test_statuses_stand_where_the_conversation_is(view: View) -> None:
    view.status(Status(THREAD, "is typing…"))
    view.status(Status(CHANNEL, "is typing…"))
    assert drawn(view) == ["  ┃ Threadline is typing…", "  Threadline is typing…"]


def test_what_follows_a_command_stands_below_it(view: View) -> None:
    view.command("ana", "/ask who owns billing?")
    view.said(said("ana asked", who="Threadline", is_app=True, buttons=("More",)))
    view.fact("it is so")
    view.command("ben", "presses", in_thread=True)
    assert drawn(view) == [
        *("", "  ana  /ask who owns billing?", "  Threadline", "  ana asked", "  [ More ]"),
        *("  ✓ it is so", "  ┃ ben  presses"),
    ]


def test_markdown_is_drawn_behind_the_threads_bar_without_loose_ends(view: View) -> None:
    table = "| a | b |\n| --- | --- |\n| `x` | [y](https://example.com) |"
    words = f"**Yes**\n\n\n{table}\n\nEnd"
    view.said(said(words, THREAD, who="Threadline", is_app=True, markdown=True))
    lines = drawn(view)
    assert lines[:2] == ["  ┃ Threadline", "  ┃ Yes"]
    assert lines[-1] == "  ┃ End"
    assert all(line.startswith("  ┃") for line in lines)
    assert not any(line.endswith("  ") for line in lines)
    assert not any(one == other == "  ┃ " for one, other in pairwise(lines))


def test_nobody_writes_wider_than_can_be_read() -> None:
    out = console(io.StringIO())
    assert out.width <= 96


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def workspace() -> SlackWorkspace:
    return SlackWorkspace(SystemClock())


@pytest.fixture
def world(clock: SettableClock) -> DiscordWorld:
    return DiscordWorld(clock)


def words(news: list[Said | Status]) -> Iterator[str]:
    return (one.words for one in news)


async def test_everything_on_slack_is_news_once_and_threads_are_numbered(workspace: SlackWorkspace) -> None:
    ana, ben = workspace.add_user("ana"), workspace.add_user("ben")
    first, second = workspace.add_channel("one"), workspace.add_channel("two")
    watch = Watch({Chat.SLACK: SlackWindow(workspace)})
    later = await workspace.say(ana, second, "in two")
    root = await workspace.say(ben, first, "in one")
    workspace.set_status(first, root, "is busy")
    assert list(words(watch.news())) == ["in two", "in one", "is busy"]
    assert watch.news() == []
    one, two = Spot(Chat.SLACK, second, later), Spot(Chat.SLACK, first, root)
    assert (watch.number(one), watch.number(two), watch.number(Spot(Chat.SLACK, first))) == (1, 2, 0)
    assert watch.conversation(2) == two
    assert watch.conversation(0) is watch.conversation(3) is None
    assert list(watch.waiting()) == [(2, "is busy")]
    workspace.set_status(first, root, "")
    await workspace.say(ana, first, "a reply", thread=root)
    await workspace.edit(first, root, "in one, really")
    assert sorted(words(watch.news())) == ["a reply", "in one, really"]


async def test_discords_threads_have_the_number_of_the_message_they_hang_on(
    world: DiscordWorld, clock: SettableClock
) -> None:
    guild = world.add_guild("acme")
    ana = world.add_user("ana")
    world.join(guild, ana)
    general = world.add_channel(guild, "general")
    watch = Watch({Chat.DISCORD: DiscordWindow(world)})
    message = await world.say(ana, general, "hello")
    thread = await world.open_thread(ana, general, "hello", message)
    clock.advance(1)
    await world.say(ana, thread, "in it")
    world.start_typing(thread)
    assert list(words(watch.news())) == ["hello", "in it", "is typing…"]
    assert watch.conversation(1) == Spot(Chat.DISCORD, general, message)
    assert list(watch.waiting()) == [(1, "is typing…")]
    clock.advance(timedelta(minutes=1).total_seconds())
    assert list(watch.waiting()) == []


async def test_the_news_of_both_platforms_come_in_order(clock: SettableClock) -> None:
    workspace, world = SlackWorkspace(clock), DiscordWorld(clock)
    ana, channel = workspace.add_user("ana"), workspace.add_channel("shop")
    ben = world.add_user("ben")
    watch = Watch({Chat.SLACK: SlackWindow(workspace), Chat.DISCORD: DiscordWindow(world)})
    direct = world.open_dm(ben)
    await world.say(ben, direct, "first")
    clock.advance(1)
    await workspace.say(ana, channel, "second")
    clock.advance(1)
    await world.say(ben, direct, "third")
    assert list(words(watch.news())) == ["first", "second", "third"]
    assert watch.number(Spot(Chat.DISCORD, direct)) == 1
    assert watch.conversation(3) is None
