"""Stories of showing answers: each part once, whatever happens in between."""

import asyncio
from datetime import timedelta

from core.errors import (
    AskerAway,
    CannotLook,
    OutcomeUnknown,
    PostRefused,
    RateLimited,
    Unavailable,
    Unreachable,
)
from core.model import State, Working
from tests.fixtures.world import ANA, CHAT, SHOP, TEAM, World, channel


async def test_a_rate_limited_post_never_asks_again(world: World) -> None:
    world.poster.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("Who calls billing?")
    await world.settle()
    await world.later(29)
    assert world.posted == []
    await world.later(1)
    assert world.posted == ["Answer to: Who calls billing?"]
    assert len(world.chat.asked) == 1


async def test_a_paused_workspace_is_asked_for_but_not_posted_to(world: World) -> None:
    world.poster.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("one", thread="t1")
    await world.settle()
    await world.ask("two", thread="t2")
    await world.settle()
    assert len(world.chat.asked) == 2
    assert world.posted == []
    await world.later(30)
    assert world.posted == ["Answer to: one", "Answer to: two"]


async def test_after_a_429_a_workspaces_posting_widens_again(world: World) -> None:
    world.poster.script = [RateLimited(timedelta(seconds=30))]
    await world.ask("first", thread="t0")
    await world.settle()
    for number in range(1, 4):
        await world.ask(f"q{number}", thread=f"t{number}")
    await world.settle()
    world.clock.advance(30)
    taken = []
    while count := await world.delivering.take_due():
        taken.append(count)
        await asyncio.gather(*world.leases.tasks())
    assert taken == [1, 2, 1]
    assert len(world.posted) == 4


async def test_a_long_answer_comes_in_parts_in_order(world: World) -> None:
    world.poster.limit = 10
    await world.ask("x")
    world.chat.script = ["0123456789abcdefghijXYZ"]
    await world.settle()
    assert world.posted == ["0123456789", "abcdefghij", "XYZ"]
    assert await world.states() == [State.DONE]


async def test_parts_that_were_posted_are_not_posted_again(world: World) -> None:
    world.poster.limit = 10
    world.chat.script = ["0123456789abcdefghijXYZ"]
    world.poster.script = [None, Unreachable()]
    await world.ask("x")
    await world.settle()
    assert world.posted == ["0123456789"]
    await world.later(5)
    assert world.posted == ["0123456789", "abcdefghij", "XYZ"]


async def test_a_post_whose_outcome_is_unknown_is_looked_for_and_not_repeated(world: World) -> None:
    world.poster.lost = 1
    await world.ask("Who?")
    await world.settle()
    await world.later(5)
    assert world.posted == ["Answer to: Who?"]
    assert await world.states() == [State.DONE]


async def test_a_post_that_was_lost_for_good_is_made_again(world: World) -> None:
    world.poster.script = [OutcomeUnknown()]
    await world.ask("Who?")
    await world.settle()
    await world.later(5)
    assert world.posted == ["Answer to: Who?"]


async def test_a_look_that_fails_for_now_is_taken_again_later(world: World) -> None:
    world.poster.lost = 1
    world.poster.find_error = Unavailable()
    await world.ask("Who?")
    await world.settle()
    await world.later(5)
    world.poster.find_error = None
    await world.later(10)
    assert world.posted == ["Answer to: Who?"]
    assert await world.states() == [State.DONE]


async def test_what_cannot_be_looked_for_is_parked_and_the_thread_goes_on(world: World) -> None:
    world.poster.lost = 1
    world.poster.find_error = CannotLook()
    world.poster.state_error = Unavailable()
    await world.ask("one")
    await world.ask("two")
    await world.settle()
    world.poster.state_error = None
    await world.later(5)
    assert world.posted == ["Answer to: one", "Answer to: two"]
    assert await world.states() == [State.AMBIGUOUS, State.DONE]
    assert Working.IDLE in [state for _, state in world.poster.states]


async def test_an_answer_the_platform_refuses_is_told_elsewhere(world: World) -> None:
    world.poster.script = [PostRefused()]
    await world.ask("Who?")
    await world.settle()
    assert world.notices == ["post_refused"]
    assert await world.states() == [State.BURIED]


async def test_what_can_be_told_nowhere_is_buried_and_its_status_taken_away(world: World) -> None:
    world.poster.script = [PostRefused(), PostRefused()]
    world.poster.state_error = Unavailable()
    await world.ask("Who?")
    await world.settle()
    assert world.notices == []
    assert await world.states() == [State.BURIED]


async def test_a_platform_that_is_away_for_a_day_ends_it(world: World) -> None:
    world.poster.script = [Unavailable() for _ in range(1000)]
    await world.ask("Who?")
    for _ in range(25):
        await world.later(3600)
    assert await world.states() == [State.BURIED]
    assert len(world.chat.asked) == 1


async def test_a_notice_whose_outcome_is_unknown_is_looked_for_too(world: World) -> None:
    world.poster.script = [OutcomeUnknown()]
    await world.ask("")
    await world.settle()
    await world.later(5)
    assert world.notices == ["empty"]
    assert await world.states() == [State.DONE]


async def test_telling_how_to_link_is_tried_again_when_it_fails() -> None:
    world = World(default=None)
    world.poster.script = [Unreachable()]
    await world.ask("Who?")
    await world.settle()
    assert world.notices == []
    await world.later(5)
    assert world.notices == ["not_linked"]
    assert await world.states() == [State.UNLINKED]


async def test_what_is_forgotten_elsewhere_while_one_looks_for_it_is_not_told() -> None:
    world = World(default=None)
    world.poster.script = [OutcomeUnknown()]
    await world.ask("Who?")
    await world.settle()
    world.poster.find_hold = asyncio.Event()
    world.clock.advance(5)
    await world.delivering.take_due()
    await asyncio.sleep(0)
    await world.store(lambda uow: uow.conversations.purge(CHAT, TEAM, 100))
    world.poster.find_hold.set()
    await world.settle()
    assert world.notices == []


async def test_telling_how_to_link_where_we_may_not_write_is_told_elsewhere() -> None:
    world = World(default=None)
    world.poster.script = [PostRefused()]
    await world.ask("Who?")
    await world.settle()
    assert world.notices == ["post_refused"]
    assert await world.states() == [State.BURIED]


async def test_an_answer_whose_asker_is_away_is_kept_and_the_thread_goes_on(world: World) -> None:
    world.poster.script = [AskerAway()]
    await world.ask("one")
    await world.ask("two")
    await world.settle()
    assert world.posted == ["Answer to: two"]
    assert world.notices == []
    assert await world.states() == [State.DONE, State.KEPT]
    assert Working.IDLE in [state for to, state in world.poster.states if to.delivery == world.id(1)]
    await world.later(24 * 3600)
    assert len(world.chat.asked) == 2
    assert await world.states() == [State.DONE, State.KEPT]


async def test_who_is_away_while_told_how_to_link_is_answered_once_there_is_a_link() -> None:
    world = World(default=None)
    world.poster.script = [AskerAway()]
    await world.ask("Who?")
    await world.settle()
    assert world.notices == []
    assert await world.states() == [State.UNLINKED]
    await world.later(3600)
    assert world.notices == []
    assert await world.linking.link(channel(), SHOP, ANA) == 1
    await world.settle()
    assert world.posted == ["Answer to: Who?"]
    assert await world.states() == [State.DONE]
