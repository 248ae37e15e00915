"""The seats of a process: leased where others share the database, its own where there is none beside it."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bots.wiring.roles import Role
from core.clock import Clock
from core.model import HolderId
from core.ports import Transact
from core.services.leased_seats import LeasedSeats
from core.services.seating import Alone, Seating
from core.store import Wakes

_FREED = "seats"
_LOOK = "look"


@dataclass(frozen=True, slots=True)
class Seats:
    """What the adapters take their seats of; with the task that renews them, if any."""

    seating: Seating
    leased: LeasedSeats | None
    renewing: "asyncio.Task[None] | None"
    wakes: Wakes | None
    looks: list[Callable[[], None]] = field(default_factory=list)  #: of sides that look for what was missed

    def standing(self, role: Role) -> Mapping[str, object]:
        """Return what tells this process from others, where there may be any: its role, and its seats."""
        return {} if self.leased is None else {"role": role.value, "seats": list(self.leased.mine)}

    def look_elsewhere(self) -> None:
        """Have whoever has the seat for it look for what was missed."""
        if self.wakes is not None:
            self.wakes.notify(_LOOK)

    def heard(self, word: str | None) -> None:
        """Do what another process has asked for by a word; None: any, as some may have been missed."""
        if self.leased is not None and word in {None, _FREED}:
            self.leased.look()
        if word in {None, _LOOK}:
            for look in self.looks:
                look()


@asynccontextmanager
async def seats_over(store: Transact, clock: Clock, wakes: Wakes | None, role: Role) -> AsyncIterator[Seats]:
    """Give the seats of this process; `wakes` are there where others share the database."""
    if wakes is None:
        yield Seats(Alone(clock), None, None, None)
        return
    leased = LeasedSeats(store, clock, _holder(role), freed=lambda: wakes.notify(_FREED))
    renewing = asyncio.create_task(leased.run(), name="seats")
    try:
        yield Seats(leased, leased, renewing, wakes)
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


def _holder(role: Role) -> HolderId:
    """Return by what people, and the database, tell this process from all others."""
    return HolderId(f"{role} {socket.gethostname()}:{os.getpid()} {secrets.token_hex(4)}")
