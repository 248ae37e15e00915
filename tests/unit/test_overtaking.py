"""Stories of follow-ups that overtake the mention of their thread."""

from dataclasses import replace
from datetime import datetime, timedelta

from core.model import DeliveryId, Outcome, ThreadKey
from core.services.asking import Asking, AskingRules
from core.services.rush import Rush
from tests.fixtures.world import BEN, LANE, SHOP, World, channel


async def test_follow_ups_that_overtake_their_mention_are_answered_after_it_as_they_were_written(
    world: World,
) -> None:
    mention = world.question("1")
    second, third = (world.question(text, addressed=False, author=BEN) for text in ("2", "3"))
    assert await world.asking.accept(third) is Outcome.IGNORED
    assert await world.asking.accept(second) is Outcome.IGNORED
    assert await world.asking.accept(mention) is Outcome.ACCEPTED
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: Speaker 2: 2", "Answer to: Speaker 2: 3"]
    assert await world.asking.accept(third) is Outcome.DUPLICATE


async def test_what_was_said_before_the_mention_or_elsewhere_or_long_ago_is_no_follow_up(
    world: World,
) -> None:
    before = world.question("before", addressed=False)
    begins = world.question("a post", addressed=False, begins=True)
    mention = world.question("1")
    elsewhere = world.question("elsewhere", addressed=False, thread="t2")
    early = world.question("early", addressed=False)
    for chatter in (early, before, begins, elsewhere):
        assert await world.asking.accept(chatter) is Outcome.IGNORED
    world.clock.advance(61)
    assert await world.asking.accept(mention) is Outcome.ACCEPTED
    await world.settle()
    assert world.posted == ["Answer to: 1"]


async def test_what_was_said_before_is_left_alone_also_when_it_is_fresh(world: World) -> None:
    before = world.question("before", addressed=False)
    await world.asking.accept(before)
    await world.ask("1")
    await world.settle()
    assert world.posted == ["Answer to: 1"]


async def test_chatter_costs_no_memory(world: World) -> None:
    first = world.question("first", addressed=False, thread="t0")
    mention = world.question("mention", thread="t0", written=-1)
    await world.asking.accept(first)
    for number in range(1_000):
        await world.asking.accept(world.question("hi", addressed=False, thread=f"c{number}"))
    await world.asking.accept(mention)
    await world.settle()
    assert world.posted == ["Answer to: mention"]


async def test_a_busy_thread_costs_no_memory_either(world: World) -> None:
    for number in range(200):
        await world.asking.accept(world.question(f"chat {number}", addressed=False))
        world.clock.advance(1)
    await world.asking.accept(world.question("mention", written=-300))
    await world.settle()
    assert len(world.posted) == 21


async def test_a_follow_up_that_is_deleted_before_its_mention_comes_is_not_asked(world: World) -> None:
    mention, follow = world.question("1"), world.question("2", addressed=False)
    await world.asking.accept(follow)
    await world.amending.deleted(channel(), follow.message, follow)
    await world.asking.accept(mention)
    await world.settle()
    assert world.posted == ["Answer to: 1"]


async def test_a_follow_up_that_is_edited_before_its_mention_comes_is_asked_as_it_is_now(
    world: World,
) -> None:
    mention, follow = world.question("1"), world.question("old", addressed=False)
    await world.asking.accept(follow)
    await world.amending.edited(replace(follow, text="new"))
    await world.asking.accept(mention)
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: new"]


async def test_a_follow_up_whose_edits_come_in_another_order_is_asked_as_it_is_now(world: World) -> None:
    mention, follow = world.question("1"), world.question("old", addressed=False)
    for second in (2, 1):
        at = follow.asked_at + timedelta(seconds=second)
        await world.amending.edited(replace(follow, text=f"new {second}", edited_at=at))
    await world.asking.accept(follow)
    await world.asking.accept(mention)
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: new 2"]


async def test_what_is_deleted_in_another_channel_is_another_message(world: World) -> None:
    mention, follow = world.question("1"), world.question("2", addressed=False)
    await world.asking.accept(follow)
    await world.amending.deleted(channel("elsewhere"), follow.message)
    await world.asking.accept(mention)
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: 2"]


async def test_a_follow_up_that_came_to_another_process_than_its_mention_is_taken_in_there(
    world: World,
) -> None:
    began: list[tuple[ThreadKey, datetime]] = []
    there = Asking(
        world.transact,
        world.clock,
        AskingRules(LANE, SHOP),
        new_id=lambda _: DeliveryId("x1"),
        wake=lambda: None,
        cancelled=lambda _: None,
        rush=Rush(world.clock),
        began=lambda thread, asked_at: began.append((thread, asked_at)),
    )
    follow_up, mention = world.question("2", addressed=False), world.question("1", written=-1)
    assert await world.asking.accept(follow_up) is Outcome.IGNORED
    assert await there.accept(mention) is Outcome.ACCEPTED
    assert began == [(mention.thread, mention.asked_at)]
    await world.asking.follow(*began[0])
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: 2"]
