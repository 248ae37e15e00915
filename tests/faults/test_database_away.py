"""Rows 13 and 25: a database that is slow, locked or away. No ack that is not a commit, and nothing lost."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp

from bots.demo.assistant.faults import hold
from bots.demo.slack import EventDelivery
from tests.faults.rows import Note, acked_after, ahead, percentile, until_later
from tests.fixtures.guild import ShiftedClock
from tests.fixtures.walk import Walk, walk

QUESTIONS = 10
SLACK_WAITS = 3.0  #: seconds for an acknowledgement


@contextmanager
def _locked(town: Walk) -> Iterator[None]:
    """Keep every writer out, from outside, as a backup or a stray `sqlite3` does."""
    file = town.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _away(town: Walk) -> Iterator[None]:
    """Have every statement of ours fail."""
    tables = ("deliveries", "links", "lanes", "conversations", "turns", "parts")
    for one in tables:
        town.sql(f"ALTER TABLE {one} RENAME TO away_{one}")
    yield
    for one in tables:
        town.sql(f"ALTER TABLE away_{one} RENAME TO {one}")


async def _ready(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as response:
        return response.status


def _attempts(town: Walk, number: int) -> list[EventDelivery]:
    return [one for one in town.workspace.deliveries if one.attempt == number]


def _slacks_clock(town: Walk) -> ShiftedClock:
    """Return a clock by which Slack waits for its next retry, to be set forward."""
    clock = ShiftedClock()
    town.workspace.clock = clock
    return clock


async def test_row_13_a_commit_that_takes_four_seconds_is_one_question_for_slacks_two_attempts(
    tmp_path: Path, record_property: Note
) -> None:
    slacks = ShiftedClock(stands_still=True)
    async with walk(tmp_path, slacks=slacks) as town:
        town.workspace.subscriptions -= {"message.channels"}
        async with town.run():
            with _locked(town):
                messages = [await town.mention("who consumes order.created?") for _ in range(QUESTIONS)]
                await _attempted(slacks)
                slacks.advance(SLACK_WAITS)
                await town.workspace.until(lambda: len(_attempts(town, 1)) == QUESTIONS)
                await _attempted(slacks)
                slacks.advance(4 - SLACK_WAITS)
            for ts in messages:
                await town.answers(ts)
            await town.acknowledged()
        assert {(one.failure, one.acked) for one in _attempts(town, 1)} == {("http_timeout", False)}
        assert {one.status for one in _attempts(town, 2)} == {200}
        assert len(town.workspace.deliveries) == 2 * QUESTIONS
        assert town.states() == ["done"] * QUESTIONS
        assert [len(town.posted(ts)) for ts in messages] == [1] * QUESTIONS
        assert len(town.assistant.journal) == QUESTIONS
        record_property("row 13: ack of the retry p99 s", round(percentile(acked_after(town), 99), 2))


async def _attempted(slacks: ShiftedClock) -> None:
    """Wait until Slack waits for an acknowledgement of every question."""
    await slacks.changes.until(lambda: slacks.asleep() == [SLACK_WAITS] * QUESTIONS)


async def test_row_25_locked_for_ten_seconds_nothing_is_acknowledged_and_the_redelivery_is_answered(
    town: Walk, record_property: Note
) -> None:
    town.workspace.subscriptions -= {"message.channels"}
    slacks = _slacks_clock(town)
    async with town.run() as threadline:
        assert await _ready(threadline.url) == 200
        with _locked(town):
            probe = asyncio.create_task(_ready(threadline.url))
            messages = [await town.mention("who consumes order.created?") for _ in range(QUESTIONS)]
            assert await probe == 503  # by when two attempts of Slack's have failed
            assert not any(one.acked for one in town.workspace.deliveries)
            assert len(_attempts(town, 2)) == QUESTIONS
        slacks.advance(60)
        await town.acknowledged()
        for ts in messages:
            await town.answers(ts)
        assert await _ready(threadline.url) == 200
    assert {one.status for one in _attempts(town, 3)} == {200}
    assert town.states() == ["done"] * QUESTIONS
    assert [len(town.posted(ts)) for ts in messages] == [1] * QUESTIONS
    assert len(town.assistant.journal) == QUESTIONS
    record_property("row 25: N, acks while locked, lost, duplicated", (QUESTIONS, 0, 0, 0))


async def test_row_25_away_for_a_minute_what_came_and_what_was_under_way_is_answered_once(
    town: Walk, record_property: Note
) -> None:
    held = hold()
    town.assistant.faults.add(held)
    town.workspace.subscriptions -= {"message.channels"}
    slacks, ours = _slacks_clock(town), ahead(town)
    async with town.run() as threadline:
        under_way = await town.mention("who owns billing?")
        await town.assistant.wait_for_calls(1)
        await town.acknowledged()
        with _away(town):
            missed = [await town.mention("who consumes order.created?") for _ in range(QUESTIONS)]
            held.release()
            await town.workspace.until(lambda: len(_attempts(town, 2)) == QUESTIONS)
            for _ in range(60):
                ours.advance(1)
                assert await _ready(threadline.url) == 503
            slacks.advance(60)
            await town.workspace.until(lambda: len(_attempts(town, 3)) == QUESTIONS)
            assert not any(one.acked for one in town.workspace.deliveries if one.attempt > 1)
        slacks.advance(300)
        await until_later(town, lambda: all(town.posted(ts) for ts in (under_way, *missed)), 5)
        assert await _ready(threadline.url) == 200
        assert not threadline.working[0].done()
    assert {one.status for one in _attempts(town, 4)} == {200}
    assert [len(town.posted(ts)) for ts in (under_way, *missed)] == [1] * (QUESTIONS + 1)
    assert town.states() == ["done"] * (QUESTIONS + 1)
    # An answer that could not be stored for ten seconds is asked for again: it cost twice, and is there once.
    assert len(town.assistant.journal) == QUESTIONS + 2
    record_property("row 25: away 60 s: N, calls, lost, duplicated", (QUESTIONS + 1, QUESTIONS + 2, 0, 0))
