"""What every store promises of what came before the mention of its thread: kept for a moment, taken once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from core.model import MessageId, ProjectId, Question, Reason, Receipt
from core.ports import Transact, UnitOfWork
from tests.fixtures.queued import CHAT, NOW, SHOP, TEAM, at, place, question, thread

HERE = thread("t1")


def _said(name: str, there: str = "t1", *, channel: str = "general", workspace: str = "team") -> Question:
    where = thread(there, place(channel, workspace=workspace))
    return replace(question(name, where), addressed=False)


def _taken(
    there: str = "t1", *, since: float = 0, channel: str = "general"
) -> Callable[[UnitOfWork], Sequence[str]]:
    where = thread(there, place(channel))

    def work(uow: UnitOfWork) -> Sequence[str]:
        uow.conversations.open(where, SHOP)
        return sorted(one.text for one in uow.overtaking.take(where, at(since)))

    return work


async def _keep(begin: Transact, *questions: Question, now: float = 0) -> None:
    for one in questions:
        assert await begin(partial(_keep_one, one, at(now)))


def _keep_one(one: Question, now: datetime, uow: UnitOfWork) -> bool:
    return uow.overtaking.keep(one, now)


async def test_what_is_kept_is_taken_whole_and_once_by_who_opens_the_thread(begin: Transact) -> None:
    plain = _said("plain")
    full = replace(
        _said("full"),
        has_files=True,
        objection=Reason.EXTERNAL,
        project=ProjectId("other-demo-7f3k2"),
        receipt=Receipt("r"),
        edited_at=at(5),
    )
    await _keep(begin, plain, full, _said("elsewhere", "t2"), _said("far", channel="random"))

    def work(uow: UnitOfWork) -> tuple[Sequence[Question], Sequence[Question]]:
        uow.conversations.open(HERE, SHOP)
        first = sorted(uow.overtaking.take(HERE, NOW), key=lambda one: one.text, reverse=True)
        return first, uow.overtaking.take(HERE, NOW)

    first, second = await begin(work)
    assert (list(first), list(second)) == ([plain, full], [])
    assert not await begin(lambda uow: uow.overtaking.take(HERE, NOW))


async def test_where_nothing_came_before_nothing_is_taken(begin: Transact) -> None:
    assert await begin(_taken()) == []


async def test_the_latest_text_of_a_message_is_kept_in_whatever_order_it_comes(begin: Transact) -> None:
    await _keep(begin, _said("old"), replace(_said("old"), text="new"))
    await _keep(begin, replace(_said("old"), text="latest", edited_at=at(2)), now=3)
    await _keep(begin, replace(_said("old"), text="before", edited_at=at(1)), _said("old"), now=9)
    assert await begin(_taken(since=9)) == ["latest"]


async def test_nothing_is_kept_in_a_thread_that_has_a_conversation(begin: Transact) -> None:
    await begin(lambda uow: uow.conversations.open(HERE, SHOP))
    assert not await begin(lambda uow: uow.overtaking.keep(_said("late"), NOW))
    assert not await begin(lambda uow: uow.overtaking.take(HERE, NOW))


async def test_who_finds_the_thread_opened_takes_nothing(begin: Transact) -> None:
    await begin(lambda uow: uow.conversations.open(HERE, SHOP))
    assert await begin(_taken()) == []


async def test_what_was_kept_for_too_long_is_not_taken(begin: Transact) -> None:
    await _keep(begin, _said("old"), now=-1)
    await _keep(begin, _said("young"))
    assert await begin(_taken()) == ["young?"]


async def test_a_message_can_be_forgotten(begin: Transact) -> None:
    await _keep(begin, _said("one"), _said("two"), _said("one", "t2", channel="random"))
    await begin(lambda uow: uow.overtaking.forget(place(), MessageId("m-one")))
    await begin(lambda uow: uow.overtaking.forget(place(), MessageId("m-none")))
    assert await begin(_taken()) == ["two?"]
    assert await begin(_taken("t2", channel="random")) == ["one?"]


async def test_what_is_too_old_or_from_the_future_or_too_much_is_trimmed(begin: Transact) -> None:
    for name, now in (("old", -61.0), ("first", -60.0), ("middle", 0.0), ("last", 60.0), ("ahead", 61.0)):
        await _keep(begin, _said(name), now=now)
    await begin(lambda uow: uow.overtaking.trim(at(-60), at(60), 9))
    await _keep(begin, _said("again", "t2"))
    await begin(lambda uow: uow.overtaking.trim(at(-60), at(60), 3))
    assert await begin(_taken(since=-99)) == ["last?", "middle?"]
    assert await begin(_taken("t2", since=-99)) == ["again?"]


async def test_what_is_kept_of_a_workspace_is_purged_with_it(begin: Transact) -> None:
    await _keep(begin, _said("one"), _said("two", workspace="another"))
    assert await begin(lambda uow: uow.conversations.purge(CHAT, TEAM, 9)) == 0
    assert await begin(_taken()) == []
    there = thread("t1", place(workspace="another"))

    def elsewhere(uow: UnitOfWork) -> Sequence[Question]:
        uow.conversations.open(there, SHOP)
        return uow.overtaking.take(there, NOW)

    assert len(await begin(elsewhere)) == 1
