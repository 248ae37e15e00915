"""The program is killed, and started again."""

import signal
from pathlib import Path

from bots.demo.assistant import faults
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk


async def test_killed_while_the_chat_call_is_in_flight_it_answers_once_after_a_restart(
    town: Walk, tmp_path: Path
) -> None:
    hold = faults.hold()
    town.assistant.faults.add(hold)
    env = environment(town)
    async with program("run", env=env, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    hold.release()
    async with program("run", env=env, folder=str(tmp_path)) as second:
        (answer,) = await town.answers(ts)
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0
    assert "billing" in answer
    assert len(town.posted(ts)) == 1
    assert len(town.assistant.journal) == 2


async def test_what_was_written_while_it_was_down_is_answered_after_a_start(
    town: Walk, tmp_path: Path
) -> None:
    env = environment(town)
    async with program("run", env=env, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    missed = await town.mention("who owns billing?")
    await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
    async with program("run", env=env, folder=str(tmp_path)):
        await town.answers(missed)
        await town.answers(ts, 2)
    assert len(town.assistant.journal) == 3
