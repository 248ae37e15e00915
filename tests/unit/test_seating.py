"""Stories of seats: of processes that wait for one, sit, stall, leave and die."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from core.model import HolderId, SeatName
from core.services.leased_seats import LeasedSeats
from core.services.seating import Alone, Sitting
from core.testing import MemoryStore, SettableClock

DOOR, WINDOW, STAIRS, ROOF = map(SeatName, ("door", "window", "stairs", "roof"))
EACH = (SeatName("one"), SeatName("two"))


@dataclass
class Process:
    """A process with a clock of its own, which stands still while it is stopped."""

    seats: LeasedSeats
    clock: SettableClock
    sitting: dict[SeatName, Sitting] = field(default_factory=dict)
    fails: Exception | None = None

    async def work(self, sitting: Sitting) -> None:
        self.sitting[sitting.name] = sitting
        try:
            if self.fails is not None:
                raise self.fails
            await asyncio.Event().wait()
        finally:
            del self.sitting[sitting.name]


class House:
    """Processes over one database."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.processes: list[Process] = []

    @asynccontextmanager
    async def process(self, name: str) -> AsyncIterator[Process]:
        clock = SettableClock()
        seats = LeasedSeats(self.store, clock, HolderId(name), freed=self._freed)
        one = Process(seats, clock)
        self.processes.append(one)
        running = asyncio.create_task(seats.run())
        try:
            yield one
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _freed(self) -> None:
        for one in self.processes:
            one.seats.look()

    async def later(self, seconds: int, *, stopped: Process | None = None) -> None:
        for _ in range(seconds):
            for one in self.processes:
                if one is not stopped:
                    one.clock.advance(1)
            await settle()


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def going_on(work: "asyncio.Task[None]") -> AsyncIterator["asyncio.Task[None]"]:
    await settle()
    try:
        yield work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def hold(one: Process, *names: SeatName) -> "asyncio.Task[None]":
    return asyncio.create_task(one.seats.hold(names, one.work))


def share(one: Process, *names: SeatName) -> "asyncio.Task[None]":
    return asyncio.create_task(one.seats.share(names, one.work, EACH))


@pytest.fixture
def house() -> House:
    return House()


async def test_one_of_two_sits_and_the_other_takes_the_seat_as_soon_as_it_is_left(house: House) -> None:
    async with (
        house.process("anne") as anne,
        house.process("bert") as bert,
        going_on(hold(anne, DOOR)) as first,
        going_on(hold(bert, DOOR)),
    ):
        await house.later(60)
        assert (list(anne.sitting), list(bert.sitting)) == ([DOOR], [])
        assert anne.seats.mine == [DOOR]
        first.cancel()
        await settle()
        assert (list(anne.sitting), list(bert.sitting)) == ([], [DOOR])


async def test_a_dead_process_is_followed_when_its_lease_has_passed(house: House) -> None:
    async with (
        house.process("anne") as anne,
        house.process("bert") as bert,
        going_on(hold(anne, DOOR)),
        going_on(hold(bert, DOOR)),
    ):
        await house.later(9, stopped=anne)
        assert list(bert.sitting) == []
        await house.later(4, stopped=anne)
        assert list(bert.sitting) == [DOOR]
        sitting = anne.sitting[DOOR]
        anne.clock.advance(13)  # it was only stopped: before it does anything it finds that out
        assert not sitting.ours()
        assert bert.sitting[DOOR].ours()
        await settle()
        assert list(anne.sitting) == []
        await house.later(20)
        assert (list(anne.sitting), list(bert.sitting)) == ([], [DOOR])


async def test_who_cannot_renew_leaves_in_time_and_comes_back(house: House) -> None:
    async with house.process("anne") as anne, going_on(hold(anne, DOOR)):
        house.store.failing = 5  # three renewals, the leaving, and the next taking
        await house.later(11)
        assert list(anne.sitting) == []
        await house.later(4)
        assert list(anne.sitting) == [DOOR]


