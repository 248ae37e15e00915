"""Which workspace something comes from, who we are there, and how much of that is remembered."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from slack_bolt.request.internals import extract_enterprise_id, extract_team_id

from bots.demo.slack import Refuse, SlackServer, SlackWorkspace
from bots.slack.access import Access, web_client
from bots.slack.calls import translated
from bots.slack.departures import Departures
from bots.slack.inbound import SLACK, organisation_of, shut_out_of, uninstalled_from, workspace_of
from bots.slack.side import slack_side
from bots.slack.workspaces import ManyWorkspaces, OneWorkspace, as_bot
from core.clock import SystemClock
from core.errors import AccountRefused, StoreUnavailable, Unreachable
from core.model import AuthorId, Installation, WorkspaceId
from core.services.installing import Installing
from core.services.purging import Purging
from core.services.seating import Alone as NoOther
from core.store.secrets import Cipher
from core.testing import MemoryStore, SettableClock

TOKEN = "xoxb-demo"
ONE, TWO, ORG = WorkspaceId("T0DEMO01"), WorkspaceId("T2"), WorkspaceId("E1")


class Town:
    """A simulated Slack, and who has installed us there."""

    def __init__(self, server: SlackServer, workspace: SlackWorkspace) -> None:
        self.server, self.workspace = server, workspace
        self.clock, self.store = SettableClock(), MemoryStore()
        self.installing = Installing(self.store, Cipher([Fernet.generate_key().decode()]), self.clock, SLACK)

    async def install(self, workspace: WorkspaceId, token: str = TOKEN, by: str = "") -> None:
        who = AuthorId("U1")
        now = self.clock.now()
        one = Installation(SLACK, workspace, "Demo", "B0BOT0001", "U0BOT0001", who, now, organisation=by)
        await self.installing.install(one, token)


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    workspace = SlackWorkspace(SystemClock())
    server = SlackServer(workspace)
    await server.start()
    yield Town(server, workspace)
    await server.stop()


@pytest_asyncio.fixture
async def many(town: Town) -> AsyncIterator[ManyWorkspaces]:
    async with web_client(None, town.server.api_url) as client:
        yield ManyWorkspaces(client, town.installing, town.clock, at_most=2)


async def test_a_workspace_is_looked_up_once_and_again_after_a_while(
    town: Town, many: ManyWorkspaces
) -> None:
    assert await many.find(ONE) is None
    await town.install(ONE)
    here = await many.get(ONE)
    town.store.failing = 1
    assert await many.find(ONE) is here
    town.clock.advance(600)
    with pytest.raises(StoreUnavailable):
        await many.find(ONE)
    assert await many.find(ONE) is here  # nothing has changed, so what is known of its people stays
    await town.install(ONE, "xoxb-new")
    assert (await many.get(ONE)).client.token == "xoxb-demo"
    many.forget(ONE)
    assert (await many.get(ONE)).client.token == "xoxb-new"


async def test_only_so_many_are_remembered_those_met_last(town: Town, many: ManyWorkspaces) -> None:
    for workspace in (ONE, TWO, WorkspaceId("T3")):
        await town.install(workspace)
    first = await many.get(ONE)
    second = await many.get(TWO)
    assert await many.get(ONE) is first
    await many.get(WorkspaceId("T3"))
    assert await many.get(ONE) is first
    assert await many.get(TWO) is not second
    assert await many.name() == "3 workspaces"


async def test_where_nobody_has_installed_us_nothing_can_be_posted(many: ManyWorkspaces) -> None:
    with pytest.raises(AccountRefused, match="not installed"):
        await many.get(ONE)


async def test_a_refused_token_is_looked_up_at_the_next_use(town: Town, many: ManyWorkspaces) -> None:
    await town.install(ONE)
    here = await many.get(ONE)
    town.workspace.faults.add("auth.test", Refuse("token_revoked"))
    assert not await here.accepts_us()
    assert await many.get(ONE) is here
    town.clock.advance(1)
    await town.install(ONE)
    fresh = await many.get(ONE)
    assert fresh is not here
    assert await fresh.accepts_us()


async def test_an_organisation_is_forgotten_with_its_workspaces(town: Town, many: ManyWorkspaces) -> None:
    await town.install(ORG, by=ORG)
    await town.install(TWO)
    assert await many.find(ONE) is None
    here, other = await many.find(ONE, ORG), await many.get(TWO)
    assert here is not None
    assert here.organisation == ORG
    assert await many.within(ORG) == [ONE]
    assert await many.all() == [ONE, TWO]
    many.forget(ORG)
    assert await many.get(ONE) is not here
    assert await many.get(TWO) is other


async def test_the_one_workspace_of_a_token_is_known_once_slack_has_told(town: Town) -> None:
    async with web_client(None, town.server.api_url) as client:
        one = OneWorkspace(as_bot(client, town.workspace.bot_token), town.clock)
        with pytest.raises(Unreachable):
            await one.find(ONE)
        await one.begin()
        here = await one.get(TWO)
        one.forget(ONE)
        assert await one.find(ONE) is here
        assert (await one.all(), await one.name(), await one.within(ORG)) == ([ONE], "Demo", ())
        assert await here.accepts_us()


async def test_all_workspaces_share_one_session_so_their_calls_share_connections(
    town: Town, many: ManyWorkspaces
) -> None:
    for workspace in (ONE, TWO):
        await town.install(workspace)
        for _ in range(5):
            with translated():
                await (await many.get(workspace)).client.auth_test()
    assert town.workspace.connections == 1


async def test_an_app_is_one_workspace_s_or_for_many() -> None:
    access, clock = Access(None, None, "secret", "http://127.0.0.1:1/api/"), SettableClock()
    side = slack_side(access, clock, frozenset(), seating=NoOther(clock), elsewhere=lambda: None)
    with pytest.raises(ValueError, match="bot token"):
        async with side:
            pass


async def test_departures_are_remembered_for_a_while_and_of_so_many(town: Town) -> None:
    purging = Purging(town.store, purged=lambda *_: None)
    departures = Departures(purging, town.clock, at_most=1)
    left = town.clock.now()
    assert await departures.last(ONE) is None
    await purging.purge(SLACK, ONE, left=left)
    assert await departures.last(ONE) is None
    departures.forget(ONE)
    assert await departures.last(ONE) == left
    assert await departures.last(TWO) is None
    later = left + timedelta(seconds=5)
    await purging.purge(SLACK, ONE, left=later)
    assert await departures.last(ONE) == later
    town.store.failing = 1
    assert await departures.last(ONE) == later
    town.clock.advance(600)
    with pytest.raises(StoreUnavailable):
        await departures.last(ONE)


EVENT = {"team_id": "T9", "authorizations": [{"enterprise_id": "E1", "team_id": "T1", "is_bot": True}]}
BODIES: list[tuple[Mapping[str, Any], str]] = [
    ({"team_id": "T1"}, "T1"),
    (EVENT, "T1"),
    ({"team": {"id": "T1", "domain": "demo"}}, "T1"),
    ({"team": None, "user": {"id": "U1", "team_id": "T1"}, "enterprise": {"id": "E1"}}, "T1"),
    ({"team": {"id": "T9"}, "view": {"app_installed_team_id": "T1"}}, "T1"),
]


@pytest.mark.parametrize(("body", "team"), BODIES)
def test_the_workspace_of_something_is_the_one_whose_token_bolt_would_take(
    body: dict[str, Any], team: str
) -> None:
    assert workspace_of(body) == team == extract_team_id(body)


def test_a_form_of_an_organisations_installation_is_of_the_workspace_in_which_it_was_opened() -> None:
    """There `app_installed_team_id` is the organisation (docs.slack.dev, view payloads)."""
    form = {"team": {"id": "T1"}, "user": {"team_id": "T1"}, "view": {"app_installed_team_id": "E1"}}
    assert workspace_of(form) == "T1"
    assert workspace_of({**form, "team": None}) == "T1"


@pytest.mark.parametrize(
    "odd", [{}, {"team_id": 5}, {"authorizations": 5}, {"authorizations": [5]}, {"team": [], "user": "U1"}]
)
def test_what_says_nothing_of_a_workspace_is_of_none(odd: dict[str, Any]) -> None:
    assert workspace_of(odd) == ""
    assert organisation_of(odd) is None
    assert uninstalled_from({**odd, "event": {"type": "app_uninstalled"}}) is None


def test_an_organisation_counts_where_it_is_its_installation_that_hears_of_it() -> None:
    assert organisation_of(EVENT) is None
    by = {"enterprise_id": "E1", "team_id": "T1", "is_enterprise_install": True}
    event = {"team_id": "T1", "authorizations": [by]}
    assert organisation_of(event) == "E1" == extract_enterprise_id(event)
    command = {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true"}
    assert organisation_of(command) == "E1"
    click = {"team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True}
    assert organisation_of(click) == "E1"
    assert organisation_of({"is_enterprise_install": True}) is None
    assert uninstalled_from({**event, "event": {"type": "app_uninstalled"}}) == "E1"


def test_who_is_shut_out_stands_in_the_event_at_either_depth() -> None:
    flat = {"event": {"type": "team_access_revoked", "team_ids": ["T1", 5, "T2"]}}
    deep = {"event": {"type": "team_access_revoked", "event": {"team_ids": ["T1", "T2"]}}}
    assert shut_out_of(flat) == shut_out_of(deep) == ["T1", "T2"]
    for odd in ({}, {"event": None}, {"event": {"team_ids": "T1"}}):
        assert shut_out_of(odd) == []
