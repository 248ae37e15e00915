"""The scripted tour: it shows what it promises, and fails plainly where a promise is not kept."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bots.cli import app
from bots.cli.demo import present
from bots.cli.demo_stage import StepFailed
from bots.cli.demo_town import Town, town
from bots.cli.demo_view import console
from bots.cli.tour import tour
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
    "Threadline is waiting",
    "2 questions wait on disk",
    '"orderId": "o-1042"',
    "nobody was asked for 3.",
    "what the assistant knows stays in the house",
    "/threadline link shop-demo-7f3k1",
    "a project that does not exist is named",
    "the channel names its project",
    "9 questions: 7 answered, 2 refused with a reason, none lost",
    "9 calls of the assistant, 1 of them told to wait",
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
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "COLUMNS": "100", "PYTHONUTF8": "1"}
    async with program("demo", "--script", *options, env=env, folder=str(tmp_path)) as child:
        async with asyncio.timeout(60):
            out, err = await child.communicate()
    assert err == b""
    assert child.returncode == 0
    check(out.decode())
    assert ("Socket Mode" if options else "signed HTTP") in out.decode()
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


async def test_what_never_happens_is_not_waited_for_forever(tmp_path: Path) -> None:
    async with town(tmp_path, by_socket=False) as place:
        with pytest.raises(StepFailed, match="in vain until Threadline writes in the thread"):
            await tour(place, console(Heard()), patience=0)


@pytest.mark.parametrize("error", [StepFailed("It did not rain."), StoreUnavailable("It did not rain.")])
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
