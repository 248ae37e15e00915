"""Waits on simcord's clock that outlive an interaction, whose token is good for 900 seconds."""

from pathlib import Path

from bots import texts
from bots.demo.assistant import faults
from tests.fixtures.simcord_town import SimcordTown, shown, simcord_town

WAIT = 1_000  #: seconds
CONSUMERS = "who consumes order.created?"
PUBLISHER = "and who publishes it?"


def told_to_wait(town: SimcordTown, seconds: int) -> str:
    """Have the next call to the assistant answered 429; return the notice that names the time."""
    town.assistant.faults.add(faults.rate_limited(str(seconds)))
    at = f"{town.clock.now().timestamp() + seconds:.0f}"
    return texts.queued(f"<t:{at}:t> (<t:{at}:R>)")


async def test_the_answer_comes_once_by_a_message_in_the_thread(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            notice = told_to_wait(town, WAIT)
            asked = await town.ana.slash(town.general, "ask", question=CONSUMERS)
            await town.until(lambda: [one.content for one in town.said(town.thread)] == [notice])
            await town.later(WAIT - 1)
            assert len(town.said(town.thread)) == 1
            await town.later(2)
            _, answer = await town.answers(town.thread)
            assert "**billing**" in answer
            assert asked.followups == []
            assert shown(asked) == f"{town.ana.mention} asked: {CONSUMERS}"

            await town.later(WAIT)
            assert len(await town.answers(town.thread)) == 2
            await town.follow_up(PUBLISHER)
            assert "**order-service**" in (await town.answers(town.thread))[-1]
            assert town.given() == ["user", "assistant", "user"]
        assert town.states() == ["done"] * 2


async def test_the_answer_comes_once_also_by_the_next_process(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            notice = told_to_wait(town, WAIT)
            await town.ana.slash(town.general, "ask", question=CONSUMERS)
            await town.until(lambda: len(town.said(town.thread)) == 1)
        await town.later(WAIT + 1)
        async with town.run():
            said = await town.answers(town.thread)
            await town.later(WAIT)
            assert await town.answers(town.thread) == said
        assert said[0] == notice
        assert "**billing**" in said[1]
        assert len(said) == len(town.assistant.journal) == 2
        assert town.states() == ["done"]


async def test_a_private_answer_comes_by_direct_message(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            notice = told_to_wait(town, WAIT)
            asked = await town.ana.slash(town.general, "ask", question=CONSUMERS, private=True)
            await town.until(lambda: shown(asked) == notice)
            assert asked.ephemeral
            await town.later(WAIT + 1)
            (answer,) = await town.answers(town.ana.user.dm_channel)
            assert "**billing**" in answer
            assert town.said(town.general) == town.general.threads == []
        assert town.states() == ["done"]


async def test_a_private_answer_that_may_not_be_sent_is_kept_until_it_is_asked_for(tmp_path: Path) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        here = town.ana.user.dm_channel
        notice = told_to_wait(town, WAIT)
        asked = await town.ana.slash(town.general, "ask", question=CONSUMERS, private=True)
        await town.until(lambda: shown(asked) == notice)
        town.env.inject_error("POST", f"/channels/{here.id}/messages", status=403, code=50007)
        await town.later(WAIT + 1)
        assert await town.answers(here) == []
        assert town.states() == ["kept"]

        fetched = await town.ana.slash(town.general, "threadline answers")
        (answer,) = fetched.followups
        assert "**billing**" in answer.content
        assert fetched.ephemeral
        assert answer.ephemeral
        nothing = await town.ana.slash(town.general, "threadline answers")
        assert shown(nothing) == texts.kept(0, at_once=5)
        assert town.states() == ["done"]


async def test_a_private_answer_in_time_is_the_interactions_own_message_after_a_restart_too(
    tmp_path: Path,
) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            notice = told_to_wait(town, 100)
            asked = await town.ana.slash(town.general, "ask", question=CONSUMERS, private=True)
            await town.until(lambda: shown(asked) == notice)
        await town.later(101)
        async with town.run():
            await town.at_rest()
            assert "**billing**" in shown(asked)
            assert asked.response is not None
            form = await town.ana.click(asked.response, label=texts.FOLLOW_UP)
            more = await town.ana.submit_modal(form, {"question": PUBLISHER})
            await town.at_rest()
            assert "**order-service**" in shown(more)
            assert more.ephemeral
            assert town.given() == ["user", "assistant", "user"]
            assert town.said(town.general) == town.general.threads == []


async def test_what_a_process_left_thinking_for_too_long_is_shown_anew_and_answered_there(
    tmp_path: Path,
) -> None:
    async with simcord_town(tmp_path) as town:
        async with town.run():
            town.env.inject_error("PATCH", "/webhooks/*", times=None)  # the end comes before that succeeds
            told_to_wait(town, 2)
            await town.ana.slash(town.general, "ask", question=CONSUMERS)
            await town.until(lambda: bool(town.assistant.journal) and town.states() == ["accepted"])
        town.env.backend.faults.clear()
        await town.later(WAIT)
        async with town.run():
            await town.later(1)
            await _is_shown_anew(town)
        assert town.states() == ["done"]


async def test_an_interaction_that_was_heard_of_too_late_is_shown_anew_and_answered_there(
    tmp_path: Path,
) -> None:
    async with simcord_town(tmp_path) as town, town.run():
        town.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
        asked = await town.ana.slash(town.general, "ask", question=CONSUMERS)
        assert not asked.acknowledged
        await _is_shown_anew(town)
        assert town.states() == ["done"]


async def _is_shown_anew(town: SimcordTown) -> None:
    """The bot says itself who asked what, and answers in a thread of that message."""
    await town.answers(town.general)
    assert town.said(town.general)[-1].content == f"{town.ana.mention} asked: {CONSUMERS}"
    (thread,) = town.general.threads
    (answer,) = await town.answers(thread)
    assert answer.startswith("3 services")
