"""Seats that are leased in the database: waited for, renewed while they are ours, left at once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

import structlog

from core.clock import Clock
from core.errors import StoreUnavailable
from core.model import HolderId, Seat, SeatName
from core.ports import Transact, UnitOfWork
from core.services.seating import Sitting, Tasks, Work

log = structlog.get_logger(__name__)

#: Short, so that what a dead process did is soon done by another.
SEAT_LEASE = timedelta(seconds=10)
RENEW_EVERY = 3.0  #: seconds
ASK_EVERY = 3.0  #: seconds between two looks whether a seat is free
_LOOK_EVERY = 1.0  #: seconds
_LEAVE_WITHIN = 3.0  #: seconds; a seat that cannot be given back is free when its lease has passed


@dataclass(eq=False, slots=True)
class _Held:
    seat: Seat
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class LeasedSeats:
    """Seats that are leased in the database, by its clock; `run` renews those of this process."""

    def __init__(
        self, transact: Transact, clock: Clock, holder: HolderId, *, freed: Callable[[], None]
    ) -> None:
        """`holder` names this process, and no other there ever was. `freed` is called where a seat is given
        back: who waits for one should `look`."""
        self._transact = transact
        self._clock = clock
        self._holder = holder
        self._freed = freed
        self._held: dict[SeatName, _Held] = {}
        self._looks: set[asyncio.Event] = set()

    @property
    def mine(self) -> Sequence[SeatName]:
        """Return the names of the seats that this process has."""
        return sorted(self._held)

    def look(self) -> None:
        """Look whether a seat is free that is waited for: another process has left one."""
        for looking in self._looks:
            looking.set()

    async def run(self) -> None:
        """Renew what is held until cancelled; what has passed on, or cannot be renewed in time, is lost."""
        renewed = self._clock.monotonic()
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            self._drop_passed()
            if self._clock.monotonic() - renewed >= RENEW_EVERY:
                renewed = self._clock.monotonic()
                await self._renew()

    async def hold(self, names: Sequence[SeatName], work: Work) -> None:
        """Do what the port says."""
        while not await self._sit(await self._awaited(names), work):
            pass

    async def share(self, names: Sequence[SeatName], work: Work, among: Sequence[SeatName]) -> None:
        """Do what the port says: one seat more than is fair is left to who has one too few."""
        await self.hold(among, lambda _: self._share(names, work, among))

    async def turn(self, name: SeatName, seconds: float) -> float:
        """Do what the port says. Nobody gives it back: it passes."""
        now = self._clock.now()

        def work(uow: UnitOfWork) -> float:
            if uow.seats.take([name], self._holder, now, now + timedelta(seconds=seconds)) is not None:
                return 0.0
            ends = [seat.until for seat in uow.seats.held(now) if seat.name == name]
            return max(0.1, *((end - now).total_seconds() for end in ends))

        try:
            return await self._transact(work)
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
            return ASK_EVERY

    async def taken(self) -> Sequence[SeatName]:
        """Do what the port says."""
        now = self._clock.now()
        return [seat.name for seat in await self._transact(lambda uow: uow.seats.held(now))]

    async def _share(self, names: Sequence[SeatName], work: Work, among: Sequence[SeatName]) -> None:
        async with Tasks() as tasks:
            while True:
                has = tasks.going_on()
                room = await self._fair(len(names), among, has) - has
                seat = await self._take(names) if room > 0 else None
                if seat is not None:
                    tasks.start(seat.name, self._sit_down(seat, work))
                    continue
                if room < 0:
                    await tasks.end_one()
                await self._until_free(tasks.an_end)

    async def _fair(self, seats: int, among: Sequence[SeatName], has: int) -> int:
        """Return how many seats are fair for each of those who share them now; if that is not told, who `has`
        some keeps them."""
        try:
            sharing = len(set(await self.taken()) & set(among))
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
            return has
        return ceil(seats / max(1, sharing))

    async def _sit_down(self, seat: Seat, work: Work) -> None:
        await self._sit(seat, work)

    async def _sit(self, seat: Seat, work: Work) -> bool:
        """Have `work` done while the seat is ours; tell whether it ended by itself. Raises what it raised."""
        held = self._held[seat.name] = _Held(seat)
        log.info("seat taken", seat=seat.name, fence=seat.fence)
        working = asyncio.create_task(work(Sitting(seat.name, lambda: self._is_ours(held))), name=seat.name)
        losing = asyncio.create_task(held.lost.wait())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = working.done()
            working.cancel()
            losing.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)
            await self._leave(held)
        if ended:
            working.result()
        return ended

    async def _awaited(self, names: Sequence[SeatName]) -> Seat:
        while (seat := await self._take(names)) is None:
            await self._until_free()
        return seat

    async def _take(self, names: Sequence[SeatName]) -> Seat | None:
        now = self._clock.now()
        try:
            return await self._transact(
                lambda uow: uow.seats.take(names, self._holder, now, now + SEAT_LEASE)
            )
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
            return None

    async def _until_free(self, or_else: asyncio.Event | None = None) -> None:
        """Wait until it is time to look again, or something else has happened."""
        looking = or_else or asyncio.Event()
        self._looks.add(looking)
        both = [asyncio.create_task(one) for one in (looking.wait(), self._clock.sleep(ASK_EVERY))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._looks.discard(looking)
            looking.clear()
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    def _is_ours(self, held: _Held) -> bool:
        return not held.lost.is_set() and self._clock.now() < held.seat.until

    def _drop_passed(self) -> None:
        for held in self._held.values():
            if not held.lost.is_set() and not self._is_ours(held):
                self._lose(held)

    def _lose(self, held: _Held) -> None:
        log.warning("seat lost", seat=held.seat.name)
        held.lost.set()

    async def _renew(self) -> None:
        held = [one for one in self._held.values() if not one.lost.is_set()]
        if not held:
            return
        until = self._clock.now() + SEAT_LEASE
        try:
            kept = await self._transact(lambda uow: uow.seats.renew([one.seat for one in held], until))
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
            return
        for one in held:
            if one.seat.name in kept:
                one.seat = Seat(one.seat.name, self._holder, one.seat.fence, one.seat.since, until)
            else:
                self._lose(one)

    async def _leave(self, held: _Held) -> None:
        """Give a seat back: who waits for it need not wait for the end of its lease."""
        del self._held[held.seat.name]
        try:
            async with asyncio.timeout(_LEAVE_WITHIN):
                await self._transact(lambda uow: uow.seats.release([held.seat]))
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("seat not given back", seat=held.seat.name, error=type(error).__name__)
            return
        log.info("seat left", seat=held.seat.name)
        self._freed()
