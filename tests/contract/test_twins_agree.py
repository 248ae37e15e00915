"""The property that lets stories be told over the twin: whatever is done, both stores say the same."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ThreadlineError
from core.model import (
    SETTLED,
    Amounts,
    ConversationId,
    Delivery,
    DeliveryId,
    LaneId,
    Mark,
    MessageId,
    Receipt,
    Role,
    State,
    Turn,
)
from core.ports import Transact, UnitOfWork
from core.store import Store, connect
from core.testing import MemoryStore
from tests.fixtures.queued import (
    ANA,
    BEN,
    CHAT,
    KEY,
    OTHER,
    SHOP,
    at,
    enqueue,
    place,
    question,
    thread,
)


@dataclass
class Seen:
    """What one store has handed out so far, and the time it is in this story."""

    now: float = 0.0
    handed: list[Delivery] = field(default_factory=list)

    def one(self, which: int) -> Delivery | None:
        return self.handed[which % len(self.handed)] if self.handed else None


Step = Callable[[UnitOfWork, Seen], object]
_LANES = st.sampled_from([KEY, OTHER])
_THREADS = st.sampled_from(["t1", "t2", "t3"])
_SECONDS = st.integers(-5, 20)
_WHICH = st.integers(0, 40)


def _enqueue(number: int, there: str, lane: LaneId, state: State, asked: int, due: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        asks = question(f"q{number}", thread(there))
        author = BEN if number % 3 else ANA
        if uow.deliveries.known(asks):
            return "known"
        here = enqueue(
            uow,
            f"q{number}",
            thread(there),
            lane=lane,
            state=state,
            asked=asked,
            due=seen.now + due,
            author=author,
            receipt=Receipt(f"r{number}"),
        )
        uow.conversations.append(here.id, DeliveryId(f"q{number}"), Turn(Role.USER, ANA, f"{number}"))
        return here

    return step


def _claim(concurrency: int, limit: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        claimed = uow.deliveries.claim(at(seen.now), at(seen.now + 10), concurrency, limit)
        seen.handed.extend(claimed)
        return list(claimed)

    return step


def _save(which: int, state: State, due: int, lease: int | None) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        if held is not None:
            until = None if lease is None else at(seen.now + lease)
            uow.deliveries.save(replace(held, state=state, due_at=at(seen.now + due)), until)
        return held

    return step


def _settle(which: int, state: State) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        if held is None:
            return None
        uow.deliveries.settle(held, state, at(seen.now))
        following = uow.deliveries.next_waiting(held.conversation)
        if following is not None:
            uow.deliveries.save(replace(following, state=State.ACCEPTED), None)
        return following

    return step


def _move(there: str, to: str) -> Step:
    return lambda uow, _: uow.conversations.move(thread(there), to)


def _fetch(which: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        if held is not None:
            uow.deliveries.fetched(held.id)
        return held

    return step


def _bind(_: int) -> Step:
    return lambda uow, _: [uow.deliveries.bind(one, SHOP) for one in uow.deliveries.unlinked(place())]


def _pass_on(seconds: int) -> Step:
    def step(_: UnitOfWork, seen: Seen) -> object:
        seen.now += seconds
        return seen.now

    return step


def _pause(lane: LaneId, seconds: int, window: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        before = replace(uow.lanes.get(lane), window=window)
        now, until = at(seen.now), at(seen.now + seconds)
        after = (
            before.pause(now, until, busy=9)
            if seconds % 2
            else before.failed(now, 0, trips_at=1, suspect=SHOP)
        )
        uow.lanes.save(after)
        return uow.lanes.get(lane), uow.lanes.busy(lane)

    return step


def _sweep(spared: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(spared)
        return uow.deliveries.release_expired(at(seen.now), () if held is None else {held.id})

    return step


def _renew(_: int) -> Step:
    return lambda uow, seen: set(uow.deliveries.renew(_newest(seen.handed), at(seen.now + 10)))


def _tell(limit: int) -> Step:
    return lambda uow, seen: list(
        uow.deliveries.tell_paused(at(seen.now), at(seen.now + 5), at(seen.now - 2), limit)
    )


def _line_up(which: int, lane: LaneId) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        rank = uow.deliveries.next_rank(lane, CHAT, place().workspace)
        if held is not None:
            uow.deliveries.save(replace(held, rank=rank, lane=lane, state=State.ACCEPTED), None)
        return rank

    return step


def _revive(which: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        found = None if held is None else uow.deliveries.get(held.id)
        if found is not None:
            uow.deliveries.revive(replace(found, state=State.WAITING, accepted_at=at(seen.now)))
        return found

    return step


def _mark(which: int, mark: Mark, due: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        held = seen.one(which)
        if held is None:
            return None
        put = uow.marks.put(held.id, mark, at(seen.now + due))
        owed = list(uow.marks.due(at(seen.now), at(seen.now + 3), 2))
        for one, made in owed:
            if due % 2:
                uow.marks.made(one.id, made)
            else:
                uow.marks.later(one.id, at(seen.now + 1))
        return put, owed

    return step


def _amend(number: int, text: str) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        found = uow.deliveries.of_message(place(), MessageId(f"m-q{number}"))
        if found is None:
            return None
        if text:
            uow.conversations.rewrite(found.id, text)
        else:
            uow.conversations.forget(found.id)
        return found, uow.conversations.asked(found.id), uow.deliveries.holds(found)

    return step


def _purge(limit: int) -> Step:
    return lambda uow, _: uow.conversations.purge(CHAT, place().workspace, limit)


def _outlive(seconds: int, limit: int) -> Step:
    return lambda uow, seen: uow.conversations.outlived(ConversationId(0), at(seen.now - seconds), limit)


def _set_back(seconds: int) -> Step:
    def step(uow: UnitOfWork, seen: Seen) -> object:
        uow.deliveries.set_back(timedelta(seconds=seconds), at(seen.now))
        return uow.deliveries.newest()

    return step


_FREE = [State.ACCEPTED, State.ANSWERED, State.UNLINKED, State.WAITING]
_STEPS = st.lists(
    st.one_of(
        st.builds(_enqueue, st.integers(0, 12), _THREADS, _LANES, st.sampled_from(_FREE), _SECONDS, _SECONDS),
        st.builds(_claim, st.integers(1, 3), st.integers(0, 4)),
        st.builds(
            _save, _WHICH, st.sampled_from([*_FREE, State.POSTING]), _SECONDS, st.none() | st.integers(1, 9)
        ),
        st.builds(_settle, _WHICH, st.sampled_from(sorted(SETTLED))),
        st.builds(_move, _THREADS, _THREADS),
        st.builds(_fetch, _WHICH),
        st.builds(_bind, st.just(0)),
        st.builds(_pass_on, st.integers(1, 12)),
        st.builds(_pause, _LANES, st.integers(1, 20), st.integers(0, 3)),
        st.builds(_sweep, _WHICH),
        st.builds(_renew, st.just(0)),
        st.builds(_tell, st.integers(0, 3)),
        st.builds(_line_up, _WHICH, _LANES),
        st.builds(_revive, _WHICH),
        st.builds(_mark, _WHICH, st.sampled_from(Mark), st.integers(-2, 3)),
        st.builds(_amend, st.integers(0, 12), st.sampled_from(["", "other"])),
        st.builds(_purge, st.integers(0, 1)),
        st.builds(_outlive, st.integers(0, 9), st.integers(1, 3)),
        st.builds(_set_back, st.integers(1, 9)),
    ),
    min_size=5,
    max_size=30,
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=_STEPS)
def test_the_twin_and_the_database_agree(migrated: Path, steps: list[Step]) -> None:
    asyncio.run(_compare(migrated, steps))


async def _compare(migrated: Path, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sqlite = Store(connect(f"sqlite:///{shutil.copy(migrated, folder)}"))
        try:
            ours, theirs = Seen(), Seen()
            memory = MemoryStore()
            for step in steps:
                assert await _told(memory, step, ours) == await _told(sqlite, step, theirs)
        finally:
            await sqlite.aclose()


async def _told(begin: Transact, step: Step, seen: Seen) -> tuple[object, object]:
    """Return what a step says, or the name of its error, and all that can be seen afterwards."""
    try:
        return await begin(lambda uow: (step(uow, seen), _view(uow, seen.now)))
    except ThreadlineError as error:
        return type(error).__name__, await begin(lambda uow: _view(uow, seen.now))


def _view(uow: UnitOfWork, now: float) -> object:
    queue = uow.deliveries
    threads = [uow.conversations.get(thread(name)) for name in ("t1", "t2", "t3")]
    known = [one.id for one in threads if one is not None]
    return (
        threads,
        [_of(uow, conversation) for conversation in known],
        queue.next_due(at(now)),
        queue.tally(at(now)),
        _counts(uow),
        list(queue.behind_pauses(at(now), at(now - 1), at(now - 3), 5)),
        [list(queue.listed(state, 3)) for state in (State.AMBIGUOUS, State.BURIED)],
        queue.newest(),
        list(queue.unlinked(place(""))),
        [list(queue.kept(CHAT, author)) for author in (ANA, BEN)],
    )


def _of(uow: UnitOfWork, conversation: ConversationId) -> object:
    head = uow.deliveries.head(conversation)
    said = [] if head is None else list(uow.conversations.turns(head, 2))
    return head, said, uow.deliveries.next_waiting(conversation), list(uow.deliveries.unsettled(conversation))


def _counts(uow: UnitOfWork) -> object:
    counts = uow.counts
    return (
        counts.latest(CHAT, at(0), 9),
        [
            counts.lately(question("new", author=author), ConversationId(1), at(0), upto)
            for author, upto in ((ANA, Amounts(2, 3, 4, 3)), (BEN, Amounts(person=9)), (ANA, Amounts()))
        ],
    )


def _newest(handed: list[Delivery]) -> list[Delivery]:
    return list({one.id: one for one in handed}.values())
