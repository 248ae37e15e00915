"""Stories of a workspace that is forgotten, and of what only a human moves."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from core.errors import BrokenAnswer, CannotLook, CreditsSpent, PostRefused, RateLimited, ThreadlineError
from core.model import Amendment, ChannelKey, DeliveryId, Mark, Outcome, ProjectId, State, Tally
from core.services.accounting import Wanted
from core.services.purging import Purged
from core.services.reviewing import NotToBeRevived
from tests.fixtures.queued import account
from tests.fixtures.world import ANA, CHAT, TEAM, World, channel


async def _tally(world: World) -> Tally:
    return await world.store(lambda uow: uow.deliveries.tally(world.clock.now()))


async def test_a_forgotten_workspace_leaves_nothing_and_nothing_of_it_is_posted(world: World) -> None:
    await world.linking.link(channel(), world.shop, ANA)
    await world.linking.link(ChannelKey(CHAT, TEAM), world.shop, ANA)
    await world.ask("done", thread="t0")
    await world.settle()
    world.chat.hold = asyncio.Event()
    await world.ask("in flight", thread="t1")
    await world.ask("waiting", thread="t1")
    await world.ask("theirs", thread="t2", workspace="other")
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 3)
    assert await world.purging.purge(CHAT, TEAM) == Purged(links=2, conversations=2)
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: done", "Answer to: theirs"]
    assert (await _tally(world)).by_state == {State.DONE: 1}
    assert await world.linking.all(CHAT) == []
    assert await world.purging.purge(CHAT, TEAM) == Purged(0, 0)


async def test_a_forgotten_workspace_leaves_no_account_either(world: World) -> None:
    theirs = account(workspace="other")
    await world.store(lambda uow: uow.accounts.put(account()))
    await world.store(lambda uow: uow.accounts.put(theirs))
    assert await world.purging.purge(CHAT, TEAM) == Purged(0, 0, account=True)
    assert await world.purging.purge(CHAT, TEAM) == Purged(0, 0)
    assert await world.store(lambda uow: uow.accounts.all(CHAT)) == [theirs]


async def test_forgotten_while_an_answer_is_posted_the_rest_is_not(world: World) -> None:
    world.poster.limit = 5
    world.poster.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.until(world.poster.reached.is_set)
    await world.purging.purge(CHAT, TEAM)
    world.poster.hold.set()
    await world.settle()
    assert len(world.posted) <= 1
    assert await world.states() == []


async def test_another_process_does_not_bring_back_what_was_forgotten_meanwhile(world: World) -> None:
    world.chat.hold = asyncio.Event()
    await world.ask("Who?")
    await world.delivering.take_due()
    await world.until(lambda: world.chat.asked)
    await world.store(lambda uow: uow.conversations.purge(CHAT, TEAM, 100))
    world.chat.hold.set()
    await world.settle()
    assert world.posted == []
    assert await world.states() == []


async def test_many_conversations_are_forgotten_in_bounded_transactions(world: World) -> None:
    for number in range(401):
        await world.ask("q", thread=f"t{number}")
    await world.linking.link(channel(), world.shop, ANA)
    assert await world.purging.purge(CHAT, TEAM) == Purged(links=1, conversations=401)
    assert await world.states() == []


async def _ambiguous(world: World, text: str = "Who?") -> DeliveryId:
    world.poster.lost = 1
    world.poster.find_error = CannotLook()
    await world.ask(text, thread=text)
    await world.settle()
    await world.later(5)
    (found,) = await world.reviewing.listed(State.AMBIGUOUS)
    return found.delivery.id


async def test_what_may_or_may_not_be_posted_is_listed_and_can_be_said_to_be_there(world: World) -> None:
    ambiguous = await _ambiguous(world)
    (seen,) = await world.reviewing.listed(State.AMBIGUOUS)
    assert (seen.parts, seen.posted) == (1, 0)
    await world.reviewing.is_posted(ambiguous)
    assert await world.states() == [State.DONE]
    asked = world.last_question
    assert await world.amending.deleted(channel(), asked.message) is Amendment.MARKED
    await world.later(60)
    assert world.poster.marks == []  # nobody knows as which message it is there
    assert world.posted == ["Answer to: Who?"]
    with pytest.raises(NotToBeRevived, match=f"{ambiguous} is not ambiguous"):
        await world.reviewing.is_posted(ambiguous)


async def test_what_may_or_may_not_be_posted_is_posted_again_when_a_human_says_so(world: World) -> None:
    ambiguous = await _ambiguous(world)
    world.poster.find_error = None
    await world.reviewing.post_again(ambiguous)
    await world.settle()
    assert world.posted == ["Answer to: Who?"] * 2
    assert len(world.chat.asked) == 1
    assert await world.states() == [State.DONE]


async def test_what_was_buried_is_asked_again_behind_what_its_thread_asks_now(world: World) -> None:
    world.chat.script = [CreditsSpent()]
    await world.ask("1")
    await world.settle()
    (buried,) = await world.reviewing.listed(State.BURIED)
    world.chat.hold = asyncio.Event()
    await world.ask("2")
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 2)
    revived = await world.reviewing.post_again(buried.delivery.id)
    assert revived.state is State.WAITING
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: 2", "Answer to: 1"]


async def test_an_answer_that_was_refused_everywhere_is_posted_again_not_asked_again(world: World) -> None:
    world.poster.script = [PostRefused(), PostRefused()]
    await world.ask("1")
    await world.settle()
    (buried,) = await world.reviewing.listed(State.BURIED)
    world.chat.hold = asyncio.Event()
    await world.ask("2")
    await world.delivering.take_due()
    await world.until(lambda: len(world.chat.asked) == 2)
    await world.reviewing.post_again(buried.delivery.id)
    world.chat.hold.set()
    await world.settle()
    assert world.posted == ["Answer to: 2", "Answer to: 1"]
    assert len(world.chat.asked) == 2


@pytest.mark.parametrize("mark", Mark)
async def test_an_answer_that_is_posted_again_says_what_became_of_its_question_since(
    world: World, mark: Mark
) -> None:
    world.poster.script = [PostRefused(), PostRefused()]
    question = world.question("Who?")
    await world.asking.accept(question)
    await world.settle()
    (buried,) = await world.reviewing.listed(State.BURIED)
    if mark is Mark.DELETED:
        assert await world.amending.deleted(channel(), question.message) is Amendment.MARKED
    else:
        assert await world.amending.edited(replace(question, text="Why?")) is Amendment.MARKED
    await world.later(60)
    assert world.poster.marks == []
    await world.reviewing.post_again(buried.delivery.id)
    await world.settle()
    await world.later(60)
    assert world.posted == ["Answer to: Who?"]
    assert [made for _, _, made in world.poster.marks] == [mark]


async def test_a_notice_of_which_nobody_is_sure_is_told_again(world: World) -> None:
    world.poster.lost = 1
    world.poster.find_error = CannotLook()
    await world.ask("")
    await world.settle()
    await world.later(5)
    (ambiguous,) = await world.reviewing.listed(State.AMBIGUOUS)
    world.poster.find_error = None
    await world.reviewing.post_again(ambiguous.delivery.id)
    await world.settle()
    assert world.notices == ["empty", "empty"]


async def test_what_is_not_there_or_has_no_text_any_more_is_not_revived(world: World) -> None:
    with pytest.raises(NotToBeRevived, match="nothing is not ambiguous or buried"):
        await world.reviewing.post_again(DeliveryId("nothing"))
    question = world.question("Who?")
    world.chat.script = [CreditsSpent()]
    await world.asking.accept(question)
    await world.settle()
    await world.amending.deleted(channel(), question.message)
    (buried,) = await world.reviewing.listed(State.BURIED)
    with pytest.raises(NotToBeRevived, match="text is gone"):
        await world.reviewing.post_again(buried.delivery.id)


async def test_another_process_does_not_post_what_was_forgotten_before_it_began_to(world: World) -> None:
    world.poster.script = [RateLimited()]
    await world.ask("Who?")
    await world.settle()
    world.clock.advance(3600)
    await world.delivering.take_due()
    await world.store(lambda uow: uow.conversations.purge(CHAT, TEAM, 100))
    await world.settle()
    assert world.posted == []


async def test_a_buried_question_that_was_edited_since_is_asked_again_as_it_is_now(world: World) -> None:
    question = world.question("Who?")
    world.chat.script = [CreditsSpent()]
    await world.asking.accept(question)
    await world.settle()
    await world.amending.edited(replace(question, text="Why?"))
    (buried,) = await world.reviewing.listed(State.BURIED)
    await world.reviewing.post_again(buried.delivery.id)
    await world.settle()
    assert world.posted == ["Answer to: Why?"]


async def test_posting_that_is_paused_lets_go_of_what_is_forgotten(world: World) -> None:
    world.poster.script = [RateLimited(), BrokenAnswer()]
    assert await world.ask("Who?") is Outcome.ACCEPTED
    await world.settle()
    await world.purging.purge(CHAT, TEAM)
    await world.later(3600)
    assert (world.posted, await world.states()) == ([], [])


async def test_a_key_that_is_being_checked_while_its_workspace_leaves_is_not_kept(world: World) -> None:
    world.keys.known = {"key-of-ours-a1b2": []}
    unseen = world.keys.unseen

    async def leaving_meanwhile(key: str, projects: Collection[ProjectId]) -> Sequence[ProjectId]:
        await world.purging.purge(CHAT, TEAM, left=world.clock.now())
        return await unseen(key, projects)

    world.keys.unseen = leaving_meanwhile  # type: ignore[method-assign]  # this double's own, for one story
    with pytest.raises(ThreadlineError):
        await world.accounting.set(ChannelKey(CHAT, TEAM), Wanted("key-of-ours-a1b2"), ANA)
    assert await world.store(lambda uow: uow.accounts.all(CHAT)) == []
