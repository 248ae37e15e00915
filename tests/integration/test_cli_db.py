"""`threadline db`, as an operator uses it: the schema brought up to date, all of it moved to PostgreSQL."""

import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from bots.demo.assistant import faults
from core.store import SoleProcess, connect
from core.store.tables import Row
from tests.fixtures.commands import invoke
from tests.fixtures.database import empty_database, migrate_to
from tests.fixtures.filled import fill
from tests.fixtures.postgres import Postgres
from tests.fixtures.program import environment, program
from tests.fixtures.walk import Walk

pytestmark = pytest.mark.usefixtures("elsewhere")

_AWAY = "postgresql://me:s3cret@127.0.0.1:1/queue"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    url = empty_database(tmp_path)
    engine = connect(url)
    fill(engine, 5)
    yield url
    engine.dispose()


async def test_a_copy_tells_what_it_does_line_by_line_and_what_is_to_be_done_then(
    source: str, postgres_url: str
) -> None:
    asked = {"application_name": "moving", "password": "s3cret", "sslpassword": "s3cret"}
    to = make_url(postgres_url).update_query_dict(asked).render_as_string(hide_password=False)
    done = await invoke("db", "copy", "--to", to, env={"THREADLINE_DATABASE_URL": source, "COLUMNS": "120"})
    assert (done.exit_code, done.stderr) == (0, "")
    for table in Row.metadata.tables:
        assert f"{table} copied: 5 rows" in done.stdout
        assert f"{table} compared: 5 rows" in done.stdout
    assert f"{5 * len(Row.metadata.tables)} rows are the same on both sides" in done.stdout
    assert "(100% of all)" in done.stdout
    (to,) = re.findall(r"Now set THREADLINE_DATABASE_URL to (\S+), with its password", done.stdout)
    assert make_url(to).query == {**make_url(postgres_url).query, "application_name": "moving"}
    assert f"Keep {source.removeprefix('sqlite:///')} as a backup" in done.stdout
    assert "NUL" not in done.stdout


async def test_somebody_who_looks_sees_a_bar(source: str, postgres_url: str) -> None:
    with closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as rows:
        rows.execute("UPDATE turns SET content = 'who' || char(0) || '?' WHERE id = 1")
        rows.commit()
    env = {"THREADLINE_DATABASE_URL": postgres_url, "COLUMNS": "120", "TTY_COMPATIBLE": "1"}
    done = await invoke("db", "copy", "--from", source, env=env)
    assert done.exit_code == 0, done.stderr
    assert "━" in done.stdout
    assert "100%" in done.stdout
    assert "copied: 5 rows" not in done.stdout
    assert "1 texts had a NUL in them" in done.stdout
    assert "THREADLINE_DATABASE_URL names the copy already" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            [],
            "Name a database with --to postgresql://USER@HOST/DATABASE: THREADLINE_DATABASE_URL is no such.",
        ),
        (["--to", "mysql://me@host/queue"], "--to has to be postgresql://USER@HOST/DATABASE: a copy"),
        (["--to", "postgresql://me:s3cret@host"], "--to does not name a PostgreSQL database. Use postgresql"),
        (["--to", "sqlite:///other.db"], "--to has to be postgresql://USER@HOST/DATABASE"),
        (["--from", _AWAY, "--to", _AWAY], "--from has to be sqlite:///FILE"),
        (
            ["--from", "sqlite:///nowhere.db", "--to", _AWAY],
            "nowhere.db: name the file that Threadline used.",
        ),
    ],
)
async def test_what_cannot_be_copied_is_said_in_a_line_without_a_password(
    source: str, arguments: list[str], told: str
) -> None:
    refused = await invoke("db", "copy", *arguments, env={"THREADLINE_DATABASE_URL": source})
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "s3cret" not in refused.output
    assert not [name for name in os.listdir() if name.startswith("nowhere")]


async def test_a_server_that_is_away_is_no_fault_of_the_settings(source: str) -> None:
    refused = await invoke("db", "copy", "--to", _AWAY, env={"THREADLINE_DATABASE_URL": source})
    assert refused.exit_code == 1
    assert "the target at postgresql://me:***@127.0.0.1:1/queue cannot be used" in refused.stderr
    assert refused.stderr.count("\n") == 1


async def test_a_file_that_a_running_process_has_is_not_copied(source: str, postgres_url: str) -> None:
    engine = connect(source)
    with SoleProcess(engine):
        refused = await invoke("db", "copy", "--to", postgres_url, env={"THREADLINE_DATABASE_URL": source})
    engine.dispose()
    assert refused.exit_code == 2
    assert "another Threadline works on this database already" in refused.stderr
    assert "stop it first, or copy a backup of it" in refused.stderr


