"""After a start, or a lost session: the mentions and follow-ups that nobody heard, within bounds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice

import discord
import structlog

from bots.discord.calls import Refused, calling
from bots.discord.keys import DIRECT, DISCORD, Kind, is_dealt, spot
from bots.errands import outlived
from core.clock import Clock
from core.errors import Retryable, ThreadlineError
from core.model import Outcome, ThreadKey, WorkspaceId
from core.services.asking import Asking
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: How far back we look.
WINDOW = timedelta(hours=6)
#: Seconds after which we look again, where something was out of reach.
AGAIN_AFTER = 30.0
_IN_THREADS = frozenset({Kind.OPEN, Kind.CLOSED})
_CHANNELS = _THREADS = 50
_MESSAGES = 100  #: of one place, the newest: what is missed is usually the end of it


class CatchUp:
    """Offers what it finds once more; the ledger knows what was accepted before, so nothing comes twice.

    What the message-content intent keeps from us in events, it keeps from us here.
    """

    def __init__(
        self,
        client: discord.Client,
        asking: Asking,
        linking: Linking,
        clock: Clock,
        offer: Callable[[discord.Message, bool], Awaitable[Outcome]],
    ) -> None:
        """`offer` takes a message, and whether one that is not addressed to us may count."""
        self._client = client
        self._asking = asking
        self._linking = linking
        self._clock = clock
        self._offer = offer
        self._ledger: Mapping[ThreadKey, datetime] = {}
        self._wanted = asyncio.Event()
        self._wait = 0.0

    async def remember(self) -> None:
        """Note how far our threads had come: before listening, or new questions would hide missed ones."""
        self._ledger = await self._noted()

    def want(self, seconds: float = 0.0) -> None:
        """Have `keep_up` look once more, after so many seconds; and not before it is through with a look."""
        self._wait = seconds
        self._wanted.set()

    async def keep_up(self) -> None:
        """Look whenever it is wanted, until cancelled; once more where something could not be looked at."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._wait:
                await self._clock.sleep(self._wait)
            if not await self.run():
                self.want(AGAIN_AFTER)

    async def run(self) -> bool:
        """Look through our channels and recent threads; tell whether all could be looked at, and stored."""
        return await outlived(self._look_through(), False, "cannot catch up")

    async def _look_through(self) -> bool:
        try:
            complete = await self._run()
            if complete:
                await self.remember()
        except ThreadlineError as error:
            log.warning("cannot catch up", error=type(error).__name__, said=str(error))
            return not isinstance(error, Retryable)
        return complete

    def _since(self) -> datetime:
        """Return how far back we look, by the time of day: Discord's messages are dated by that."""
        return self._clock.wall(self._clock.now()) - WINDOW

    async def _noted(self) -> Mapping[ThreadKey, datetime]:
        """Return our threads, as far as this shard hears of them, and how far they have come."""
        ledger = await self._asking.ledger(DISCORD, self._since())
        return {thread: newest for thread, newest in ledger.items() if self._is_dealt(thread.workspace)}

    def _is_dealt(self, workspace: WorkspaceId) -> bool:
        return is_dealt(workspace, self._client.shard_id, self._client.shard_count)

    async def _run(self) -> bool:
        since = self._since()
        fresh = await self._noted()
        newest = {**fresh, **self._ledger}
        # What was written in a thread before our newest question there, and not to us, was not meant for us.
        threads = {spot(thread).id: at for thread, at in newest.items() if spot(thread).kind in _IN_THREADS}
        places = dict.fromkeys(islice(threads, _THREADS), since)
        for place, after in (await self._others(since, newest)).items():
            places.setdefault(place, after)
        looks = []
        for place, after in places.items():  # what one keeps from us must not cost the others
            look = self._look(place, after, threads.get(place, after))
            looks.append(await outlived(look, 0, "cannot catch up", channel=place))
        found = sum(look or 0 for look in looks)
        log.info("caught up", questions=found, channels=len(places))
        return None not in looks

    async def _others(self, since: datetime, newest: Mapping[ThreadKey, datetime]) -> Mapping[int, datetime]:
        """Return the channels we know or may read, and posts of linked forums, each with its beginning."""
        all_links = [link for link in await self._linking.all(DISCORD) if self._is_dealt(link.at.workspace)]
        links = {int(link.at.channel): link for link in all_links if link.at.channel}
        known = [int(thread.channel) for thread in newest if thread.workspace != DIRECT]
        guilds = self._client.guilds
        places = dict.fromkeys([*known, *links], since)
        for post in (thread for guild in guilds for thread in guild.threads):
            if isinstance(post.parent, discord.ForumChannel) and post.parent_id in links:
                # What is older than the link was not written for us.
                places[post.id] = max(since, links[post.parent_id].since)
        for channel in (channel for guild in guilds for channel in guild.text_channels):
            if channel.permissions_for(channel.guild.me).read_message_history:
                places.setdefault(channel.id, since)
        forums = {channel.id for guild in guilds for channel in guild.forums}
        return dict(islice(((one, after) for one, after in places.items() if one not in forums), _CHANNELS))

    async def _look(self, place: int, after: datetime, newest: datetime) -> int | None:
        """Offer what was written in one channel, in that order; return how many were questions.

        None: it could not be looked at, or not be stored, for now.
        """
        outcomes = []
        try:
            async for message in self._written(place, after):
                outcomes.append(await self._offer(message, message.created_at >= newest))
        except Refused as error:  # such as a thread that was never opened
            log.debug("nothing to catch up with", channel=place, said=str(error))
        except ThreadlineError as error:
            log.info("cannot catch up", channel=place, error=type(error).__name__, said=str(error))
            if isinstance(error, Retryable):
                return None
        return outcomes.count(Outcome.ACCEPTED) + outcomes.count(Outcome.UNLINKED)

    async def _written(self, place: int, after: datetime) -> AsyncIterator[discord.Message]:
        where = self._client.get_channel(place)
        if not isinstance(where, discord.abc.Messageable):
            async with calling():
                where = await self._client.fetch_channel(place)
        if isinstance(where, discord.abc.Messageable):
            async with calling():
                page = [one async for one in where.history(limit=_MESSAGES, after=after, oldest_first=False)]
            for message in reversed(page):
                yield message
