"""From a claimed question to a stored answer: the chat call, and what becomes of its errors."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import structlog

from core import text
from core.clock import Clock
from core.errors import LeaseLost, RateLimited, ThreadlineError
from core.model import (
    AnswerPart,
    AssistantAway,
    Delivery,
    Lane,
    Mark,
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
from core.ports import ChatApis, Poster, Transact, UnitOfWork
from core.retry import Limits, overdue, pause_after
from core.services.failing import (
    TELL_AGAIN_FROM,
    close,
    expire,
    failed,
    give_up,
    held_up,
    put_back,
    to_post,
    until,
)
from core.services.gates import Gates
from core.services.leases import Leases
from core.services.preparing import Prepared, Preparing
from core.services.settling import in_lane, succeeded
from core.services.showing import Showing
from core.services.splitting import split
from core.services.terms import Terms, terms_of

log = structlog.get_logger(__name__)

_NOTHING = "…"  # what an answer says of which nothing can be shown


@dataclass(frozen=True, slots=True)
class AnsweringRules:
    """`own`: the installation's terms; `budget`: characters of history to send; `limits`: how long to try.

    `shared`: other processes ask, too, and what one of them is told about a lane holds for all.
    """

    budget: int = 60_000
    limits: Limits = field(default_factory=Limits)
    own: Terms = field(kw_only=True)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be posted now: a notice, or an answer, of which `parts` are known if it was just stored."""

    delivery: Delivery
    parts: Sequence[AnswerPart] | None = None


