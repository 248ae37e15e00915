"""How Discord's Markdown is read, and what people in a server see."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from bots.cli.demo.discord_window import DiscordWindow
from bots.cli.demo.discord_words import DiscordWords, told_time
from bots.cli.demo.seen import Chat, Said, Spot
from bots.cli.demo.view import console
from bots.demo.discord import DiscordWorld, Flags, Message, MessageKind
from core.testing import SettableClock

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOON = int((NOW + timedelta(minutes=5)).timestamp())
NAMES = {"1": "ana", "2": "admins", "3": "general"}
WORDS = DiscordWords(lambda _, thing: NAMES.get(thing, thing), lambda: NOW)


def drawn(written: str) -> str:
    out = console(io.StringIO())
    out.width = 60
    out.print(WORDS.block(written))
    assert isinstance(out.file, io.StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines()).strip()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@1> asked <@!1>, <@&2> in <#3>: **why?**", "@ana asked @ana, @admins in #general: why?"),
        (f"again at <t:{SOON}:t> (<t:{SOON}:R>)", "again at 12:05 UTC (in 5 minutes)"),
        ("one\ntwo", "one\ntwo"),
        ("see <https://example.com/a_b>", "see https://example.com/a_b"),
        ("a < b & c &amp; d", "a < b & c &amp; d"),
        ("`<@1>` and ``x ` y`` and \\*", "<@1> and x ` y and *"),
        ("-# small print\nlarge", "small print\nlarge"),
        ("a\u2060b", "ab"),
        ("| a | b |\n| --- | --- |\n| c | d |", "| a | b |\n| --- | --- |\n| c | d |"),
        ("- **Service**: `web`\n  **Team**: Growth", "• Service: web\n   Team: Growth"),
        ("> quoted\nnot quoted", "▌ quoted\n\nnot quoted"),
        ("```json\n<@1> | x\n> y\n```\nend", "<@1> | x\n > y\n\n\nend"),
    ],
)
def test_discords_markdown_is_read(written: str, read: str) -> None:
    assert drawn(written) == read


def test_what_people_write_is_one_line_with_names() -> None:
    assert WORDS.line("<@1>, **look** at `<#9>` <b>").plain == "@ana, **look** at `<#9>` <b>"


@pytest.mark.parametrize(
    ("style", "seconds", "shown"),
    [
        ("R", 0, "now"),
        ("R", 1, "in 1 second"),
        ("R", -7200, "2 hours ago"),
        ("R", 90_000, "in 1 day"),
        ("T", 60, "12:01 UTC"),
        ("D", 0, "2026-11-24"),
        (None, 0, "2026-11-24 12:00 UTC"),
    ],
)
def test_times_are_told(style: str | None, seconds: int, shown: str) -> None:
    assert told_time(NOW + timedelta(seconds=seconds), style, NOW) == shown


class Server:
    """A server with one person and one channel."""

    def __init__(self) -> None:
        self.world = DiscordWorld(SettableClock())
        self.guild = self.world.add_guild("acme")
        self.ana = self.world.add_user("ana")
        self.world.join(self.guild, self.ana)
        self.general = self.world.add_channel(self.guild, "general")
        self.window = DiscordWindow(self.world)

    def by_bot(self, words: str, **more: object) -> None:
        world, message = self.world, self.world.snowflakes.new()
        at = world.clock.now()
        world.keep(Message(message, self.general, world.bot_user, words, at, **more))  # type: ignore[arg-type]  # passed through

    def seen(self) -> list[Said]:
        return list(self.window.said())


async def test_a_thread_belongs_to_the_message_it_hangs_on() -> None:
    server = Server()
    message = await server.world.say(server.ana, server.general, f"<@{server.world.bot_user}> hello")
    thread = await server.world.open_thread(server.ana, server.general, "hello", message)
    await server.world.say(server.ana, thread, "in it")
    first, second = server.seen()
    assert str(first.draw()) == "@Threadline hello"
    assert first.spot == Spot(Chat.DISCORD, server.general)
    assert first.conversation == second.spot == second.conversation
    assert (second.who, second.words) == ("ana", "in it")


def test_the_apps_buttons_are_seen_and_links_are_no_buttons() -> None:
    server = Server()
    parts = [{"type": 2, "style": 2, "label": "More"}, {"type": 2, "style": 5, "label": "Site"}]
    server.by_bot("Yes", components=({"type": 1, "components": parts},))
    (answer,) = server.seen()
    assert answer.is_app
    assert answer.buttons == ("More",)


def test_who_asked_alone_sees_that_the_app_thinks_and_what_it_says() -> None:
    server = Server()
    server.by_bot("", flags=Flags.LOADING)
    server.by_bot("note", kind=MessageKind.THREAD_CREATED)
    server.by_bot("", flags=Flags.LOADING | Flags.EPHEMERAL, seen_by=server.ana)
    server.by_bot("psst", flags=Flags.EPHEMERAL, seen_by=server.ana)
    thinking, whispered = server.seen()
    assert str(thinking.draw()) == "is thinking…"
    assert thinking.only == whispered.only == "ana"
    assert whispered.conversation == whispered.spot == Spot(Chat.DISCORD, server.general)


def test_places_and_who_is_mentioned_are_named() -> None:
    server = Server()
    world, out = server.world, console(io.StringIO())
    role = world.bot_role(server.guild)
    server.by_bot(f"<@{server.ana}> <@7> <#{server.general}> <#8> <@&{role}> <@&9>")
    (mentions,) = server.seen()
    out.print(mentions.draw())
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue().strip() == "@ana @7 #general #8 @Threadline @9"
    assert server.window.where(server.general) == "#general"
    assert server.window.where(world.open_dm(server.ana)) == "@Threadline"
