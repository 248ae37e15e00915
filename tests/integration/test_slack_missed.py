"""What Slack tells no more: questions, edits and deletions are found by looking, within bounds."""

import pytest
from structlog.testing import capture_logs

from bots import texts
from bots.demo.assistant.faults import rate_limited
from bots.demo.slack import HttpError, Refuse
from core.model import Mark
from tests.faults.rows import ahead, until_later
from tests.fixtures.walk import Walk

REFUSE = "CREATE TRIGGER refuse BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk full'); END"
TAKE = "DROP TRIGGER refuse"
HISTORY, REPLIES = "conversations.history", "conversations.replies"


def asked(town: Walk) -> list[str]:
    """Return the question of each chat call."""
    return [call.messages[-1][1] for call in town.assistant.journal]


async def refused(town: Walk, before: set[str]) -> None:
    """Have Slack try as often as it does, in vain."""
    events = set(town.workspace.events) - before
    await town.workspace.until(lambda: {one.event_id for one in town.workspace.deliveries} >= events)
    for attempt in range(1, 4):
        for event in events:
            assert not any(one.acked for one in await town.workspace.repeat_event(event, attempt))


async def looked(town: Walk, method: str = HISTORY) -> None:
    """Wait until the look after a start is over."""
    await town.until_called(method)
    await town.acknowledged()


async def test_a_database_that_is_away_for_longer_than_slack_tries_costs_no_question(town: Walk) -> None:
    ahead(town)
    async with town.run():
        await looked(town)
        town.sql(REFUSE)
        ts = await town.mention("who consumes order.created?")
        await refused(town, set())
        town.sql(TAKE)
        await town.answers(await town.mention("who owns billing?"))
        await until_later(town, lambda: town.posted(ts))
    assert len(town.posted(ts)) == 1
    assert town.states() == ["done", "done"]


