"""Nothing is acknowledged that is not on disk; what is not, Slack sends again."""

import aiohttp
import pytest

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
