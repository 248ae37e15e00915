"""What a REST call brought along, and which things of the world it names. No routes live here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.demo.discord.records import Channel, Guild, Json, Message
from bots.demo.discord.refusals import Refused, invalid
from bots.demo.discord.state import DiscordState
from bots.demo.discord.wire import bot_sees

Answer = Json | list[Json] | None
"""What a call is answered with; None for 204."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the ids of its path, its body, its query, and what it uploads."""

    ids: Mapping[str, str]
    body: Any
    query: Mapping[str, str]
    files: Mapping[str, bytes]

    @property
    def fields(self) -> Json:
        """Return the body as an object; Refused if it is something else."""
        if not isinstance(self.body, dict):
            message = "Only dictionaries may be used in a DictType"
            raise invalid(code="DICT_TYPE_CONVERT", message=message)
        return self.body

    def flag(self, name: str) -> bool:
        """Return whether the query switches something on."""
        return self.query.get(name, "").lower() in {"1", "true"}


Deed = Callable[[DiscordState, Call], Answer]
"""What a route does."""


def the_guild(state: DiscordState, call: Call) -> Guild:
    """Return the guild of the path."""
    found = state.guilds.get(call.ids["guild"])
    if found is None:
        raise Refused(10004)
    return found


def the_channel(state: DiscordState, call: Call) -> Channel:
    """Return the channel of the path if the bot can see it."""
    found = state.channels.get(call.ids["channel"])
    if found is None:
        raise Refused(10003)
    if not bot_sees(state, found):
        raise Refused(50001)
    return found


def the_message(state: DiscordState, call: Call) -> Message:
    """Return the message of the path, which everybody sees in the channel of the path."""
    found = state.message(call.ids["message"])
    if found is None or found.channel != call.ids["channel"] or found.seen_by:
        raise Refused(10008)
    return found


def need(state: DiscordState, channel: Channel, permission: str, code: int = 50013) -> None:
    """Refuse with a code unless the bot has the permission there."""
    if not state.may(channel.id, permission):
        raise Refused(code)


def need_open(state: DiscordState, channel: Channel) -> None:
    """Refuse what may not be done in an archived or locked thread."""
    if channel.locked and not state.may(channel.id, "manage_threads"):
        raise Refused(160005)
    if channel.archived:
        raise Refused(50083)
