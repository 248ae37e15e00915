"""The interactive demo: driven by a scripted reader, and as a program on a real pseudo-terminal."""

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bots.cli.demo.lines import Lines
from bots.cli.demo.terminal import terminal
from bots.cli.demo.town import OWN_KEY, town
from bots.cli.demo.view import console
from tests.fixtures.demo import Heard, Session


@pytest_asyncio.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    async with town(tmp_path, by_socket=False) as place:
        yield Session(place)


async def test_a_question_is_answered_and_followed_up_in_its_thread(session: Session) -> None:
    shown = await session.play(
        "@threadline who consumes order.created?",
        session.sees("Growth"),
        ":thread 1",
        "and who publishes it?",
        session.sees("publishes order.created"),
        ":up",
        "just talk",
        session.sees("ana  just talk"),
    )
    assert "Slack #shop  [1]\n  ana  @Threadline who consumes order.created?" in shown
    assert "┃ ana  and who publishes it?" in shown
    assert "Slack #shop [1] ana> " in shown
    assert shown.endswith("Nothing of this demo remains. Goodbye.\n")
    assert len(session.place.chats()) == 2


async def test_people_channels_and_the_slash_command(session: Session) -> None:
    shown = await session.play(
        ":as ben",
        ":channel #lab",
        "/threadline link shop-demo-7f3k2",
        session.sees("only ben sees this"),
        ":as ana",
        "/threadline link shop-demo-7f3k2 workspace",
        session.sees("only ana sees this"),
        ":dm",
        "who owns <billing> & @ben?",
        session.sees("team Payments"),
        ":as ben",
        ":quit",
        "never typed",
    )
    assert "only ben sees this" in shown
    assert "ana  who owns <billing> & @ben?" in shown
    assert "Slack @Threadline ben> " in shown
    assert "never typed" not in shown


async def test_a_message_is_asked_about_by_its_menu(session: Session) -> None:
    shown = await session.play(
        "billing was slow last night",
        session.sees("[1]\n  ana  billing was"),
        ":about 1 which topics does it consume?",
        session.sees("order.cancelled"),
        ":about 1",
        session.sees("What does this mean for our services"),
    )
    assert "@ana asks about the message above: which topics does it consume?" in shown


async def test_the_assistant_asks_to_wait_and_the_queue_tells(session: Session) -> None:
    shown = await session.play(
        ":429 2",
        "@threadline who owns billing?",
        session.sees("Threadline is waiting; next try"),
        ":queue",
        session.sees("team Payments"),
    )
    assert re.search(r"accepted +1", shown)
    assert re.search(r"paused until \d\d:\d\d:\d\d UTC +[12]\.\d s more", shown)
    assert re.search(r"thread 1 +Threadline is waiting", shown)
    assert re.search(r"settled +0", shown)


async def test_the_assistant_is_down_and_slow(session: Session) -> None:
    shown = await session.play(
        ":down",
        ":slow 0.1",
        "@threadline who owns billing?",
        session.sees("team Payments"),
        ":down 2",
        ":slow 60",
        "@threadline who owns shipping?",
        lambda: session.place.assistant.wait_for_finished(2 + 3),  # two searches for a project
    )
    assert "answer the next call with" in shown
    assert "answer the next 2 calls with" in shown
    assert "takes 60 seconds" in shown


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":nope", "There is no :nope"),
        (":channel nowhere", "Slack: shop, media, lab, partners; Discord: general, video, random."),
        (":thread x", "Name a thread by the number"),
        (":thread 7", "Name a thread by the number"),
        (":as eve", "ana, an admin, or ben"),
        (":429 soon", "A number from 1 to 3600"),
        (":slow -1", "A number from 0 to 3600"),
        ("/remind me", "one slash command"),
        (":more and then?", "On Slack one just goes on writing in the thread"),
        (":more", "Type the question behind it"),
        (":edit", "Type what your newest message here is to say"),
        (":edit who?", "Type what your newest message here is to say"),
        (":stop", "No Stop button here"),
        (":key", "Name an API key"),
        ("/threadline account", "filled in by :key"),
        (":help", ":slow SECONDS"),
        ("  ", "Things to try"),
    ],
)
async def test_what_cannot_be_done_is_said(session: Session, line: str, told: str) -> None:
    assert told in await session.play(line)


async def test_slash_commands_do_not_work_in_threads_as_on_slack(session: Session) -> None:
    shown = await session.play("talk", session.sees("ana  talk"), ":thread 1", "/threadline status")
    assert "no slash commands in threads" in shown


