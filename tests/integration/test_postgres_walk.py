"""The real program over a real PostgreSQL database: the URL is all that is different."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import event

from bots.demo.assistant import faults
from bots.settings.parsing import Wrong, database
from bots.slack.inbound import SLACK
from bots.wiring import new_delivery_id, running
from bots.wiring.parts import asking_rules
from core.clock import SystemClock
from core.model import AuthorId, EventId, MessageId, Question, ThreadKey, WorkspaceId
from core.services.asking import Asking
from core.services.rush import Rush
from core.store import PooledStore, Wakes, connect, keep_time, take_time
from core.store.postgres import compared
from core.testing import SettableClock
from tests.fixtures.commands import invoke
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk, walk

_HELD_FOR_LONG = "UPDATE deliveries SET lease_until = now() + interval '1 hour' RETURNING state"
_OVER = "UPDATE deliveries SET lease_until = now() RETURNING state"


@pytest_asyncio.fixture
async def town(tmp_path: Path, postgres_url: str) -> AsyncIterator[Walk]:
    async with walk(tmp_path) as whole:
        whole.settings = replace(whole.settings, database_url=postgres_url)
        yield whole


async def test_a_question_and_its_follow_up_are_answered_and_commands_tell_of_them(
    town: Walk, tmp_path: Path
) -> None:
    town.by_socket()
    env = environment(town)
    home = tmp_path / "home"
    home.mkdir()
    async with program("run", env=env, folder=str(home)) as child:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        assert len(await town.answers(ts, 2)) == 2
        status = (await invoke("status", env=env)).stdout
        assert "Database: postgresql://" in status
        assert "done" in status
        assert "Nothing waits" in (await invoke("queue", "list", env=env)).stdout
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    workspace = town.workspace.team
    purged = (await invoke("purge", "slack", workspace, "--yes", env=env)).stdout
    assert "1 conversation" in purged
    assert os.listdir(home) == []  # no file to lock, and no database


async def test_killed_while_the_chat_call_is_in_flight_it_answers_once_after_a_restart(
    town: Walk, tmp_path: Path
) -> None:
    """Another process may be living: what the dead one held waits for the end of its lease, not for less."""
    hold = faults.hold()
    town.assistant.faults.add(hold)
    town.by_socket()
    env = environment(town)
    async with program("run", env=env, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        ts = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    _sql(town, _HELD_FOR_LONG)
    hold.release()
    async with program("run", env=env, folder=str(tmp_path)) as second:
        await town.workspace.until(lambda: town.slack.socket_connections)
        assert _sql(town, _OVER) == [("asking",)]
        (answer,) = await town.answers(ts)
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0
    assert "billing" in answer
    assert len(town.posted(ts)) == 1
    assert len(town.assistant.journal) == 2


async def test_what_one_process_accepts_another_answers_at_once(town: Walk) -> None:
    """Not at its next sweep, which never comes here."""
    ts = await town.workspace.say(town.ben, town.general, "who consumes order.created?")
    thread = ThreadKey(SLACK, WorkspaceId(town.workspace.team), town.general, ts)
    engine = connect(town.settings.database_url)
    wakes, store = Wakes(engine, town.clock), PooledStore(engine)
    asking = Asking(
        store,
        town.clock,
        asking_rules(town.settings),
        new_id=new_delivery_id,
        wake=wakes.notify,
        cancelled=lambda _: None,
        rush=Rush(town.clock),
    )
    async with running(town.settings, _Sweepless()):
        await asking.accept(
            Question(
                EventId("e"),
                MessageId(ts),
                thread,
                AuthorId(town.ben),
                "who?",
                town.clock.now(),
                addressed=True,
            )
        )
        assert len(await town.answers(ts)) == 1
    await wakes.aclose()
    await store.aclose()


class _Sweepless(SystemClock):
    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 it never ends
        await asyncio.Event().wait()


@pytest.mark.parametrize("apart", [30, -30, -7200])
async def test_the_time_is_the_servers_whatever_the_machine_shows_and_people_see_the_machines(
    town: Walk, apart: int
) -> None:
    clock = SystemClock(wall=lambda: time.time() + apart)
    async with running(town.settings, clock):
        ((there,),) = _sql(town, "SELECT clock_timestamp()")
        assert isinstance(there, datetime)
        assert abs(clock.now() - there) < timedelta(seconds=3)
        shown = clock.wall(clock.now()).timestamp() - time.time()
        assert shown == pytest.approx(apart, abs=3)


async def test_a_clock_that_comes_apart_is_set_by_the_servers_again(postgres_url: str) -> None:
    engine, clock = connect(postgres_url), _Waking()
    take_time(engine, clock)
    keeping = asyncio.create_task(keep_time(engine, clock))
    try:
        for ahead in (-0.5, -90.0, 90.0):
            clock.set(clock.now() + timedelta(seconds=ahead), begins=True)
            await clock.look()
            apart = compared(engine, clock)
            assert abs(apart.ahead) <= apart.doubt + 0.2
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        engine.dispose()


async def test_a_clock_that_is_as_right_as_can_be_told_is_left_alone(postgres_url: str) -> None:
    """Else processes on one machine would be apart by as much as asking took each of them."""

    class Unmoved(SystemClock):
        def set(self, there: datetime, *, begins: bool = False) -> None:
            raise AssertionError(there, begins)

    engine = connect(postgres_url)
    take_time(engine, Unmoved())
    engine.dispose()


def test_of_the_servers_answers_the_quickest_counts(postgres_url: str) -> None:
    engine, clock, takes = connect(postgres_url), SettableClock(), iter([9, 0.4, 0.2, 0.02, 0.3, *[0.5] * 9])
    event.listen(engine, "after_cursor_execute", lambda *_: clock.advance(next(takes)))
    clock.set(datetime.now(UTC) + timedelta(seconds=60))
    found = compared(engine, clock)
    assert found.doubt == pytest.approx(0.01)
    assert found.ahead == pytest.approx(60 + 9 + 0.6 + 0.01, abs=5)
    engine.dispose()


async def test_a_server_that_does_not_tell_the_time_leaves_the_clock_as_it_is() -> None:
    engine, clock = connect("postgresql://nobody@127.0.0.1:1/nothing"), _Waking()
    before = clock.now()
    keeping = asyncio.create_task(keep_time(engine, clock))
    try:
        await clock.look()
        await clock.look()
        assert timedelta() <= clock.now() - before < timedelta(minutes=1)
        assert not keeping.done()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        engine.dispose()


class _Waking(SystemClock):
    """Sleeps until it is looked at, and `look` returns when it is asleep again."""

    def __init__(self) -> None:
        super().__init__()
        self._woken, self._asleep = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 it depends on others
        self._asleep.set()
        await self._woken.wait()
        self._woken.clear()

    async def look(self) -> None:
        await self._asleep.wait()
        self._asleep.clear()
        self._woken.set()
        await self._asleep.wait()


@pytest.mark.parametrize(
    "url", ["postgresql://localhost", "postgresql://me@/", "postgres:///x y", "postgresql:x"]
)
def test_a_setting_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(Wrong, match="PostgreSQL"):
        database(url)


def _sql(town: Walk, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(town.settings.database_url) as connection:
        return connection.execute(statement).fetchall()
