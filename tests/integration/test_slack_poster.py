"""The poster by itself, against the simulated Web API: what it finds again, and whom it names."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bots.demo.slack import Refuse, SlackServer, SlackWorkspace
from bots.slack.inbound import SLACK, written_at
from bots.slack.members import Members
from bots.slack.outbound import SlackPoster
from bots.slack.side import web_client
from core.clock import SystemClock
from core.errors import CannotLook, Unavailable
from core.model import NO_RECEIPT, Address, AnswerPart, AuthorId, DeliveryId, ThreadKey, Working, WorkspaceId
from core.testing import SettableClock


@dataclass
class Desk:
    workspace: SlackWorkspace
    poster: SlackPoster
    api_url: str
    clock: SettableClock
    ana: AuthorId
    general: str
    ts: str

    @property
    def to(self) -> Address:
        thread = ThreadKey(SLACK, WorkspaceId(self.workspace.team), self.general, self.ts)
        return Address(thread, DeliveryId("d1"), self.ana, written_at(self.ts), NO_RECEIPT)

    async def talk(self, many: int) -> None:
        for number in range(many):
            await self.workspace.say(self.ana, self.general, f"and {number}", thread=self.ts)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    workspace, clock = SlackWorkspace(SystemClock()), SettableClock()
    server = SlackServer(workspace)
    await server.start()
    ana, general = AuthorId(workspace.add_user("ana")), workspace.add_channel("general")
    ts = await workspace.say(ana, general, "who owns billing?")
    async with web_client(workspace.bot_token, server.api_url) as client:
        poster = SlackPoster(client, Members(client, clock), clock)
        yield Desk(workspace, poster, server.api_url, clock, ana, general, ts)
    await server.stop()


async def test_a_part_is_found_by_its_mark_and_no_other_is_taken_for_it(desk: Desk) -> None:
    posted = await desk.poster.post(desk.to, AnswerPart(1, "second"))
    assert await desk.poster.find(desk.to, AnswerPart(1, "")) == posted
    assert await desk.poster.find(desk.to, AnswerPart(0, "")) is None


async def test_it_is_found_behind_pages_of_talk(desk: Desk) -> None:
    await desk.talk(450)
    posted = await desk.poster.post(desk.to, AnswerPart(0, "here"))
    assert await desk.poster.find(desk.to, AnswerPart(0, "")) == posted


async def test_a_thread_without_end_is_left_to_a_human(desk: Desk) -> None:
    await desk.talk(1001)
    with pytest.raises(CannotLook, match="more messages"):
        await desk.poster.find(desk.to, AnswerPart(0, ""))


async def test_without_the_scope_it_cannot_look(desk: Desk) -> None:
    desk.workspace.scopes.clear()
    with pytest.raises(CannotLook, match="missing_scope"):
        await desk.poster.find(desk.to, AnswerPart(0, ""))


async def test_a_thread_that_is_gone_holds_nothing_of_ours(desk: Desk) -> None:
    desk.workspace.faults.add("conversations.replies", Refuse("thread_not_found"))
    assert await desk.poster.find(desk.to, AnswerPart(0, "")) is None


async def test_a_question_dated_by_a_clock_ahead_of_slacks_is_found_too(desk: Desk) -> None:
    posted = await desk.poster.post(desk.to, AnswerPart(0, "here"))
    ahead = replace(desk.to, asked_at=desk.to.asked_at + timedelta(minutes=1))
    assert await desk.poster.find(ahead, AnswerPart(0, "")) == posted


async def test_people_are_asked_for_again_after_a_while(desk: Desk) -> None:
    names = [await desk.poster.names(desk.to.thread.workspace, [desk.ana]) for _ in range(2)]
    desk.clock.advance(601)
    names.append(await desk.poster.names(desk.to.thread.workspace, [desk.ana]))
    assert names == [{desk.ana: "ana"}] * 3
    assert len(desk.workspace.calls) == 2


async def test_only_so_many_people_are_remembered(desk: Desk) -> None:
    ben = AuthorId(desk.workspace.add_user("ben"))
    async with web_client(desk.workspace.bot_token, desk.api_url) as client:
        members = Members(client, desk.clock, at_most=1)
        for _ in range(2):
            await members.names([desk.ana, ben])
    assert len(desk.workspace.calls) == 4


async def test_a_revoked_token_is_no_reason_to_leave_names_out(desk: Desk) -> None:
    desk.workspace.installed = False
    with pytest.raises(Unavailable):
        await desk.poster.names(desk.to.thread.workspace, [desk.ana])


async def test_a_state_is_taken_away(desk: Desk) -> None:
    await desk.poster.show_state(desk.to, Working.ASKING)
    assert desk.workspace.status(desk.general, desk.ts)
    await desk.poster.show_state(desk.to, Working.IDLE)
    assert desk.workspace.status(desk.general, desk.ts) == ""
