"""The poster by itself, against the simulated Web API: what it finds again, and whom it names."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bots import texts
from bots.demo.slack import Message, RateLimited, Refuse, Reset, SlackServer, SlackWorkspace
from bots.slack.access import web_client
from bots.slack.inbound import SLACK, written_at
from bots.slack.members import Members
from bots.slack.outbound import SlackPoster
from bots.slack.stop_button import STOP
from core import errors
from core.clock import SystemClock
from core.errors import AccountRefused, CannotLook, OutcomeUnknown, PostRefused
from core.model import (
    NO_RECEIPT,
    Address,
    AnswerPart,
    AssistantAway,
    AuthorId,
    DeliveryId,
    Mark,
    QueuedUntil,
    ThreadKey,
    Working,
    WorkspaceId,
)
from core.testing import SettableClock
from tests.fixtures.alone import Alone


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

    async def posted(self, text: str) -> AnswerPart:
        part = AnswerPart(0, text)
        return replace(part, posted=await self.poster.post(self.to, part))

    def message(self, part: AnswerPart) -> Message:
        found = self.workspace.message(self.general, part.posted or "")
        assert found is not None
        return found

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
        poster = SlackPoster(Alone(client, clock), clock)
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
    with pytest.raises(AccountRefused):
        await desk.poster.names(desk.to.thread.workspace, [desk.ana])


async def test_a_state_is_taken_away(desk: Desk) -> None:
    await desk.poster.show_state(desk.to, Working.ASKING)
    assert desk.workspace.status(desk.general, desk.ts)
    await desk.poster.show_state(desk.to, Working.IDLE)
    assert desk.workspace.status(desk.general, desk.ts) == ""


LONG = "**Bold** & <tag>\n\n" + "word " * 2_000 + "end"
#: What stands below an answer whose question was edited.
BELOW = {"type": "context", "elements": [{"type": "mrkdwn", "text": texts.mark(Mark.EDITED)}]}


@pytest.mark.parametrize("text", ["order-service owns it.", LONG], ids=["short", "long"])
async def test_a_mark_stands_below_the_answer_and_leaves_it_as_it_was(desk: Desk, text: str) -> None:
    part = await desk.posted(text)
    before = desk.message(part)
    for _ in range(2):
        await desk.poster.mark(desk.to, part, Mark.EDITED)
        after = desk.message(part)
        assert after.blocks == (*before.blocks, BELOW)
        assert after.metadata == before.metadata
        assert after.text.startswith(before.text[:20])
        assert after.text.endswith(f"\n{texts.mark(Mark.EDITED)}")
        assert len(after.text) <= 4_000
    assert await desk.poster.find(desk.to, part) == part.posted
    assert len(desk.workspace.thread(desk.general, desk.ts)) == 2
    assert desk.workspace.pings == []


async def test_where_blocks_are_refused_a_short_answer_is_marked_as_text(desk: Desk) -> None:
    desk.workspace.faults.add("chat.postMessage", Refuse("invalid_blocks"))
    part = await desk.posted("**Bold** & <tag> <!channel>")
    desk.workspace.faults.add("chat.update", Refuse("invalid_blocks"))
    before = desk.message(part)
    await desk.poster.mark(desk.to, part, Mark.DELETED)
    after = desk.message(part)
    assert after.blocks == ()
    assert after.text == f"{before.text}\n{texts.mark(Mark.DELETED)}"
    assert after.metadata == before.metadata
    assert desk.workspace.pings == []


async def test_where_blocks_are_refused_a_long_answer_stays_whole(desk: Desk) -> None:
    desk.workspace.faults.add("chat.postMessage", Refuse("msg_blocks_too_long"))
    part = await desk.posted(f"{LONG} <!channel>")
    desk.workspace.faults.add("chat.update", Refuse("msg_blocks_too_long"))
    await desk.poster.mark(desk.to, part, Mark.EDITED)
    *sections, below = desk.message(part).blocks
    assert below == BELOW
    assert {section["type"] for section in sections} == {"section"}
    whole = "\n".join(section["text"]["text"] for section in sections)
    assert whole.startswith("**Bold** &amp; &lt;tag&gt;")
    assert whole.split()[-2:] == ["end", "&lt;!channel&gt;"]
    assert whole.count("word") == 2_000
    assert desk.workspace.pings == []


@pytest.mark.parametrize("code", ["message_not_found", "edit_window_closed", "cant_update_message"])
async def test_what_slack_will_not_have_changed_is_not(desk: Desk, code: str) -> None:
    part = await desk.posted("here")
    desk.workspace.faults.add("chat.update", Refuse(code))
    with pytest.raises(PostRefused, match=code):
        await desk.poster.mark(desk.to, part, Mark.EDITED)


async def test_nothing_is_marked_that_is_gone_or_archived_or_was_never_there(desk: Desk) -> None:
    part = await desk.posted("here")
    with pytest.raises(PostRefused, match="message_not_found"):
        await desk.poster.mark(desk.to, AnswerPart(0, "here"), Mark.EDITED)
    desk.workspace.archive(desk.general)
    with pytest.raises(PostRefused, match="is_archived"):
        await desk.poster.mark(desk.to, part, Mark.EDITED)
    await desk.workspace.delete(desk.general, part.posted or "")
    with pytest.raises(PostRefused, match="message_not_found"):
        await desk.poster.mark(desk.to, part, Mark.EDITED)


async def test_a_mark_that_meets_a_fault_can_be_made_again(desk: Desk) -> None:
    part = await desk.posted("here")
    desk.workspace.faults.add("chat.update", RateLimited(30), Reset(after=True))
    with pytest.raises(errors.RateLimited) as limited:
        await desk.poster.mark(desk.to, part, Mark.EDITED)
    assert limited.value.retry_after == timedelta(seconds=30)
    assert len(desk.message(part).blocks) == 1
    with pytest.raises(OutcomeUnknown):
        await desk.poster.mark(desk.to, part, Mark.EDITED)
    await desk.poster.mark(desk.to, part, Mark.EDITED)
    assert desk.message(part).blocks[1:] == (BELOW,)


@pytest.mark.parametrize("kind", [QueuedUntil, AssistantAway])
async def test_a_long_wait_is_told_with_a_button_to_stop_it(
    desk: Desk, kind: type[QueuedUntil | AssistantAway]
) -> None:
    await desk.poster.show_state(desk.to, kind(desk.clock.now() + timedelta(minutes=5)))
    _, told = desk.workspace.thread(desk.general, desk.ts)
    section, actions = told.blocks
    assert section["text"]["text"] == told.text
    assert "<!date^" in told.text
    assert [(one["type"], one["action_id"]) for one in actions["elements"]] == [("button", STOP)]


async def test_a_refused_token_is_one_alert_for_all_that_meet_it(desk: Desk) -> None:
    part = await desk.posted("here")
    desk.workspace.installed = False
    with capture_logs() as logs:
        for deed in (
            desk.poster.show_state(desk.to, Working.ASKING),
            desk.poster.post(desk.to, part),
            desk.poster.mark(desk.to, part, Mark.EDITED),
            desk.poster.find(desk.to, part),
        ):
            with pytest.raises(AccountRefused):
                await deed
        desk.workspace.installed = True
        await desk.poster.post(desk.to, part)
    assert [line["log_level"] for line in logs] == ["error"]
