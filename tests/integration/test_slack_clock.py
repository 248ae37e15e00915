"""Where the wall clock was set while we ran: what Slack dates is compared with the time of day."""

from core.clock import SystemClock
from core.testing import SettableClock
from tests.fixtures.walk import Walk

HISTORY = "conversations.history"


async def test_a_clock_that_was_set_hides_nothing_that_was_missed(town: Walk) -> None:
    """The steady clock shows what it showed months ago; Slack's times are those of the wall clock."""
    clock = SettableClock()
    clock.jump((SystemClock().now() - clock.now()).total_seconds())
    town.clock = clock
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
    town.slack.send_events_to("")
    await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
    async with town.run():
        await town.answers(ts, 2)
        (oldest, *_) = {str(call.arguments["oldest"]) for call in town.calls(HISTORY)}
    assert float(oldest) > SystemClock().now().timestamp() - 7 * 3600


async def test_a_form_is_dated_as_slack_dates_what_is_written(town: Walk) -> None:
    clock = SettableClock()
    clock.jump((SystemClock().now() - clock.now()).total_seconds())
    town.clock = clock
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "billing looks slow")
        await town.workspace.shortcut(town.ana, town.general, ts, callback_id="ask_about_message")
        view = await town.workspace.until(lambda: town.workspace.view(town.ana))
        await town.workspace.submit_view(town.ana, view.id, values={"question": {"question": "why?"}})
        await town.answers(ts, 2)
    ((recent,),) = town.sql("SELECT count(*) FROM deliveries WHERE asked_at > accepted_at")
    assert recent == 1
