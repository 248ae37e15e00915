"""What operators see of workspaces' own keys, and do about them."""

from contextlib import aclosing
from dataclasses import replace
from functools import partial

import pytest
from cryptography.fernet import Fernet

from bots.slack.inbound import SLACK
from core.model import Account, AuthorId, ProjectId, SealedKey, WorkspaceId
from core.ports import UnitOfWork
from core.project_api import lane_of
from core.store import Store, connect, migrate
from core.store.secrets import Cipher
from tests.fixtures.commands import invoke
from tests.fixtures.program import environment
from tests.fixtures.queued import NOW
from tests.fixtures.walk import SHOP, Walk

pytestmark = pytest.mark.usefixtures("elsewhere")

TEAM, MEDIA = WorkspaceId("T0OTHER"), ProjectId("media-demo-4p9x1")
OWN = Account(SLACK, TEAM, SealedKey("sealed"), lane_of("any"), "a1b2", (MEDIA,), AuthorId("U7"), NOW)


def _put(account: Account, uow: UnitOfWork) -> None:
    uow.accounts.put(account)


async def keep(town: Walk, *accounts: Account) -> None:
    engine = connect(town.settings.database_url)
    migrate(engine)
    async with aclosing(Store(engine)) as store:
        for account in accounts:
            await store(partial(_put, account))


async def test_status_tells_whose_keys_are_kept_and_only_their_ending(town: Walk) -> None:
    bare = replace(OWN, workspace=WorkspaceId("T0BARE"), ending="", projects=())
    await keep(town, OWN, bare)
    shown = (await invoke("status", env=environment(town, COLUMNS="200"))).stdout
    assert "…a1b2" in shown
    assert MEDIA in shown
    assert "2026-03-02" in shown
    assert "(set)" in shown
    assert "sealed" not in shown


async def test_a_command_links_no_project_that_the_workspace_does_not_allow(town: Walk) -> None:
    await keep(town, OWN)
    env = environment(town)
    refused = await invoke("link", SHOP, "--workspace", TEAM, env=env)
    assert refused.exit_code == 2
    assert "does not allow that project" in refused.stderr
    assert (await invoke("link", MEDIA, "--workspace", TEAM, env=env)).exit_code == 0


async def test_a_purge_takes_the_key_along(town: Walk) -> None:
    await keep(town, OWN)
    done = await invoke("purge", "slack", TEAM, "--yes", env=environment(town))
    assert "and the API key of its own" in done.stdout
    again = await invoke("purge", "slack", TEAM, "--yes", env=environment(town))
    assert again.exit_code == 1


async def test_without_a_key_of_its_own_an_installation_links_but_asks_nothing_itself(town: Walk) -> None:
    secret = Fernet.generate_key().decode()
    env = environment(town, MICROVISUALIZER_API_KEY="", THREADLINE_SECRET_KEY=secret)
    assert (await invoke("link", MEDIA, "--workspace", TEAM, env=env)).exit_code == 0
    refused = await invoke("ask", "who?", env=env)
    assert refused.exit_code == 2
    assert "MICROVISUALIZER_API_KEY is not set" in refused.stderr
    assert "/threadline account" not in refused.stderr
    refused = await invoke("link", MEDIA, "--workspace", TEAM, env={**env, "THREADLINE_SECRET_KEY": ""})
    assert "or THREADLINE_SECRET_KEY, and each workspace sets its own" in refused.stderr


async def test_a_change_of_the_secret_key_is_finished_by_sealing_anew(town: Walk) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await keep(town, replace(OWN, key=SealedKey(Cipher([old]).seal("theirs"))))
    env = environment(town, THREADLINE_SECRET_KEY=new)
    assert (await invoke("secret", "reseal", env={**env, "THREADLINE_SECRET_KEY": ""})).exit_code == 2
    lost = await invoke("secret", "reseal", env=env)
    assert (lost.exit_code, "1 are not opened" in lost.stderr) == (1, True)
    done = await invoke("secret", "reseal", env={**env, "THREADLINE_SECRET_KEY": f"{new},{old}"})
    assert (done.exit_code, "1 tokens and API keys sealed anew" in done.stdout) == (0, True)
    again = await invoke("secret", "reseal", env=env)
    assert "0 tokens and API keys sealed anew, 1 were already" in again.stdout
    assert old not in done.stdout + again.stdout


async def test_what_a_lost_secret_key_sealed_can_be_forgotten(town: Walk) -> None:
    await keep(town, OWN)
    env = environment(town, THREADLINE_SECRET_KEY=Fernet.generate_key().decode())
    done = await invoke("secret", "reseal", "--forget", env=env)
    assert (done.exit_code, "1 could not be opened and are forgotten" in done.stdout) == (0, True)
    assert town.sql("SELECT * FROM accounts") == []
