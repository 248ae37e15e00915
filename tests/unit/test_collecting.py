"""Stories of fetching what could not be shown to its asker in private."""

import pytest

from core.errors import AskerAway, OutcomeUnknown, PostRefused, StoreUnavailable
from core.model import NO_RECEIPT, AnswerPart, Notice, Platform, Reason, Receipt, State
from core.services.collecting import Kept
from tests.fixtures.world import ANA, BEN, CHAT, SHOP, World

LONG = "0123456789abcdefghijXYZ"


async def _only(world: World) -> Kept:
    (kept,) = await world.collecting.kept(CHAT, ANA)
    return kept


def _texts(kept: Kept) -> list[str]:
    return [part.text for part in kept.parts]


async def test_an_answer_of_which_nothing_was_shown_is_fetched_whole(world: World) -> None:
    world.poster.limit = 10
    world.chat.script = [LONG]
    world.poster.script = [AskerAway()]
    await world.ask("Who?", receipt=Receipt("token"))
    await world.settle()
    kept = await _only(world)
    assert kept.parts == [
        AnswerPart(0, "0123456789", last=False),
        AnswerPart(1, "abcdefghij", last=False),
        AnswerPart(2, "XYZ", last=True),
    ]
    assert (kept.delivery.id, kept.delivery.notice, kept.delivery.receipt) == (world.id(1), None, NO_RECEIPT)
    assert await world.states() == [State.KEPT]


async def test_only_the_parts_that_were_not_shown_are_fetched(world: World) -> None:
    world.poster.limit = 10
    world.chat.script = [LONG]
    world.poster.script = [None, AskerAway()]
    await world.ask("Who?")
    await world.ask("next")
    await world.settle()
    assert world.posted == ["0123456789", "Answer to:", " next"]
    assert _texts(await _only(world)) == ["abcdefghij", "XYZ"]


async def test_a_part_that_may_have_been_shown_and_was_not_is_fetched_too(world: World) -> None:
    world.poster.script = [OutcomeUnknown(), AskerAway()]
    await world.ask("Who?")
    await world.settle()
    await world.later(5)
    assert _texts(await _only(world)) == ["Answer to: Who?"]


async def test_a_notice_whose_asker_is_away_is_fetched_as_one(world: World) -> None:
    world.poster.script = [AskerAway()]
    await world.ask("")
    await world.ask("next")
    await world.settle()
    kept = await _only(world)
    assert not kept.parts
    assert kept.delivery.notice == Notice(Reason.EMPTY, SHOP)
    assert world.posted == ["Answer to: next"]
    assert await world.states() == [State.DONE, State.KEPT]


async def test_a_refused_answer_whose_asker_cannot_be_told_is_fetched_itself(world: World) -> None:
    world.poster.script = [PostRefused(), AskerAway()]
    await world.ask("Who?")
    await world.settle()
    kept = await _only(world)
    assert _texts(kept) == ["Answer to: Who?"]
    assert kept.delivery.notice == Notice(Reason.POST_REFUSED, SHOP)


async def test_that_nobody_linked_the_channel_is_fetched_when_it_cannot_be_told() -> None:
    world = World(default=None)
    world.poster.script = [AskerAway(), AskerAway()]
    await world.ask("Who?")
    await world.settle()
    assert await world.collecting.kept(CHAT, ANA) == []
    await world.later(24 * 3600 + 1)
    kept = await _only(world)
    assert kept.delivery.notice == Notice(Reason.LINK_EXPIRED)
    assert not kept.parts


async def test_what_was_fetched_is_gone_and_until_then_it_comes_again(world: World) -> None:
    world.poster.script = [AskerAway(), AskerAway()]
    await world.ask("first")
    await world.ask("second")
    await world.settle()
    first, second = await world.collecting.kept(CHAT, ANA)
    assert await world.collecting.kept(CHAT, ANA) == [first, second]
    await world.collecting.fetched(first)
    await world.collecting.fetched(first)
    assert await world.collecting.kept(CHAT, ANA) == [second]
    await world.collecting.fetched(second)
    assert await world.collecting.kept(CHAT, ANA) == []
    assert await world.states() == [State.DONE, State.DONE]


async def test_nobody_fetches_what_is_for_another(world: World) -> None:
    world.poster.script = [AskerAway()]
    await world.ask("Who?", author=ANA)
    await world.settle()
    assert await world.collecting.kept(CHAT, BEN) == []
    assert await world.collecting.kept(Platform("other"), ANA) == []
    assert _texts(await _only(world)) == ["Answer to: Who?"]


async def test_what_is_kept_stays_while_the_store_is_away(world: World) -> None:
    world.poster.script = [AskerAway()]
    await world.ask("Who?")
    await world.settle()
    kept = await _only(world)
    world.store.failing = 2
    with pytest.raises(StoreUnavailable):
        await world.collecting.kept(CHAT, ANA)
    with pytest.raises(StoreUnavailable):
        await world.collecting.fetched(kept)
    assert await _only(world) == kept
