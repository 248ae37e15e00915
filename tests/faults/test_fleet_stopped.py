"""A process that is stopped past its lease, and goes on after another has done its work."""

import asyncio
import random
import signal
from pathlib import Path

from tests.faults.fleet import verdict
from tests.faults.fleet.records import Thread
from tests.faults.fleet.run import settled
from tests.faults.fleet.town import Layout, Town, town
from tests.fixtures.postgres import Postgres


async def test_one_that_was_stopped_past_its_lease_asks_nothing_stale_and_posts_nothing_twice(
    postgres: Postgres, tmp_path: Path
) -> None:
    layout = Layout(workspaces=1, slots=("web-1", "work-1", "work-2"), refuses_every=0)
    with postgres.database() as url:
        async with town(layout, url, tmp_path, random.Random(1)) as here:  # noqa: S311 - to be repeated
            crew, seen = here.crew, here.seen
            crew.listens_for = (b'"lease lost, delivery cancelled"', b'"left to the next holder"')
            crew.begin("web-1", "work-1")
            await crew.all_there("web-1", "work-1")
            calling, posting, waiting = await _stopped_with_three(here)
            crew.begin("work-2")
            await seen.changes.until(lambda: {calling, waiting} <= {*seen.posts()})
            await settled(seen, url, patience=30)
            crew.slots["work-1"].signal(signal.SIGCONT)
            await seen.changes.until(lambda: len({one["delivery"] for one in crew.heard["work-1.1"]}) == 3)
            assert await _answered(here, here.newcomer(here.workspaces[0], here.workspaces[0].channels[0]))
            states = await settled(seen, url, patience=30)
            await crew.dismiss()
    assert verdict.faults(seen, states) == []
    calls = {marker: [call.life for call in found] for marker, found in seen.calls().items()}
    assert calls[calling] == ["work-1.1", "work-2.1"]
    assert calls[posting] == ["work-1.1"]
    assert calls[waiting] == ["work-2.1"]
    assert [one.life for one in seen.posts()[posting]] == ["work-1.1"]
    assert seen.left == {"web-1.1": 0, "work-1.1": 0, "work-2.1": 0}


async def _stopped_with_three(here: Town) -> tuple[str, str, str]:
    """Stop work-1 over three questions: one being asked, one being posted, one about to be asked."""
    seen, kept = here.seen, asyncio.Event()
    threads = [here.newcomer(here.workspaces[0], here.workspaces[0].channels[0]) for _ in range(3)]
    assert await _answered(here, threads[2])
    calling, posting, waiting = (f"q{len(seen.asked) + more:05}z" for more in range(3))
    here.assistant.keeps[calling] = here.slack.keeps_posts[posting] = here.slack.keeps_names = kept
    for thread in threads:
        await here.ask(thread, user="UBEN")  # in the third thread the second who speaks: names are looked up
    await seen.changes.until(
        lambda: calling in seen.calls() and posting in seen.posts() and "users.info" in seen.methods
    )
    here.crew.slots["work-1"].signal(signal.SIGSTOP)
    kept.set()
    return calling, posting, waiting


async def _answered(here: Town, thread: Thread) -> bool:
    """Ask in a thread, and wait for the answer."""
    asked = await here.ask(thread)
    return await asyncio.wait_for(asked.answered.wait(), 30)
