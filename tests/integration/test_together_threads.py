"""Two processes over one PostgreSQL database, in the same thread at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar, cast

import pytest
import pytest_asyncio

from core.errors import LeaseLost
from core.model import HEADS, Amendment, Delivery, EventId, Mark, Outcome, ProjectId, Question, State
from core.ports import Transact, UnitOfWork
from core.services.amending import Amending
from core.services.answering import Answering, AnsweringRules, Owed
from core.services.leases import Leases
from core.services.linking import Linking
from core.services.purging import Purged, Purging
from core.services.reviewing import NotToBeRevived, Reviewing
from core.services.settling import settle
from core.services.stopping import Stopping
from core.services.terms import Terms
from core.testing import RecordingPoster, ScriptedChat
from tests.fixtures.queued import ANA, CHAT, KEY, SHOP, TEAM, at, claim, claim_one, place, question, thread
from tests.fixtures.together import Together, together

T = TypeVar("T")

_ROUNDS = 8


@pytest_asyncio.fixture
async def two(postgres_url: str) -> AsyncIterator[Together]:
    async with together(postgres_url) as both:
        yield both


def _asked(name: str, there: str, *, written: float = 0.0, project: ProjectId | None = SHOP) -> Question:
    return replace(question(name, thread(there), asked=written), addressed=True, project=project)


async def _states(process: Transact, there: str) -> list[State]:
    """Return the states of what is unsettled in a thread, oldest first."""

    def look(uow: UnitOfWork) -> list[State]:
        conversation = uow.conversations.get(thread(there))
        assert conversation is not None
        return [one.state for one in uow.deliveries.unsettled(conversation.id)]

    return await process(look)


async def test_two_first_questions_of_a_thread_make_one_conversation_with_one_head(two: Together) -> None:
    for number in range(_ROUNDS):
        there = f"t{number}"
        outcomes = await two.at_once(
            lambda one: two.asking(one).accept(_asked(f"a{number}", there)),
            lambda other: two.asking(other).accept(_asked(f"b{number}", there)),
        )
        assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED]
        assert sorted(await _states(two[0], there)) == [State.ACCEPTED, State.WAITING]


async def test_an_event_that_comes_to_two_processes_is_taken_by_one(two: Together) -> None:
    for number in range(_ROUNDS):
        same = _asked(f"q{number}", f"t{number}")
        outcomes = await two.at_once(
            lambda one: two.asking(one).accept(same),
            lambda other: two.asking(other).accept(same),
        )
        assert sorted(str(one) for one in outcomes) == sorted([Outcome.ACCEPTED, Outcome.DUPLICATE])
        assert await _states(two[0], f"t{number}") == [State.ACCEPTED]


async def test_a_follow_up_that_comes_with_its_mention_is_taken_in_whichever_is_first(two: Together) -> None:
    for number in range(_ROUNDS):
        there = f"t{number}"
        follow_up = replace(_asked(f"b{number}", there, written=1), addressed=False)
        outcomes = await two.at_once(
            lambda one: two.asking(one).accept(_asked(f"a{number}", there)),
            lambda other: two.asking(other).accept(follow_up),
        )
        assert outcomes in ([Outcome.ACCEPTED, Outcome.ACCEPTED], [Outcome.ACCEPTED, Outcome.IGNORED])
        assert await _states(two[0], there) == [State.ACCEPTED, State.WAITING]


async def test_a_mention_waits_for_a_follow_up_that_is_being_kept(two: Together) -> None:
    """Else neither would see the other: the follow-up would stay where it is, for ever too early."""
    loop = asyncio.get_running_loop()
    mention, follow_up = _asked("a", "t"), replace(_asked("b", "t", written=1), addressed=False)

    def keep(uow: UnitOfWork) -> "Future[Outcome]":
        assert uow.conversations.locked(thread("t")) is None
        assert uow.overtaking.keep(follow_up, two.clock.now())
        coming = asyncio.run_coroutine_threadsafe(two.asking(two[1]).accept(mention), loop)
        with pytest.raises(TimeoutError):
            coming.result(0.2)
        return coming

    coming = await two[0](keep)
    assert await asyncio.wrap_future(coming) is Outcome.ACCEPTED
    assert await _states(two[0], "t") == [State.ACCEPTED, State.WAITING]


async def test_a_follow_up_whose_mention_comes_as_its_thread_is_looked_for_is_taken_in(two: Together) -> None:
    loop = asyncio.get_running_loop()
    mention, follow_up = _asked("a", "t"), replace(_asked("b", "t", written=1), addressed=False)

    class Meanwhile:
        """A unit of work in which the mention is taken in elsewhere before the follow-up would be kept."""

        def __init__(self, uow: UnitOfWork) -> None:
            self._uow = uow

        def __getattr__(self, name: str) -> object:
            if name == "overtaking":
                asyncio.run_coroutine_threadsafe(two.asking(two[1]).accept(mention), loop).result(10)
            return getattr(self._uow, name)

    class Slow:
        async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
            return await two[0](lambda uow: work(cast(UnitOfWork, Meanwhile(uow))))

    assert await two.asking(Slow()).accept(follow_up) is Outcome.ACCEPTED
    assert await _states(two[0], "t") == [State.ACCEPTED, State.WAITING]


async def test_a_question_that_comes_as_its_predecessor_is_settled_gets_its_turn(two: Together) -> None:
    """Else it would wait for ever: each would have seen the thread as it was before the other."""
    for number in range(_ROUNDS):
        there = f"t{number}"
        await two.asking(two[0]).accept(_asked(f"first{number}", there))
        held = await two[0](claim_one)
        outcomes = await two.at_once(
            lambda one: one(lambda uow: settle(uow, held, State.DONE, at(1))),
            lambda other: two.asking(other).accept(_asked(f"next{number}", there)),
        )
        assert outcomes == [None, Outcome.ACCEPTED]
        assert await _states(two[0], there) == [State.ACCEPTED]
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def test_a_question_that_was_written_earlier_comes_as_the_head_is_claimed(two: Together) -> None:
    for number in range(_ROUNDS):
        there = f"t{number}"
        await two.asking(two[0]).accept(_asked(f"late{number}", there, written=5))
        claimed, outcome = await two.at_once(
            lambda one: one(claim),
            lambda other: two.asking(other).accept(_asked(f"early{number}", there, written=1)),
        )
        assert outcome is Outcome.ACCEPTED
        assert isinstance(claimed, list)
        states = await _states(two[0], there)
        assert sum(state in HEADS for state in states) == 1
        assert [State.ASKING in states, *states].count(State.ASKING) == len(claimed)
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def test_what_is_stopped_as_it_is_answered_is_either_the_one_or_the_other(two: Together) -> None:
    for number in range(_ROUNDS):
        there = f"t{number}"
        await two.asking(two[0]).accept(_asked(f"q{number}", there))
        held = await two[0](claim_one)
        answered, stopped = await _while_it_is_answered(two, held, _stopping(two).stop(thread(there), ANA))
        stored = await two[0](lambda uow: uow.deliveries.get(held.id))
        assert stored is not None
        if stopped == 1:
            assert isinstance(answered, LeaseLost)
            assert stored.state is State.CANCELLED
        else:
            assert isinstance(answered, Owed)
            assert (stopped, stored.state) == (0, State.POSTING)
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def test_what_is_stopped_elsewhere_is_cut_off_at_the_next_heartbeat(two: Together) -> None:
    await two.asking(two[0]).accept(_asked("q", "t"))
    held = await two[0](claim_one)
    walking: asyncio.Task[None] = asyncio.create_task(two.clock.sleep(3_600))
    leases = Leases(two[0], two.clock)
    leases.hold(held, walking, since=two.clock.monotonic())
    await leases.beat()
    assert not walking.cancelling()
    assert await _stopping(two).stop(thread("t"), ANA) == 1
    await leases.beat()
    await asyncio.wait([walking])
    assert walking.cancelled()


async def test_an_edit_as_the_answer_is_stored_is_asked_or_marked(two: Together) -> None:
    for number in range(_ROUNDS):
        asked = _asked(f"q{number}", f"t{number}")
        await two.asking(two[0]).accept(asked)
        held = await two[0](claim_one)
        edited = replace(asked, text="Other words?")
        answered, _ = await _while_it_is_answered(two, held, _amending(two, two[1]).edited(edited))
        assert isinstance(answered, Owed)

        def told(uow: UnitOfWork) -> tuple[list[Mark], str | None]:
            uow.deliveries.settle(held, State.DONE, at(1))
            return [mark for _, mark in uow.marks.due(at(9), at(60), 9)], uow.conversations.asked(held.id)

        assert await two[0](told) == ([Mark.EDITED], asked.text)


async def test_of_two_edits_that_come_to_two_processes_at_once_the_later_one_counts(two: Together) -> None:
    """Also where neither process knows the message yet: then one of the edits is taken as the question."""
    for number in range(_ROUNDS):
        asked = _asked(f"q{number}", f"t{number}")
        earlier, later = (
            replace(asked, event=EventId(f"e{number}-{second}"), text=f"{second}?", edited_at=at(second))
            for second in (1, 2)
        )
        if number % 2:
            await two.asking(two[0]).accept(asked)
        came_to = await two.at_once(
            lambda one: _amending(two, one).edited(later),
            lambda other: _amending(two, other).edited(earlier),
        )
        assert Amendment.TAKEN in came_to
        again = [
            await _amending(two, process).edited(edit)
            for process in (two[1], two[0])
            for edit in (earlier, later)
        ]
        assert again == [Amendment.UNCHANGED] * 4
        held = await two[0](claim_one)
        assert await two[0](lambda uow: uow.conversations.asked(held.id)) == "2?"
        assert await _states(two[0], f"t{number}") == [State.ASKING]
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def test_a_question_waits_for_no_link_that_is_just_set(two: Together) -> None:
    for number in range(_ROUNDS):
        here = place(f"c{number}")
        asked = replace(_asked(f"q{number}", "t", project=None), thread=thread("t", here))
        linked, _ = await two.at_once(
            lambda one: _linking(two, one).link(here, SHOP, ANA),
            lambda other: two.asking(other).accept(asked),
        )
        assert linked in {0, 1}
        assert await two[0](lambda uow: uow.deliveries.unlinked(here)) == []


async def test_two_who_revive_one_delivery_do_it_once(two: Together) -> None:
    for number in range(_ROUNDS):
        await two.asking(two[0]).accept(_asked(f"q{number}", f"t{number}"))
        held = await two[0](claim_one)
        await two[0](lambda uow: settle(uow, held, State.BURIED, at(1)))
        done = await two.at_once(
            lambda one: _reviewing(two, one).post_again(held.id),
            lambda other: _reviewing(two, other).post_again(held.id),
        )
        assert sum(isinstance(one, NotToBeRevived) for one in done) == 1
        assert await _states(two[0], f"t{number}") == [State.ACCEPTED]
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def test_a_workspace_is_purged_by_two_while_questions_come(two: Together) -> None:
    for number in range(_ROUNDS):
        for each in range(3):
            await two.asking(two[0]).accept(_asked(f"q{number}-{each}", f"t{each}"))
        gone = await two.at_once(
            lambda one: Purging(one, purged=_nothing).purge(CHAT, TEAM),
            lambda other: Purging(other, purged=_nothing).purge(CHAT, TEAM),
        )
        assert sum(one.conversations for one in gone if isinstance(one, Purged)) == 3
        gone_and_come = await two.at_once(
            lambda one: Purging(one, purged=_nothing).purge(CHAT, TEAM),
            lambda other: two.asking(other).accept(_asked(f"new{number}", "t0")),
        )
        assert gone_and_come[1] is Outcome.ACCEPTED
        assert isinstance(gone_and_come[0], Purged)
        left = await two[0](lambda uow: uow.conversations.get(thread("t0")))
        assert (left is None) is (gone_and_come[0].conversations == 1)
        await Purging(two[0], purged=_nothing).purge(CHAT, TEAM)


async def _while_it_is_answered(
    two: Together, held: Delivery, meanwhile: Coroutine[None, None, object]
) -> list[object]:
    """Have a question answered by the first process, and something else be done as that is stored."""
    chat, leases = ScriptedChat(), Leases(two[0], two.clock)
    chat.hold = asyncio.Event()
    answering = Answering(
        two[0],
        chat,
        {CHAT: RecordingPoster()},
        clock=two.clock,
        leases=leases,
        rules=AnsweringRules(own=Terms(KEY)),
        random=lambda: 0.5,
    )
    asking = asyncio.ensure_future(answering.ask(held, None))
    at = two.clock.monotonic()
    leases.hold(held, asking, since=at)  # type: ignore[arg-type]  # in the place of the task that walks it
    await chat.reached.wait()
    two.arm()
    chat.hold.set()
    return list(await asyncio.gather(asking, meanwhile, return_exceptions=True))


def _stopping(two: Together) -> Stopping:
    return Stopping(two[1], two.clock, cancelled=_nothing)


def _amending(two: Together, process: Transact) -> Amending:
    asking = two.asking(process)
    return Amending(process, two.clock, asking, budget=1_000, cancelled=_nothing, wake=_nothing)


def _linking(two: Together, process: Transact) -> Linking:
    return Linking(process, two.clock, Terms(KEY), wake=_nothing)


def _reviewing(two: Together, process: Transact) -> Reviewing:
    return Reviewing(process, two.clock, Terms(KEY), wake=_nothing)


def _nothing(*_: object) -> None:
    pass
