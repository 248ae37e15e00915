"""What stands in Slack's channels and threads, page by page. It reads, and judges nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bots.slack.calls import translated
from bots.slack.channels import is_shared
from bots.slack.inbound import text_of, to_ts
from bots.slack.workspaces import Workspace
from core.clock import Clock
from core.errors import RateLimited, Retryable, ThreadlineError
from core.model import ThreadKey

log = structlog.get_logger(__name__)

_CHANNELS = 50
_MESSAGES = 100
_LONGEST_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as they were written, all later than the `ts` `after`; `is_whole`: no others were."""

    messages: Sequence[Mapping[str, Any]] = ()
    after: str = ""
    is_whole: bool = False

    def lacks(self, ts: str) -> bool:
        """Tell whether a message is gone that this page would hold."""
        return self.is_whole and ts > self.after and all(text_of(one, "ts") != ts for one in self.messages)


class Reading:
    """One look at a workspace; `was_cut_short` once Slack could not tell something for now."""

    def __init__(self, here: Workspace, clock: Clock) -> None:
        self._client = here.client
        self._workspace = here.identity.workspace
        self._clock = clock
        self._shared: dict[str, bool] = {}
        self.was_cut_short = False

    async def joined(self) -> Sequence[str]:
        """Return channels we are in: a default project needs no link."""
        # An organisation's token has to name the workspace; others may (docs.slack.dev, org-ready apps).
        where = {"types": "public_channel,private_channel", "team_id": self._workspace}
        try:
            page = await self._read(self._client.users_conversations, limit=_CHANNELS, **where)
        except ThreadlineError as error:
            self._failed(error, channel="")
            return ()
        return [str(channel["id"]) for channel in page["channels"]]

    async def channel(self, channel: str, since: datetime) -> Page:
        """Return what was written in a channel, replies left out; nothing where Slack does not give it."""
        return await self._page(channel, self._client.conversations_history, since)

    async def thread(self, thread: ThreadKey, since: datetime) -> Page:
        """Return a thread's root, and what was written below it; nothing where Slack does not give it."""
        look = self._client.conversations_replies
        return await self._page(thread.channel, look, since, ts=thread.thread)

    def is_shared(self, channel: str) -> bool:
        """Tell whether people of another organisation read along in a channel that was read."""
        return self._shared.get(channel, False)

    async def _page(self, channel: str, look: Any, since: datetime, **where: str) -> Page:
        try:
            await self._ask_whether_shared(channel)
            page = await self._read(look, channel=channel, limit=_MESSAGES, oldest=to_ts(since), **where)
        except ThreadlineError as error:
            self._failed(error, channel)
            return Page()
        # History comes newest first, a thread's replies oldest first.
        messages = sorted(page["messages"], key=lambda message: str(message.get("ts")))
        # `is_limited`: a plan that shows no older ones.
        is_whole = page.get("has_more") is False and not page.get("is_limited")
        return Page(messages, to_ts(since), is_whole)

    async def _ask_whether_shared(self, channel: str) -> None:
        """Events say whether people of another organisation read along, history does not.

        Raises where Slack does not say: then nothing of that channel is taken up.
        """
        if not channel.startswith("D") and channel not in self._shared:
            self._shared[channel] = await self._read(is_shared, client=self._client, channel=channel)

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

    def _failed(self, error: ThreadlineError, channel: str) -> None:
        log.info("cannot catch up", channel=channel, error=type(error).__name__, said=str(error))
        self.was_cut_short |= isinstance(error, Retryable)
