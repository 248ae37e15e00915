"""The scripted tour: it shows what it promises, and fails plainly where a promise is not kept."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from bots.cli import app
from bots.cli.demo.command import present
from bots.cli.demo.seen import Misunderstood
from bots.cli.demo.stage import StepFailed
from bots.cli.demo.tour import tour
from bots.cli.demo.town import BEN, SHOP, Town, town
from bots.cli.demo.view import console
from bots.demo.assistant import Outcome
from bots.demo.assistant.faults import status
from core.errors import StoreUnavailable
from tests.fixtures.demo import Heard
from tests.fixtures.program import program

IN_ORDER = (
    "@Threadline who consumes order.created?",
    "the question is kept until the channel is linked",
    "only admins can link a project",
    "the channel is linked",
    "3 services consume order.created",
    "Threadline is looking at the project",
    "Teams to tell",
    "ben and who publishes it?",
    "user ana: what breaks if nobody publishes order.created?",
    "user ben: and who publishes it?",
    "Ben was answered while Ana's question was with the assistant",
    "shipping depends on",
    "what the assistant knows stays in the house",
    "/threadline link shop-demo-7f3k1",
    "a project that does not exist is named",
    "everybody may ask which project answers where",
    "ben edits the message: @threadline who owns inventory?",
    "this answers its earlier text",
    "the assistant was not asked again",
    "Discord #general",
    "Shop demo (shop-demo-7f3k2)",
    "of all projects, the one that fits is offered, by name and id",
    "only those who may manage the server can link",
    "the channel is linked",
    "@ana asked: what breaks if catalog-service is down?",
    "everybody sees the question, and who asked it",
    "catalog-service",
    "[ Ask a follow-up ]",
    "the answer's table is lined up",
    "@ben asked: and who owns it?",
    "“it” was understood: catalog-service",
    "the assistant saw the whole thread, in order",
    "ben @Threadline show me an example of order.created",
    '"orderId": "o-1042"',
    "the answer came in a thread on Ben's message",
    "nobody's phone buzzed",
    "/ask who owns fraud-check? private:true",
    "only ben sees this",
    "nobody else sees anything: no message, no thread",
    "Threadline is waiting",
    "@ben asked: who owns inventory?",
    "2 questions wait on disk, one of each platform, and the key they share is paused",
    "nobody was asked for 2.",
    "/threadline account, and into its form: mistyped-key-0000",
    "MicroVisualizer does not accept this key",
    "a key that MicroVisualizer does not accept changes nothing",
    "(it ends in `a1b2`)",
    "the question went under the workspace's own key",
    "[ Stop ]",
    "Ana is told until when, and may stop it",
    "Discord does not wait",
    "ana presses Stop",
    "Stopped: I have let go of your question here.",
    "nothing waits, and nobody was asked again",
    "17 questions: 14 answered, 2 refused with a reason, 1 stopped, none lost",
    "17 calls of the assistant, 2 of them told to wait",
)


def check(transcript: str) -> None:
    """Find everything, each after the one before, wherever the lines are cut."""
    words = re.sub(r"[\s┃┊│]+", " ", transcript)
    at = 0
    for promised in IN_ORDER:
        at = words.find(promised, at)
        assert at >= 0, promised


@pytest.mark.parametrize("options", [(), ("--socket",)], ids=["signed HTTP", "Socket Mode"])
async def test_the_tour_runs_to_its_end_as_a_program_and_leaves_nothing(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    width = "45" if options else "200"
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "COLUMNS": width, "PYTHONUTF8": "1"}
    async with program("demo", "--script", *options, env=env, folder=str(tmp_path)) as child:
        async with asyncio.timeout(60):
            out, err = await child.communicate()
    assert err == b""
    assert child.returncode == 0
    check(out.decode())
    shown = out.decode()
    assert ("Socket Mode" if options else "signed HTTP") in re.sub(r"[\s│]+", " ", shown)
    assert max(map(cell_len, shown.splitlines())) == (45 if options else 96)
    assert "\x1b" not in shown
    assert os.listdir(tmp_path) == []


def test_without_a_terminal_the_demo_is_the_tour() -> None:
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 0, done.stderr
    check(done.stdout)


async def test_a_promise_that_is_not_kept_ends_the_tour(tmp_path: Path) -> None:
    async with town(tmp_path, by_socket=False) as place:
        place.assistant.faults.add(status(401))
        with pytest.raises(StepFailed, match="promises that the waiting question was answered"):
            await tour(place, console(Heard()))


def ben_may_manage_the_server(place: Town) -> None:
    (guild,) = place.world.guilds
    ben = next(user.id for user in place.world.users.values() if user.name == BEN)
    place.world.join(guild, ben, permissions=["manage_guild"])


def no_thread_can_be_opened(place: Town) -> None:
    place.world.deny(place.channels["general"].channel, "create_public_threads")


@pytest.mark.parametrize(
    ("otherwise", "promise"),
    [
        (ben_may_manage_the_server, "promises that only those who may manage the server can link"),
        (no_thread_can_be_opened, "in vain until Threadline writes in the thread"),
    ],
)
async def test_what_is_otherwise_on_discord_ends_the_tour_too(
    tmp_path: Path, otherwise: Callable[[Town], None], promise: str
) -> None:
    async with town(tmp_path, by_socket=False) as place:
        otherwise(place)
        with pytest.raises(StepFailed, match=promise):
            await tour(place, console(Heard()), patience=3)


async def test_the_tour_takes_seconds_and_pauses_both_platforms_at_once(tmp_path: Path) -> None:
    async with town(tmp_path, by_socket=False) as place, asyncio.timeout(10):
        await tour(place, console(Heard()))
    chats = place.chats()
    told_to_wait = [call.outcome for call in chats].index(Outcome.RATE_LIMITED)
    refused, *answered = chats[told_to_wait : told_to_wait + 3]
    assert refused.outcome is Outcome.RATE_LIMITED
    assert [call.outcome for call in answered] == [Outcome.ANSWERED] * 2
    assert {call.project for call in (refused, *answered)} == {SHOP}
    assert all(call.started_at >= refused.started_at + timedelta(seconds=2) for call in answered)


async def test_what_never_happens_is_not_waited_for_forever(tmp_path: Path) -> None:
    async with town(tmp_path, by_socket=False) as place:
        with pytest.raises(StepFailed, match="in vain until Threadline writes in the thread"):
            await tour(place, console(Heard()), patience=0)


@pytest.mark.parametrize(
    "error",
    [StepFailed("It did not rain."), Misunderstood("It did not rain."), StoreUnavailable("It did not rain.")],
)
def test_a_failed_demo_says_so_in_a_sentence_and_keeps_its_log(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_: Town, __: Console) -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        present(fail, by_socket=False)
    assert ended.value.exit_code == 1
    said = capsys.readouterr().err
    log = Path(said.strip().partition("The log of this demo: ")[2])
    try:
        assert "It did not rain." in said
        assert "Traceback" not in said
        assert '"running"' in log.read_text()
    finally:
        shutil.rmtree(log.parent)
