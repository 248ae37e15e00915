"""What the bot lacks, by Discord's own names for it. Makes no calls."""

from typing import Any

import discord

from bots import texts
from bots.discord.inbound import Where


def permissions(message: discord.Message) -> discord.Permissions:
    """Return what we may do where a message is; all, where nothing is known to be missing."""
    channel, guild = message.channel, message.guild
    if guild is None or not isinstance(channel, discord.abc.GuildChannel):
        return discord.Permissions.all()
    return channel.permissions_for(guild.me)


def trouble(may: discord.Permissions) -> str:
    """Return why no thread can be opened in a channel, as a sentence; empty where one can."""
    if not may.create_public_threads:
        return texts.no_thread("Create Public Threads")
    if not may.send_messages_in_threads:
        return texts.no_thread("Send Messages in Threads")
    return "" if may.read_message_history else texts.no_thread("Read Message History")


def missing(interaction: discord.Interaction[Any], here: Where) -> str:
    """Return the permission without which nothing can be said here at all; empty for none."""
    may = interaction.app_permissions
    if here.is_direct:
        return ""
    if not may.view_channel:
        return "View Channel"
    if here.thread is not None:
        return "" if may.send_messages_in_threads else "Send Messages in Threads"
    return "Send Messages" if trouble(may) and not may.send_messages else ""
