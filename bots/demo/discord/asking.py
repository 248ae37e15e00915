"""Draws an interaction as the app is sent it: complete, with members, permissions and resolved things."""

import secrets
from typing import Any

from bots.demo.discord.drawing import message_json
from bots.demo.discord.interaction import Interaction, InteractionKind
from bots.demo.discord.records import Channel, Json, Message
from bots.demo.discord.state import DiscordState
from bots.demo.discord.wire import channel_json, member_json, member_with_user, role_json, user_json

_FILE_LIMIT = 10 * 1024 * 1024


def new_interaction(
    state: DiscordState,
    kind: InteractionKind,
    user: str,
    channel: str,
    *,
    source: str = "",
    menu: bool = False,
) -> Interaction:
    """Return an interaction that begins now, known to the world by its token."""
    interaction = Interaction(
        id=state.snowflakes.new(),
        token=secrets.token_urlsafe(64),
        kind=kind,
        channel=channel,
        user=user,
        began_at=state.clock.now(),
        began=state.clock.monotonic(),
        look_up=state.message,
        source=source,
        menu_command=menu,
    )
    state.interactions[interaction.token] = interaction
    return interaction


def interaction_json(
    state: DiscordState, interaction: Interaction, data: Json, message: Message | None = None
) -> Json:
    """Return what INTERACTION_CREATE says; `message` is the one whose component was used."""
    place = state.channels[interaction.channel]
    drawn: Json = {
        "id": interaction.id,
        "application_id": state.application_id,
        "type": interaction.kind.value,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": place.id,
        "channel": _partial_channel(state, place, interaction.user),
        "app_permissions": str(state.permissions(place.id, state.bot_user)),
        "locale": state.users[interaction.user].locale,
        "entitlements": [],
        "attachment_size_limit": _FILE_LIMIT,
    }
    drawn |= (
        _in_guild(state, place, interaction.user) if place.guild else _in_private(state, interaction.user)
    )
    if message is not None:
        drawn["message"] = message_json(state, message)
    return drawn


def metadata_json(state: DiscordState, interaction: Interaction) -> Json:
    """Return the `interaction_metadata` of what answers this interaction."""
    place = state.channels[interaction.channel]
    drawn: Json = {
        "id": interaction.id,
        "type": interaction.kind.value,
        "user": user_json(state.users[interaction.user]),
        "authorizing_integration_owners": {"0": place.guild or "0"},
    }
    if interaction.menu_command:
        drawn["target_message_id"] = interaction.source
    elif interaction.kind is InteractionKind.COMPONENT:
        drawn["interacted_message_id"] = interaction.source
    elif interaction.kind is InteractionKind.MODAL:
        drawn["triggering_interaction_metadata"] = interaction.trigger or {}
    return drawn


def resolved(state: DiscordState, channel: str, kind: int, value: str) -> Json:
    """Return the `resolved` of a user, channel or role that an option or select names."""
    guild = state.guilds.get(state.channels[channel].guild)
    found: Json = {}
    if kind == _USER or (kind == _ANYBODY and value in state.users):
        found["users"] = {value: user_json(state.users[value])}
        if guild is not None and value in guild.members:
            member = member_json(guild, value)
            found["members"] = {value: member | {"permissions": _permissions(state, channel, value)}}
    elif kind == _CHANNEL:
        found["channels"] = {value: _partial_channel(state, state.channels[value], state.bot_user)}
    elif guild is not None:
        found["roles"] = {value: role_json(guild.roles[value], list(guild.roles).index(value))}
    return found


_USER, _CHANNEL, _ANYBODY = 6, 7, 9


def _in_guild(state: DiscordState, place: Channel, user: str) -> Json:
    guild = state.guilds[place.guild]
    member = member_with_user(state, guild, user)
    return {
        "context": 0,
        "authorizing_integration_owners": {"0": guild.id},
        "guild_id": guild.id,
        "guild": {"id": guild.id, "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": member | {"permissions": _permissions(state, place.id, user)},
    }


def _in_private(state: DiscordState, user: str) -> Json:
    owners: dict[str, Any] = {"0": "0"}
    return {"context": 1, "authorizing_integration_owners": owners, "user": user_json(state.users[user])}


def _partial_channel(state: DiscordState, place: Channel, user: str) -> Json:
    drawn = channel_json(state, place)
    drawn.pop("permission_overwrites", None)
    return drawn | {"permissions": _permissions(state, place.id, user)}


def _permissions(state: DiscordState, channel: str, user: str) -> str:
    return str(state.permissions(channel, user))
