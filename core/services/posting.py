"""Showing a stored answer, or a notice, in its thread: each part once, whatever happens in between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from core.clock import Clock
from core.errors import AskerAway, CannotLook, LeaseLost, StoreUnavailable, ThreadlineError
from core.model import HINTS, AnswerPart, Delivery, Notice, Platform, Reason, State, Working
from core.ports import Poster, Transact, UnitOfWork
from core.retry import MAX_AGE, Limits
from core.services.failing import failed, give_up, held_up
from core.services.leases import Leases
from core.services.settling import settle, succeeded
from core.services.showing import Showing, address

log = structlog.get_logger(__name__)


class Posting:
    """Posts what is owed to threads."""

    def __init__(
        self,
        transact: Transact,
        posters: Mapping[Platform, Poster],
        clock: Clock,
        leases: Leases,
        *,
        random: Callable[[], float],
    ) -> None:
        self._transact = transact
        self._posters = posters
        self._showing = Showing(posters, clock)
        self._clock = clock
        self._leases = leases
        self._random = random

    async def post(self, delivery: Delivery, parts: Sequence[AnswerPart] | None = None) -> None:
        """Post the parts that are not posted yet, or the notice that is owed, and settle the delivery.

        `parts` are those of an answer that was stored in this moment; else they are read. Raises LeaseLost
        and StoreUnavailable; every error of the platform is settled here.
        """
        current: Delivery | None = delivery
        if parts is not None:
            current = await self._post_all(delivery, parts)
        while current is not None:
            current = await self._post_owed(current)

    async def tell_unlinked(self, delivery: Delivery) -> None:
        """Tell a thread that its channel has no project, or nobody a key; told a day ago, that time is up."""
        if delivery.told:
            expired = await self._leases.persist(lambda uow: self._expired(uow, delivery))
            if expired.state is State.POSTING:
                await self.post(expired)
            return
        try:
            await self._show(delivery, delivery.notice or Notice(Reason.NOT_LINKED))
        except (LeaseLost, StoreUnavailable):
            raise
        except (AskerAway, CannotLook) as error:
            log.info("perhaps not told that there is no link", delivery=delivery.id, said=str(error))
        except ThreadlineError as error:
            owed = await self.failed(delivery, error)
            if owed is not None:
                await self.post(owed)
            return
        told = replace(delivery, told=True, doubtful=False, due_at=delivery.accepted_at + MAX_AGE)
        await self._leases.persist(lambda uow: uow.deliveries.save(told, lease=None))

    async def _post_owed(self, delivery: Delivery) -> Delivery | None:
        pieces = await self._transact(lambda uow: self._pieces(uow, delivery))
        return await self._post_all(delivery, pieces)

    def _pieces(self, uow: UnitOfWork, delivery: Delivery) -> Sequence[AnswerPart | Notice]:
        """Return what is still to be posted: nothing while the lane is paused, or when all is there."""
        if not uow.deliveries.holds(delivery):
            raise LeaseLost
        if held_up(uow, delivery, self._clock.now()):
            return []
        if delivery.notice is not None:
            return [delivery.notice]
        return [part for part in uow.deliveries.parts(delivery.id) if part.posted is None]

    async def _post_all(self, delivery: Delivery, pieces: Sequence[AnswerPart | Notice]) -> Delivery | None:
        """Post piece after piece; return what is owed instead, if the platform refuses."""
        current = delivery
        for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
            try:
                posted = await self._show(current, piece)
            except CannotLook as error:
                await self._set_aside(current, State.AMBIGUOUS, error)
                return None
            except AskerAway as error:
                await self._set_aside(current, State.KEPT, error)
                return None
            except (LeaseLost, StoreUnavailable):
                raise
            except ThreadlineError as error:
                return await self.failed(current, error)
            current = replace(current, doubtful=False)
            if not await self._leases.persist(self._recording(current, piece, posted, last=left == 0)):
                break
        return None

    async def _show(self, delivery: Delivery, piece: AnswerPart | Notice) -> str:
        await self._leases.check(delivery)
        poster, to = self._posters[delivery.thread.platform], address(delivery)
        if delivery.doubtful:
            found = await poster.find(to, piece)
            if found is not None:
                return found
            await self._leases.confirm(delivery)  # looking takes time, in which it may have been taken away
        if isinstance(piece, Notice):
            return await poster.notify(to, piece)
        return await poster.post(to, piece)

    @staticmethod
    def _final(delivery: Delivery) -> State:
        notice = delivery.notice
        return State.DONE if notice is None or notice.reason in HINTS else State.BURIED

    def _recording(
        self, delivery: Delivery, piece: AnswerPart | Notice, posted: str, *, last: bool
    ) -> Callable[[UnitOfWork], bool]:
        """Return what records a piece, and tells whether the next may follow: not into a pause."""

        def work(uow: UnitOfWork) -> bool:
            if isinstance(piece, AnswerPart):
                uow.deliveries.record(delivery.id, piece.number, posted)
            if last:
                uow.conversations.lock({delivery.conversation})
                succeeded(uow, delivery.lane, self._clock.now())
                settle(uow, delivery, self._final(delivery), self._clock.now())
                return False
            uow.deliveries.save(delivery, lease=self._leases.end())
            return not held_up(uow, delivery, self._clock.now())

        return work

    async def _set_aside(self, delivery: Delivery, state: State, error: ThreadlineError) -> None:
        """Leave to a human, or to its asker, what cannot be posted; the thread goes on."""
        tell = log.error if state is State.AMBIGUOUS else log.info
        tell("post set aside", delivery=delivery.id, state=state.value, said=str(error))
        now = self._clock.now()
        await self._leases.persist(lambda uow: settle(uow, delivery, state, now))
        await self._showing.show(delivery, Working.IDLE)

    async def failed(self, delivery: Delivery, error: ThreadlineError) -> Delivery | None:
        """Settle a refused or failed post; return the notice that is owed in its place, if any."""
        log.warning("post failed", delivery=delivery.id, error=type(error).__name__, said=str(error))
        now, jitter = self._clock.now(), self._random()

        def work(uow: UnitOfWork) -> Delivery:
            return failed(
                uow, delivery, error, limits=Limits(), now=now, jitter=jitter, lease=self._leases.end()
            )

        after = await self._leases.persist(work)
        if after.state is State.BURIED:
            await self._showing.show(delivery, Working.IDLE)
        return after if after.state is State.POSTING else None

    def _expired(self, uow: UnitOfWork, delivery: Delivery) -> Delivery:
        uow.conversations.lock({delivery.conversation})
        late = Reason.LINK_EXPIRED if delivery.notice is None else Reason.NO_KEY_IN_TIME
        return give_up(uow, delivery, late, now=self._clock.now(), lease=self._leases.end())
