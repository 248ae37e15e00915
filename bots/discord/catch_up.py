"""After a start, or a lost session: the mentions and follow-ups that nobody heard, within bounds."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice

import discord
import structlog

from bots.discord.calls import calling
from bots.discord.keys import DIRECT, DISCORD, Kind, spot
from core.clock import Clock
from core.errors import ThreadlineError
from core.model import Outcome, ThreadKey
from core.services.asking import Asking
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: How far back we look.
WINDOW = timedelta(hours=6)
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
        offer: Callable[[discord.Message], Awaitable[Outcome]],
    ) -> None:
        self._client = client
        self._asking = asking
        self._linking = linking
        self._clock = clock
        self._offer = offer
        self._ledger: Mapping[ThreadKey, datetime] = {}

    async def remember(self) -> None:
        """Note how far our threads had come: before listening, or new questions would hide missed ones."""
        self._ledger = await self._asking.ledger(DISCORD, self._clock.now() - WINDOW)

    async def run(self) -> int:
        """Look through our channels and recent threads; return how many questions were found."""
        try:
            found = await self._run()
            await self.remember()
        except ThreadlineError as error:
            log.warning("cannot catch up", error=type(error).__name__, said=str(error))
            return 0
        return found

    async def _run(self) -> int:
        since, found = self._clock.now() - WINDOW, 0
        places: dict[int, datetime] = {}
        for thread, newest in list(self._ledger.items())[:_THREADS]:
            where = spot(thread)
            if where.kind in {Kind.OPEN, Kind.CLOSED}:
                # What was written before our newest question there was not meant for us, or is known.
                places[where.id] = newest
        for place, after in (await self._others(since)).items():
            places.setdefault(place, after)
        for place, after in places.items():
            found += await self._look(place, after)
        log.info("caught up", questions=found, channels=len(places))
        return found

    async def _others(self, since: datetime) -> Mapping[int, datetime]:
        """Return the channels we know or may read, and posts of linked forums, each with its beginning."""
        links = {int(link.at.channel): link for link in await self._linking.all(DISCORD) if link.at.channel}
        known = [int(thread.channel) for thread in self._ledger if thread.workspace != DIRECT]
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

    async def _look(self, place: int, after: datetime) -> int:
        """Offer what was written in one channel, in the order it was written."""
        outcomes = []
        try:
            async for message in self._written(place, after):
                outcomes.append(await self._offer(message))
        except ThreadlineError as error:
            log.info("cannot catch up", channel=place, error=type(error).__name__, said=str(error))
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