async def test_a_copy_that_comes_out_different_did_not_work_this_time(source: str, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
        )
        connection.execute("CREATE TRIGGER lose BEFORE INSERT ON lanes FOR EACH ROW EXECUTE FUNCTION lose()")
        connection.commit()
        try:
            failed = await invoke("db", "copy", "--to", postgres_url, env={"THREADLINE_DATABASE_URL": source})
        finally:
            connection.execute("DROP FUNCTION lose CASCADE")
    assert failed.exit_code == 1
    assert "what the target has of lanes is not what was copied, nothing was kept" in failed.stderr
    assert failed.stderr.count("\n") == 1


async def test_migrate_says_from_where_to_where(postgres: Postgres) -> None:
    with postgres.database() as url:
        env = {"THREADLINE_DATABASE_URL": make_url(url).set(password="s3cret").render_as_string(False)}
        made = await invoke("db", "migrate", env=env)
        assert (made.exit_code, made.stderr) == (0, "")
        assert "The schema was made, at revision " in made.stdout
        assert "s3cret" not in made.stdout
        again = await invoke("db", "migrate", env=env)
        assert "already" in again.stdout
    refused = await invoke("db", "migrate", env={"THREADLINE_DATABASE_URL": "sqlite:///nowhere.db"})
    assert (refused.exit_code, "there is no database at" in refused.stderr) == (2, True)
    assert "nowhere.db" not in os.listdir()


async def test_a_folder_in_the_place_of_a_file_is_told_with_the_fix(tmp_path: Path) -> None:
    refused = await invoke("db", "migrate", env={"THREADLINE_DATABASE_URL": f"sqlite:///{tmp_path}"})
    assert refused.exit_code == 2
    assert "names a file of Threadline's, in a folder that it may write in." in refused.stderr
    assert refused.stderr.count("\n") == 1


async def test_a_file_of_an_older_version_is_brought_up_to_date_and_then_copied(
    tmp_path: Path, postgres_url: str
) -> None:
    env = {"THREADLINE_DATABASE_URL": f"sqlite:///{tmp_path / 'old.db'}"}
    engine = connect(env["THREADLINE_DATABASE_URL"])
    migrate_to(engine, "0005")
    engine.dispose()
    refused = await invoke("db", "copy", "--to", postgres_url, env=env)
    assert refused.exit_code == 2
    assert "has the schema 0005" in refused.stderr
    assert "run `threadline db migrate` on it first" in refused.stderr
    migrated = await invoke("db", "migrate", env=env)
    assert "The schema went from revision 0005 to 00" in migrated.stdout
    assert (await invoke("db", "copy", "--to", postgres_url, env=env)).exit_code == 0


async def test_a_killed_installation_goes_on_where_it_was_moved_to(
    town: Walk, tmp_path: Path, postgres_url: str
) -> None:
    """What it was asking when it died is answered once, threads go on with their turns, and ids go on."""
    town.by_socket()
    before, after = environment(town), environment(town, THREADLINE_DATABASE_URL=postgres_url)
    async with program("run", env=before, folder=str(tmp_path)) as first:
        await town.workspace.until(lambda: town.slack.socket_connections)
        early = await town.mention("who consumes order.created?")
        await town.answers(early)
        hold = faults.hold()
        town.assistant.faults.add(hold)
        waiting = await town.mention("who owns shipping?")
        await town.assistant.wait_for_calls(2)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    hold.release()
    moved = await invoke("db", "copy", "--to", postgres_url, env=before)
    assert moved.exit_code == 0, moved.stderr
    async with program("run", env=after, folder=str(tmp_path)) as second:
        await town.workspace.until(lambda: town.slack.socket_connections)
        await town.answers(waiting)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=early)
        await town.answers(early, 2)
        new = await town.mention("who owns billing?")
        await town.answers(new)
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0
    assert [len(town.posted(ts)) for ts in (early, waiting, new)] == [2, 1, 1]
    followed = town.assistant.journal[3].messages
    assert [role for role, _ in followed] == ["user", "assistant", "user"]
    assert "order.created" in followed[0][1]
    with psycopg.connect(postgres_url) as connection:
        ids = connection.execute("SELECT id, thread FROM conversations ORDER BY id").fetchall()
        states = connection.execute("SELECT DISTINCT state FROM deliveries").fetchall()
    assert ids == [(1, early), (2, waiting), (3, new)]
    assert states == [("done",)]
