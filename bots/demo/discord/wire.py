"""Draws users, members, roles, guilds and channels as Discord's JSON. Messages are drawn elsewhere."""

from datetime import datetime

from bots.demo.discord.records import Channel, ChannelKind, Guild, Json, Role, User
from bots.demo.discord.state import DiscordState


def moment(at: datetime | None) -> str | None:
    """Return a time as Discord writes it, None for none."""
    return None if at is None else at.isoformat(timespec="microseconds")


def user_json(user: User) -> Json:
    """Return a user as everybody sees them."""
    return {
        "id": user.id,
        "username": user.name.lower(),
        "discriminator": "0000" if user.bot else "0",
        "global_name": None if user.bot else user.name,
        "avatar": None,
        "bot": user.bot,
        "system": False,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def own_user_json(user: User) -> Json:
    """Return the bot as it sees itself."""
    return user_json(user) | {"verified": True, "email": None, "mfa_enabled": True, "locale": user.locale}


def member_json(guild: Guild, user: str) -> Json:
    """Return a member without the user inside, as messages carry it."""
    member = guild.members[user]
    return {
        "roles": list(member.roles),
        "joined_at": moment(member.joined_at),
        "nick": None,
        "avatar": None,
        "banner": None,
        "premium_since": None,
        "communication_disabled_until": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def member_with_user(state: DiscordState, guild: Guild, user: str) -> Json:
    """Return a member with the user inside."""
    return member_json(guild, user) | {"user": user_json(state.users[user])}


def role_json(role: Role, position: int) -> Json:
    """Return a role; the bot's own is tagged with its id."""
    return {
        "id": role.id,
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(role.permissions),
        "managed": bool(role.managed_by),
        "mentionable": role.mentionable,
        "flags": 0,
    } | ({"tags": {"bot_id": role.managed_by}} if role.managed_by else {})


def roles_json(guild: Guild) -> list[Json]:
    """Return a guild's roles, @everyone first."""
    return [role_json(role, position) for position, role in enumerate(guild.roles.values())]


def channel_json(state: DiscordState, channel: Channel) -> Json:
    """Return a channel, thread or direct conversation."""
    if channel.kind is ChannelKind.DM:
        return _direct_json(state, channel)
    if channel.kind.is_thread:
        return _thread_json(state, channel)
    siblings = [other.id for other in state.channels.values() if other.guild == channel.guild]
    return {
        "id": channel.id,
        "type": channel.kind.value,
        "guild_id": channel.guild,
        "name": channel.name,
        "topic": channel.topic or None,
        "position": siblings.index(channel.id),
        "permission_overwrites": [
            {"id": member, "type": 1, "allow": str(own.allow), "deny": str(own.deny)}
            for member, own in channel.overwrites.items()
        ],
        "nsfw": False,
        "parent_id": None,
        "last_message_id": _last_message(state, channel.id),
        "rate_limit_per_user": 0,
        "default_auto_archive_duration": 1440,
        "flags": 0,
    } | (_FORUM if channel.kind is ChannelKind.FORUM else {})


_FORUM: Json = {
    "available_tags": [],
    "default_reaction_emoji": None,
    "default_sort_order": None,
    "default_forum_layout": 0,
    "default_thread_rate_limit_per_user": 0,
    "template": "",
}


def guild_json(guild: Guild) -> Json:
    """Return a guild as REST shows it."""
    return {
        "id": guild.id,
        "name": guild.name,
        "owner_id": guild.owner,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "features": [],
        "emojis": [],
        "stickers": [],
        "roles": roles_json(guild),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "application_id": None,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": guild.locale,
        "vanity_url_code": None,
        "incidents_data": None,
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "widget_enabled": False,
        "widget_channel_id": None,
        "home_header": None,
        "approximate_member_count": len(guild.members),
    }


def guild_create_json(state: DiscordState, guild: Guild) -> Json:
    """Return a guild as GUILD_CREATE shows it: with channels and the threads the bot can see."""
    channels = [channel for channel in state.channels.values() if channel.guild == guild.id]
    return guild_json(guild) | {
        "joined_at": moment(guild.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_with_user(state, guild, state.bot_user)],
        "channels": [channel_json(state, channel) for channel in channels if not channel.kind.is_thread],
        "threads": [channel_json(state, thread) for thread in active_threads(state, guild)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def active_threads(state: DiscordState, guild: Guild) -> list[Channel]:
    """Return the open threads of a guild that the bot can see, newest first."""
    found = [
        channel
        for channel in state.channels.values()
        if channel.guild == guild.id and channel.kind.is_thread and not channel.archived
    ]
    return [thread for thread in reversed(found) if bot_sees(state, thread)]


def bot_sees(state: DiscordState, channel: Channel) -> bool:
    """Return whether the bot can see a channel; private threads only when it was let in."""
    if not state.may(channel.id, "view_channel"):
        return False
    is_private = channel.kind is ChannelKind.PRIVATE_THREAD
    return not is_private or state.bot_user in channel.members or state.may(channel.id, "manage_threads")


def thread_member_json(thread: Channel, user: str) -> Json:
    """Return a user's membership of a thread."""
    return {"id": thread.id, "user_id": user, "join_timestamp": moment(thread.created_at), "flags": 1}


def _thread_json(state: DiscordState, thread: Channel) -> Json:
    messages = state.messages(thread.id)
    joined = state.bot_user in thread.members
    return {
        "id": thread.id,
        "type": thread.kind.value,
        "guild_id": thread.guild,
        "parent_id": thread.parent,
        "owner_id": thread.owner,
        "name": thread.name,
        "last_message_id": _last_message(state, thread.id),
        "rate_limit_per_user": 0,
        "message_count": len(messages),
        "total_message_sent": len(messages),
        "member_count": len(thread.members),
        "flags": 0,
        "thread_metadata": {
            "archived": thread.archived,
            "archive_timestamp": moment(thread.archived_at or thread.created_at),
            "auto_archive_duration": thread.archive_minutes,
            "locked": thread.locked,
            "create_timestamp": moment(thread.created_at),
        }
        | ({"invitable": True} if thread.kind is ChannelKind.PRIVATE_THREAD else {}),
    } | ({"member": thread_member_json(thread, state.bot_user)} if joined else {})


def _direct_json(state: DiscordState, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "type": channel.kind.value,
        "last_message_id": _last_message(state, channel.id),
        "flags": 0,
        "recipients": [user_json(state.users[channel.recipient])],
    }


def _last_message(state: DiscordState, channel: str) -> str | None:
    messages = state.messages(channel)
    return messages[-1].id if messages else None
