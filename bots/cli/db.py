"""`threadline db`: the database as a whole. Nothing of what it keeps is printed, nor a password."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from bots.cli.starting import TO_BE_SET_RIGHT, fail, plainly, settings
from bots.settings.parsing import Wrong, database
from bots.wiring import Copied, Step, migrated, moved

_SQLITE, _POSTGRES = "sqlite", "postgres"
_FORMS = {_SQLITE: "sqlite:///FILE", _POSTGRES: "postgresql://USER@HOST/DATABASE"}

db = typer.Typer(help="Bring the database up to date, or move it to PostgreSQL.", no_args_is_help=True)


@db.callback()
def group() -> None:
    """Bring the database up to date, or move it to PostgreSQL."""


@db.command()
def migrate() -> None:
    """Bring the schema of THREADLINE_DATABASE_URL up to date, as each start does. Also while it runs."""
    found = settings()
    with plainly():
        where, done = migrated(found)
    typer.echo(f"Database: {where}")
    if done.before == done.after:
        typer.echo(f"The schema is at revision {done.after} already.")
    elif done.before is None:
        typer.echo(f"The schema was made, at revision {done.after}.")
    else:
        typer.echo(f"The schema went from revision {done.before} to {done.after}.")


@db.command()
def copy(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="The SQLite file, sqlite:///FILE; without it, THREADLINE_DATABASE_URL's, where that is one.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="URL",
            help="An empty PostgreSQL database, postgresql://USER:PASSWORD@HOST/DATABASE; without it, "
            "THREADLINE_DATABASE_URL's, where that is one. The password may be in ~/.pgpass or PGPASSWORD.",
        ),
    ] = None,
) -> None:
    """Move an installation from SQLite to PostgreSQL: copy all it keeps, and compare both, row by row.

    Stop Threadline first. The target has all of it at the end, or nothing; the file stays as it is.

    Into compose.yaml's database: docker compose run --rm -u "$(id -u):$(id -g)" -v "$PWD:/from" migrate
    db copy --from sqlite:////from/threadline.db
    """
    configured = settings().database_url
    source_url = _named("--from", source, configured, _SQLITE)
    target_url = _named("--to", target, configured, _POSTGRES)
    console, began = Console(), time.monotonic()
    with plainly(), _shown(console) as tell:
        source_at, target_at, copied = moved(source_url, target_url, tell)
    console.print(_table(copied))
    rows = sum(table.rows for table in copied.tables)
    typer.echo(f"{rows:,} rows are the same on both sides, after {time.monotonic() - began:.0f} s.")
    if copied.without_nul:
        typer.echo(
            f"{copied.without_nul:,} texts had a NUL in them, which PostgreSQL does not keep: it is gone."
        )
    if target_url == configured:
        typer.echo("THREADLINE_DATABASE_URL names the copy already: now start Threadline.")
    else:
        typer.echo(
            f"Now set THREADLINE_DATABASE_URL to {target_at}, with its password, and start Threadline."
        )
    typer.echo(f"Keep {source_at} as a backup, and start nothing on it again: it would answer once more.")


def _named(option: str, told: str | None, configured: str, kind: str) -> str:
    """Return the URL of one side, or end: the option's, or the configured one where it is of this kind."""
    if told is None:
        if configured.startswith(kind):
            return configured
        fail(
            f"Name a database with {option} {_FORMS[kind]}: THREADLINE_DATABASE_URL is no such.",
            TO_BE_SET_RIGHT,
        )
    if not told.startswith(kind):
        fail(f"{option} has to be {_FORMS[kind]}: a copy goes from SQLite to PostgreSQL.", TO_BE_SET_RIGHT)
    try:
        return database(told)
    except Wrong as wrong:
        problem, _ = wrong.args
        fail(f"{option} {problem}. Use {_FORMS[kind]}.", TO_BE_SET_RIGHT)


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[Step], None]]:
    """Give what shows each step: a bar where somebody looks, and a line for each table elsewhere."""
    if not console.is_terminal:
        yield _line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("looking", total=1.0)
        yield lambda step: bar.update(
            task, description=f"{step.table} {step.deed.value}", completed=step.share
        )


def _line(step: Step) -> None:
    if step.done == step.rows:
        typer.echo(f"{step.table} {step.deed.value}: {step.rows:,} rows ({step.share:.0%} of all)")


def _table(copied: Copied) -> Table:
    table = Table("table", "rows", "checksum, the same on both sides")
    for one in copied.tables:
        table.add_row(one.name, f"{one.rows:,}", one.checksum)
    return table
