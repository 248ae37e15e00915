"""Row 14: a follow-up that is delivered before the mention that makes its thread ours."""

import asyncio
from pathlib import Path

from tests.fixtures.signed import send
from tests.fixtures.walk import walk


async def test_row_14_a_follow_up_that_overtakes_its_mention_is_answered_after_it(tmp_path: Path) -> None:
    async with walk(tmp_path) as town, town.run():
        town.workspace.subscriptions -= {"message.channels"}
        town.slack.send_events_to("")
        ts = await town.mention("who consumes order.created?")
        town.workspace.subscriptions |= {"message.channels"}
        await town.workspace.say(town.ana, town.general, "and who publishes it?", thread=ts)
        mention, follow_up = town.workspace.events.values()
        assert (await send(town.events_url, follow_up))[0] == 200
        assert (await send(town.events_url, mention))[0] == 200
        async with asyncio.timeout(5):
            first, second = await town.answers(ts, 2)
        assert "billing" in first
        assert "order-service" in second
