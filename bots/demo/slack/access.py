"""Decides whether the app may touch a conversation or message, with Slack's codes if not."""

from bots.demo.slack.arguments import Arguments, Refused
from bots.demo.slack.records import Kind, Message
from bots.demo.slack.state import WorkspaceState


def require(state: WorkspaceState, *any_of: str) -> None:
    """Refuse with `missing_scope` unless the bot has one of these scopes."""
    if not state.scopes.intersection(any_of):
        raise Refused("missing_scope", needed=any_of[0], provided=",".join(sorted(state.scopes)))


def conversation(state: WorkspaceState, channel: str) -> str:
    """Return the id of a conversation the bot can see; private ones it is not in do not exist for it."""
    found = state.channels.get(channel)
    if found is None or (found.kind is not Kind.PUBLIC and state.bot_user not in found.members):
        raise Refused("channel_not_found")
    return channel


def writable(state: WorkspaceState, channel: str) -> str:
    """Return the id of a conversation the bot may post in; a user's id stands for their direct one."""
    if channel in state.users and channel != state.bot_user:
        channel = state.direct_channel(channel)
    found = state.channels[conversation(state, channel)]
    if found.is_archived:
        raise Refused("is_archived")
    if state.bot_user not in found.members:
        raise Refused("not_in_channel")
    return channel


def readable(state: WorkspaceState, channel: str, verb: str) -> str:
    """Return the id of a conversation whose `channels:read` or `channels:history` (…) the bot may use."""
    found = state.channels[conversation(state, channel)]
    require(state, f"{found.kind.scopes}:{verb}")
    if verb == "history" and state.bot_user not in found.members:
        raise Refused("not_in_channel")
    return channel


def own_message(state: WorkspaceState, arguments: Arguments, *, refusal: str) -> Message:
    """Return the bot's message that a call names, or refuse."""
    channel = conversation(state, arguments.text("channel"))
    message = state.message(channel, arguments.text("ts"))
    if message is None:
        raise Refused("message_not_found")
    if message.user != state.bot_user:
        raise Refused(refusal)
    return message
