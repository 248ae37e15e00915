"""The seats of a process: leased where others share the database, its own where there is none beside it."""

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bots.errands import Errands
from bots.wiring.roles import Role
from core.clock import Clock
from core.model import HolderId, Platform, ThreadKey, WorkspaceId
from core.ports import Transact
from core.services.asking import Asking
from core.services.leased_seats import LeasedSeats
from core.services.seating import Alone, Seating
from core.store import Wakes

_FREED = "seats"
_LOOK = "look"
_BEGAN = "began "


@dataclass(frozen=True, slots=True)
class Seats:
    """What the adapters take their seats of; with the task that renews them, if any."""

    seating: Seating
    leased: LeasedSeats | None
    renewing: "asyncio.Task[None] | None"
    wakes: Wakes | None
    errands: Errands
    looks: list[Callable[[], None]] = field(default_factory=list)  #: of sides that look for what was missed
    asking: list[Asking] = field(default_factory=list)  #: of this process, once it is made

    def standing(self, role: Role) -> Mapping[str, object]:
        """Return what tells this process from others, where there may be any: its role, and its seats."""
        return {} if self.leased is None else {"role": role.value, "seats": list(self.leased.mine)}

    def look_elsewhere(self) -> None:
        """Have whoever has the seat for it look for what was missed."""
        if self.wakes is not None:
            self.wakes.notify(_LOOK)

    @property
    def began(self) -> Callable[[ThreadKey, datetime], None] | None:
        """Return what tells the others of a thread that began, if there may be any."""
        return None if self.wakes is None else self._tell_of_thread

    def _tell_of_thread(self, thread: ThreadKey, asked_at: datetime) -> None:
        if self.wakes is not None:
            told = [thread.platform, thread.workspace, thread.channel, thread.thread, asked_at.isoformat()]
            self.wakes.notify(_BEGAN + json.dumps(told))

    def _follow(self, told: str) -> None:
        """Take in what came here before the beginning of its thread came elsewhere."""
        platform, workspace, channel, thread, asked_at = json.loads(told)
        key = ThreadKey(Platform(platform), WorkspaceId(workspace), channel, thread)
        for asking in self.asking:
            self.errands.run(asking.follow(key, datetime.fromisoformat(asked_at)))

    def heard(self, word: str | None) -> None:
        """Do what another process has asked for by a word; None: any, as some may have been missed."""
        if self.leased is not None and word in {None, _FREED}:
            self.leased.look()
        if word is not None and word.startswith(_BEGAN):
            self._follow(word.removeprefix(_BEGAN))
        if word in {None, _LOOK}:
            for look in self.looks:
                look()


@asynccontextmanager
async def seats_over(store: Transact, clock: Clock, wakes: Wakes | None, role: Role) -> AsyncIterator[Seats]:
    """Give the seats of this process; `wakes` are there where others share the database."""
    if wakes is None:
        yield Seats(Alone(clock), None, None, None, Errands())
        return
    leased = LeasedSeats(store, clock, _holder(role), freed=lambda: wakes.notify(_FREED))
    renewing, errands = asyncio.create_task(leased.run(), name="seats"), Errands()
    try:
        yield Seats(leased, leased, renewing, wakes, errands)
    finally:
        await errands.aclose()
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


def _holder(role: Role) -> HolderId:
    """Return by what people, and the database, tell this process from all others."""
    return HolderId(f"{role} {socket.gethostname()}:{os.getpid()} {secrets.token_hex(4)}")
