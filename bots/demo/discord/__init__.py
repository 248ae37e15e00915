"""A simulated Discord on the real wire: REST API and gateway. Not a Discord client."""

from bots.demo.discord.faults import HttpError, RateLimited
from bots.demo.discord.interaction import Callback, Interaction, InteractionKind
from bots.demo.discord.records import (
    Announcement,
    ApiCall,
    Channel,
    ChannelKind,
    Flags,
    Json,
    Message,
    MessageKind,
    Ping,
    User,
)
from bots.demo.discord.server import DiscordServer
from bots.demo.discord.world import DiscordWorld
from bots.demo.faults import Delay, Faults, Hold, Reset

__all__ = [
    "Announcement",
    "ApiCall",
    "Callback",
    "Channel",
    "ChannelKind",
    "Delay",
    "DiscordServer",
    "DiscordWorld",
    "Faults",
    "Flags",
    "Hold",
    "HttpError",
    "Interaction",
    "InteractionKind",
    "Json",
    "Message",
    "MessageKind",
    "Ping",
    "RateLimited",
    "Reset",
    "User",
]
