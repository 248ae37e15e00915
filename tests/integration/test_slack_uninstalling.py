"""A workspace removes the app, or takes its token away: what was kept of it is gone before Slack is told."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bots.demo.assistant.faults import rate_limited
from bots.demo.slack import HttpError, Message, Refuse
from bots.slack.inbound import SLACK, to_ts
from core.model import WorkspaceId, posting_lane
from tests.faults.rows import ahead
from tests.fixtures.walk import SHOP, Walk

REFUSE = "CREATE TRIGGER refuse BEFORE DELETE ON conversations BEGIN SELECT RAISE(ABORT, 'disk full'); END"


def kept(town: Walk) -> set[str]:
    """Return the tables in which anything of a workspace is: that it left, and when, may be remembered."""
    return {name for name, many in town.rows().items() if many and name not in {"lanes", "departures"}}


@pytest.mark.parametrize("socket", [False, True], ids=["http", "socket"])
async def test_what_could_not_be_deleted_is_not_acknowledged_and_is_once_slack_tells_again(
    town: Walk, socket: bool
) -> None:
    if socket:
        town.by_socket()
    async with town.run():
        await town.answers(await town.mention("who consumes order.created?"))
        await town.acknowledged()
        town.sql(REFUSE)
        told = set(town.workspace.events)
        await town.workspace.uninstall()
        events = [event for event in town.workspace.events if event not in told]
        await town.workspace.until(lambda: {d.event_id for d in town.workspace.deliveries} >= set(events))
        assert not any(one.acked for one in town.workspace.deliveries if one.event_id in events)
        assert "turns" in kept(town)
        town.sql("DROP TRIGGER refuse")
        for event in reversed(events):
            assert [one.acked for one in await town.workspace.repeat_event(event, 1)] == [True]
        assert kept(town) == set()


def bot_asked(town: Walk) -> str:
    return f"<@{town.workspace.bot_user}> who consumes order.created?"


async def test_what_was_written_before_does_not_come_back_though_slack_sends_it_again(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who owns billing?")
        await town.acknowledged()
        await town.workspace.delete(town.general, ts)
        await town.acknowledged()
        told = list(town.workspace.events)
        await town.workspace.uninstall()
        await town.acknowledged()
        for event in told:
            assert [one.acked for one in await town.workspace.repeat_event(event, 1)] == [True]
        assert kept(town) == set()
    assert len(town.assistant.journal) == 1


async def test_an_uninstalling_that_is_told_again_once_they_have_us_back_deletes_nothing(town: Walk) -> None:
    async with town.run():
        await town.answers(await town.mention("who consumes order.created?"))
        await town.acknowledged()
        told = set(town.workspace.events)
        await town.workspace.uninstall()
        await town.acknowledged()
        events = [event for event in town.workspace.events if event not in told]
    assert kept(town) == set()
    town.workspace.installed = True
    async with town.run():
        await town.workspace.command(town.ana, town.general, "/threadline", f"link {SHOP}")
        ts = await town.mention("who owns billing?")
        await town.answers(ts)
        await town.acknowledged()
        for event in events:
            assert all(one.acked for one in await town.workspace.repeat_event(event, 2))
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        await town.answers(ts, 2)
    assert town.rows()["links"] == 1
    assert len(town.assistant.journal[-1].messages) == 3


async def test_while_slack_does_not_say_whether_they_have_us_nothing_is_deleted(town: Walk) -> None:
    async with town.run():
        await town.answers(await town.mention("who consumes order.created?"))
        await town.acknowledged()
        told = set(town.workspace.events)
        town.workspace.faults.add("auth.test", HttpError(503))
        await town.workspace.uninstall()
        events = set(town.workspace.events) - told
        await town.workspace.until(lambda: {one.event_id for one in town.workspace.deliveries} >= events)
        await town.workspace.until(lambda: kept(town) == set())  # by the other of the two
        unsure = [one for one in town.workspace.deliveries if one.event_id in events and not one.acked]
        assert len(unsure) == 1
        assert [one.acked for one in await town.workspace.repeat_event(unsure[0].event_id, 1)] == [True]


async def test_the_time_of_the_removal_counts_not_that_of_hearing_of_it(town: Walk) -> None:
    """Slack tells of it minutes later, or once more, when they have us again and have asked."""
    clock = ahead(town)
    async with town.run():
        await town.workspace.uninstall()
        await town.acknowledged()
        clock.advance(600)
        for event in list(town.workspace.events):
            await town.workspace.repeat_event(event, 1)
        town.workspace.installed = True
        town.assistant.faults.add(rate_limited("3600"))
        later = Message(town.general, to_ts(clock.now() - timedelta(minutes=5)), town.ana, bot_asked(town))
        town.workspace.keep(later)
        town.workspace.publish_message(later)
        await town.acknowledged()
        assert town.states() == ["accepted"]
        await town.workspace.edit(town.general, later.ts, "never mind")
        await town.acknowledged()
    assert town.states() == ["cancelled"]


async def test_a_persons_own_token_is_no_reason_to_forget_the_workspace(town: Walk) -> None:
    async with town.run():
        await town.answers(await town.mention("who consumes order.created?"))
        await town.workspace.revoke_user_token(town.ana)
        await town.acknowledged()
        assert kept(town) == {"conversations", "turns", "deliveries", "parts"}


async def test_a_workspace_that_takes_us_in_again_begins_anew(town: Walk) -> None:
    async with town.run():
        await town.workspace.command(town.ana, town.general, "/threadline", f"link {SHOP}")
        first = await town.mention("who consumes order.created?")
        await town.answers(first)
        await town.acknowledged()
        await town.workspace.uninstall(tokens_first=False)
        await town.acknowledged()
        assert kept(town) == set()
        town.workspace.installed = True
        await town.mention("and who publishes it?", thread=first)
        await town.answers(first, 2)
    assert [role for role, _ in town.assistant.journal[1].messages] == ["user"]
    assert town.states() == ["done"]


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_refused_token_is_one_alert_and_what_is_owed_is_kept(town: Walk, code: str) -> None:
    town.workspace.faults.add("chat.postMessage", *[Refuse(code)] * 3)
    with capture_logs() as logs:
        async with town.run():
            for number in range(3):
                await town.mention(f"who owns billing ({number})?")
            await town.until_called("chat.postMessage")
            await town.workspace.until(lambda: len(town.assistant.journal) == 3)
    assert town.states() == ["answered"] * 3
    paused = town.sql("SELECT id FROM lanes WHERE paused_until IS NOT NULL")
    assert paused == [(posting_lane(SLACK, WorkspaceId(town.workspace.team)),)]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["slack refuses our token"]
    assert {call.outcome for call in town.calls("chat.postMessage")} == {code}
