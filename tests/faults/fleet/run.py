"""A fleet whose processes are killed one after the other while many people ask: `run` measures it."""

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import psycopg

from tests.faults.fleet.figures import report
from tests.faults.fleet.plan import QUESTIONS, Plan, Toll
from tests.faults.fleet.records import Away, Seen
from tests.faults.fleet.stories import stories
from tests.faults.fleet.town import Town, town
from tests.faults.fleet.watching import stored
from tests.faults.load.evidence import carried_out
from tests.faults.report import Report
from tests.fixtures.postgres import Postgres, server

SETTLED = frozenset({"done", "kept", "buried", "ambiguous", "cancelled", "refused"})
"""As the table has them: not read from core, so that a look from outside stays one."""
_LOOK_AGAIN = 0.2  #: seconds between looks into the database, which nobody announces changes of
_STORES_AGAIN = 5.0
"""Seconds after the database is back in which what could not be stored is: 429s, too."""


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Ask 5,000 questions of two web and two work processes; `scale` has fewer or more asked."""
    questions = max(100, round(QUESTIONS * scale))
    plan = Plan(questions, restart_after=questions // 2)

    async def carry_out(folder: Path, chosen: str) -> Report:
        with server() as postgres, postgres.database() as url:
            toll = await fleet(plan, postgres, url, folder, chosen)
        (folder / "stories.txt").write_text("\n".join(stories(toll.seen)))
        return report(plan, chosen, toll)

    return await carried_out("fleet", seed, carry_out)


async def fleet(plan: Plan, postgres: Postgres, database: str, folder: Path, seed: str) -> Toll:
    """Carry a plan out on a database of its own; return what is to be judged."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    async with town(plan.layout, database, folder, rng) as here:
        here.crew.begin(*here.crew.slots)
        await here.crew.all_there()
        began = time.monotonic()
        harm = asyncio.create_task(_harm(here, plan, postgres, rng))
        try:
            await _ask_all(here, plan, rng)
            states = await settled(here.seen, database, plan.patience)
            here.seen.stored += await asyncio.to_thread(stored, database, here.workspaces)
        finally:
            harm.cancel()
            (ended,) = await asyncio.gather(harm, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        seconds = time.monotonic() - began
        await here.crew.dismiss()
        complaints = dict(here.crew.complaints)
    return Toll(here.seen, states, complaints, seconds)


# --- people ------------------------------------------------------------------------------------


async def _ask_all(here: Town, plan: Plan, rng: random.Random) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(plan.longest), asyncio.TaskGroup() as people:
            for _ in range(plan.people):
                people.create_task(_ask_on(here, plan, rng))


async def _ask_on(here: Town, plan: Plan, rng: random.Random) -> None:
    """Begin one thread after the other, until enough is asked. Some do not wait for an answer to go on."""
    while len(here.seen.asked) < plan.questions:
        workspace = rng.choice(here.workspaces)
        thread = here.newcomer(workspace, rng.choice(workspace.channels))
        if rng.random() < plan.hasty:
            await asyncio.gather(here.ask(thread), here.ask(thread))
        for _ in range(rng.randint(1, plan.each)):
            if len(here.seen.asked) >= plan.questions:
                break
            asked = await here.ask(thread)
            if rng.random() < 0.5:
                await _wait(asked.answered, plan.patience)
        for asked in thread.questions:
            await _wait(asked.answered, plan.patience)


async def _wait(answered: asyncio.Event, patience: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(answered.wait(), patience)


# --- harm --------------------------------------------------------------------------------------


async def _harm(here: Town, plan: Plan, postgres: Postgres, rng: random.Random) -> None:
    """Kill a process of each role by turns, while it is not the only one; and restart the database once."""
    kills, is_restarted = 0, False
    while True:
        await asyncio.sleep(rng.uniform(*plan.pauses))
        if not is_restarted and len(here.seen.asked) >= plan.restart_after:
            is_restarted = True
            since = time.monotonic()
            await asyncio.to_thread(postgres.restart)
            here.seen.away.append(Away(since, time.monotonic() + _STORES_AGAIN))
        elif plan.most_kills is None or kills < plan.most_kills:
            victims = here.crew.living(("work", "web")[kills % 2])
            if len(victims) > 1:
                rng.choice(victims).signal(SIGKILL)
                kills += 1


# --- what is on disk ---------------------------------------------------------------------------


async def settled(seen: Seen, database: str, patience: float) -> Mapping[str, str]:
    """Return the state of every question by its message, once nothing more is owed or patience has ended."""
    ends = time.monotonic() + patience
    while True:
        states = await asyncio.to_thread(_states, database)
        open_ones = [one for one in seen.asked.values() if states.get(one.ts) not in SETTLED]
        if not open_ones or time.monotonic() > ends:
            return states
        await asyncio.sleep(_LOOK_AGAIN)


def _states(database: str) -> Mapping[str, str]:
    with psycopg.connect(database) as connection:
        return dict(connection.execute("SELECT message, state FROM deliveries").fetchall())