async def test_nor_a_follow_up_in_a_thread_that_began_since_the_start(town: Walk) -> None:
    ahead(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.acknowledged()
        told = set(town.workspace.events)
        town.sql(REFUSE)
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        await refused(town, told)
        town.sql(TAKE)
        await town.workspace.say(town.ben, town.general, "who owns billing?", thread=ts)
        await town.answers(ts, 2)
        await until_later(town, lambda: len(town.posted(ts)) == 3)
    assert town.states() == ["done"] * 3
    assert len(town.assistant.journal) == 3


async def test_while_it_is_still_away_the_looks_grow_rare(town: Walk) -> None:
    clock = ahead(town)
    async with town.run():
        await looked(town)
        town.sql(REFUSE)
        ts = await town.mention("who consumes order.created?")
        await refused(town, set())
        looks = len(town.calls(HISTORY))
        for look in range(1, 5):
            pause = min(300, 30 * 2 ** max(0, look - 2))
            await clock.changes.until(lambda: any(pause - 9 < left <= pause for left in clock.asleep()))  # noqa: B023 awaited here
            clock.advance(pause)
            await town.until_called(HISTORY, looks + look)
        town.sql(TAKE)
        await until_later(town, lambda: town.posted(ts))
    assert len(town.posted(ts)) == 1


async def test_a_slack_that_is_busy_is_looked_at_again(town: Walk) -> None:
    ahead(town)
    town.slack.send_events_to("")
    ts = await town.mention("who owns billing?")
    town.workspace.faults.add(HISTORY, HttpError(503))
    async with town.run():
        await until_later(town, lambda: town.posted(ts))
    assert len(town.calls(HISTORY)) == 2


async def test_what_slack_will_never_show_is_not_asked_for_again(town: Walk) -> None:
    ahead(town)
    town.workspace.faults.add(HISTORY, Refuse("channel_not_found"))
    async with town.run():
        await town.until_called(HISTORY)
        ts = await town.mention("who owns billing?")
        await town.answers(ts)
        with pytest.raises(TimeoutError):
            await until_later(town, lambda: len(town.calls(HISTORY)) > 1)
    assert town.states() == ["done"]


async def test_a_socket_that_was_lost_for_long_is_made_up_for(town: Walk) -> None:
    clock = ahead(town)
    town.by_socket()
    async with town.run():
        await looked(town)
        town.workspace.faults.add("apps.connections.open", *[HttpError(503)] * 100)
        await town.slack.cut_sockets()
        await town.workspace.until(lambda: town.slack.socket_connections == 0)
        told, town.workspace.subscriptions = town.workspace.subscriptions, set()
        missed = await town.mention("who owns billing?")
        town.workspace.subscriptions = told
        clock.advance(15)
        await town.workspace.until(lambda: town.calls("apps.connections.open")[1:])
        town.workspace.faults.clear()
        await until_later(town, lambda: town.posted(missed))
    assert len(town.posted(missed)) == 1


# --- what became of them --------------------------------------------------------------------------


async def waiting(town: Walk, text: str, *, thread: str | None = None) -> str:
    """Have a question wait for an hour while nobody runs."""
    town.assistant.faults.add(rate_limited("3600"))
    async with town.run():
        ts = await town.mention(text, thread=thread)
        await town.acknowledged()
        await town.answers(thread or ts, 1 if thread is None else 2)
    town.slack.send_events_to("")
    return ts


async def test_what_was_edited_while_nobody_ran_is_asked_as_it_reads_now(town: Walk) -> None:
    clock = ahead(town)
    ts = await waiting(town, "who publsihes it?")
    await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who publishes it?")
    clock.advance(1_000)
    async with town.run():
        await town.until_called(REPLIES)
        await until_later(town, lambda: town.states() == ["done"], 300)
    assert asked(town) == ["who publsihes it?", "who publishes it?"]


@pytest.mark.parametrize("text", ["never mind", "<@{ben}> do you know?"])
async def test_what_was_edited_to_be_no_question_of_ours_is_not_asked(town: Walk, text: str) -> None:
    clock = ahead(town)
    ts = await waiting(town, "who publishes it?")
    await town.workspace.edit(town.general, ts, text.format(ben=town.ben))
    clock.advance(1_000)
    async with town.run():
        await until_later(town, lambda: town.states() == ["cancelled"])
    assert len(town.assistant.journal) == 1


@pytest.mark.parametrize("place", ["root", "reply"])
async def test_what_was_deleted_while_nobody_ran_is_not_asked(town: Walk, place: str) -> None:
    clock = ahead(town)
    root = None
    if place == "reply":
        async with town.run():
            root = await town.mention("who owns billing?")
            await town.answers(root)
    ts = await waiting(town, "who publishes it?", thread=root)
    await town.workspace.delete(town.general, ts)
    clock.advance(1_000)
    async with town.run():
        await until_later(town, lambda: "cancelled" in town.states())
    assert asked(town).count("who publishes it?") == 1
    assert town.states() == (["cancelled"] if root is None else ["cancelled", "done"])


async def test_a_root_that_is_gone_without_a_trace_is_missed_in_its_channel(town: Walk) -> None:
    clock = ahead(town)
    ts = await waiting(town, "who publishes it?")
    for message in town.workspace.thread(town.general, ts):
        town.workspace.forget(message)
    clock.advance(1_000)
    async with town.run():
        await until_later(town, lambda: town.states() == ["cancelled"])
    assert len(town.assistant.journal) == 1


async def test_what_a_page_does_not_reach_counts_as_being_there(town: Walk) -> None:
    clock = ahead(town)
    ts = await waiting(town, "who publishes it?")
    for message in town.workspace.thread(town.general, ts):
        town.workspace.forget(message)
    for number in range(101):
        await town.workspace.say(town.ben, town.general, f"lunch {number}?")
    clock.advance(1_000)
    async with town.run():
        await town.until_called(REPLIES)
        await until_later(town, lambda: len(town.assistant.journal) == 2, 300)
    assert asked(town)[1] == "who publishes it?"


@pytest.mark.parametrize(("deed", "mark"), [("edit", Mark.EDITED), ("delete", Mark.DELETED)])
async def test_an_answer_says_what_became_of_its_question_while_nobody_ran(
    town: Walk, deed: str, mark: Mark
) -> None:
    clock = ahead(town)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        await town.acknowledged()
    town.slack.send_events_to("")
    if deed == "edit":
        await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who owns it?")
    else:
        await town.workspace.delete(town.general, ts)
    clock.advance(1_000)
    for _ in range(2):
        async with town.run():
            await town.until_called(REPLIES)
            assert await town.changed(ts) == [texts.mark(mark)]
    assert len(town.calls("chat.update")) == 1
    assert len(town.assistant.journal) == 1


async def test_a_change_that_could_not_be_stored_is_found_again(town: Walk) -> None:
    clock = ahead(town)
    ts = await waiting(town, "who publsihes it?")
    await town.workspace.edit(town.general, ts, f"<@{town.workspace.bot_user}> who publishes it?")
    town.sql("CREATE TRIGGER refuse BEFORE UPDATE ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    clock.advance(1_000)
    with capture_logs() as logs:
        async with town.run():
            await town.workspace.until(
                lambda: any(line["event"] == "missed change not stored" for line in logs)
            )
            town.sql(TAKE)
            await until_later(town, lambda: town.states() == ["done"])
    assert asked(town) == ["who publsihes it?", "who publishes it?"]
