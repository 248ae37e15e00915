"""One look through one workspace: the questions that nobody heard there, and what became of the others."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bots.slack.amendments import Deletion, Edit, as_read
from bots.slack.inbound import SLACK, is_ts, text_of, to_question, to_ts
from bots.slack.reading import Page, Reading
from bots.slack.workspaces import Workspace
from core.clock import Clock
from core.errors import StoreUnavailable
from core.model import MessageId, Outcome, Question, ThreadKey

log = structlog.get_logger(__name__)

#: How far back we look. Slack itself sends an event again for about six minutes.
WINDOW = timedelta(hours=6)
_CHANNELS = 50
_THREADS = 50
# Events may arrive in another order than they were written, and we may end before the older of two.
_OVERTAKING = timedelta(minutes=10)
# So long a message may be on its way into history.
_SHOWN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Takers:
    """What is done with what a look finds; both raise StoreUnavailable."""

    offer: Callable[[Question], Awaitable[Outcome]]
    amend: Callable[[Edit | Deletion], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a workspace: how far its threads had come, and have now; its linked channels."""

    before: Mapping[ThreadKey, datetime]
    now: Mapping[ThreadKey, datetime]
    linked: Sequence[str]


class Look:
    """Offers what it finds; the ledger of `Asking` knows what was accepted before."""

    def __init__(self, here: Workspace, known: Known, takers: Takers, clock: Clock) -> None:
        self._identity = here.identity
        self._known = known
        self._takers = takers
        self._clock = clock
        self._reading = Reading(here, clock)
        self._stored = True

    @property
    def was_whole(self) -> bool:
        """Tell whether all could be looked at, and stored."""
        return self._stored and not self._reading.was_cut_short

    async def run(self) -> None:
        """Look through our channels and recent threads there. Raises errors of core.errors."""
        since, before, fresh = to_see_from(self._clock), self._known.before, self._known.now
        ours = [thread.channel for thread in (*before, *fresh)]
        channels = list(dict.fromkeys([*ours, *self._known.linked, *await self._reading.joined()]))[
            :_CHANNELS
        ]
        # Where a thread has become ours since, an earlier question of it may have been missed.
        found, others = 0, {thread: to_ts(at) for thread, at in fresh.items()}
        for channel in channels:
            page = await self._reading.channel(channel, since)
            for message in page.messages:
                found += _counts(await self._accept(channel, message))
            await self._miss(page, [one for one in before if one.channel == channel and self._begins(one)])
            others |= self._threads(channel, page.messages)
        for thread, newest in list(before.items())[:_THREADS]:
            found += await self._look_through(thread, newest - _OVERTAKING, newest)
        new = [thread for thread in others if thread not in before]
        for thread in sorted(new, key=others.__getitem__, reverse=True)[:_THREADS]:
            found += await self._look_through(thread, since, None)
        log.info("caught up", questions=found, channels=len(channels), threads=len(before), fresh=len(new))

    def _threads(self, channel: str, written: Sequence[Mapping[str, Any]]) -> Mapping[ThreadKey, str]:
        """Return a channel's threads with replies, each with the `ts` of the latest where that is told."""
        # A root has a `thread_ts`, its own, as soon as it has replies.
        return {
            ThreadKey(SLACK, self._identity.workspace, channel, root): text_of(message, "latest_reply")
            or root
            for message in written
            if is_ts(root := text_of(message, "thread_ts"))
        }

    async def _look_through(self, thread: ThreadKey, since: datetime, newest: datetime | None) -> int:
        """Offer what was written in a thread; return how many were questions.

        What is no mention counts from where the thread is ours: after `newest`, our newest question there,
        and after what turns out to be a question, or words, of ours.
        """
        page = await self._reading.thread(thread, since)
        found, ours_since = 0, None if newest is None else to_ts(newest)
        for message in page.messages:
            ts = text_of(message, "ts")
            is_ours = ours_since is not None and ts >= ours_since
            outcome = await self._accept(thread.channel, message, only_addressed=not is_ours)
            found += _counts(outcome)
            if not is_ours and (outcome is not Outcome.IGNORED or self._is_mine(message)):
                ours_since = ts
        if newest is not None and not self._begins(thread):
            await self._miss(page, [thread])
        return found

    def _begins(self, thread: ThreadKey) -> bool:
        """Tell whether our newest question of a thread is its root, which stands in the channel."""
        return to_ts(self._known.before[thread]) == thread.thread

    def _is_mine(self, message: Mapping[str, Any]) -> bool:
        return text_of(message, "user") == self._identity.bot_user

    async def _miss(self, page: Page, threads: Sequence[ThreadKey]) -> None:
        """Note which of the threads' newest questions were deleted, as far as a page can tell.

        One from a form has no message, so nothing will be found of it.
        """
        shown = to_ts(slacks_time(self._clock) - _SHOWN_AFTER)
        for thread in threads:
            ts = to_ts(self._known.before[thread])
            if ts < shown and page.lacks(ts):
                await self._amended(Deletion(thread.linked_at, MessageId(ts), None))

    async def _accept(
        self, channel: str, message: Mapping[str, Any], *, only_addressed: bool = False
    ) -> Outcome:
        """Offer a message, or what became of it if it was offered before."""
        body, bot_user = self._as_event(channel, message), self._identity.bot_user
        question, outcome = to_question(body, bot_user=bot_user), Outcome.IGNORED
        if question is not None and (question.addressed or not only_addressed):
            outcome = await self._offered(question)
        amendment = None if _counts(outcome) else as_read(body, bot_user=bot_user)
        if amendment is not None:
            await self._amended(amendment)
        return outcome

    def _as_event(self, channel: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = "im" if channel.startswith("D") else "channel"
        return {
            "event": {**message, "type": "message", "channel": channel, "channel_type": kind},
            "event_id": f"catch-up {channel} {message.get('ts')}",
            "team_id": self._identity.workspace,
            "is_ext_shared_channel": self._reading.is_shared(channel),
        }

    async def _offered(self, question: Question) -> Outcome:
        try:
            return await self._takers.offer(question)
        except StoreUnavailable as error:
            log.warning("missed question not stored", event_id=question.event, said=str(error))
            self._stored = False
            return Outcome.IGNORED

    async def _amended(self, amendment: Edit | Deletion) -> None:
        try:
            await self._takers.amend(amendment)
        except StoreUnavailable as error:
            log.warning("missed change not stored", said=str(error))
            self._stored = False


def slacks_time(clock: Clock) -> datetime:
    """Return the time as Slack tells it: the steady clock's may be another."""
    return clock.wall(clock.now())


def to_see_from(clock: Clock) -> datetime:
    """Return how far back a look goes."""
    return slacks_time(clock) - WINDOW


def _counts(outcome: Outcome) -> bool:
    return outcome in {Outcome.ACCEPTED, Outcome.UNLINKED}
