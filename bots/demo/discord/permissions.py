"""Discord's permission bits by the names of the documentation and of discord.py, and who holds which where.

Bits: discord.com/developers/docs/topics/permissions.
"""

from collections.abc import Iterable

from bots.demo.discord.records import Channel, Guild

BITS = {
    "create_instant_invite": 1 << 0,
    "kick_members": 1 << 1,
    "ban_members": 1 << 2,
    "administrator": 1 << 3,
    "manage_channels": 1 << 4,
    "manage_guild": 1 << 5,
    "add_reactions": 1 << 6,
    "view_audit_log": 1 << 7,
    "priority_speaker": 1 << 8,
    "stream": 1 << 9,
    "read_messages": 1 << 10,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "send_tts_messages": 1 << 12,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "external_emojis": 1 << 18,
    "use_external_emojis": 1 << 18,
    "view_guild_insights": 1 << 19,
    "connect": 1 << 20,
    "speak": 1 << 21,
    "mute_members": 1 << 22,
    "deafen_members": 1 << 23,
    "move_members": 1 << 24,
    "use_voice_activation": 1 << 25,
    "change_nickname": 1 << 26,
    "manage_nicknames": 1 << 27,
    "manage_permissions": 1 << 28,
    "manage_roles": 1 << 28,
    "manage_webhooks": 1 << 29,
    "manage_emojis": 1 << 30,
    "manage_emojis_and_stickers": 1 << 30,
    "manage_expressions": 1 << 30,
    "use_application_commands": 1 << 31,
    "request_to_speak": 1 << 32,
    "manage_events": 1 << 33,
    "manage_threads": 1 << 34,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "external_stickers": 1 << 37,
    "use_external_stickers": 1 << 37,
    "send_messages_in_threads": 1 << 38,
    "use_embedded_activities": 1 << 39,
    "moderate_members": 1 << 40,
    "view_creator_monetization_analytics": 1 << 41,
    "use_soundboard": 1 << 42,
    "create_expressions": 1 << 43,
    "create_events": 1 << 44,
    "use_external_sounds": 1 << 45,
    "send_voice_messages": 1 << 46,
    "set_voice_channel_status": 1 << 48,
    "create_polls": 1 << 49,
    "send_polls": 1 << 49,
    "use_external_apps": 1 << 50,
    "pin_messages": 1 << 51,
    "bypass_slowmode": 1 << 52,
}

ALL = (1 << 53) - 1


def bits(names: Iterable[str]) -> int:
    """Return the bits of the named permissions; KeyError for a name Discord does not have."""
    found = 0
    for name in names:
        found |= BITS[name]
    return found


BOT = bits(
    (
        "view_channel",
        "send_messages",
        "send_messages_in_threads",
        "create_public_threads",
        "read_message_history",
        "embed_links",
        "attach_files",
        "add_reactions",
    )
)
"""What an admin grants when they invite the bot: its managed role."""

EVERYONE = BOT | bits(
    (
        "create_instant_invite",
        "change_nickname",
        "use_application_commands",
        "use_external_emojis",
        "create_private_threads",
    )
)
"""What a new server lets everybody do, as far as the simulation cares."""

DIRECT = bits(
    ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history", "add_reactions")
)
"""What anybody may do in a direct conversation."""


def guild_wide(guild: Guild, user: str) -> int:
    """Return a member's permissions before any channel has its say."""
    if user == guild.owner:
        return ALL
    member = guild.members.get(user)
    if member is None:
        return 0
    found = guild.roles[guild.id].permissions
    for role in member.roles:
        found |= guild.roles[role].permissions
    return ALL if found & BITS["administrator"] else found


def within(guild: Guild, place: Channel, user: str) -> int:
    """Return a member's permissions in a channel (a thread's are its parent's): none without seeing it."""
    found = guild_wide(guild, user)
    if found == ALL:
        return ALL
    own = place.overwrites.get(user)
    if own is not None:
        found = (found & ~own.deny) | own.allow
    return found if found & BITS["view_channel"] else 0