async def test_a_form_that_does_not_open_is_told(session: Session) -> None:
    session.place.workspace.installed = False
    shown = await session.play("talk", session.sees("ana  talk"), ":about 1")
    assert "did not open" in shown


async def test_it_works_over_socket_mode_too(tmp_path: Path) -> None:
    async with town(tmp_path, by_socket=True) as place:
        session = Session(place)
        shown = await session.play("@threadline who owns billing?", session.sees("team Payments"))
    assert "over Socket Mode" in shown


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, None], ids=["Ctrl-C", "SIGTERM", "Ctrl-D"])
async def test_signals_and_the_end_of_input_end_it(tmp_path: Path, ending: signal.Signals | None) -> None:
    ours, theirs = pty.openpty()
    heard = Heard(on_a_terminal=True)
    async with asyncio.timeout(30), town(tmp_path, by_socket=False) as place, asyncio.TaskGroup() as tasks:
        tasks.create_task(terminal(place, console(heard), theirs))
        await heard.until("ana> ")
        os.write(ours, b"half a line" if ending else b"\x04")
        if ending:
            os.kill(os.getpid(), ending)
    os.close(ours)
    os.close(theirs)
    assert "Goodbye." in heard.getvalue()
    assert "\r\x1b[2K" in heard.getvalue()


async def test_lines_are_read_as_they_come_until_the_end() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours), Lines(ours) as lines:
        os.write(theirs, "one\r\ntwo: ü\nthr".encode())
        assert [await anext(lines), await anext(lines)] == ["one", "two: ü"]
        os.write(theirs, b"ee")
        os.close(theirs)
        assert [line async for line in lines] == ["three"]


async def test_a_terminal_that_goes_away_is_the_end_of_its_lines() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours), Lines(ours) as lines:
        os.close(theirs)
        assert [line async for line in lines] == []


class Screen:
    """A program on a pseudo-terminal, and what it has written there."""

    def __init__(self, descriptor: int, child: asyncio.subprocess.Process) -> None:
        self._descriptor = descriptor
        self.child = child
        self.heard = Heard()

    def read(self) -> None:
        try:
            self.heard.write(os.read(self._descriptor, 65_536).decode(errors="replace"))
        except OSError:  # the program has gone
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self.heard.end()

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())


@asynccontextmanager
async def on_a_terminal(folder: Path, *options: str) -> AsyncIterator[Screen]:
    """Run `threadline demo` on a terminal of its own; it is ended, however the test goes."""
    ours, theirs = pty.openpty()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bots", "demo", *options),
        env={
            **{"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "PYTHONUTF8": "1"},
            **{"TMPDIR": str(folder), "TERM": "xterm", "COLUMNS": "100"},
        },
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    screen = Screen(ours, child)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, screen.read)
    try:
        yield screen
    finally:
        loop.remove_reader(ours)
        if child.returncode is None:
            child.kill()
        await child.wait()
        os.close(ours)


@pytest.mark.parametrize("options", [(), ("--socket",)], ids=["signed HTTP", "Socket Mode"])
@pytest.mark.parametrize("ending", [":quit\n", "\x04", signal.SIGINT], ids=["quit", "Ctrl-D", "Ctrl-C"])
async def test_on_a_real_terminal_one_can_ask_and_leave(
    tmp_path: Path, options: tuple[str, ...], ending: str | signal.Signals
) -> None:
    async with asyncio.timeout(100), on_a_terminal(tmp_path, *options) as screen:
        await screen.heard.until("ana> ")
        screen.type("@threadline who consumes order.created?\n")
        await screen.heard.until("Growth")
        if isinstance(ending, str):
            screen.type(ending)
        else:
            screen.child.send_signal(ending)
        await screen.heard.until("Goodbye.")
        assert await screen.child.wait() == 0
    assert "Traceback" not in screen.heard.getvalue()
    assert os.listdir(tmp_path) == []


async def test_words_are_changed_a_wait_is_stopped_and_a_key_is_set(session: Session) -> None:
    shown = await session.play(
        "@threadline who owns billing?",
        session.sees("team Payments"),
        ":thread 1",
        ":edit @threadline who owns inventory?",
        session.sees("this answers its earlier text"),
        ":up",
        ":key no-such-key-0000",
        session.sees("does not accept this key"),
        f":key {OWN_KEY}",
        session.sees("accepts the key"),
        ":429 300",
        "@threadline who owns shipping?",
        session.sees("[ Stop ]"),
        ":stop",
        session.sees("Stopped: I have let go"),
    )
    assert "`a1b2`" in shown
    assert OWN_KEY not in shown
    assert session.place.chats()[-1].key == OWN_KEY
    assert len(session.place.chats()) == 2
