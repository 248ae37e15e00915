"""The way to the assistant goes wrong, by every toxic: one visible answer, and few calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import BrokenAnswer, OutcomeUnknown, ThreadlineError, Unavailable
from core.model import AuthorId, Reason, Role, Turn
from core.project_api import HttpChatApi
from tests.faults import toxics
from tests.faults.haste import in_haste, play, until_later
from tests.faults.proxy import FaultProxy
from tests.fixtures.guild import ShiftedClock
from tests.fixtures.walk import KEY, SHOP, Walk, walk

CHAT = "/v1/projects/"
QUESTION = "who consumes order.created?"

Fate = type[ThreadlineError] | None

#: What each comes to: what is only late, or in pieces, is an answer.
FATES: dict[str, tuple[toxics.Toxic, Fate]] = {
    "latency": (toxics.Latency(0.05), None),
    "sliced": (toxics.Sliced(7), None),
    "wrong type": (toxics.WrongType(), BrokenAnswer),
    "silence": (toxics.Silence(), OutcomeUnknown),
    "silence after": (toxics.Silence(done=True), OutcomeUnknown),
    "reset before": (toxics.ResetBefore(), OutcomeUnknown),
    "reset after": (toxics.ResetAfter(), OutcomeUnknown),
    "truncated": (toxics.Truncated(), OutcomeUnknown),
    "drip": (toxics.Drip(), OutcomeUnknown),
    "endless headers": (toxics.EndlessHeaders(size=5000), OutcomeUnknown),
    "endless headers, slowly": (toxics.EndlessHeaders(1.0), OutcomeUnknown),
    "huge": (toxics.Huge(), BrokenAnswer),
    "gzip bomb": (toxics.Bomb("gzip"), BrokenAnswer),
    "deflate bomb": (toxics.Bomb("deflate"), BrokenAnswer),
    "wrong json": (toxics.WrongJson, BrokenAnswer),
    "wrong shape": (toxics.WrongShape, BrokenAnswer),
    "502": (toxics.Html502, Unavailable),
    "502 after": (toxics.Html502After, Unavailable),
    "204": (toxics.NoContent204, BrokenAnswer),
    "500 after": (toxics.Http500After, Unavailable),
}
every_toxic = pytest.mark.parametrize(("toxic", "fate"), FATES.values(), ids=FATES.keys())


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[tuple[Walk, FaultProxy, ShiftedClock]]:
    """Give an installation whose assistant is behind a proxy, with a clock that can be set forward."""
    clock = ShiftedClock()
    async with walk(folder) as town, FaultProxy(town.assistant.url) as proxy:
        assert town.settings.chat is not None
        town.clock = clock
        town.settings = replace(town.settings, chat=replace(town.settings.chat, url=proxy.url))
        yield town, proxy, clock


async def ask(proxy: FaultProxy) -> str:
    turns = [Turn(Role.USER, AuthorId("U1"), QUESTION)]
    async with HttpChatApi(base_url=proxy.url, api_key=KEY, concurrency=1, clock=SystemClock()) as api:
        return await api.ask(SHOP, turns)


@every_toxic
def test_the_client_calls_each_fault_by_its_name(toxic: toxics.Toxic, fate: Fate, tmp_path: Path) -> None:
    async def story() -> None:
        async with between(tmp_path) as (_, proxy, _clock):
            proxy.add(toxic)
            asking = asyncio.create_task(ask(proxy))
            await proxy.until(lambda: bool(proxy.heard))  # connecting is not hurried: the machine may be busy
            with in_haste():
                if fate is None:
                    assert "billing" in await asking
                else:
                    with pytest.raises(fate) as raised:
                        await asking
                    assert type(raised.value) is fate
                await proxy.until(lambda: proxy.open == 0)
            assert len(proxy.heard) == 1  # no hidden second try

    play(story())


@every_toxic
def test_a_question_that_met_a_fault_is_answered_once(
    toxic: toxics.Toxic, fate: Fate, tmp_path: Path
) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, clock):
            proxy.add(toxic)
            async with town.run():
                ts = await town.mention(QUESTION)
                await proxy.until(lambda: bool(proxy.heard))
                with in_haste():
                    await until_later(town.workspace.changes, town.states, clock, lambda: town.posted(ts))
            assert len(town.posted(ts)) == 1
            assert "billing" in town.posted(ts)[0]
            assert town.states() == ["done"]
            assert len(proxy.heard) == (1 if fate is None else 2)
            assert len(town.assistant.journal) == proxy.requests

    play(story())


#: The same again and again: the most calls of one question, and how its notice is called.
LASTING: dict[str, tuple[toxics.Toxic, int, Reason]] = {
    "reset after": (toxics.ResetAfter(), 2, Reason.MAYBE_CHARGED),
    "truncated": (toxics.Truncated(), 2, Reason.MAYBE_CHARGED),
    "silence": (toxics.Silence(), 2, Reason.MAYBE_CHARGED),
    "huge": (toxics.Huge(), 8, Reason.GAVE_UP),
    "wrong json": (toxics.WrongJson, 8, Reason.GAVE_UP),
    "204": (toxics.NoContent204, 8, Reason.GAVE_UP),
    "502": (toxics.Html502, 30, Reason.GAVE_UP),
    "500 after": (toxics.Http500After, 30, Reason.GAVE_UP),
}


@pytest.mark.parametrize(("toxic", "most", "reason"), LASTING.values(), ids=LASTING.keys())
def test_a_fault_that_lasts_costs_few_calls_and_ends_in_a_notice(
    toxic: toxics.Toxic, most: int, reason: Reason, tmp_path: Path
) -> None:
    async def story() -> None:
        async with between(tmp_path) as (town, proxy, clock):
            proxy.add(toxic, None)
            async with town.run():
                ts = await town.mention(QUESTION)
                await proxy.until(lambda: bool(proxy.heard))
                with in_haste():
                    await until_later(
                        town.workspace.changes, town.states, clock, lambda: town.states() == ["buried"]
                    )
            assert len(proxy.heard) <= most
            assert town.sql("SELECT notice FROM deliveries") == [(reason.value,)]
            assert not [words for words in town.posted(ts) if "billing" in words]

    play(story())
