"""After a start: the mentions and follow-ups that were written while nobody listened, within bounds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.calls import translated
from bots.slack.channels import is_shared
from bots.slack.identity import Identity
from bots.slack.inbound import SLACK, to_question, to_ts
from core.clock import Clock
from core.errors import RateLimited, StoreUnavailable, ThreadlineError
from core.model import Outcome, ThreadKey
from core.services.asking import Asking
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: How far back we look. Slack itself sends an event again for about six minutes.
WINDOW = timedelta(hours=6)
_CHANNELS = 50
_THREADS = 50
_MESSAGES = 100
_LONGEST_PAUSE = timedelta(minutes=2)


class CatchUp:
    """Offers what it finds to `Asking`, whose ledger knows what was accepted before."""

    def __init__(
        self, client: AsyncWebClient, identity: Identity, asking: Asking, linking: Linking, clock: Clock
    ) -> None:
        self._client = client
        self._identity = identity
        self._asking = asking
        self._linking = linking
        self._clock = clock
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
        since = to_ts(self._clock.now() - WINDOW)
        linked = [link.at.channel for link in await self._linking.all(SLACK) if link.at.channel]
        known = [*(thread.channel for thread in self._ledger), *linked, *await self._joined()]
        channels = list(dict.fromkeys(known))[:_CHANNELS]
        found = 0
        for channel in channels:
            found += await self._offer(channel, self._client.conversations_history, oldest=since)
        for thread, newest in list(self._ledger.items())[:_THREADS]:
            # What was written before our newest question there was not meant for us, or is known.
            found += await self._offer(
                thread.channel,
                self._client.conversations_replies,
                oldest=to_ts(newest),
                ts=thread.thread,
            )
        log.info("caught up", questions=found, channels=len(channels), threads=len(self._ledger))
        return found

    async def _joined(self) -> list[str]:
        """Return channels we are in: a default project needs no link."""
        kinds = "public_channel,private_channel"
        try:
            page = await self._read(self._client.users_conversations, types=kinds, limit=_CHANNELS)
        except ThreadlineError as error:
            log.info("our channels are not known", error=type(error).__name__, said=str(error))
            return []
        return [str(channel["id"]) for channel in page["channels"]]

    async def _offer(self, channel: str, look: Any, **where: str) -> int:
        try:
            shared = await self._is_shared(channel)
            page = await self._read(look, channel=channel, limit=_MESSAGES, **where)
        except ThreadlineError as error:
            log.info("cannot catch up", channel=channel, error=type(error).__name__, said=str(error))
            return 0
        # History comes newest first, a thread's replies oldest first; they are offered as they were written.
        written = sorted(page["messages"], key=lambda message: str(message.get("ts")))
        outcomes = [await self._accept(channel, message, shared) for message in written]
        return outcomes.count(Outcome.ACCEPTED) + outcomes.count(Outcome.UNLINKED)

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

    async def _accept(self, channel: str, message: Mapping[str, Any], shared: bool) -> Outcome:
        kind = "im" if channel.startswith("D") else "channel"
        event = {**message, "type": "message", "channel": channel, "channel_type": kind}
        body = {
            "event": event,
            "event_id": f"catch-up {channel} {message.get('ts')}",
            "team_id": self._identity.workspace,
            "is_ext_shared_channel": shared,
        }
        question = to_question(body, bot_user=self._identity.bot_user)
        if question is None:
            return Outcome.IGNORED
        try:
            return await self._asking.accept(question)
        except StoreUnavailable as error:
            log.warning("missed question not stored", event_id=question.event, said=str(error))
            return Outcome.IGNORED
