"""Seats: what only one process at a time may do, and which one does it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

SeatName = NewType("SeatName", str)
HolderId = NewType("HolderId", str)


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat that is taken: until its lease ends, unless that is renewed, nobody else gets it."""

    name: SeatName
    holder: HolderId  #: a process, told apart from all others there ever were
    fence: int  #: how often it has been taken over, so that who lost it cannot renew it
    since: datetime
    until: datetime
