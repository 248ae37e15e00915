"""Many API keys' ways to the service over real HTTP: whose question goes under which."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from functools import partial

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bots.demo.assistant import AssistantServer, media_demo, shop_demo
from core.clock import SystemClock
from core.errors import (
    KeyRefused,
    OwnKeyRefused,
    ProjectUnknown,
    SealAway,
    SealMissing,
    SealUnbroken,
    Unreachable,
)
from core.model import (
    NO_KEY,
    Account,
    AuthorId,
    Platform,
    Project,
    ProjectId,
    Role,
    SealedKey,
    Turn,
    WorkspaceId,
)
from core.ports import ChatApis, Keys
from core.project_api import HttpCatalogue, HttpChatApi, Keyring, lane_of
from core.project_api.lines import Lines
from core.store.secrets import Cipher
from core.testing import SettableClock
from tests.fixtures.queued import NOW

SHOP, MEDIA = ProjectId("shop-demo-7f3k2"), ProjectId("media-demo-4p9x1")
OWN, OURS, THEIRS = "the-installations-key", "key-of-ours-a1b2", "key-of-theirs-c3d4"
ASKED = [Turn(Role.USER, None, "who consumes order.created?")]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AssistantServer]:
    async with AssistantServer(clock=SystemClock(), projects=[], api_keys={OWN}) as server:
        server.add_key(OURS, [shop_demo()])
        server.add_key(THEIRS, [media_demo()])
        yield server


def keyring(url: str, *, own: str | None = OWN, secret: bytes | None = None, sealed: bool = True) -> Keyring:
    clock = SystemClock()

    def chats(key: str) -> HttpChatApi:
        return HttpChatApi(base_url=url, api_key=key, concurrency=2, clock=clock)

    def catalogues(key: str) -> HttpCatalogue:
        return HttpCatalogue(base_url=url, api_key=key, clock=clock)

    cipher = Cipher([(secret or Fernet.generate_key()).decode()]) if sealed else None
    return Keyring(own, cipher, chats, catalogues, clock)


def account(keys: Keys, key: str) -> Account:
    workspace, by = WorkspaceId("team"), AuthorId("ana")
    return Account(Platform("chat"), workspace, keys.seal(key), keys.lane(key), "", (), by, NOW)


async def test_each_question_goes_under_its_accounts_key(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url)) as keys:
        asked: ChatApis = keys
        assert "billing" in await asked.ask(account(keys, OURS), SHOP, ASKED)
        assert await asked.ask(account(keys, THEIRS), MEDIA, ASKED)
        for foreign, project in ((account(keys, OURS), MEDIA), (account(keys, THEIRS), SHOP), (None, SHOP)):
            with pytest.raises(ProjectUnknown):
                await asked.ask(foreign, project, ASKED)
    assert [(call.key, call.project) for call in server.journal] == [
        (OURS, SHOP),
        (THEIRS, MEDIA),
        (OURS, MEDIA),
        (THEIRS, SHOP),
        (OWN, SHOP),
    ]


async def test_projects_are_those_of_ones_own_key(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url)) as keys:
        assert await keys.projects(account(keys, OURS), "") == [Project(SHOP, "Shop demo")]
        assert await keys.projects(account(keys, THEIRS), "") == [Project(MEDIA, "Media demo")]
        assert await keys.projects(None, "") == []


async def test_a_key_is_tried_with_one_small_look_and_one_for_each_project(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url)) as keys:
        assert await keys.unseen(OURS, ()) == []
        assert await keys.unseen(OURS, [MEDIA, SHOP]) == [MEDIA]
        with pytest.raises(KeyRefused):
            await keys.unseen("unknown", [SHOP])
        with pytest.raises(KeyRefused):
            await keys.unseen("no header\ncarries this", [])
    assert server.journal[0].query == {"size": "1"}
    assert sorted(call.path for call in server.journal[1:4]) == [
        "/v1/projects",
        f"/v1/projects/{MEDIA}",
        f"/v1/projects/{SHOP}",
    ]


async def test_an_endpoint_that_is_away_is_no_refusal(server: AssistantServer) -> None:
    await server.stop()
    async with aclosing(keyring(server.url)) as keys:
        with pytest.raises(Unreachable):
            await keys.unseen(OURS, [SHOP])


async def test_a_refused_key_of_an_account_is_said_to_be_its_own(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url, own="unknown")) as keys:
        ours = account(keys, OURS)
        server.revoke(OURS)
        with pytest.raises(OwnKeyRefused, match="401"):
            await keys.ask(ours, SHOP, ASKED)
        with pytest.raises(KeyRefused) as told:
            await keys.ask(None, SHOP, ASKED)
    assert type(told.value) is KeyRefused


async def test_what_is_asked_under_a_key_that_cannot_be_opened_waits(
    server: AssistantServer,
) -> None:
    async with aclosing(keyring(server.url)) as before, aclosing(keyring(server.url)) as after:
        ours = account(before, OURS)
        with pytest.raises(SealAway, match="THREADLINE_SECRET_KEY") as told:
            await after.ask(ours, SHOP, ASKED)
        assert told.value.retry_after == timedelta(minutes=1)
        with pytest.raises(SealUnbroken):
            after.opened(ours.key)
    assert server.journal == []


async def test_without_a_secret_key_nothing_is_sealed_and_nothing_opened(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url, own=None, sealed=False)) as keys:
        assert not keys.can_seal
        with pytest.raises(SealMissing):
            keys.seal(OURS)
        with pytest.raises(SealMissing):
            keys.opened(SealedKey("?"))
        with pytest.raises(KeyRefused):
            await keys.ask(None, SHOP, ASKED)


def test_a_lane_tells_keys_apart_and_nothing_of_them() -> None:
    assert lane_of(OURS) == lane_of(OURS) != lane_of(THEIRS)
    assert OURS not in lane_of(OURS)
    assert lane_of(None) == NO_KEY


async def test_a_sealed_key_is_another_text_each_time_and_opens_again(server: AssistantServer) -> None:
    async with aclosing(keyring(server.url)) as keys:
        assert keys.can_seal
        once, again = keys.seal(OURS), keys.seal(OURS)
        assert OURS not in once != again
        assert keys.opened(once) == keys.opened(again) == OURS


async def test_lines_are_shared_while_in_use_and_closed_when_long_unused(server: AssistantServer) -> None:
    clock, made = SettableClock(), []

    def make(key: str) -> HttpChatApi:
        made.append(key)
        return HttpChatApi(base_url=server.url, api_key=key, concurrency=1, clock=clock)

    lines = Lines(make, clock, idle=60, at_most=2)
    one, two, three, four = (lane_of(key) for key in ("1", "2", "3", "4"))
    async with lines.use(one, lambda: "1") as held, lines.use(one, lambda: "never asked for") as same:
        assert held is same
        for lane, key in ((two, "2"), (three, "3"), (four, "4")):
            async with lines.use(lane, partial(str, key)):
                pass
        assert len(lines) == 3  # the one in use, and two others
    clock.advance(30)
    async with lines.use(four, lambda: "4"):
        assert made == ["1", "2", "3", "4"]
    clock.advance(31)
    async with lines.use(two, lambda: "2"):
        assert len(lines) == 3
    assert len(lines) == 2  # what was used last is kept
    await lines.aclose()
    assert len(lines) == 0
    assert made == ["1", "2", "3", "4", "2"]
