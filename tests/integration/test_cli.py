"""The command line, over the simulated servers; in this process, and as a real child."""

import asyncio
import os
import signal
from importlib.metadata import version
from pathlib import Path

import pytest

from bots.cli.run import until_signalled
from tests.fixtures.commands import invoke
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk

pytestmark = pytest.mark.usefixtures("elsewhere")


async def test_it_says_which_version_it_is() -> None:
    done = await invoke("--version", env={})
    assert done.exit_code == 0
    assert done.stdout == f"threadline {version('threadline')}\n"


async def test_ask_prints_the_answer(town: Walk) -> None:
    done = await invoke("ask", "who consumes order.created?", env=environment(town))
    assert done.exit_code == 0
    assert "billing" in done.stdout


async def test_ask_names_what_is_missing_or_wrong(town: Walk) -> None:
    env = environment(town, THREADLINE_DEFAULT_PROJECT="")
    assert "Name a project" in (await invoke("ask", "who?", env=env)).stderr
    assert "8 to 60 characters" in (await invoke("ask", "who?", "--project", "X", env=env)).stderr
    assert "empty" in (await invoke("ask", " ", "--project", "shop-demo-7f3k2", env=env)).stderr
    unknown = await invoke("ask", "who?", "--project", "nobody-knows-it", env=env)
    assert unknown.exit_code == 2
    assert "project" in unknown.stderr
    assert unknown.stdout == ""
    missing = await invoke("ask", "who?", env={"MICROVISUALIZER_API_KEY": ""})
    assert missing.exit_code == 2
    assert "MICROVISUALIZER_API_KEY is not set" in missing.stderr


async def test_a_fault_that_may_pass_has_another_exit_code(town: Walk) -> None:
    env = environment(town, MICROVISUALIZER_API_URL="http://127.0.0.1:1")
    assert (await invoke("ask", "who?", env=env)).exit_code == 1


async def test_link_sets_a_channels_or_the_workspaces_project_and_status_shows_it(town: Walk) -> None:
    env = environment(town, THREADLINE_DEFAULT_PROJECT="")
    done = await invoke("link", "shop-demo-7f3k2", "--channel", town.general, env=env)
    assert done.stdout.startswith(f"Database: {env['THREADLINE_DATABASE_URL'].removeprefix('sqlite:///')}\n")
    assert "This channel now asks `shop-demo-7f3k2`" in done.stdout
    done = await invoke("link", "media-demo-4p9x1", env=environment(town, SLACK_APP_TOKEN=""))
    assert done.exit_code == 0
    done = await invoke("link", "media-demo-4p9x1", "--workspace", "T0OTHER", env=env)
    assert "workspace" in done.stdout
    shown = (await invoke("status", env=environment(town))).stdout
    assert town.general in shown
    assert "T0OTHER" in shown
    assert "shop-demo-7f3k2" in shown


async def test_link_and_status_know_discords_servers_too(town: Walk) -> None:
    env = environment(town, SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="", COLUMNS="200")
    guild, channel = "80351110224678912", "80351110224678913"
    done = await invoke("link", "shop-demo-7f3k2", "--workspace", guild, "--channel", channel, env=env)
    assert "This channel now asks `shop-demo-7f3k2`" in done.stdout
    assert (
        "not a channel's id"
        in (await invoke("link", "shop-demo-7f3k2", "--channel", channel, env=env)).stderr
    )
    shown = (await invoke("status", env=env)).stdout
    assert "discord" in shown
    assert channel in shown


async def test_link_refuses_what_it_cannot_do(town: Walk) -> None:
    env = environment(town, SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    assert "Name the workspace" in (await invoke("link", "shop-demo-7f3k2", env=env)).stderr
    assert (await invoke("link", "NO", env=env)).exit_code == 2
    general = await invoke("link", "shop-demo-7f3k2", "--channel", "#general", env=environment(town))
    assert "not a channel's id" in general.stderr
    nowhere = await invoke("link", "shop-demo-7f3k2", "--workspace", "here", env=environment(town))
    assert "not a workspace's id" in nowhere.stderr


async def test_status_tells_of_waiting_questions_and_pauses(town: Walk) -> None:
    async with town.run():
        town.assistant.limit(per_second=0.001, burst=1)
        first = await town.mention("who owns billing?")
        await town.answers(first)
        await town.mention("who owns shipping?")
        await town.assistant.wait_for_finished(2)
        shown = ""
        while "Paused until" not in shown:  # the pause is committed a moment after the 429
            shown = (await invoke("status", env=environment(town))).stdout
    assert "accepted" in shown
    assert "Oldest due" in shown


async def test_an_empty_status_says_so(town: Walk) -> None:
    async with town.run():
        pass
    file = Path(town.settings.database_url.removeprefix("sqlite:///"))
    os.chdir(file.parent)
    env = environment(town, THREADLINE_DEFAULT_PROJECT="", THREADLINE_DATABASE_URL="sqlite:///threadline.db")
    shown = (await invoke("status", env=env)).stdout
    assert "No channel is linked." in shown
    assert f"Database: {file}" in shown


async def test_run_answers_until_it_is_signalled(town: Walk) -> None:
    town.by_socket()
    running = asyncio.create_task(until_signalled(town.settings))
    await town.workspace.until(lambda: town.slack.socket_connections)
    ts = await town.mention("who consumes order.created?")
    await town.answers(ts)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running is False


async def _refused(env: dict[str, str], folder: Path) -> str:
    async with program("run", env=env, folder=str(folder)) as child:
        _, said = await child.communicate()
    assert child.returncode in {1, 2}
    assert b"Traceback" not in said
    return said.decode()


async def test_run_refuses_what_cannot_work_with_one_sentence_and_no_stack_trace(
    town: Walk, tmp_path: Path
) -> None:
    taken = town.slack.api_url.split(":")[2].split("/")[0]
    cases = {
        "not a setting": environment(town, THREADLINE_FOO="1"),
        "SLACK_BOT_TOKEN": environment(town, SLACK_BOT_TOKEN="xoxb-wrong"),
        "cannot be used": environment(town, THREADLINE_DATABASE_URL=f"sqlite:///{tmp_path}"),
        "cannot be listened on": environment(
            town, THREADLINE_HTTP_PORT=taken, THREADLINE_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}"
        ),
    }
    said = await asyncio.gather(*(_refused(env, tmp_path) for env in cases.values()))
    assert [words for words, sentence in zip(cases, said, strict=True) if words not in sentence] == []


async def test_a_second_process_on_the_same_database_is_refused(town: Walk, tmp_path: Path) -> None:
    async with town.run():
        said = await _refused(environment(town), tmp_path)
    assert "another Threadline works on this database" in said


async def test_the_real_program_runs_and_stops_cleanly(town: Walk, tmp_path: Path) -> None:
    env = environment(town, SLACK_CLIENT_ID="", SLACK_CLIENT_SECRET="")
    async with program("run", env=env, folder=str(tmp_path)) as child:
        await town.workspace.until(lambda: town.slack.socket_connections)
        child.send_signal(signal.SIGINT)
        assert await child.wait() == 0
        assert child.stderr is not None
        said = (await child.stderr.read()).decode()
    assert "stopped" in said
    assert town.workspace.bot_token not in said
    assert "slack_bolt" not in said  # it reads no settings of its own, and warns of none
