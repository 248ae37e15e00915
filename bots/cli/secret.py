"""`threadline secret`: make a key for THREADLINE_SECRET_KEY, and have the newest one seal what is kept."""

from typing import Annotated

import typer
from cryptography.fernet import Fernet

from bots.cli.starting import FAILED, TO_BE_SET_RIGHT, fail, finish, settings
from bots.settings import Settings
from bots.wiring import opened_store, resealing_over
from core.services.resealing import Resealed

secret = typer.Typer(
    invoke_without_command=True, help="Print a new key for THREADLINE_SECRET_KEY, or reseal."
)


@secret.callback()
def make(context: typer.Context) -> None:
    """Make a key for THREADLINE_SECRET_KEY: it seals tokens and API keys in the database. Shown once."""
    if context.invoked_subcommand is None:
        typer.echo(Fernet.generate_key().decode())


@secret.command()
def reseal(
    forget: Annotated[
        bool, typer.Option("--forget", help="Delete what none of the keys opens; it cannot be used any more.")
    ] = False,
) -> None:
    """Seal all that is kept with the first key of THREADLINE_SECRET_KEY. Also while Threadline runs."""
    found = settings()
    if not found.secret_keys:
        fail(
            "THREADLINE_SECRET_KEY is not set: put the new key there, a comma, and the old.", TO_BE_SET_RIGHT
        )
    done = finish(_reseal(found, forget=forget))
    typer.echo(f"{done.anew} tokens and API keys sealed anew, {done.already} were already.")
    if done.lost and forget:
        typer.echo(f"{done.lost} could not be opened and are forgotten.")
    elif done.lost:
        fail(
            f"{done.lost} are not opened by any key of THREADLINE_SECRET_KEY: add the one by which they were "
            "sealed, or say --forget.",
            FAILED,
        )
    typer.echo("Only the first key of THREADLINE_SECRET_KEY is needed from now on.")


async def _reseal(found: Settings, *, forget: bool) -> Resealed:
    async with opened_store(found, must_exist=True) as (_, store):
        return await resealing_over(found, store).reseal(forget=forget)
