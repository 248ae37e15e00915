"""What every adapter promises about what it shows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from core.errors import AskerAway, OutcomeUnknown, PostRefused, RateLimited, Unreachable
from core.model import Address, AnswerPart, AuthorId, Mark, Notice, Reason, Working
from tests.fixtures import adapters
from tests.fixtures.adapters import Adapter

CASES = {"slack": adapters.slack, "discord": adapters.discord_, "tiny": adapters.tiny}
LONG = "\n\n".join(f"Paragraph {number} about order.created and who consumes it." for number in range(400))
NOTICE = Notice(Reason.GAVE_UP)


@pytest_asyncio.fixture(params=list(CASES))
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    async with CASES[request.param]() as adapter:
        yield adapter


async def _settled(town: Adapter, to: Address, piece: AnswerPart | Notice) -> str:
    """Show a piece as the queue does: again after a failure, and looked for where it may be there."""
    for _ in range(3):
        try:
            if isinstance(piece, Notice):
                return await town.poster.notify(to, piece)
            return await town.poster.post(to, piece)
        except OutcomeUnknown:
            found = await town.poster.find(to, piece)
            if found is not None:
                return found
        except Unreachable:
            pass
    raise AssertionError("not shown in three attempts")


async def test_an_answer_is_shown_in_its_thread_and_found_there(town: Adapter) -> None:
    to = await town.address()
    part = AnswerPart(0, "order-service owns it.")
    assert await town.poster.find(to, part) is None
    posted = await town.poster.post(to, part)
    assert town.shown() == ["order-service owns it."]
    assert await town.poster.find(to, part) == posted


async def test_a_long_answer_is_split_into_what_fits_and_nothing_is_lost(town: Adapter) -> None:
    to = await town.address()
    short = LONG[:4_500].rpartition("\n\n")[0]
    texts = town.poster.split(short, ())
    parts = [AnswerPart(number, text, last=number == len(texts) - 1) for number, text in enumerate(texts)]
    posted = [await town.poster.post(to, part) for part in parts]
    assert len(set(posted)) == len(parts)
    assert " ".join(" ".join(town.shown()).split()) == " ".join(short.split())
    assert [await town.poster.find(to, part) for part in parts] == posted


async def test_a_very_long_answer_is_whole_in_its_parts(town: Adapter) -> None:
    texts = town.poster.split(LONG, ())
    assert set(LONG.split()) <= set(" ".join(texts).split())


async def test_a_rate_limit_says_how_long_and_shows_nothing(town: Adapter) -> None:
    to = await town.address()
    town.slow_down(45)
    with pytest.raises(RateLimited) as limited:
        await town.poster.post(to, AnswerPart(0, "here"))
    assert limited.value.retry_after == timedelta(seconds=45)
    assert town.shown() == []
    await town.poster.post(to, AnswerPart(0, "here"))
    assert town.shown() == ["here"]


@pytest.mark.parametrize("piece", [AnswerPart(0, "here"), AnswerPart(0, "here", last=False), NOTICE])
async def test_what_was_shown_though_no_reply_came_is_shown_once(
    town: Adapter, piece: AnswerPart | Notice
) -> None:
    to = await town.address()
    town.break_off(after=True)
    posted = await _settled(town, to, piece)
    assert posted
    assert len(town.shown()) == 1


async def test_what_a_failing_server_has_shown_is_shown_once(town: Adapter) -> None:
    to = await town.address()
    town.fail()
    await _settled(town, to, AnswerPart(0, "here"))
    assert town.shown() == ["here"]


async def test_what_was_cut_off_before_it_was_shown_is_shown_in_the_end(town: Adapter) -> None:
    to = await town.address()
    town.break_off(after=False)
    await _settled(town, to, AnswerPart(0, "here"))
    assert town.shown() == ["here"]


async def test_one_piece_is_not_taken_for_another(town: Adapter) -> None:
    to = await town.address()
    await town.poster.notify(to, NOTICE)
    assert await town.poster.find(to, AnswerPart(0, "here")) is None
    await town.poster.post(to, AnswerPart(0, "here", last=False))
    assert await town.poster.find(to, AnswerPart(1, "there")) is None


async def test_nobody_is_pinged_by_what_the_assistant_says(town: Adapter) -> None:
    to = await town.address()
    words = f"Ask <@{town.ben}>, <!channel>, <!here>, @everyone, @here or @ben; `<@{town.ben}>` too."
    (text,) = town.poster.split(words, ())
    await town.poster.post(to, AnswerPart(0, text))
    assert len(town.shown()) == 1
    assert town.pings() == 0


async def test_that_it_works_is_shown_and_the_answer_takes_it_away(town: Adapter) -> None:
    to = await town.address()
    await town.poster.show_state(to, Working.ASKING)
    await town.until_working()
    await town.poster.post(to, AnswerPart(0, "here"))
    assert not town.is_working()


async def test_a_notice_is_shown_in_its_thread_and_found_there(town: Adapter) -> None:
    to = await town.address()
    posted = await town.poster.notify(to, NOTICE)
    assert len(town.shown()) == 1
    assert await town.poster.find(to, NOTICE) == posted


async def test_people_are_named_and_strangers_left_out(town: Adapter) -> None:
    to = await town.address()
    who = [AuthorId(town.ana), AuthorId(town.ben), AuthorId("99999999")]
    names = await town.poster.names(to.thread.workspace, who)
    assert {name.lower() for name in names.values()} == {"ana", "ben"}
    assert set(names) == set(who[:2])


async def _posted(town: Adapter, to: Address, text: str) -> AnswerPart:
    part = AnswerPart(0, text)
    return replace(part, posted=await town.poster.post(to, part))


@pytest.mark.parametrize("mark", list(Mark))
async def test_a_marked_answer_says_so_below_what_it_said_however_often_it_is_marked(
    town: Adapter, mark: Mark
) -> None:
    to = await town.address()
    part = await _posted(town, to, "order-service owns it.")
    assert part.posted is not None
    before = town.reads(part.posted)
    await town.poster.mark(to, part, mark)
    once = town.reads(part.posted)
    assert once.startswith("order-service owns it.")
    assert mark.value in once.removeprefix(before)
    await town.poster.mark(to, part, mark)
    assert town.reads(part.posted) == once
    assert len(town.shown()) == 1
    assert town.pings() == 0


async def test_that_a_question_was_deleted_is_said_in_place_of_that_it_was_edited(town: Adapter) -> None:
    to = await town.address()
    part = await _posted(town, to, "order-service owns it.")
    assert part.posted is not None
    await town.poster.mark(to, part, Mark.EDITED)
    await town.poster.mark(to, part, Mark.DELETED)
    after = town.reads(part.posted).removeprefix("order-service owns it.")
    assert "deleted" in after
    assert "edited" not in after


async def test_a_marked_answer_is_still_found(town: Adapter) -> None:
    to = await town.address()
    part = await _posted(town, to, "order-service owns it.")
    await town.poster.mark(to, part, Mark.EDITED)
    assert await town.poster.find(to, part) == part.posted


async def test_what_people_have_taken_away_cannot_be_marked(town: Adapter) -> None:
    to = await town.address()
    part = await _posted(town, to, "order-service owns it.")
    assert part.posted is not None
    await town.take_away(part.posted)
    with pytest.raises((PostRefused, AskerAway)):
        await town.poster.mark(to, part, Mark.EDITED)


async def test_a_mark_that_comes_too_fast_is_told_how_long_to_wait_and_then_made(town: Adapter) -> None:
    to = await town.address()
    part = await _posted(town, to, "here")
    assert part.posted is not None
    before = town.reads(part.posted)
    town.slow_down_changes(45)
    with pytest.raises(RateLimited) as limited:
        await town.poster.mark(to, part, Mark.EDITED)
    assert limited.value.retry_after == timedelta(seconds=45)
    assert town.reads(part.posted) == before
    await town.poster.mark(to, part, Mark.EDITED)
    assert town.reads(part.posted) != before


async def test_a_mark_of_which_no_reply_came_looks_as_if_made_once(town: Adapter) -> None:
    to = await town.address()
    part = await _posted(town, to, "here")
    assert part.posted is not None
    town.break_off_change()
    with pytest.raises(OutcomeUnknown):
        await town.poster.mark(to, part, Mark.EDITED)
    once = town.reads(part.posted)
    await town.poster.mark(to, part, Mark.EDITED)
    assert town.reads(part.posted) == once
    assert once.count("edited") == 1
