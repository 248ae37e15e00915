"""Finds who a text pings, given what the author allowed and may do. It sends nothing."""

import re
from dataclasses import dataclass
from typing import Any

from bots.demo.discord.records import Json
from bots.demo.discord.refusals import invalid
from bots.demo.discord.state import DiscordState

KINDS = frozenset({"users", "roles", "everyone"})
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What `allowed_mentions` lets through: whole kinds, or some users and roles."""

    parse: frozenset[str] = KINDS
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    replied_user: bool = True


BY_BOT = Allowed()
"""The default of what the bot sends to a channel: everything."""

BY_TOKEN = Allowed(parse=frozenset({"users"}))
"""The default of interaction responses and follow-ups."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Who is pinged."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False


def read_allowed(body: Json, default: Allowed) -> Allowed:
    """Return what a message's body allows; Refused when a kind is allowed both wholly and by name."""
    given: Any = body.get("allowed_mentions")
    if given is None:
        return default
    parse = frozenset(given.get("parse") or ())
    users, roles = _ids(given, "users"), _ids(given, "roles")
    for name, ids in (("users", users), ("roles", roles)):
        if ids and name in parse:
            message = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            raise invalid(
                "allowed_mentions", code="MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message=message
            )
    return Allowed(parse, users, roles, bool(given.get("replied_user", False)))


def find_mentions(
    state: DiscordState, channel: str, author: str, text: str, allowed: Allowed = BY_BOT
) -> Mentioned:
    """Return who a text pings in a channel; unmentionable roles and @everyone need the permission."""
    users = [u for u in _USER.findall(text) if "users" in allowed.parse or u in allowed.users]
    guild = state.guilds.get(state.channels[channel].guild)
    if guild is None:
        return Mentioned(state.known(users))
    loud = state.may(channel, "mention_everyone", author)
    roles = [
        role
        for role in dict.fromkeys(_ROLE.findall(text))
        if role in guild.roles
        and (loud or guild.roles[role].mentionable or guild.roles[role].managed_by)
        and ("roles" in allowed.parse or role in allowed.roles)
    ]
    everyone = loud and "everyone" in allowed.parse and _EVERYONE.search(text) is not None
    return Mentioned(state.known(users), tuple(roles), everyone)


def _ids(given: Json, name: str) -> frozenset[str]:
    return frozenset(str(one) for one in given.get(name) or ())
