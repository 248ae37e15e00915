"""After a start: the mentions and follow-ups that were written while nobody listened, within bounds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.calls import translated
from bots.slack.channels import is_shared
from bots.slack.identity import Identity
from bots.slack.inbound import SLACK, is_ts, text_of, to_question, to_ts
from core.clock import Clock
from core.errors import RateLimited, StoreUnavailable, ThreadlineError
from core.model import Outcome, Question, ThreadKey
from core.services.asking import Asking
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: How far back we look. Slack itself sends an event again for about six minutes.
WINDOW = timedelta(hours=6)
_CHANNELS = 50
_THREADS = 50
_MESSAGES = 100
_LONGEST_PAUSE = timedelta(minutes=2)
# Events may arrive in another order than they were written, and we may end before the older of two.
_OVERTAKING = timedelta(minutes=10)


class CatchUp:
    """Offers what it finds; the ledger of `Asking` knows what was accepted before."""

    def __init__(
        self,
        client: AsyncWebClient,
        identity: Identity,
        asking: Asking,
        linking: Linking,
        clock: Clock,
        *,
        offer: Callable[[Question], Awaitable[Outcome]],
    ) -> None:
        self._client = client
        self._identity = identity
        self._asking = asking
        self._linking = linking
        self._clock = clock
        self._offer = offer
        self._ledger: Mapping[ThreadKey, datetime] = {}
        self._shared: dict[str, bool] = {}

    async def remember(self) -> None:
        """Note how far our threads had come: before listening, or new questions would hide missed ones."""
        self._ledger = await self._asking.ledger(SLACK, self._clock.now() - WINDOW)

    async def run(self) -> int:
        """Look through our channels and recent threads; return how many questions were found."""
        try:
            return await self._run()
        except ThreadlineError as error:
            log.warning("cannot catch up", error=type(error).__name__, said=str(error))
            return 0

    async def _run(self) -> int:
        since = self._clock.now() - WINDOW
        linked = [link.at.channel for link in await self._linking.all(SLACK) if link.at.channel]
        known = [*(thread.channel for thread in self._ledger), *linked, *await self._joined()]
        channels = list(dict.fromkeys(known))[:_CHANNELS]
        found, others = 0, dict[ThreadKey, str]()
        for channel in channels:
            written = await self._written(channel, self._client.conversations_history, oldest=to_ts(since))
            for message in written:
                found += _counts(await self._accept(channel, message))
            others |= self._threads(channel, written)
        for thread, newest in list(self._ledger.items())[:_THREADS]:
            found += await self._look_through(thread, newest - _OVERTAKING, newest)
        fresh = [thread for thread in others if thread not in self._ledger]
        for thread in sorted(fresh, key=others.__getitem__, reverse=True)[:_THREADS]:
            found += await self._look_through(thread, since, None)
        log.info(
            "caught up", questions=found, channels=len(channels), threads=len(self._ledger), fresh=len(fresh)
        )
        return found

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
        replies = self._client.conversations_replies
        found, ours_since = 0, None if newest is None else to_ts(newest)
        for message in await self._written(thread.channel, replies, oldest=to_ts(since), ts=thread.thread):
            ts = text_of(message, "ts")
            is_ours = ours_since is not None and ts >= ours_since
            outcome = await self._accept(thread.channel, message, only_addressed=not is_ours)
            found += _counts(outcome)
            if not is_ours and (outcome is not Outcome.IGNORED or self._is_mine(message)):
                ours_since = ts
        return found

    def _is_mine(self, message: Mapping[str, Any]) -> bool:
        return text_of(message, "user") == self._identity.bot_user

    async def _joined(self) -> list[str]:
        """Return channels we are in: a default project needs no link."""
        kinds = "public_channel,private_channel"
        try:
            page = await self._read(self._client.users_conversations, types=kinds, limit=_CHANNELS)
        except ThreadlineError as error:
            log.info("our channels are not known", error=type(error).__name__, said=str(error))
            return []
        return [str(channel["id"]) for channel in page["channels"]]

    async def _written(self, channel: str, look: Any, **where: str) -> Sequence[Mapping[str, Any]]:
        """Return messages as they were written; none where Slack does not give them."""
        try:
            await self._is_shared(channel)
            page = await self._read(look, channel=channel, limit=_MESSAGES, **where)
        except ThreadlineError as error:
            log.info("cannot catch up", channel=channel, error=type(error).__name__, said=str(error))
            return ()
        # History comes newest first, a thread's replies oldest first.
        return sorted(page["messages"], key=lambda message: str(message.get("ts")))

    async def _is_shared(self, channel: str) -> bool:
        """Tell whether people of another organisation read along: events say so, history does not.

        Raises where Slack does not say: then nothing of that channel is taken up.
        """
        if channel.startswith("D"):
            return False
        if channel not in self._shared:
            self._shared[channel] = await self._read(is_shared, client=self._client, channel=channel)
        return self._shared[channel]

    async def _read(self, look: Any, **where: Any) -> Any:
        """Make one call; where Slack asks us to slow down (one call a minute, for some apps), wait once."""
        try:
            with translated():
                return await look(**where)
        except RateLimited as error:
            wait = min(error.retry_after or _LONGEST_PAUSE, _LONGEST_PAUSE)
            await self._clock.sleep(wait.total_seconds())
            with translated():
                return await look(**where)

    async def _accept(
        self, channel: str, message: Mapping[str, Any], *, only_addressed: bool = False
    ) -> Outcome:
        kind = "im" if channel.startswith("D") else "channel"
        event = {**message, "type": "message", "channel": channel, "channel_type": kind}
        body = {
            "event": event,
            "event_id": f"catch-up {channel} {message.get('ts')}",
            "team_id": self._identity.workspace,
            "is_ext_shared_channel": self._shared.get(channel, False),
        }
        question = to_question(body, bot_user=self._identity.bot_user)
        if question is None or (only_addressed and not question.addressed):
            return Outcome.IGNORED
        try:
            return await self._offer(question)
        except StoreUnavailable as error:
            log.warning("missed question not stored", event_id=question.event, said=str(error))
            return Outcome.IGNORED


def _counts(outcome: Outcome) -> bool:
    return outcome in {Outcome.ACCEPTED, Outcome.UNLINKED}
