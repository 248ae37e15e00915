"""What is done to a database as a whole, by a single command: its schema brought to date, all of it moved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from bots.settings import Settings
from bots.wiring.parts import see_that_it_exists
from core.errors import StoreUnusable
from core.services.leases import take_over
from core.store import Copied, Migrated, SoleProcess, Step, check, connect, copy, described, migrate


def migrated(settings: Settings) -> tuple[str, Migrated]:
    """Bring the schema up to date; return where the database is, and what was done. Raises StoreUnusable.

    An SQLite file has to be there: it would be made anew, and empty.
    """
    with _engine(settings.database_url) as engine:
        see_that_it_exists(engine)
        return described(engine), migrate(engine)


def moved(source_url: str, target_url: str, tell: Callable[[Step], None]) -> tuple[str, str, Copied]:
    """Copy an installation from an SQLite file to a PostgreSQL database; return where both are, and the copy.

    What was under way when the last process ended is free there, as it is after a start on the file. Raises
    StoreUnusable and StoreUnavailable.
    """
    with _engine(source_url) as source, _engine(target_url) as target:
        if not Path(described(source)).exists():
            raise StoreUnusable(
                f"there is no source at {described(source)}: name the file that Threadline used."
            )
        with SoleProcess(source, otherwise="copy a backup of it"):
            check(source)
            return described(source), described(target), copy(source, target, tell, take_over)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()
