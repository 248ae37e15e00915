"""Where something was said, asked of Discord where the gateway has not told."""

import discord

from bots.discord.calls import calling
from bots.discord.inbound import Where, where


async def look(client: discord.Client, channel: object, guild: int | None) -> Where:
    """Read a channel; one that is not known yet needs only an `id`. Raises errors of core.errors."""
    found = where(channel, guild)
    if found is None:
        async with calling():
            found = where(await client.fetch_channel(getattr(channel, "id", 0)), guild)
    assert found is not None  # noqa: S101 fetch_channel gives whole channels
    return found
