"""The Web API's methods that tell the app about the workspace. They change nothing but an opened DM."""

import base64
import binascii
from collections.abc import Sequence

from bots.demo.slack import wire
from bots.demo.slack.access import conversation, readable, require
from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.records import Json, Kind, Message
from bots.demo.slack.state import WorkspaceState

_KINDS = {"public_channel": Kind.PUBLIC, "private_channel": Kind.PRIVATE, "im": Kind.DIRECT}


def auth_test(state: WorkspaceState, _arguments: Arguments) -> Json:
    """Tell the app who it is."""
    return {
        "ok": True,
        "url": f"https://{state.name.lower()}.slack.com/",
        "team": state.name,
        "user": state.users[state.bot_user].name,
        "team_id": state.team,
        "user_id": state.bot_user,
        "bot_id": state.bot_id,
        "enterprise_id": state.enterprise or None,
        "is_enterprise_install": state.is_enterprise_install,
    }


def replies(state: WorkspaceState, arguments: Arguments) -> Json:
    """Return a thread, oldest first; the root comes whatever the window of time says."""
    channel = readable(state, arguments.text("channel"), "history")
    found = state.message(channel, arguments.text("ts"))
    if found is None:
        raise Refused("thread_not_found")
    root, *rest = state.thread(channel, found.root) or (found,)
    drawn = [_with_metadata(wire.root_json(root, rest, state.team), root, arguments)]
    drawn += [_drawn(state, reply, arguments) for reply in _window(rest, arguments)]
    return _page("messages", drawn, arguments, default=1000)


def history(state: WorkspaceState, arguments: Arguments) -> Json:
    """Return a channel's messages, newest first, without replies."""
    channel = readable(state, arguments.text("channel"), "history")
    roots = reversed(_window(state.roots(channel), arguments))
    drawn = [
        _with_metadata(wire.root_json(root, state.thread(channel, root.ts)[1:], state.team), root, arguments)
        for root in roots
    ]
    return _page("messages", drawn, arguments, default=100)


def info(state: WorkspaceState, arguments: Arguments) -> Json:
    """Describe one conversation."""
    channel = readable(state, arguments.text("channel"), "read")
    return {"ok": True, "channel": wire.channel_json(state.channels[channel], state.team, state.bot_user)}


def open_direct(state: WorkspaceState, arguments: Arguments) -> Json:
    """Open the direct conversation with one user."""
    require(state, "im:write")
    if arguments.text("channel"):
        return {"ok": True, "channel": {"id": conversation(state, arguments.text("channel"))}}
    users = arguments.required("users")
    if "," in users:
        raise Refused("missing_scope", needed="mpim:write", provided=",".join(sorted(state.scopes)))
    if users not in state.users or users == state.bot_user:
        raise Refused("user_not_found")
    return {"ok": True, "channel": {"id": state.direct_channel(users)}}


def user_info(state: WorkspaceState, arguments: Arguments) -> Json:
    """Describe one user."""
    require(state, "users:read")
    user = state.users.get(arguments.text("user"))
    if user is None:
        raise Refused("user_not_found")
    return {"ok": True, "user": wire.user_json(user, state.team)}


def user_conversations(state: WorkspaceState, arguments: Arguments) -> Json:
    """List the conversations a user is in, the bot's own by default."""
    user = arguments.text("user") or state.bot_user
    types = arguments.text("types") or "public_channel"
    names = [name.strip() for name in types.split(",")]
    if not set(names) <= {*_KINDS, "mpim"}:
        raise Refused("invalid_types")
    kinds = {_KINDS[name] for name in names if name in _KINDS}
    for kind in kinds:
        require(state, f"{kind.scopes}:read")
    drawn = [
        wire.channel_json(channel, state.team, state.bot_user)
        for channel in state.channels.values()
        if channel.kind in kinds
        and user in channel.members
        and not (channel.is_archived and arguments.flag("exclude_archived"))
    ]
    return _page("channels", drawn, arguments, default=100)


def _window(messages: Sequence[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = arguments.text("oldest"), arguments.text("latest")
    inclusive = arguments.flag("inclusive")
    edges = {oldest, latest} if inclusive else set()
    return [
        message
        for message in messages
        if message.ts in edges
        or ((not oldest or message.ts > oldest) and (not latest or message.ts < latest))
    ]


def _drawn(state: WorkspaceState, message: Message, arguments: Arguments) -> Json:
    drawn = state.draw(message)
    root = state.message(message.channel, message.thread_ts)
    drawn["parent_user_id"] = root.user if root is not None else ""
    return _with_metadata(drawn, message, arguments)


def _with_metadata(drawn: Json, message: Message, arguments: Arguments) -> Json:
    if message.metadata is not None and arguments.flag("include_all_metadata"):
        drawn["metadata"] = message.metadata
    return drawn


def _page(name: str, everything: list[Json], arguments: Arguments, *, default: int) -> Json:
    start = _offset(arguments.text("cursor"))
    end = start + arguments.whole("limit", default, most=1000)
    more = end < len(everything)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if more else ""
    page: Json = {"ok": True, name: everything[start:end], "response_metadata": {"next_cursor": cursor}}
    return page | {"has_more": more} if name == "messages" else page


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, offset = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise Refused("invalid_cursor") from fault
    if word != "next" or not offset.isdigit():
        raise Refused("invalid_cursor")
    return int(offset)
