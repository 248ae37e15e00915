"""From a claimed question to a stored answer: history, the chat call, and what becomes of its errors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from core import history
from core.clock import Clock
from core.errors import RateLimited, ThreadlineError
from core.model import (
    Address,
    AuthorId,
    Delivery,
    LaneId,
    Platform,
    QueuedUntil,
    Reason,
    Remark,
    Role,
    State,
    ThreadState,
    Turn,
    Working,
)
from core.ports import ChatApi, Poster, Transact, UnitOfWork
from core.retry import Limits, overdue, pause_after
from core.services.failing import TELL_AGAIN_FROM, failed, give_up, put_back, to_post
from core.services.leases import Leases
from core.services.settling import succeeded

log = structlog.get_logger(__name__)

#: Platforms let a status lapse (Slack after two minutes); a long call renews it before.
_SHOW_AGAIN = 90.0
_PLAIN_CUT = 1_500


@dataclass(frozen=True, slots=True)
class AnsweringRules:
    """`budget`: characters of history to send; `limits`: how long to try."""

    budget: int = 60_000
    limits: Limits = field(default_factory=Limits)


class Answering:
    """Asks the project's assistant and stores what it said."""

    def __init__(
        self,
        transact: Transact,
        chat: ChatApi,
        posters: Mapping[Platform, Poster],
        *,
        clock: Clock,
        leases: Leases,
        rules: AnsweringRules,
        random: Callable[[], float],
    ) -> None:
        self._transact = transact
        self._chat = chat
        self._posters = posters
        self._clock = clock
        self._leases = leases
        self._rules = rules
        self._random = random
        self._gates: dict[LaneId, datetime] = {}

    async def ask(self, delivery: Delivery) -> Delivery | None:
        """Ask for a claimed delivery, and return it ready to be posted; None if it was put back.

        Raises LeaseLost and StoreUnavailable; every error of the assistant is settled here.
        """
        if delivery.project is None or self._is_spent(delivery):
            return await self._leases.persist(lambda uow: self._too_late(uow, delivery))
        said = await self._said(delivery)
        await self._leases.check(delivery)
        if said is None or await self._held_up(delivery):
            return None
        async with self._shown_working(delivery):
            try:
                answer = await self._chat.ask(delivery.project, said.turns)
            except ThreadlineError as error:
                failure = error
            else:
                parts = await self._split(delivery, answer, trimmed=said.trimmed)
                return await self._leases.persist(lambda uow: self._answered(uow, delivery, answer, parts))
        return await self.failed(delivery, failure)

    async def failed(self, delivery: Delivery, error: ThreadlineError) -> Delivery | None:
        """Settle a failed attempt: return the notice that is owed, or None if it was put back."""
        log.warning(
            "chat call failed",
            delivery=delivery.id,
            project=delivery.project,
            error=type(error).__name__,
            said=str(error),
        )
        if isinstance(error, RateLimited):
            self._shut(delivery.lane, pause_after(error, 0))
        jitter = self._random()

        def work(uow: UnitOfWork) -> Delivery:
            now = self._clock.now()
            return failed(
                uow,
                delivery,
                error,
                limits=self._rules.limits,
                now=now,
                jitter=jitter,
                lease=self._leases.end(),
            )

        after = await self._leases.persist(work)
        if after.state is State.POSTING:
            return after
        wait = after.due_at - self._clock.now()
        known = delivery.told and wait < TELL_AGAIN_FROM
        await self.show(after, Working.IDLE if known else QueuedUntil(after.due_at))
        return None

    async def show(self, delivery: Delivery, state: ThreadState) -> None:
        """Show a thread's state; if that fails, it is only a pity."""
        try:
            await self._poster(delivery).show_state(address(delivery), state)
        except ThreadlineError as error:
            log.info("state not shown", delivery=delivery.id, error=str(error))

    async def _said(self, delivery: Delivery) -> history.Window | None:
        """Return what to send; None, after putting it back, if the lane was paused since the claim."""
        turns = await self._transact(lambda uow: self._turns(uow, delivery))
        if turns is None:
            return None
        people = history.speakers(turns)
        names = await self._names(delivery, people) if len(people) > 1 else {}
        return history.window(history.with_names(turns, names), self._rules.budget)

    def _turns(self, uow: UnitOfWork, delivery: Delivery) -> Sequence[Turn] | None:
        lane = uow.lanes.get(delivery.lane)
        if lane.paused_until is not None and lane.is_paused(self._clock.now()):
            uow.deliveries.save(put_back(delivery, lane.paused_until), lease=None)
            return None
        return uow.conversations.turns(delivery)

    def _is_spent(self, delivery: Delivery) -> bool:
        """Tell whether it is too old, or has ended the process that asked it too often."""
        old = overdue(self._clock.now() - delivery.accepted_at)
        return old or delivery.attempt >= self._rules.limits.attempts

    def _shut(self, lane: LaneId, wait: timedelta | None) -> None:
        """Let no call of this process begin, from the moment a 429 has come."""
        if wait is not None:
            until = self._clock.now() + wait
            self._gates[lane] = max(until, self._gates.get(lane, until))

    async def _held_up(self, delivery: Delivery) -> bool:
        """Put the question back if a 429 came in this very moment: no call may start after it."""
        until = self._gates.get(delivery.lane)
        if until is None or until <= self._clock.now():
            return False
        back = put_back(delivery, until)
        await self._transact(lambda uow: uow.deliveries.save(back, lease=None))
        return True

    async def _names(self, delivery: Delivery, people: Sequence[AuthorId]) -> Mapping[AuthorId, str]:
        try:
            return await self._poster(delivery).names(delivery.thread.workspace, people)
        except ThreadlineError as error:
            log.info("names unavailable", delivery=delivery.id, error=str(error))
            return {}

    @asynccontextmanager
    async def _shown_working(self, delivery: Delivery) -> AsyncIterator[None]:
        """Show that the question is worked on, beside the call, and again before that lapses.

        The first showing is awaited, not cut off: cut off, it might come to pass after the answer.
        """
        first = asyncio.create_task(self.show(delivery, Working.ASKING))
        again = asyncio.create_task(self._show_again(delivery))
        try:
            yield
        finally:
            again.cancel()
            await asyncio.gather(first, again, return_exceptions=True)

    async def _show_again(self, delivery: Delivery) -> None:
        while True:
            await self._clock.sleep(_SHOW_AGAIN)
            await self.show(delivery, Working.ASKING)

    async def _split(self, delivery: Delivery, answer: str, *, trimmed: bool) -> Sequence[str]:
        """Cut the answer into messages, in a thread of its own: a huge one must not hold up the loop."""
        remarks = {Remark.FILES_UNREAD} if delivery.has_files else set()
        here = delivery.conversation
        if trimmed and await self._leases.persist(lambda uow: uow.conversations.told_trimmed(here)):
            remarks.add(Remark.OLDER_TURNS_LEFT_OUT)
        try:
            parts = await asyncio.to_thread(self._poster(delivery).split, answer, remarks)
        except Exception:
            log.exception("answer not split", delivery=delivery.id)
            parts = [answer[at : at + _PLAIN_CUT] for at in range(0, len(answer), _PLAIN_CUT)]
        return parts or [answer]

    def _answered(self, uow: UnitOfWork, delivery: Delivery, answer: str, parts: Sequence[str]) -> Delivery:
        """Store the answer with its parts: from here on it is never asked for again."""
        succeeded(uow, delivery.lane)
        uow.conversations.append(delivery.conversation, delivery.id, Turn(Role.ASSISTANT, None, answer))
        uow.deliveries.store_parts(delivery.id, parts)
        posting = to_post(uow, delivery, self._clock.now())
        uow.deliveries.save(posting, lease=self._leases.end())
        return posting

    def _too_late(self, uow: UnitOfWork, delivery: Delivery) -> Delivery:
        now = self._clock.now()
        return give_up(uow, delivery, Reason.GAVE_UP, now=now, lease=self._leases.end())

    def _poster(self, delivery: Delivery) -> Poster:
        return self._posters[delivery.thread.platform]


def address(delivery: Delivery) -> Address:
    """Return where a delivery's answer goes."""
    return Address(delivery.thread, delivery.id, delivery.author, delivery.asked_at, delivery.receipt)
