"""*Ask about this message*: the form, the question in the thread, and its answer there."""

import asyncio

import pytest

from bots.demo.slack import HttpError, Refuse, View
from bots.slack.shortcut import ASK_ABOUT
from tests.fixtures.walk import Walk


async def form(town: Walk, ts: str, *, channel: str | None = None) -> View:
    interaction = await town.workspace.shortcut(town.ana, channel or town.general, ts, callback_id=ASK_ABOUT)
    assert interaction.status == 200
    return await town.workspace.until(lambda: town.workspace.view(town.ana))


async def submit(town: Walk, view: View, question: str | None) -> None:
    values = {"question": {"question": {"type": "plain_text_input", "value": question}}}
    interaction = await town.workspace.submit_view(town.ana, view.id, values=values)
    assert interaction.status == 200
    assert town.workspace.view(town.ana) is None


async def test_a_question_about_a_message_is_shown_and_answered_in_its_thread(town: Walk) -> None:
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "order.created is late")
        await submit(town, await form(town, ts), "who consumes <this> & order.created?")
        shown, answer = sorted(await town.answers(ts, 2), key=lambda text: "asks about" not in text)
        assert shown.startswith(f"<@{town.ana}> asks about the message above")
        assert "&lt;this&gt; &amp;" in shown
        assert "billing" in answer
        await town.workspace.say(town.ben, town.general, "and who publishes it?", thread=ts)
        assert "order-service" in (await town.answers(ts, 3))[2]
    content = town.assistant.journal[0].messages[0][1]
    assert "order.created is late" in content
    assert [ping.mention for ping in town.workspace.pings] in ([], [f"<@{town.ana}>"])


async def test_about_a_reply_it_is_answered_in_the_replys_thread(town: Walk) -> None:
    async with town.run():
        root = await town.workspace.say(town.ben, town.general, "trouble")
        reply = await town.workspace.say(town.ben, town.general, "with billing", thread=root)
        await submit(town, await form(town, reply), "who owns billing?")
        await town.answers(root, 2)


@pytest.mark.parametrize("left_empty", [None, "", "  \n"])
async def test_an_empty_field_asks_the_question_it_shows(town: Walk, left_empty: str | None) -> None:
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "billing")
        await submit(town, await form(town, ts), left_empty)
        await town.answers(ts, 2)
    assert town.assistant.journal[0].messages[0][1].startswith("What does this mean")


@pytest.mark.parametrize(
    "text", ['"\n\\' * 4_000, "billing " * 4_000, "", "\U0001f469\u200d\U0001f4bb" * 3_000]
)
async def test_a_message_of_any_length_fits_the_form(town: Walk, text: str) -> None:
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, text, files=not text)
        view = await form(town, ts)
        assert len(view.body["private_metadata"]) <= 3_000
        await submit(town, view, "who owns billing?" * 170)
        await town.answers(ts, 2)
    assert len(town.assistant.journal) == 1


async def test_sent_twice_the_form_is_one_question(town: Walk) -> None:
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "billing")
        view = await form(town, ts)
        await asyncio.gather(*(submit(town, view, "who owns billing?") for _ in range(2)))
        await town.answers(ts, 2)
    assert len(town.posted(ts)) == 2
    assert town.states() == ["done"]


async def test_where_the_bot_is_no_member_the_asker_is_told_directly(town: Walk) -> None:
    elsewhere = town.workspace.add_channel("elsewhere", member=False)
    direct = town.workspace.direct_channel(town.ana)
    async with town.run():
        ts = await town.workspace.say(town.ben, elsewhere, "billing")
        await submit(town, await form(town, ts, channel=elsewhere), "who owns billing?")
        (told,) = await town.workspace.until(lambda: town.workspace.roots(direct))
        assert "Invite me" in told.text
    assert town.states() == ["buried"]


async def test_a_form_that_slack_does_not_open_harms_nothing(town: Walk) -> None:
    town.workspace.faults.add("views.open", Refuse("expired_trigger_id"))
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "billing")
        await town.workspace.shortcut(town.ana, town.general, ts, callback_id=ASK_ABOUT)
        await town.until_called("views.open")
        await submit(town, await form(town, ts), "who owns billing?")
        await town.answers(ts, 2)


async def test_where_strangers_read_along_it_is_refused(town: Walk) -> None:
    partners = town.workspace.add_channel("partners", shared=True)
    async with town.run():
        ts = await town.workspace.say(town.ben, partners, "order.created is late")
        await submit(town, await form(town, ts, channel=partners), "who consumes it?")
        said = await town.answers(ts, 2, channel=partners)
    assert any("shared with another organisation" in text for text in said)
    assert town.assistant.journal == []


async def test_without_the_scope_to_see_it_is_refused_too(town: Walk) -> None:
    town.workspace.scopes -= {"channels:read"}
    async with town.run():
        ts = await town.workspace.say(town.ben, town.general, "order.created is late")
        await submit(town, await form(town, ts), "who consumes it?")
        await town.answers(ts, 2)
    assert town.assistant.journal == []


async def test_where_slack_does_not_say_whether_strangers_read_along_it_is_refused_too(town: Walk) -> None:
    async with town.run():
        await town.until_called("conversations.info", 1)  # as it catches up
        town.workspace.faults.add("conversations.info", HttpError(500))
        ts = await town.workspace.say(town.ben, town.general, "order.created is late")
        await submit(town, await form(town, ts), "who consumes it?")
        await town.answers(ts, 2)
    assert town.assistant.journal == []
