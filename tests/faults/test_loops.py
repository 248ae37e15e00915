"""Row 37: machines that talk back. None is answered, and one that looks like a person has its ceiling."""

import asyncio

from bots.demo.slack import Message
from tests.faults.rows import Note
from tests.fixtures.signed import send
from tests.fixtures.walk import Walk

A_LOT = 100
CEILING = 60  #: answers of one thread in an hour


async def test_row_37_other_bots_and_our_own_echo_get_no_reply(town: Walk, record_property: Note) -> None:
    zapier = town.workspace.add_user("zapier", bot=True)
    direct = town.workspace.direct_channel(zapier)
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        for number in range(A_LOT):
            await town.mention(f"{number}: who owns billing?", user=zapier)
            await town.mention(f"{number}: and this?", user=zapier, thread=ts)
            await town.workspace.say(zapier, town.general, f"{number}: and now?", thread=ts)
            await town.workspace.say(zapier, direct, f"{number}: and here?")
        await town.acknowledged()
        assert len(town.posted(ts)) == 1
    assert len(town.calls("chat.postMessage")) == 1
    assert len(town.assistant.journal) == 1
    assert town.states() == ["done"]
    record_property("row 37: messages of bots, replies", (4 * A_LOT, 0))


async def test_row_37_webhooks_slackbot_and_echoes_of_ours_get_no_reply(town: Walk) -> None:
    async with town.run():
        ts = await town.mention("who consumes order.created?")
        await town.answers(ts)
        whole = next(body for body in town.workspace.events.values() if body["event"]["type"] == "message")
        me = f"<@{town.workspace.bot_user}> who owns billing?"
        echoes = (
            {"subtype": "bot_message", "bot_id": "B0HOOK001", "username": "matterbridge", "user": None},
            {"bot_id": "B0HOOK001", "user": "U0BRIDGE1"},
            {"subtype": "bot_message", "user": "U0BRIDGE1"},
            {"user": "USLACKBOT"},
            {"user": town.workspace.bot_user},
            {"subtype": "me_message"},
            {"subtype": "channel_topic"},
        )
        for number, echo in enumerate(echoes):
            at = f"{int(ts.partition('.')[0]) + 1}.{number:06}"
            for thread in ({}, {"thread_ts": ts}):
                for kind in ("message", "app_mention"):
                    event = whole["event"] | {"type": kind, "ts": at, "text": me} | thread | echo
                    body = whole | {"event": event, "event_id": f"Ev{number}{kind}{len(thread)}"}
                    assert (await send(town.events_url, body))[0] == 200
    assert len(town.assistant.journal) == 1
    assert len(town.calls("chat.postMessage")) == 1
    assert town.states() == ["done"]


async def test_row_37_a_bridge_that_speaks_as_a_person_ends_at_the_ceiling(
    town: Walk, record_property: Note
) -> None:
    """It says everything that it hears again, in the same thread: a loop that only we can end."""
    heard: set[str] = set()

    def news(ts: str) -> list[Message]:
        bot = town.workspace.bot_user
        return [
            one for one in town.workspace.thread(town.general, ts) if one.user == bot and one.ts not in heard
        ]

    async with town.run():
        ts = await town.mention("who owns billing?")
        while len(heard) <= CEILING:
            for message in await town.workspace.until(lambda: news(ts)):
                heard.add(message.ts)
                await town.workspace.say(town.ben, town.general, "who owns billing?", thread=ts)
        await town.acknowledged()
        other = await town.mention("who owns billing?")
        async with asyncio.timeout(10):
            await town.answers(other)
    assert len(town.posted(ts)) == CEILING + 1
    assert "its share of answers" in town.posted(ts)[-1]
    assert len(town.assistant.journal) == CEILING + 1  # the other thread's among them
    record_property("row 37: replies to a bridge, calls", (len(town.posted(ts)), CEILING))
