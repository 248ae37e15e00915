"""Two processes that take questions in and two that answer, over one PostgreSQL database, killed in turn."""

from pathlib import Path

from tests.faults.fleet import verdict
from tests.faults.fleet.figures import report
from tests.faults.fleet.plan import Plan
from tests.faults.fleet.run import fleet
from tests.faults.fleet.town import Layout
from tests.faults.rows import Note
from tests.fixtures.postgres import Postgres


async def test_killed_one_by_one_with_the_database_restarted_they_lose_and_double_nothing(
    postgres: Postgres, tmp_path: Path, record_property: Note
) -> None:
    layout = Layout(workspaces=3, keys=2, refuses_every=20, waits=(0.0, 1.0, 5.0))
    plan = Plan(
        questions=120,
        people=20,
        hasty=0.0,
        pauses=(0.5, 1.0),
        most_kills=2,
        restart_after=80,
        patience=60,
        layout=layout,
    )
    with postgres.database() as url:
        toll = await fleet(plan, postgres, url, tmp_path, "a few")
    # The machine may be busy with other tests: what is on its way takes its time, too.
    assert verdict.faults(toll.seen, toll.states, in_flight=1.0) == []
    assert len(toll.seen.posted) == len(toll.seen.asked) >= 120
    assert [one.life.partition("-")[0] for one in toll.seen.killed] == ["work", "web"]
    assert len(toll.seen.away) == 1
    figures = report(plan, "a few", toll).figures
    record_property("fleet: recovery, from the kill", figures["recovery, from the kill"])
