"""The repository of seats: leases on what only one process at a time may do."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from core.model import HolderId, Seat, SeatName


class Seats(Protocol):
    """Who holds which seat. A lease that has passed is nobody's."""

    def take(
        self, names: Sequence[SeatName], holder: HolderId, now: datetime, until: datetime
    ) -> Seat | None:
        """Give the first of these that is free; None where all are held, by whomever."""
        ...

    def renew(self, held: Collection[Seat], until: datetime) -> Collection[SeatName]:
        """Prolong these leases; return the names of those that nobody has taken over."""
        ...

    def release(self, held: Collection[Seat]) -> None:
        """Give these up at once; those that somebody has taken over stay theirs."""
        ...

    def held(self, now: datetime) -> Sequence[Seat]:
        """Return all that are held, by name."""
        ...
