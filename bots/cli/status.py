"""`threadline status`: what the queue holds, what is linked, whose keys are kept, and what is paused."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bots.cli.starting import finish, settings
from bots.discord.keys import DISCORD
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.wiring import clock_over, described, opened_store
from core.model import FINAL, Account, Lane, Link, Seat, State, Tally


def status() -> None:
    """Tell what the queue holds, which lanes are paused, which channels are linked, whose keys are kept."""
    found = settings()
    where, tally, links, accounts, seats = finish(_look(found))
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
    if accounts:
        console.print(_own_keys(accounts))
    if seats:
        console.print(_held(seats))


async def _look(found: Settings) -> tuple[str, Tally, list[Link], list[Account], Sequence[Seat]]:
    async with opened_store(found, must_exist=True) as (engine, store):
        now = clock_over(engine).now()
        tally, links, accounts, seats = await store(
            lambda uow: (
                uow.deliveries.tally(now),
                [*uow.links.all(SLACK), *uow.links.all(DISCORD)],
                [*uow.accounts.all(SLACK), *uow.accounts.all(DISCORD)],
                uow.seats.held(now),
            )
        )
        return described(engine), tally, links, accounts, seats


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


def _own_keys(accounts: list[Account]) -> Table:
    """Return which workspaces ask under a key of their own, of which only the ending is told."""
    table = Table("platform", "workspace", "own key", "projects", "by", "since")
    for one in accounts:
        key = f"…{one.ending}" if one.ending else "(set)"
        projects = " ".join(one.projects) or "(all)"
        table.add_row(one.platform, one.workspace, key, projects, one.by, f"{one.since:%Y-%m-%d}")
    return table


def _held(seats: Sequence[Seat]) -> Table:
    """Return who does what only one process at a time may do."""
    table = Table("seat", "process", "since")
    for seat in seats:
        table.add_row(seat.name, seat.holder, f"{seat.since:%Y-%m-%d %H:%M:%S}")
    return table
