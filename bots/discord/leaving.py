"""Servers that the bot is thrown out of: all that is kept of them is deleted. An outage is no leaving."""

from dataclasses import asdict
from functools import partial

import discord
import structlog

from bots.discord.calls import NO_ACCESS, UNKNOWN_GUILD, Refused, calling
from bots.discord.keys import DIRECT, DISCORD, is_dealt, workspace
from bots.discord.owed import Owed
from core.clock import Clock
from core.services.linking import Linking
from core.services.purging import Purging

log = structlog.get_logger(__name__)


class Leaving:
    """Purges a server that we have left; at once, or where that was missed, once Discord confirms it."""

    def __init__(
        self, client: discord.Client, purging: Purging, linking: Linking, owed: Owed, clock: Clock
    ) -> None:
        self._client = client
        self._purging = purging
        self._linking = linking
        self._owed = owed
        self._clock = clock

    def left(self, guild: int) -> None:
        """Have a server's data deleted: the gateway says that the bot is no longer there."""
        self._owed.owe(("left", guild), partial(self._purge, guild), lasting=True)

    def missed(self, before: frozenset[int]) -> None:
        """Look, in a new session, for servers of the last one that are not there any more.

        Those that were left while no process ran are only told of: to another bot's token they look the same.
        """
        for guild in before - {one.id for one in self._client.guilds}:
            self._owed.owe(("left", guild), partial(self._make_sure, guild), lasting=True)
        if not before:
            self._owed.owe(("strangers", self._client.shard_id), self._tell_of_strangers)

    async def _make_sure(self, guild: int) -> None:
        try:
            async with calling():
                await self._client.http.get_guild(guild)
        except Refused as error:
            if error.code in {UNKNOWN_GUILD, NO_ACCESS}:
                await self._purge(guild)

    async def _purge(self, guild: int) -> None:
        if self._client.get_guild(guild) is not None:
            log.info("the bot is back before its server was purged", workspace=str(guild))
            return
        gone = await self._purging.purge(DISCORD, workspace(guild), left=self._clock.now())
        log.warning("workspace purged: the bot was removed", workspace=str(guild), **asdict(gone))

    async def _tell_of_strangers(self) -> None:
        shard, count = self._client.shard_id, self._client.shard_count
        linked = {link.at.workspace for link in await self._linking.all(DISCORD)} - {DIRECT}
        linked = {one for one in linked if is_dealt(one, shard, count)}
        strangers = sorted(linked - {workspace(one.id) for one in self._client.guilds})
        if strangers:
            log.warning("the bot is not in servers that it has links of", workspaces=strangers)
