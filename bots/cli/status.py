"""`threadline status`: what the queue holds, what is linked, and what is paused."""

from rich.console import Console
from rich.table import Table

from bots.cli.starting import finish, settings
from bots.discord.keys import DISCORD
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.wiring import described, opened_store
from core.clock import SystemClock
from core.model import FINAL, Lane, Link, State, Tally


def status() -> None:
    """Tell what the queue holds, which lanes are paused, and which channels are linked."""
    found = settings()
    where, tally, links = finish(_look(found))
    console = Console()
    console.print(f"Database: {where}", markup=False, soft_wrap=True)
    console.print(_queue(tally))
    for lane in tally.lanes.values():
        console.print(_closed(lane), markup=False, soft_wrap=True)
    if ambiguous := tally.by_state.get(State.AMBIGUOUS, 0):
        console.print(f"{ambiguous} wait for a human: threadline queue list", markup=False)
    if buried := tally.by_state.get(State.BURIED, 0):
        console.print(f"{buried} given up, and said so in the thread: threadline queue list", markup=False)
    if tally.oldest_due is not None:
        console.print(f"Oldest due: {tally.oldest_due:%Y-%m-%d %H:%M} UTC")
    if found.default_project is not None:
        console.print(f"Default project: {found.default_project}")
    console.print(_linked(links) if links else "No channel is linked.")


async def _look(found: Settings) -> tuple[str, Tally, list[Link]]:
    now = SystemClock().now()
    async with opened_store(found, must_exist=True) as (engine, store):
        tally, links = await store(
            lambda uow: (uow.deliveries.tally(now), [*uow.links.all(SLACK), *uow.links.all(DISCORD)])
        )
        return described(engine), tally, links


def _closed(lane: Lane) -> str:
    """Return what is the matter with a lane: an outage of the assistant, or of a platform, or a pause."""
    until = "" if lane.paused_until is None else f"{lane.paused_until:%Y-%m-%d %H:%M:%S} UTC"
    if lane.away_since is None:
        return f"Paused until {until}: {lane.id}"
    party = "The assistant" if lane.id.startswith("key ") else "The platform"
    probe = f"next try {until}" if until else "being tried"
    return f"{party} has not answered since {lane.away_since:%Y-%m-%d %H:%M:%S} UTC ({probe}): {lane.id}"


def _queue(tally: Tally) -> Table:
    table = Table("state", "questions")
    for state in State:
        lately = " (last hour)" if state in FINAL else ""
        table.add_row(f"{state.value}{lately}", str(tally.by_state.get(state, 0)))
    return table


def _linked(links: list[Link]) -> Table:
    table = Table("platform", "workspace", "channel", "project", "by", "since")
    for link in links:
        channel = link.at.channel or "(all)"
        since = f"{link.since:%Y-%m-%d}"
        table.add_row(link.at.platform, link.at.workspace, channel, link.project, link.by, since)
    return table
