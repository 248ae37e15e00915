"""What the gateway tells of messages and servers beside new ones: passed on as ids, whatever is cached."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import discord

_ESSENTIAL = frozenset({"id", "channel_id", "type", "author", "content", "edited_timestamp"})


class ToldOfChanges(discord.Client):
    """Passes edits, deletions and removals on, to what is set before the gateway is opened."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.on_edited: Callable[[discord.Message], None] | None = None
        self.on_half_edited: Callable[[int | None, int, int], None] | None = None
        self.on_deleted: Callable[[int | None, int, Collection[int]], None] | None = None
        self.on_left: Callable[[int], None] | None = None
        self._guilds_before: set[int] = set()
        parsers = self._connection.parsers
        self._parse_update, self._parse_ready = parsers["MESSAGE_UPDATE"], parsers["READY"]
        parsers["MESSAGE_UPDATE"], parsers["READY"] = self._on_update, self._on_ready

    def guilds_before(self) -> frozenset[int]:
        """Return the servers we were in before this session, and perhaps are not any more; once."""
        before, self._guilds_before = frozenset(self._guilds_before), set()
        return before

    async def on_raw_message_edit(self, told: discord.RawMessageUpdateEvent) -> None:
        """Pass on a message as it reads now."""
        if self.on_edited is not None:
            self.on_edited(told.message)

    async def on_raw_message_delete(self, told: discord.RawMessageDeleteEvent) -> None:
        """Pass on which message is gone."""
        if self.on_deleted is not None:
            self.on_deleted(told.guild_id, told.channel_id, [told.message_id])

    async def on_raw_bulk_message_delete(self, told: discord.RawBulkMessageDeleteEvent) -> None:
        """Pass on which messages are gone."""
        if self.on_deleted is not None:
            self.on_deleted(told.guild_id, told.channel_id, sorted(told.message_ids))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Pass on that we are no longer in a server. (In an outage, discord.py tells something else.)"""
        if self.on_left is not None:
            self.on_left(guild.id)

    def _on_update(self, told: Mapping[str, Any]) -> None:
        """Read an update, which once could leave out all but the change: discord.py 2.7.1 would fail at that.

        Where only a preview was loaded, it says nothing of an edit.
        """
        if told.keys() >= _ESSENTIAL:
            self._parse_update(told)
        elif told.get("edited_timestamp") and self.on_half_edited is not None:
            guild = told.get("guild_id")
            self.on_half_edited(int(guild) if guild else None, int(told["channel_id"]), int(told["id"]))

    def _on_ready(self, told: Mapping[str, Any]) -> None:
        """Note the servers we know before discord.py forgets them, in a new session."""
        self._guilds_before |= {guild.id for guild in self.guilds}
        self._parse_ready(told)
