"""Nothing is acknowledged that is not on disk; what is not, Slack sends again."""

import aiohttp
import pytest

from bots.demo.assistant.faults import hold
from tests.fixtures.walk import Walk

REFUSE = "CREATE TRIGGER refuse BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk full'); END"
TAKE = "DROP TRIGGER refuse"


@pytest.mark.parametrize("socket", [False, True], ids=["http", "socket"])
async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(town: Walk, socket: bool) -> None:
    if socket:
        town.by_socket()
        town.workspace.subscriptions -= {"message.channels"}
    async with town.run():
        town.sql(REFUSE)
        ts = await town.mention("who consumes order.created?")
        events = set(town.workspace.events)
        await town.workspace.until(lambda: {d.event_id for d in town.workspace.deliveries} == events)
        refused = town.workspace.deliveries[:]
        assert not any(delivery.acked for delivery in refused)
        assert {delivery.status for delivery in refused} == ({None} if socket else {500})
        town.sql(TAKE)
        again = await town.workspace.repeat_event(next(iter(events)), 1)
        assert [delivery.acked for delivery in again] == [True]
        assert "billing" in (await town.answers(ts))[0]
    assert town.states() == ["done"]
    assert len(town.assistant.journal) == 1


@pytest.mark.parametrize("deed", ["edit", "delete"])
async def test_what_became_of_a_question_comes_again_too_if_it_could_not_be_stored(
    town: Walk, deed: str
) -> None:
    held = hold()
    town.assistant.faults.add(held)
    town.workspace.subscriptions -= {"app_mention"}
    async with town.run():
        first = await town.mention("who consumes order.created?")
        await town.assistant.wait_for_calls(1)
        ts = await town.workspace.say(town.ana, town.general, "and who publsihes it?", thread=first)
        await town.acknowledged()
        town.sql("CREATE TRIGGER refuse BEFORE UPDATE ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        town.sql("CREATE TRIGGER too BEFORE DELETE ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        if deed == "edit":
            await town.workspace.edit(town.general, ts, "and who publishes it?")
        else:
            await town.workspace.delete(town.general, ts)
        event = list(town.workspace.events)[-1]
        attempts = town.workspace.deliveries
        await town.workspace.until(lambda: [one for one in attempts if one.event_id == event])
        assert not any(one.acked for one in attempts if one.event_id == event)
        town.sql("DROP TRIGGER refuse")
        town.sql("DROP TRIGGER too")
        assert [one.acked for one in await town.workspace.repeat_event(event, 1)] == [True]
        held.release()
        await town.answers(first, 2 if deed == "edit" else 1)
    asked = [call.messages[-1][1] for call in town.assistant.journal][1:]
    assert asked == (["and who publishes it?"] if deed == "edit" else [])


async def test_a_form_that_could_not_be_stored_is_not_closed(town: Walk) -> None:
    async with town.run():
        message = await town.workspace.say(town.ben, town.general, "billing looks slow")
        await town.workspace.shortcut(town.ana, town.general, message, callback_id="ask_about_message")
        view = await town.workspace.until(lambda: town.workspace.view(town.ana))
        town.sql(REFUSE)
        values = {"question": {"question": "why?"}}
        assert (await town.workspace.submit_view(town.ana, view.id, values=values)).status == 500
        town.sql(TAKE)
        assert (await town.workspace.submit_view(town.ana, view.id, values=values)).status == 200
        await town.answers(message, 2)
    assert town.states() == ["done"]


async def test_the_probes_tell_whether_questions_can_be_accepted(town: Walk) -> None:
    async with town.run() as threadline, aiohttp.ClientSession() as session:
        for path, status in (("/livez", 200), ("/readyz", 200)):
            async with session.get(threadline.url + path) as response:
                assert response.status == status
        town.sql("ALTER TABLE links RENAME TO gone")
        async with session.get(threadline.url + "/readyz") as response:
            assert response.status == 503
        async with session.get(threadline.url + "/livez") as response:
            assert response.status == 200
        town.sql("ALTER TABLE gone RENAME TO links")
