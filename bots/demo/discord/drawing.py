"""Draws messages as Discord's JSON, for REST and for events, and blanks what the app may not read."""

import re
from typing import Any

from bots.demo.discord.records import Flags, Json, Message, MessageKind
from bots.demo.discord.state import DiscordState
from bots.demo.discord.wire import channel_json, member_json, moment, user_json

_BLANK: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def message_json(state: DiscordState, message: Message, *, nested: bool = False) -> Json:
    """Return a message as REST shows it; `nested` leaves out the message it answers."""
    drawn: Json = {
        "id": message.id,
        "channel_id": message.channel,
        "type": message.kind.value,
        "author": user_json(state.users[message.author]),
        "content": message.content,
        "timestamp": moment(message.sent_at),
        "edited_timestamp": moment(message.edited_at),
        "tts": False,
        "pinned": False,
        "flags": int(message.flags),
        "mention_everyone": message.mention_everyone,
        "mentions": [user_json(state.users[user]) for user in message.mentions],
        "mention_roles": list(message.mention_roles),
        "embeds": list(message.embeds),
        "attachments": list(message.attachments),
        "components": list(message.components),
    }
    drawn |= _reactions(state, message) | _origin(state, message)
    if Flags.HAS_THREAD & message.flags and message.id in state.channels:
        drawn["thread"] = channel_json(state, state.channels[message.id])
    if message.reply_channel:
        drawn |= _reference(state, message, nested=nested)
    return drawn


def event_json(state: DiscordState, message: Message) -> Json:
    """Return a message as MESSAGE_CREATE and MESSAGE_UPDATE show it: with guild and members."""
    drawn = message_json(state, message)
    place = state.channels[message.channel]
    drawn["channel_type"] = place.kind.value
    if message.nonce is not None:
        drawn["nonce"] = message.nonce
    if place.guild:
        guild = state.guilds[place.guild]
        drawn["guild_id"] = place.guild
        if message.author in guild.members:
            drawn["member"] = member_json(guild, message.author)
        for mentioned in drawn["mentions"]:
            if mentioned["id"] in guild.members:
                mentioned["member"] = member_json(guild, mentioned["id"])
    return drawn


def censored(state: DiscordState, data: Json) -> Json:
    """Return a message as an app without the message-content intent gets it.

    Left readable: direct conversations, the bot's own messages, and those that mention it. A reply to an
    interaction's response mentions nobody (discord/discord-api-docs#5395), so it is blank.
    """
    shown = dict(data)
    if isinstance(data.get("referenced_message"), dict):
        shown["referenced_message"] = censored(state, data["referenced_message"])
    if _is_readable(state, data):
        return shown
    return shown | _BLANK


def _is_readable(state: DiscordState, data: Json) -> bool:
    place = state.channels.get(data["channel_id"])
    if place is not None and not place.guild:
        return True
    if data.get("author", {}).get("id") == state.bot_user:
        return True
    if re.search(rf"<@!?{state.bot_user}>", data.get("content", "")):
        return True
    return any(mentioned["id"] == state.bot_user for mentioned in data.get("mentions", ()))


def sent_json(state: DiscordState, message: Message) -> Json:
    """Return a message as its own author gets it back."""
    drawn = message_json(state, message)
    return drawn if message.nonce is None else drawn | {"nonce": message.nonce}


def read_json(state: DiscordState, message: Message) -> Json:
    """Return a message as REST shows it to the bot: blanked unless it was granted message content."""
    drawn = message_json(state, message)
    return drawn if "message_content" in state.granted_intents else censored(state, drawn)


def _reactions(state: DiscordState, message: Message) -> Json:
    emojis = dict.fromkeys(emoji for emoji, _ in message.reactions)
    drawn: list[Json] = []
    for emoji in emojis:
        users = [user for given, user in message.reactions if given == emoji]
        drawn.append(
            {
                "emoji": {"id": None, "name": emoji},
                "count": len(users),
                "count_details": {"burst": 0, "normal": len(users)},
                "me": state.bot_user in users,
                "me_burst": False,
                "burst_colors": [],
            }
        )
    return {"reactions": drawn} if drawn else {}


def _origin(state: DiscordState, message: Message) -> Json:
    if not message.webhook:
        return {}
    return {
        "webhook_id": message.webhook,
        "application_id": state.application_id,
        "interaction_metadata": message.interaction,
    }


def _reference(state: DiscordState, message: Message, *, nested: bool) -> Json:
    place = state.channels[message.channel]
    reference: Json = {"type": 0, "channel_id": message.reply_channel}
    if message.reply_to:
        reference["message_id"] = message.reply_to
    if place.guild:
        reference["guild_id"] = place.guild
    drawn: dict[str, Any] = {"message_reference": reference}
    if not nested and message.kind in {MessageKind.REPLY, MessageKind.THREAD_STARTER}:
        answered = state.message(message.reply_to)
        drawn["referenced_message"] = None if answered is None else message_json(state, answered, nested=True)
    return drawn
