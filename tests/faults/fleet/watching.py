"""Watches from outside when pauses are written down: the database itself takes note, beside any process."""

import time
from collections.abc import Sequence

import psycopg

from core.project_api import lane_of
from tests.faults.fleet.records import Stored, Workspace

_WATCH = """
CREATE TABLE seen_pauses (lane text, until timestamptz, at timestamptz);
CREATE FUNCTION see_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen_pauses VALUES (NEW.id, NEW.paused_until, clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER see_pause AFTER UPDATE OF paused_until ON lanes FOR EACH ROW
    WHEN (NEW.paused_since IS NOT NULL AND NEW.paused_until IS DISTINCT FROM OLD.paused_until)
    EXECUTE FUNCTION see_pause();
"""
_AGO = "extract(epoch FROM clock_timestamp() - at), extract(epoch FROM clock_timestamp() - until)"


def watch(database: str) -> None:
    """Have the database take note of each pause from now on; the tables are there."""
    with psycopg.connect(database) as connection:
        connection.execute(_WATCH)


def stored(database: str, workspaces: Sequence[Workspace]) -> Sequence[Stored]:
    """Return the pauses that were committed, in this machine's monotonic time."""
    keys = {str(lane_of(one.key)): one.key for one in workspaces}
    with psycopg.connect(database) as connection:
        rows = connection.execute(f"SELECT lane, {_AGO} FROM seen_pauses ORDER BY at").fetchall()  # noqa: S608 our own words
        now = time.monotonic()
    return [
        Stored(keys[lane], now - float(at), now - float(until)) for lane, at, until in rows if lane in keys
    ]
