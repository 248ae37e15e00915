"""The way to Slack's Web API goes wrong, by every toxic: one visible message, or a human is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.model import State
from tests.faults import toxics
from tests.faults.haste import in_haste, play, until_later
from tests.faults.messages_met import TOXICS, every_toxic
from tests.faults.proxy import FaultProxy
from tests.fixtures.guild import ShiftedClock
from tests.fixtures.walk import Walk, walk

POST, LOOK = "/api/chat.postMessage", "/api/conversations.replies"
QUESTION = "who consumes order.created?"

# What Slack has stored is found, and not sent again.
met_by_a_message = every_toxic(sent_again={"silence", "reset before", "502"})


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[tuple[Walk, FaultProxy, ShiftedClock]]:
    """Give an installation that reaches Slack through a proxy, with a clock that can be set forward."""
    clock = ShiftedClock()
    async with walk(folder) as town, FaultProxy(town.slack.api_url) as proxy:
        assert town.settings.slack is not None
        town.clock = clock
        town.settings = replace(town.settings, slack=replace(town.settings.slack, api_url=proxy.url))
        yield town, proxy, clock


async def asked(town: Walk, proxy: FaultProxy, clock: ShiftedClock, ends: list[str]) -> str:
    """Ask a question, wait for its end, and return where."""
    ts = await town.mention(QUESTION)
    await proxy.until(lambda: proxy.heard_of(POST) > 0)
    with in_haste():
        await until_later(town.workspace.changes, town.states, clock, lambda: town.states() == ends)
    return ts


@met_by_a_message
def test_a_message_that_met_a_fault_is_there_once(toxic: toxics.Toxic, sent: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, clock):
            proxy.add(toxic, path=POST)
            async with town.run():
                ts = await asked(town, proxy, clock, ["done"])
            assert len(town.posted(ts)) == 1
            assert "billing" in town.posted(ts)[0]
            assert proxy.heard_of(POST) == sent
            assert len(town.calls("chat.postMessage")) == 1  # what Slack has got
            assert len(town.assistant.journal) == 1

    play(story())


@met_by_a_message
def test_a_look_that_met_a_fault_is_made_again(toxic: toxics.Toxic, sent: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, clock):
            proxy.add(toxics.ResetAfter(), path=POST)
            proxy.add(toxic, path=LOOK)
            async with town.run():
                ts = await asked(town, proxy, clock, ["done"])
            assert len(town.posted(ts)) == 1
            assert proxy.heard_of(POST) == 1
            assert proxy.heard_of(LOOK) <= 2

    play(story())


@pytest.mark.parametrize("toxic", [toxics.Http500After, toxics.ResetAfter()], ids=["500", "reset"])
def test_where_it_may_not_look_the_message_is_counted_as_ambiguous(
    toxic: toxics.Toxic, tmp_path: Path
) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, clock):
            proxy.add(toxic, path=POST)
            async with town.run() as threadline:
                town.workspace.scopes -= {"channels:history"}
                ts = await asked(town, proxy, clock, ["ambiguous"])
                tally = await threadline.tally()
            assert tally.by_state[State.AMBIGUOUS] == 1
            assert len(town.posted(ts)) == 1
            assert proxy.heard_of(POST) == 1

    play(story())


def test_a_status_that_meets_a_fault_is_only_a_pity(tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, _):
            for toxic in TOXICS.values():
                proxy.add(toxic, path="/api/assistant.threads.setStatus")
            async with town.run():
                for number in range(len(TOXICS)):
                    ts = await town.mention(QUESTION)
                    with in_haste():  # the clock stays: while a status hangs its question is under way
                        await town.answers(ts)
                    assert len(town.posted(ts)) == 1
                    assert len(town.assistant.journal) == number + 1

    play(story())
