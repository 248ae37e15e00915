"""Stories of follow-ups that overtake the mention of their thread."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TypeVar

from core.model import Amendment, DeliveryId, Outcome
from core.ports import UnitOfWork
from core.services.amending import Amending
from core.services.asking import Asking, AskingRules
from core.services.rush import Rush
from tests.fixtures.world import BEN, LANE, SHOP, World, channel

T = TypeVar("T")

_numbers = count()


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


async def test_what_has_overtaken_nothing_is_forgotten_after_a_minute(world: World) -> None:
    chatter = world.question("hi", addressed=False)
    await world.asking.accept(chatter)
    world.clock.advance(61)
    await world.leases.sweep()
    assert not await world.transact(lambda uow: uow.overtaking.take(chatter.thread, chatter.asked_at))


async def test_of_a_busy_thread_no_more_than_twenty_are_taken_in(world: World) -> None:
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


async def test_what_overtook_a_mention_that_was_deleted_is_answered_as_what_comes_later_is(
    world: World,
) -> None:
    mention, follow = world.question("1"), world.question("2", addressed=False)
    await world.asking.accept(follow)
    assert await world.amending.deleted(channel(), mention.message, mention) is Amendment.CANCELLED
    await world.asking.accept(world.question("3", addressed=False))
    await world.settle()
    assert world.posted == ["Answer to: 2", "Answer to: 3"]


async def test_one_that_says_stop_stops_what_it_came_before(world: World) -> None:
    mention, stop = world.question("1"), world.question("stop", addressed=False)
    await world.asking.accept(stop)
    await world.asking.accept(mention)
    await world.settle()
    assert (world.posted, world.notices) == ([], ["stopped"])


async def test_one_that_is_edited_as_its_mention_comes_is_asked_as_it_is_now(world: World) -> None:
    mention, follow = world.question("1"), world.question("old", addressed=False)
    await world.asking.accept(follow)

    class Meanwhile:
        """Has the mention come between a look for what is edited and its being offered as a question."""

        async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
            found = await world.transact(work)
            await world.asking.accept(mention)
            return found

    amending = Amending(
        Meanwhile(), world.clock, world.asking, budget=100, cancelled=lambda _: None, wake=lambda: None
    )
    assert await amending.edited(replace(follow, text="new")) is Amendment.TAKEN
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: new"]


# --- where there are several processes ------------------------------------------------------------


async def test_a_follow_up_that_came_to_another_process_than_its_mention_is_taken_in(world: World) -> None:
    follow_up, mention = world.question("2", addressed=False), world.question("1", written=-1)
    assert await world.asking.accept(follow_up) is Outcome.IGNORED
    assert await _another(world).accept(mention) is Outcome.ACCEPTED
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: 2"]


async def test_a_follow_up_that_was_acknowledged_outlives_its_process_as_does_its_place_in_the_thread(
    world: World,
) -> None:
    """Each is taken in by a process that is killed right after its commit."""
    mention, follow_up = world.question("1"), world.question("2", addressed=False)
    assert await _another(world).accept(follow_up) is Outcome.IGNORED
    assert await _another(world).accept(mention) is Outcome.ACCEPTED
    assert await world.asking.accept(mention) is Outcome.DUPLICATE
    assert await world.asking.accept(follow_up) is Outcome.DUPLICATE
    await world.settle()
    assert world.posted == ["Answer to: 1", "Answer to: 2"]


def _another(world: World) -> Asking:
    """Return what takes questions in in a process that is never heard of again."""
    return Asking(
        world.transact,
        world.clock,
        AskingRules(LANE, SHOP),
        new_id=lambda _: DeliveryId(f"another {next(_numbers)}"),
        wake=lambda: None,
        cancelled=lambda _: None,
        rush=Rush(world.clock),
    )
