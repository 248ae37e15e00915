"""Taking questions in: everything that must be on disk before a platform is told "received"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core import text
from core.clock import Clock
from core.model import (
    Conversation,
    Delivery,
    DeliveryId,
    LaneId,
    Outcome,
    Platform,
    ProjectId,
    Question,
    Reason,
    State,
    ThreadKey,
)
from core.ports import Transact, UnitOfWork
from core.services.allowances import Allowances, spent
from core.services.linking import bind_late, project_for
from core.services.overtaking import followers
from core.services.placing import Placing
from core.services.rush import Rush
from core.services.stopping import says_stop, stop
from core.services.terms import Terms, terms_of
from core.services.trusting import Trusted

_LEDGER = 10_000  #: threads


@dataclass(frozen=True, slots=True)
class AskingRules:
    """`budget`: characters of history, which one question alone may not exceed.

    The rest is the installation's own, for workspaces without an account: `lane` is its API key's, and
    `trusted` whom that serves, None for whoever comes.
    """

    lane: LaneId
    default_project: ProjectId | None = None
    budget: int = 60_000
    allowances: Allowances = field(default_factory=Allowances)
    trusted: Trusted | None = None

    @property
    def own(self) -> Terms:
        """The terms of who has no account."""
        return Terms(self.lane, self.default_project, self.allowances, trusted=self.trusted)


class Asking:
    """Accepts questions: one transaction each, and nothing else."""

    def __init__(
        self,
        transact: Transact,
        clock: Clock,
        rules: AskingRules,
        *,
        new_id: Callable[[datetime], DeliveryId],
        wake: Callable[[], None],
        cancelled: Callable[[Sequence[Delivery]], None],
        rush: Rush,
    ) -> None:
        """`cancelled` is called, after the commit, with what somebody stopped; `rush` counts what comes."""
        self._transact = transact
        self._clock = clock
        self._rules = rules
        self._placing = Placing(new_id)
        self._wake = wake
        self._cancelled = cancelled
        self._rush = rush

    async def accept(self, question: Question) -> Outcome:
        """Put a question on disk, once, and say what became of it.

        When this returns, the platform may be told. Raises StoreUnavailable when it must not be:
        nothing was stored, and the platform will offer the question again.
        """
        question = cleaned(question)
        with self._rush.taking_in():
            outcome, stopped = await self._transact(
                lambda uow: self._accept(uow, question, self._clock.now())
            )
        if outcome in {Outcome.ACCEPTED, Outcome.UNLINKED, Outcome.STOPPED}:
            self._wake()
        if stopped:
            self._cancelled(stopped)
        return outcome

    def forgo(self, uow: UnitOfWork, question: Question, now: datetime) -> bool:
        """Note, inside a transaction, that a question which was never offered must not be asked.

        False where it is none of ours, or was offered before.
        """
        terms = _terms(uow, question.thread, self._rules.own)
        known = uow.deliveries.known(question)
        conversation = None if known else self._conversation(uow, question, terms, now)
        if conversation is None:
            return False
        self._placing.enqueue(uow, conversation, question, None, now, terms=terms, ended=State.CANCELLED)
        self._followed(uow, question, now)
        return True

    async def project_of(self, thread: ThreadKey) -> ProjectId | None:
        """Return which project a question in a thread goes to: the one it is bound to, or would be."""

        def work(uow: UnitOfWork) -> ProjectId | None:
            known = uow.conversations.get(thread)
            bound = None if known is None else known.project
            terms = terms_of(uow, thread, self._rules.own)
            return bound or project_for(uow, thread.linked_at, terms.default_project)

        return await self._transact(work)

    async def ledger(self, platform: Platform, since: datetime) -> Mapping[ThreadKey, datetime]:
        """Return our threads with questions written since then, and when the newest was; newest first.

        Of more than ten thousand, the latest.
        """
        return await self._transact(lambda uow: uow.counts.latest(platform, since, _LEDGER))

    def _accept(
        self, uow: UnitOfWork, question: Question, now: datetime
    ) -> tuple[Outcome, Sequence[Delivery]]:
        """Return what became of the question, and what it has stopped."""
        if uow.deliveries.known(question):
            return Outcome.DUPLICATE, ()
        terms = _terms(uow, question.thread, self._rules.own)
        conversation = self._conversation(uow, question, terms, now)
        if conversation is None:
            return self._ignored(uow, question, now)
        outcome, stopped = self._taken_in(uow, conversation, question, terms, now)
        return outcome, [*stopped, *self._followed(uow, question, now)]

    def _ignored(
        self, uow: UnitOfWork, question: Question, now: datetime
    ) -> tuple[Outcome, Sequence[Delivery]]:
        """Keep, for a moment, what may have overtaken the mention of its thread."""
        if question.begins or uow.overtaking.keep(question, now):
            return Outcome.IGNORED, ()
        return self._accept(uow, question, now)  # the mention has come while we looked

    def _followed(self, uow: UnitOfWork, question: Question, now: datetime) -> Sequence[Delivery]:
        """Take in what came before a question that has made its thread ours; return what that has stopped."""
        return [
            stopped
            for follower in followers(uow, question, now)
            for stopped in self._accept(uow, follower, now)[1]
        ]

    def _taken_in(
        self, uow: UnitOfWork, conversation: Conversation, question: Question, terms: Terms, now: datetime
    ) -> tuple[Outcome, Sequence[Delivery]]:
        """Store a question of a thread of ours."""
        exceeded = spent(uow, terms.allowances, conversation, question, now)
        silently = State.REFUSED if exceeded is not None and exceeded.silent else None
        if says_stop(question.text):
            stopped = stop(uow, conversation, question.author, now)
            done = Reason.STOPPED if stopped else Reason.NOTHING_TO_STOP
            self._placing.enqueue(uow, conversation, question, done, now, terms=terms, ended=silently)
            return Outcome.STOPPED, stopped
        if exceeded is not None and silently is not None:
            self._placing.enqueue(
                uow, conversation, question, exceeded.reason, now, terms=terms, ended=silently
            )
            return Outcome.REFUSED, ()
        objection = self._objection(question, conversation.project, terms)
        reason = objection if exceeded is None else exceeded.reason
        return self._placing.enqueue(uow, conversation, question, reason, now, terms=terms), ()

    def _conversation(
        self, uow: UnitOfWork, question: Question, terms: Terms, now: datetime
    ) -> Conversation | None:
        """Return a question's conversation, begun now if it may; None if it is not for us."""
        conversation = uow.conversations.locked(question.thread)
        if conversation is None:
            if not (question.addressed or _is_awaited(uow, question)):
                return None
            return uow.conversations.open(question.thread, _project(uow, question, terms))
        if conversation.project is None and terms.has_key:
            return bind_late(uow, conversation, _project(uow, question, terms), terms.lane, now)
        return conversation

    def _objection(self, question: Question, here: ProjectId | None, terms: Terms) -> Reason | None:
        if question.objection is not None:
            return question.objection
        if question.project not in {None, here}:
            return Reason.OTHER_PROJECT
        if here is not None and not terms.admits(here):
            return Reason.NOT_ALLOWED
        if not question.text:
            return Reason.ONLY_FILES if question.has_files else Reason.EMPTY
        return Reason.TOO_LONG if len(question.text) > self._rules.budget else None


def cleaned(question: Question) -> Question:
    """Return the question without what no text should have, as it is stored and sent."""
    clean = text.clean(question.text).strip()
    return question if clean == question.text else replace(question, text=clean)


def _terms(uow: UnitOfWork, thread: ThreadKey, own: Terms) -> Terms:
    """Return on what terms a question is asked; that there is no key holds till it is stored."""
    terms = terms_of(uow, thread, own)
    if not terms.has_key:
        uow.links.hold(thread.platform, thread.workspace)
        terms = terms_of(uow, thread, own)
    return terms


def _project(uow: UnitOfWork, question: Question, terms: Terms) -> ProjectId | None:
    """Return what a thread that begins with this question is bound to; None holds till it is stored."""
    at, default = question.thread.linked_at, terms.default_project
    project = question.project or project_for(uow, at, default)
    if project is None:
        uow.links.hold(at.platform, at.workspace)
        project = project_for(uow, at, default)
    return project


def _is_awaited(uow: UnitOfWork, question: Question) -> bool:
    """Tell whether it begins a thread in a channel where every new one is for us."""
    link = uow.links.get(question.thread.linked_at) if question.begins else None
    return link is not None and link.answers_all
