"""The twin of the seats' repository."""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.model import HolderId, Seat, SeatName
from core.testing.tables import Tables


class MemorySeats:
    def __init__(self, tables: Tables) -> None:
        self._seats = tables.seats

    def take(
        self, names: Sequence[SeatName], holder: HolderId, now: datetime, until: datetime
    ) -> Seat | None:
        for name in names:
            former = self._seats.get(name)
            if former is None or former.until <= now:
                fence = 1 if former is None else former.fence + 1
                self._seats[name] = Seat(name, holder, fence, now, until)
                return self._seats[name]
        return None

    def renew(self, held: Collection[Seat], until: datetime) -> Collection[SeatName]:
        kept = [one.name for one in held if self._is_theirs(one)]
        for name in kept:
            mine = self._seats[name]
            self._seats[name] = Seat(name, mine.holder, mine.fence, mine.since, until)
        return kept

    def release(self, held: Collection[Seat]) -> None:
        for one in held:
            if self._is_theirs(one):
                del self._seats[one.name]

    def held(self, now: datetime) -> Sequence[Seat]:
        return [seat for _, seat in sorted(self._seats.items()) if seat.until > now]

    def _is_theirs(self, seat: Seat) -> bool:
        now = self._seats.get(seat.name)
        return now is not None and (now.holder, now.fence) == (seat.holder, seat.fence)
