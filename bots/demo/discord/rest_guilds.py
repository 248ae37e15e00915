"""The routes of users and guilds: who is who, what a server holds, direct conversations."""

from bots.demo.discord.calling import Answer, Call, Deed, the_guild
from bots.demo.discord.records import Json
from bots.demo.discord.refusals import Refused
from bots.demo.discord.state import DiscordState
from bots.demo.discord.wire import (
    active_threads,
    channel_json,
    guild_json,
    member_with_user,
    own_user_json,
    roles_json,
    thread_member_json,
    user_json,
)

_LIMITED_MESSAGE_CONTENT = 1 << 19
"""The application flag of the message-content intent, below the number of users that needs a review."""
_BADGE = 1 << 23


def user(state: DiscordState, call: Call) -> Answer:
    """Return a user; "@me" is the bot."""
    wanted = call.ids["user"]
    if wanted == "@me":
        return own_user_json(state.users[state.bot_user])
    if wanted not in state.users:
        raise Refused(10013)
    return user_json(state.users[wanted])


def own_application(state: DiscordState, _call: Call) -> Answer:
    """Return the application, with its owner and flags."""
    granted = "message_content" in state.granted_intents
    flags = (_LIMITED_MESSAGE_CONTENT if granted else 0) | (_BADGE if state.commands else 0)
    name = state.users[state.bot_user].name
    return {
        "id": state.application_id,
        "name": name,
        "icon": None,
        "description": "",
        "type": None,
        "summary": "",
        "bot_public": state.is_public,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "hook": True,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user_json(state.users[state.owner]),
        "team": None,
        "bot": user_json(state.users[state.bot_user]),
        "integration_types_config": {"0": {}, "1": {}},
        "approximate_guild_count": len(state.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": ["applications.commands", "bot"],
    }


def open_direct(state: DiscordState, call: Call) -> Answer:
    """Return the direct conversation with a user, opening it if need be."""
    recipient = str(call.fields.get("recipient_id"))
    if recipient not in state.users or recipient == state.bot_user:
        raise Refused(50033)
    return channel_json(state, state.channels[state.open_dm(recipient)])


def guild(state: DiscordState, call: Call) -> Answer:
    """Return a guild."""
    return guild_json(the_guild(state, call))


def guild_channels(state: DiscordState, call: Call) -> Answer:
    """Return a guild's channels, without threads."""
    found = the_guild(state, call)
    channels = [channel for channel in state.channels.values() if channel.guild == found.id]
    return [channel_json(state, channel) for channel in channels if not channel.kind.is_thread]


def guild_roles(state: DiscordState, call: Call) -> Answer:
    """Return a guild's roles."""
    return roles_json(the_guild(state, call))


def guild_member(state: DiscordState, call: Call) -> Answer:
    """Return a member of a guild."""
    found, wanted = the_guild(state, call), call.ids["user"]
    if wanted not in state.users:
        raise Refused(10013)
    if wanted not in found.members:
        raise Refused(10007)
    return member_with_user(state, found, wanted)


def guild_threads(state: DiscordState, call: Call) -> Answer:
    """Return the open threads of a guild that the bot can see, and which of them it joined."""
    threads = active_threads(state, the_guild(state, call))
    joined = [thread for thread in threads if state.bot_user in thread.members]
    drawn: Json = {"threads": [channel_json(state, thread) for thread in threads]}
    members = [thread_member_json(thread, state.bot_user) for thread in joined]
    return drawn | {"members": members, "has_more": False}


ROUTES: dict[str, Deed] = {
    "GET /users/{user}": user,
    "GET /oauth2/applications/@me": own_application,
    "GET /applications/@me": own_application,
    "POST /users/@me/channels": open_direct,
    "GET /guilds/{guild}": guild,
    "GET /guilds/{guild}/channels": guild_channels,
    "GET /guilds/{guild}/roles": guild_roles,
    "GET /guilds/{guild}/members/{user}": guild_member,
    "GET /guilds/{guild}/threads/active": guild_threads,
}
