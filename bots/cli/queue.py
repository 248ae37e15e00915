"""`threadline queue`: what only a human moves, also while Threadline runs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from bots.cli.starting import finish, settings
from bots.settings import Need, Settings
from bots.wiring import opened_store, reviewing_over
from core.clock import SystemClock
from core.model import DeliveryId, State
from core.services.reviewing import Reviewed, Reviewing

T = TypeVar("T")

queue = typer.Typer(help="Look at what only a human can move, and move it.", no_args_is_help=True)

_Reference = Annotated[str, typer.Argument(help="A question's reference, as notices and the list give it.")]


@queue.callback()
def group() -> None:
    """Look at what only a human can move, and move it."""


@queue.command(name="list")
def list_() -> None:
    """List ambiguous answers (posted, or not: nobody can tell) and buried questions, the newest first."""
    found = settings()
    ambiguous = finish(_with(found, lambda reviewing: reviewing.listed(State.AMBIGUOUS)))
    buried = finish(_with(found, lambda reviewing: reviewing.listed(State.BURIED)))
    if not (ambiguous or buried):
        typer.echo("Nothing waits for a human.")
        return
    Console().print(_listed([*ambiguous, *buried]))
    if ambiguous:
        typer.echo(
            "Look into the thread of an ambiguous one. It is there: `threadline queue posted REFERENCE`;"
        )
        typer.echo("it is not: `threadline queue retry REFERENCE`.")


@queue.command()
def retry(reference: _Reference) -> None:
    """Post an ambiguous answer again, or ask a buried question again."""
    found = settings(Need.CHAT)  # what is asked again is asked in that key's lane
    revived = finish(_with(found, lambda reviewing: reviewing.post_again(DeliveryId(reference))))
    typer.echo(f"{reference} is {revived.state.value} now; Threadline takes it up as soon as it runs.")


@queue.command()
def posted(reference: _Reference) -> None:
    """Say that an ambiguous answer is there."""
    finish(_with(settings(), lambda reviewing: reviewing.is_posted(DeliveryId(reference))))
    typer.echo(f"{reference} is done.")


async def _with(found: Settings, work: Callable[[Reviewing], Awaitable[T]]) -> T:
    async with opened_store(found, must_exist=True) as (_, store):
        return await work(reviewing_over(found, store, SystemClock()))


def _listed(reviewed: Sequence[Reviewed]) -> Table:
    reference = Column("reference", no_wrap=True, min_width=max(len(one.delivery.id) for one in reviewed))
    table = Table(reference, "state", "where", "accepted", "parts posted", "reason")
    for one in reviewed:
        delivery, thread = one.delivery, one.delivery.thread
        table.add_row(
            delivery.id,
            delivery.state.value,
            f"{thread.platform} {thread.workspace} {thread.channel} {thread.thread}",
            f"{delivery.accepted_at:%Y-%m-%d %H:%M}",
            f"{one.posted}/{one.parts}",
            "" if delivery.notice is None else delivery.notice.reason.value,
        )
    return table