async def test_a_seat_that_was_taken_over_cannot_be_renewed(house: House) -> None:
    async with house.process("anne") as anne, going_on(hold(anne, DOOR)):
        (seat,) = await house.store(lambda uow: uow.seats.held(anne.clock.now()))
        await house.store(lambda uow: uow.seats.release([seat]))
        other, now = HolderId("bert"), anne.clock.now()
        await house.store(lambda uow: uow.seats.take([DOOR], other, now, now.replace(year=2030)))
        await house.later(4)
        assert list(anne.sitting) == []


async def test_each_takes_one_of_several_and_two_at_most_have_two(house: House) -> None:
    async with (
        house.process("anne") as anne,
        house.process("bert") as bert,
        house.process("carl") as carl,
        going_on(hold(anne, DOOR, WINDOW)),
        going_on(hold(bert, DOOR, WINDOW)),
        going_on(hold(carl, DOOR, WINDOW)),
    ):
        await house.later(6)
        taken = [list(one.sitting) for one in (anne, bert, carl)]
        assert sorted(map(len, taken)) == [0, 1, 1]


async def test_seats_are_shared_fairly_and_moved_when_one_comes_or_goes(house: House) -> None:
    all_of_them = (DOOR, WINDOW, STAIRS, ROOF)
    async with (
        house.process("anne") as anne,
        house.process("bert") as bert,
        going_on(share(anne, *all_of_them)),
    ):
        assert len(anne.sitting) == 4
        async with going_on(share(bert, *all_of_them)):
            await house.later(20)
            assert (len(anne.sitting), len(bert.sitting)) == (2, 2)
            assert {*anne.sitting, *bert.sitting} == {*all_of_them}
        await house.later(8)
        assert len(anne.sitting) == 4


@pytest.mark.parametrize("how", [hold, share])
async def test_what_somebody_has_to_set_right_is_raised_and_the_seat_left(
    house: House, how: "Callable[..., asyncio.Task[None]]"
) -> None:
    async with house.process("anne") as anne:
        anne.fails = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await how(anne, DOOR)
        assert await anne.seats.taken() == []


async def test_turns_come_one_after_the_other_whoever_takes_them(house: House) -> None:
    async with house.process("anne") as anne, house.process("bert") as bert:
        assert await anne.seats.turn(DOOR, 5) == 0
        assert await bert.seats.turn(DOOR, 5) == 5
        assert await anne.seats.turn(DOOR, 5) == 5
        assert await bert.seats.turn(WINDOW, 5) == 0
        await house.later(5)
        assert await bert.seats.turn(DOOR, 5) == 0
        house.store.failing = 1
        assert await bert.seats.turn(ROOF, 5) > 0
        assert await bert.seats.turn(ROOF, 5) == 0


async def test_a_database_that_is_away_gives_no_seats(house: House) -> None:
    async with house.process("anne") as anne:
        house.store.failing = 2
        async with going_on(share(anne, DOOR, WINDOW)):
            assert list(anne.sitting) == []
            await house.later(7)
            assert {*anne.sitting} == {DOOR, WINDOW}
            house.store.failing = 50
        assert anne.seats.mine == []


async def test_who_shares_keeps_its_seats_while_the_database_is_away_for_a_moment(house: House) -> None:
    async with house.process("anne") as anne, going_on(share(anne, DOOR, WINDOW)):
        assert {*anne.sitting} == {DOOR, WINDOW}
        for _ in range(3):
            house.store.failing = 2
            await house.later(3)
            assert {*anne.sitting} == {DOOR, WINDOW}


async def test_who_is_alone_has_every_seat_and_waits_only_for_its_own_turns() -> None:
    clock = SettableClock()
    alone, seen = Alone(clock), list[SeatName]()

    async def work(sitting: Sitting) -> None:
        assert sitting.ours()
        seen.append(sitting.name)

    await alone.hold([DOOR, WINDOW], work)
    await alone.share([STAIRS, ROOF], work, EACH)
    assert seen == [DOOR, STAIRS, ROOF]
    assert await alone.taken() == ()
    assert [await alone.turn(DOOR, 5), await alone.turn(DOOR, 5), await alone.turn(ROOF, 5)] == [0, 5, 0]
    clock.advance(5)
    assert await alone.turn(DOOR, 5) == 0