class Answering:
    """Asks the project's assistant and stores what it said."""

    def __init__(
        self,
        transact: Transact,
        chats: ChatApis,
        posters: Mapping[Platform, Poster],
        *,
        clock: Clock,
        leases: Leases,
        rules: AnsweringRules,
        random: Callable[[], float],
    ) -> None:
        self._transact = transact
        self._chats = chats
        self._posters = posters
        self._clock = clock
        self._leases = leases
        self._rules = rules
        self._random = random
        self._preparing = Preparing(
            transact, posters, clock, leases, own=rules.own, budget=rules.budget, shared=rules.shared
        )
        self._showing = Showing(posters, clock)
        self._gates = Gates(clock)

    async def ask(self, delivery: Delivery, prepared: Prepared | None) -> Owed | None:
        """Ask for a claimed delivery, and return what is to be posted; None if it was put back.

        `prepared` is what to send if it was claimed in this moment; else that is read. Raises LeaseLost and
        StoreUnavailable; every error of the assistant is settled here.
        """
        if delivery.project is None or self._is_spent(delivery):
            return Owed(await self._leases.persist(lambda uow: self._too_late(uow, delivery)))
        said = await self._preparing.said(delivery, prepared)
        if isinstance(said, Delivery):
            return Owed(said)
        await self._leases.check(delivery)
        if said is None or await self._held_up(delivery):
            return None
        async with self._showing.working(delivery):
            try:
                answer = await self._chats.ask(said.account, delivery.project, said.window.turns)
                answer = text.clean(answer)
                answer = answer if answer.strip() else _NOTHING
            except ThreadlineError as error:  # settled before all has been shown: others may be about to call
                after, lane = await self._settled(delivery, error)
            else:
                remarks = await self._remarks(delivery, trimmed=said.window.trimmed)
                parts = await split(self._posters[delivery.thread.platform], delivery, answer, remarks)
                return await self._leases.persist(
                    lambda uow: self._answered(uow, delivery, said.asked, answer, parts)
                )
        notice = await self._waits(delivery, after, lane)
        return None if notice is None else Owed(notice)

    def prepare(self, uow: UnitOfWork, delivery: Delivery) -> Prepared | None:
        """Return, inside the transaction that claims it, what to send; None where nothing is to be asked."""
        return self._preparing.prepared(uow, delivery) if delivery.state is State.ASKING else None

    async def failed(self, delivery: Delivery, error: ThreadlineError) -> Delivery | None:
        """Settle a failed attempt: return the notice that is owed, or None if it was put back."""
        return await self._waits(delivery, *await self._settled(delivery, error))

    async def _settled(self, delivery: Delivery, error: ThreadlineError) -> tuple[Delivery, Lane]:
        """Write down what a failed attempt does to a delivery and its lane; return both as they stand."""
        log.warning(
            "chat call failed",
            delivery=delivery.id,
            project=delivery.project,
            error=type(error).__name__,
            said=str(error),
        )
        if isinstance(error, RateLimited):
            self._gates.shut(delivery.lane, pause_after(error, 0))
        jitter = self._random()

        def work(uow: UnitOfWork) -> tuple[Delivery, Lane]:
            now = self._clock.now()
            after = failed(
                uow,
                delivery,
                error,
                limits=self._rules.limits,
                now=now,
                jitter=jitter,
                lease=self._leases.end(),
            )
            lane = terms_of(uow, delivery.thread, self._rules.own).lane
            if after.state is State.ACCEPTED and after.lane != lane:  # its key was changed meanwhile
                after = replace(in_lane(uow, after, lane, now), due_at=now)
                uow.deliveries.save(after, lease=None)
            return after, uow.lanes.get(after.lane)

        try:
            return await self._leases.persist(work)
        except LeaseLost:  # it was stopped meanwhile; what was said of its lane counts all the same
            await self._leases.persist(lambda uow: close(uow, delivery, error, self._clock.now(), jitter))
            raise

    async def _waits(self, delivery: Delivery, after: Delivery, lane: Lane) -> Delivery | None:
        """Return the notice that is owed after a failure; or show what the thread waits for."""
        if after.state is State.POSTING:
            return after
        wait = after.due_at - self._clock.now()
        # Of an outage each thread is told once, by the loop, when it has lasted a little.
        known = lane.away_since is not None or (delivery.told and wait < TELL_AGAIN_FROM)
        waiting = Working.IDLE if known else QueuedUntil(after.due_at)
        await self._showing.show(after, waiting)
        return None

    def expire(self, uow: UnitOfWork) -> int:
        """Give up, inside a transaction, what has waited behind a closed lane for too long."""
        return expire(uow, self._rules.limits, self._clock.now())

    async def tell(self, waiting: Sequence[tuple[Delivery, Lane]]) -> None:
        """Tell threads that their questions wait behind a closed lane, and for what."""
        for delivery, lane in waiting:
            await self._showing.show(delivery, self._awaits(delivery, lane))

    async def idle(self, delivery: Delivery) -> None:
        """Take away what a thread was shown."""
        await self._showing.show(delivery, Working.IDLE)

    def _awaits(self, delivery: Delivery, lane: Lane) -> ThreadState:
        now = self._clock.now()
        if lane.away_since is not None:
            return AssistantAway(until(delivery, lane, self._rules.limits, now))
        return QueuedUntil(lane.paused_until or now)

    def _is_spent(self, delivery: Delivery) -> bool:
        """Tell whether it is too old, or has ended the process that asked it too often."""
        old = overdue(self._clock.now() - delivery.accepted_at)
        return old or delivery.attempt >= self._rules.limits.attempts

    async def _held_up(self, delivery: Delivery) -> bool:
        """Put the question back if a 429 came in this very moment: no call may start after it."""
        until = self._gates.until(delivery.lane)
        if until is None:
            return False
        back = put_back(delivery, until)
        await self._transact(lambda uow: uow.deliveries.save(back, lease=None))
        return True

    async def _remarks(self, delivery: Delivery, *, trimmed: bool) -> Set[Remark]:
        """Return what is to be said beside an answer; that older turns were left out, once in a thread."""
        remarks, here = {Remark.FILES_UNREAD} if delivery.has_files else set(), delivery.conversation
        if trimmed and await self._leases.persist(lambda uow: uow.conversations.told_trimmed(here)):
            remarks.add(Remark.OLDER_TURNS_LEFT_OUT)
        return remarks

    def _answered(
        self, uow: UnitOfWork, delivery: Delivery, asked: str, answer: str, parts: Sequence[str]
    ) -> Owed | None:
        """Store the answer with its parts: from here on it is never asked for again; None if it must wait.

        Where the question was edited while it was asked, the thread keeps what was `asked`, and the answer is
        to say so.
        """
        uow.conversations.lock({delivery.conversation})  # no edit, and no "stop", between looking and writing
        now = self._clock.now()
        succeeded(uow, delivery.lane, now)  # lanes are locked before deliveries
        posting = to_post(uow, delivery, now)
        uow.deliveries.save(posting, lease=self._leases.end())  # before the rest: it raises LeaseLost
        if uow.conversations.asked(delivery.id) != asked:
            uow.conversations.rewrite(delivery.id, asked)
            uow.marks.put(delivery.id, Mark.EDITED, now)
        uow.conversations.append(delivery.conversation, delivery.id, Turn(Role.ASSISTANT, None, answer))
        uow.deliveries.store_parts(delivery.id, parts)
        if held_up(uow, posting, now):
            return None
        last = len(parts) - 1
        return Owed(posting, [AnswerPart(at, said, None, at == last) for at, said in enumerate(parts)])

    def _too_late(self, uow: UnitOfWork, delivery: Delivery) -> Delivery:
        return give_up(uow, delivery, Reason.GAVE_UP, now=self._clock.now(), lease=self._leases.end())
