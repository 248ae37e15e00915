"""Tells the gateway what changed in a channel, unless the bot cannot see it there."""

from collections.abc import Sequence

from bots.demo.discord.drawing import event_json
from bots.demo.discord.records import Channel, Json, Message
from bots.demo.discord.state import DiscordState
from bots.demo.discord.wire import bot_sees, channel_json


def message_event(state: DiscordState, event: str, message: Message) -> None:
    """Announce MESSAGE_CREATE or MESSAGE_UPDATE; ephemeral messages are nobody's business."""
    if not message.seen_by:
        _announce(state, event, event_json(state, message), message.channel)


def message_gone(state: DiscordState, message: Message) -> None:
    """Announce MESSAGE_DELETE."""
    if message.seen_by:
        return
    place = state.channels[message.channel]
    data: Json = {"id": message.id, "channel_id": message.channel}
    if place.guild:
        data["guild_id"] = place.guild
    _announce(state, "MESSAGE_DELETE", data, message.channel)


def messages_gone(state: DiscordState, messages: Sequence[Message]) -> None:
    """Announce MESSAGE_DELETE_BULK: it names one channel, and no authors."""
    place = state.channels[messages[0].channel]
    data: Json = {"ids": [message.id for message in messages], "channel_id": place.id}
    if place.guild:
        data["guild_id"] = place.guild
    _announce(state, "MESSAGE_DELETE_BULK", data, place.id)


def channel_event(state: DiscordState, event: str, channel: Channel) -> None:
    """Announce CHANNEL_CREATE, CHANNEL_UPDATE or CHANNEL_DELETE, whether or not the bot may look inside."""
    state.announce(event, channel_json(state, channel), channel.guild, "guilds")


def thread_event(state: DiscordState, event: str, thread: Channel) -> None:
    """Announce THREAD_CREATE, THREAD_UPDATE or THREAD_DELETE to a bot that sees the thread."""
    if not bot_sees(state, thread):
        return
    data = channel_json(state, thread)
    if event == "THREAD_CREATE":
        data["newly_created"] = True
    if event == "THREAD_DELETE":
        data = {name: data[name] for name in ("id", "guild_id", "parent_id", "type")}
    state.announce(event, data, thread.guild, "guilds")


def reaction_event(state: DiscordState, event: str, message: Message, emoji: str, user: str) -> None:
    """Announce MESSAGE_REACTION_ADD or MESSAGE_REACTION_REMOVE."""
    place = state.channels[message.channel]
    data: Json = {
        "user_id": user,
        "channel_id": message.channel,
        "message_id": message.id,
        "message_author_id": message.author,
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if place.guild:
        data["guild_id"] = place.guild
    intent = "guild_message_reactions" if place.guild else "direct_message_reactions"
    if bot_sees(state, place):
        state.announce(event, data, place.guild or None, intent)


def _announce(state: DiscordState, event: str, data: Json, channel: str) -> None:
    place = state.channels[channel]
    if bot_sees(state, place):
        intent = "guild_messages" if place.guild else "direct_messages"
        state.announce(event, data, place.guild or None, intent)
