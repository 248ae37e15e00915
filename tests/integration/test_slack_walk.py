"""Whole walks over signed HTTP: from a mention in Slack to the answer in its thread."""

from tests.fixtures.walk import Walk


async def test_a_mention_is_answered_in_its_thread_and_follow_ups_need_none(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        (first,) = await town.answers(ts)
        assert "billing" in first
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        assert "order-service" in (await town.answers(ts, 2))[1]
    assert [role for role, _ in town.assistant.journal[1].messages] == ["user", "assistant", "user"]
    assert town.workspace.roots(town.general) == (town.workspace.message(town.general, ts),)
    assert town.workspace.status(town.general, ts) == ""
    assert town.workspace.pings == []
