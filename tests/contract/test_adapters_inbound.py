"""What every adapter promises about what it takes in."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fixtures import adapters
from tests.fixtures.adapters import Adapter

CASES = {"slack": adapters.slack, "discord": adapters.discord_, "tiny": adapters.tiny}


@pytest_asyncio.fixture(params=list(CASES))
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    async with CASES[request.param]() as adapter:
        yield adapter


async def test_a_mention_is_a_question_without_our_name_in_it(town: Adapter) -> None:
    question = await town.read(await town.mention("who owns billing?", who=town.ben))
    assert question is not None
    assert (question.text, question.author, question.addressed) == ("who owns billing?", town.ben, True)
    assert question.objection is None


async def test_the_same_message_has_the_same_ids_whenever_it_is_read(town: Adapter) -> None:
    message = await town.mention("who owns billing?")
    first, again = await town.read(message), await town.read(message)
    assert first is not None
    assert again is not None
    assert (first.event, first.message, first.thread) == (again.event, again.message, again.thread)
    assert first.asked_at == again.asked_at
    assert first.asked_at.utcoffset() is not None


async def test_two_messages_have_two_ids_and_two_mentions_two_threads(town: Adapter) -> None:
    first, other = [await town.read(await town.mention("who owns billing?")) for _ in range(2)]
    assert first is not None
    assert other is not None
    assert first.event != other.event
    assert first.message != other.message
    assert first.thread != other.thread
    assert first.asked_at <= other.asked_at


async def test_what_is_written_in_a_thread_belongs_to_what_it_began_with(town: Adapter) -> None:
    thread = await town.thread()
    first = await town.read(thread)
    mentioned = await town.read(await town.mention("and who else?", thread=thread))
    plain = await town.read(await town.remark("and who else?", thread=thread))
    assert first is not None
    assert mentioned is not None
    assert plain is not None
    assert first.thread == mentioned.thread == plain.thread
    assert first.thread == (await town.address()).thread
    assert mentioned.addressed
    assert not plain.addressed


async def test_talk_in_a_channel_is_none_of_our_business(town: Adapter) -> None:
    assert await town.read(await town.remark("lunch?")) is None
    assert await town.read(await town.remark("lunch?", about=town.ben)) is None


async def test_in_a_thread_what_is_for_somebody_else_is_left_alone(town: Adapter) -> None:
    thread = await town.thread()
    assert await town.read(await town.remark("do you know?", thread=thread, about=town.ben)) is None


async def test_bots_are_not_answered_neither_others_nor_ourselves(town: Adapter) -> None:
    thread = await town.thread()
    assert await town.read(await town.by_bot("who owns billing?", thread=thread)) is None


async def test_whoever_writes_to_us_alone_needs_no_mention(town: Adapter) -> None:
    question = await town.read(await town.direct("who owns billing?"))
    assert question is not None
    assert question.addressed
    assert question.text == "who owns billing?"


async def test_a_mention_without_words_is_still_meant_for_us(town: Adapter) -> None:
    question = await town.read(await town.mention(""))
    assert question is not None
    assert (question.text, question.addressed) == ("", True)
