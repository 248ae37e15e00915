"""Stories of who installs the app: alone, with an organisation, and with a state that counts once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from core.errors import AccountRefused, SealUnbroken
from core.model import AuthorId, Installation, Platform, WorkspaceId
from core.services.installing import STATE_HOLDS, Installing
from core.store.secrets import Cipher
from core.testing import MemoryStore, SettableClock

CHAT = Platform("chat")
TEAM, ORG = WorkspaceId("T1"), WorkspaceId("E1")
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def installing(store: MemoryStore, clock: SettableClock) -> Installing:
    return Installing(store, Cipher([OLD]), clock, CHAT)


def place(workspace: WorkspaceId, clock: SettableClock, organisation: str = "") -> Installation:
    who = AuthorId("ana")
    return Installation(CHAT, workspace, "Team", "B1", "U1", who, clock.now(), organisation=organisation)


async def test_a_token_is_kept_sealed_and_given_out_open(
    store: MemoryStore, clock: SettableClock, installing: Installing
) -> None:
    began = clock.now()
    clock.advance(60)
    await installing.install(place(TEAM, clock), "xoxb-1")
    kept = await store(lambda uow: uow.installations.get(CHAT, TEAM))
    assert kept is not None
    assert "xoxb" not in kept.token
    assert kept.since == began + timedelta(seconds=60)
    found = await installing.credentials(TEAM)
    assert found is not None
    assert (found.token, found.installation.bot_user) == ("xoxb-1", "U1")
    assert "xoxb" not in repr(found)
    assert await installing.credentials(WorkspaceId("T2")) is None


async def test_what_an_older_key_sealed_opens_beside_a_newer_and_says_so_without(
    store: MemoryStore, clock: SettableClock, installing: Installing
) -> None:
    await installing.install(place(TEAM, clock), "xoxb-1")
    both = Installing(store, Cipher([NEW, OLD]), clock, CHAT)
    await both.check()
    found = await both.credentials(TEAM)
    assert found is not None
    assert found.token == "xoxb-1"
    without = Installing(store, Cipher([NEW]), clock, CHAT)
    with pytest.raises(SealUnbroken):
        await without.check()
    with pytest.raises(AccountRefused, match="THREADLINE_SECRET_KEY"):  # what is for it waits
        await without.credentials(TEAM)


async def test_an_organisation_s_token_counts_in_its_workspaces_once_somebody_says_they_are_its(
    clock: SettableClock, installing: Installing
) -> None:
    await installing.install(place(ORG, clock, organisation=ORG), "xoxb-org")
    assert await installing.credentials(TEAM) is None
    assert await installing.credentials(TEAM, WorkspaceId("E2")) is None
    for organisation in (ORG, None, ORG):
        found = await installing.credentials(TEAM, organisation)
        assert found is not None
        assert (found.token, found.installation.workspace) == ("xoxb-org", TEAM)
    await installing.check()
    assert await installing.workspaces() == [TEAM]
    assert await installing.within(ORG) == [TEAM]
    assert await installing.within(WorkspaceId("E2")) == []
    over = await installing.credentials(ORG, ORG)
    assert over is not None
    assert await installing.within(ORG) == [TEAM]


async def test_a_workspace_of_an_organisation_that_installs_by_itself_has_its_own_token(
    clock: SettableClock, installing: Installing
) -> None:
    await installing.install(place(ORG, clock, organisation=ORG), "xoxb-org")
    await installing.credentials(TEAM, ORG)
    await installing.install(place(TEAM, clock, organisation=ORG), "xoxb-own")
    found = await installing.credentials(TEAM, ORG)
    assert found is not None
    assert found.token == "xoxb-own"
    assert await installing.within(ORG) == []


async def test_an_organisation_that_installs_anew_is_known_by_its_new_names(
    clock: SettableClock, installing: Installing
) -> None:
    await installing.install(place(ORG, clock, organisation=ORG), "xoxb-org")
    await installing.credentials(TEAM, ORG)
    began = clock.now()
    clock.advance(5)
    await installing.install(replace(place(ORG, clock, organisation=ORG), bot_user="U2"), "xoxb-new")
    found = await installing.credentials(TEAM)
    assert found is not None
    assert (found.token, found.installation.bot_user, found.installation.since) == ("xoxb-new", "U2", began)


async def test_a_state_counts_once(installing: Installing) -> None:
    state = installing.issue_state()
    assert state.replace("-", "").replace("_", "").isalnum()
    assert await installing.use_state(state)
    assert not await installing.use_state(state)
    assert not await installing.use_state(state[:-1] + ("A" if state[-1] != "A" else "B"))
    assert await installing.use_state(installing.issue_state())


async def test_a_state_counts_for_a_while(clock: SettableClock, installing: Installing) -> None:
    in_time, late = installing.issue_state(), installing.issue_state()
    clock.advance((STATE_HOLDS - timedelta(seconds=2)).total_seconds())
    assert await installing.use_state(in_time)
    clock.advance(3)
    assert not await installing.use_state(late)


@pytest.mark.parametrize("state", ["", "x", "gAAAA", "größer", None])
async def test_what_is_no_state_of_ours_does_not_count(installing: Installing, state: str | None) -> None:
    state = Cipher([NEW]).seal("state of installing") if state is None else state
    assert not await installing.use_state(state)


async def test_nothing_else_that_is_sealed_passes_for_a_state(installing: Installing) -> None:
    assert not await installing.use_state(Cipher([OLD]).seal("xoxb-1"))


async def test_the_tokens_of_a_workspace_or_of_all_of_an_organisation_are_told_and_what_does_not_open(
    store: MemoryStore, clock: SettableClock, installing: Installing
) -> None:
    await installing.install(place(TEAM, clock), "xoxb-1")
    await installing.install(replace(place(WorkspaceId("E1"), clock), organisation="E1"), "xoxb-2")
    await installing.install(replace(place(WorkspaceId("T2"), clock), organisation="E1"), "xoxb-3")
    assert await installing.tokens(TEAM) == ["xoxb-1"]
    assert set(await installing.tokens(WorkspaceId("E1"))) == {"xoxb-2", "xoxb-3"}
    assert await Installing(store, Cipher([NEW]), clock, CHAT).tokens(TEAM) == [None]
