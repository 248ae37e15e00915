"""What is sent to the assistant, read right before: a thread as it is now, under the key that counts now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from core import history
from core.clock import Clock
from core.errors import LeaseLost, ThreadlineError
from core.model import Account, AuthorId, Delivery, Platform, Reason
from core.ports import Poster, Transact, UnitOfWork
from core.services.failing import give_up, held_up, put_back
from core.services.leases import Leases
from core.services.recalling import Heard, recalled
from core.services.settling import in_lane
from core.services.terms import Terms, terms_of

log = structlog.get_logger(__name__)

_LATE = 0.1  #: seconds after which what a look has found may not hold any more
_LOOKS = 5  #: at a lane, at most, before one call


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was said in a thread, and the account that is to be sent under."""

    heard: Heard
    account: Account | None


@dataclass(frozen=True, slots=True)
class Said:
    """What is sent, the question in it as it is stored, and the account it is sent under."""

    asked: str
    window: history.Window
    account: Account | None


class Preparing:
    """Reads what a claimed question is sent with, or finds that it must not be sent."""

    def __init__(
        self,
        transact: Transact,
        posters: Mapping[Platform, Poster],
        clock: Clock,
        leases: Leases,
        *,
        own: Terms,
        budget: int,
        shared: bool = False,
    ) -> None:
        """`own`: the installation's terms; `budget`: characters of history to send; `shared`: other processes
        may pause a lane meanwhile.
        """
        self._transact = transact
        self._posters = posters
        self._clock = clock
        self._leases = leases
        self._own = own
        self._budget = budget
        self._shared = shared

    def prepared(self, uow: UnitOfWork, delivery: Delivery) -> Prepared | None:
        """Return, inside a transaction, what a claimed question is sent with; None if it must not be."""
        terms = terms_of(uow, delivery.thread, self._own)
        if delivery.lane != terms.lane or _barred(delivery, terms) is not None:
            return None
        return Prepared(recalled(uow, delivery, self._budget), terms.account)

    async def said(self, delivery: Delivery, prepared: Prepared | None) -> Said | Delivery | None:
        """Return what to send; or the notice that is owed instead, if it may not be asked (any more).

        None after putting it back: its lane was paused since the claim, or another key counts by now. What
        was not `prepared` with the claim is read now; and once more where names are looked up first: what
        was edited meanwhile is sent as it is now. Where processes share the lanes, only its lane is looked at
        once more in any other case. Raises LeaseLost and StoreUnavailable.
        """
        found: Prepared | Delivery | None = prepared
        if found is None:
            found = await self._transact(lambda uow: self._read(uow, delivery))
        people = found.heard.people if isinstance(found, Prepared) else ()
        names: Mapping[AuthorId, str] = {}
        if len(people) > 1:
            names = await self._names(delivery, people)
            found = await self._transact(lambda uow: self._read(uow, delivery))
        elif prepared is not None and self._shared and await self._paused_elsewhere(delivery):
            return None
        if not isinstance(found, Prepared):
            return found
        return Said(found.heard.question, found.heard.window(names, self._budget), found.account)

    async def _paused_elsewhere(self, delivery: Delivery) -> bool:
        """Put it back if another process has paused its lane since the claim; return whether that was so.

        A look that came back late, as this process had much to do, is no look at what holds now.
        """
        for _ in range(_LOOKS):
            looked = self._clock.monotonic()
            if await self._transact(lambda uow: held_up(uow, delivery, self._clock.now())):
                return True
            if self._clock.monotonic() - looked < _LATE:
                return False
        return False

    def _read(self, uow: UnitOfWork, delivery: Delivery) -> Prepared | Delivery | None:
        if not uow.deliveries.holds(delivery):
            raise LeaseLost
        now = self._clock.now()
        if held_up(uow, delivery, now):
            return None
        prepared = self.prepared(uow, delivery)
        return self._turned_away(uow, delivery, now) if prepared is None else prepared

    def _turned_away(self, uow: UnitOfWork, delivery: Delivery, now: datetime) -> Delivery | None:
        """Owe a notice for what may not be asked; put back what is to be asked under another key."""
        terms = terms_of(uow, delivery.thread, self._own)
        barred = _barred(delivery, terms)
        if barred is not None:
            return give_up(uow, delivery, barred, now=now, lease=self._leases.end())
        uow.deliveries.save(put_back(in_lane(uow, delivery, terms.lane, now), now), lease=None)
        return None

    async def _names(self, delivery: Delivery, people: Sequence[AuthorId]) -> Mapping[AuthorId, str]:
        try:
            return await self._posters[delivery.thread.platform].names(delivery.thread.workspace, people)
        except ThreadlineError as error:
            log.info("names unavailable", delivery=delivery.id, error=str(error))
            return {}


def _barred(delivery: Delivery, terms: Terms) -> Reason | None:
    """Return why a question must not be asked: its key is gone, or its project is not allowed any more."""
    if not terms.has_key:
        return Reason.KEY_REMOVED
    allowed = delivery.project is None or terms.admits(delivery.project)
    return None if allowed else Reason.NOT_ALLOWED
