"""What Discord tells once is done in that order, and not lost where it cannot be done at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots.demo.changes import Changes
from bots.discord import owed as owing
from bots.discord.catch_up import AGAIN_AFTER
from bots.discord.owed import Owed
from bots.errands import Errands
from core.errors import PostRefused, StoreUnavailable
from tests.fixtures.guild import ShiftedClock, in_time


class Story:
    """Something owed, a clock to set forward, and what was done, in order."""

    def __init__(self) -> None:
        self.clock = ShiftedClock()
        self.owed = Owed(self.clock, Errands())
        self.done: list[str] = []
        self.errors: list[Exception] = []
        self.changes = Changes()

    def owe(self, about: str, name: str = "") -> None:
        self.owed.owe(about, self.deed(name or about))

    def deed(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        return partial(self._do, name)

    async def until(self, *done: str) -> None:
        await in_time(self.changes.until(lambda: self.done == [*done]))

    async def later(self) -> None:
        """Let as much time pass as failed deeds wait."""
        await in_time(self.clock.changes.until(self.clock.asleep))
        self.clock.advance(AGAIN_AFTER)

    async def _do(self, name: str) -> None:
        self.done.append(name)
        self.changes.happened()
        if self.errors:
            raise self.errors.pop(0)


@asynccontextmanager
async def keeping_up(story: Story) -> AsyncIterator[None]:
    working = asyncio.create_task(story.owed.keep_up())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert working.cancelled()


@pytest_asyncio.fixture
async def story() -> Story:
    return Story()


async def test_deeds_are_done_in_the_order_in_which_they_were_owed(story: Story) -> None:
    for about in "abc":
        story.owe(about)
    async with keeping_up(story):
        await story.until("a", "b", "c")
        story.owe("d")
        await story.until("a", "b", "c", "d")


async def test_a_newer_deed_takes_the_place_of_an_older_about_the_same(story: Story) -> None:
    story.owe("a", "older")
    story.owe("b")
    story.owe("a", "newer")
    story.owe("c")
    story.owed.forget("c")
    async with keeping_up(story):
        await story.until("b", "newer")


async def test_what_fails_is_done_again_soon_and_keeps_nothing_else_waiting(story: Story) -> None:
    story.errors = [StoreUnavailable("locked"), StoreUnavailable("locked")]
    story.owe("a")
    async with keeping_up(story):
        await story.until("a")
        story.owe("b")
        await story.until("a", "b")
        await story.later()
        await story.until("a", "b", "a", "b")


async def test_what_no_repeating_helps_is_logged_and_left(story: Story) -> None:
    story.errors = [PostRefused("no such channel")]
    with capture_logs() as logs:
        story.owe("a")
        async with keeping_up(story):
            await story.until("a")
            story.owe("b")
            await story.until("a", "b")
    assert [line["error"] for line in logs] == ["PostRefused"]
    assert story.clock.asleep() == []


async def test_what_nobody_foresaw_to_fail_is_logged_with_its_trace_and_ends_nothing(story: Story) -> None:
    story.errors = [ZeroDivisionError()]
    with capture_logs() as logs:
        story.owe("an edit")
        async with keeping_up(story):
            await story.until("an edit")
            story.owe("a purge")
            await story.until("an edit", "a purge")
    assert [(line["log_level"], line["about"], line["exc_info"]) for line in logs] == [
        ("error", "an edit", True)
    ]
    assert story.clock.asleep() == []


async def test_what_is_forgotten_while_it_is_done_is_not_done_again(story: Story) -> None:
    go_on = asyncio.Event()

    async def slow() -> None:
        await story.deed("an edit")()
        await go_on.wait()
        raise StoreUnavailable("locked")

    story.owed.owe("a message", slow)
    async with keeping_up(story):
        await story.until("an edit")
        story.owed.forget("a message")
        go_on.set()
        story.owe("its deletion")
        await story.until("an edit", "its deletion")
        assert story.clock.asleep() == []
    await story.owed.finish()
    assert story.done == ["an edit", "its deletion"]


async def test_a_failed_deed_does_not_come_after_a_newer_about_the_same(story: Story) -> None:
    story.errors = [StoreUnavailable("locked")]
    story.owe("a", "older")
    async with keeping_up(story):
        await story.until("older")
        story.owe("a", "newer")
        await story.until("older", "newer")
        await story.later()
        story.owe("b")
        await story.until("older", "newer", "b")


async def test_a_newer_deed_that_comes_while_the_older_fails_is_done_once(story: Story) -> None:
    async def fails() -> None:
        story.owe("a", "newer")
        raise StoreUnavailable("locked")

    story.owed.owe("a", fails)
    async with keeping_up(story):
        await story.until("newer")
    await story.owed.finish()
    assert story.done == ["newer"]


async def test_at_the_end_all_that_is_owed_is_tried_once_more(story: Story) -> None:
    story.errors = [StoreUnavailable("locked")]
    story.owe("a")
    async with keeping_up(story):
        await story.until("a")
    story.owe("b")
    await story.owed.finish()
    assert story.done == ["a", "a", "b"]
    await story.owed.finish()
    assert story.done == ["a", "a", "b"]


async def test_a_deed_under_way_is_finished_where_its_keeper_is_cut_off(story: Story) -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await go_on.wait()
        ended.set()

    story.owed.owe("slow", slow)
    async with keeping_up(story):
        await in_time(begun.wait())
    go_on.set()
    await in_time(ended.wait())


@pytest.mark.parametrize("fails", [False, True])
async def test_there_is_an_end_to_what_can_be_owed(story: Story, *, fails: bool) -> None:
    most = owing.AT_MOST
    for number in range(most):
        story.owed.owe(number, story.deed(str(number)))
    if fails:
        story.errors = [StoreUnavailable("away")] * most
        await story.owed.finish()
        story.done.clear()
    with capture_logs() as logs:
        story.owe("one more")
    assert len(logs) == 1
    await story.owed.finish()
    assert story.done == [*map(str, range(1, most)), "one more"]


async def test_what_is_lasting_is_owed_however_much_else_is(story: Story) -> None:
    story.errors = [StoreUnavailable("away")]
    story.owed.owe("a purge", story.deed("a purge"), lasting=True)
    await story.owed.finish()
    for number in range(owing.AT_MOST):
        story.owe(str(number))
    await story.owed.finish()
    assert story.done == ["a purge", "a purge", *map(str, range(1, owing.AT_MOST))]


async def test_lasting_deeds_do_not_cost_each_other_and_no_longer_last_once_they_are_done(
    story: Story,
) -> None:
    for number in range(owing.AT_MOST + 1):
        story.owed.owe(str(number), story.deed(str(number)), lasting=True)
    await story.owed.finish()
    assert len(story.done) == owing.AT_MOST + 1
    story.done.clear()
    for number in range(owing.AT_MOST + 1):
        story.owe(str(number))
    await story.owed.finish()
    assert story.done == [*map(str, range(1, owing.AT_MOST + 1))]
