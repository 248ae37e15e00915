"""The routes of messages: send, read, edit, delete, react, type."""

from dataclasses import replace
from datetime import timedelta

from bots.demo.discord.announcing import reaction_event
from bots.demo.discord.calling import Answer, Call, Deed, need, need_open, the_channel, the_message
from bots.demo.discord.drafts import Draft, read_draft
from bots.demo.discord.drawing import message_json, read_json, sent_json
from bots.demo.discord.editing import read_edit
from bots.demo.discord.mentions import BY_BOT
from bots.demo.discord.posting import answering, blank, change, post, remove
from bots.demo.discord.records import Channel, ChannelKind, Flags, Message
from bots.demo.discord.refusals import Refused, invalid
from bots.demo.discord.state import DiscordState
from bots.demo.discord.threads import enter

NONCE_LASTS = timedelta(minutes=5)
"""How long a nonce is remembered: "the past few minutes", says Discord."""
_MOST_READ = 100


def send(state: DiscordState, call: Call) -> Answer:
    """Send a message; a nonce that must be unique and is not gets the message it was first used for."""
    place = the_channel(state, call)
    draft = read_draft(call.fields, call.files)
    draft = replace(draft, flags=draft.flags & ~Flags.EPHEMERAL)
    check_may_send(state, place, draft)
    twin = _twin(state, place, draft) if draft.enforce_nonce and draft.nonce is not None else None
    if twin is not None:
        return sent_json(state, twin)
    message = _referring(state, place, blank(state, place.id, state.bot_user), draft)
    enter(state, place.id, state.bot_user)
    return sent_json(state, post(state, message, draft))


def check_may_send(state: DiscordState, place: Channel, draft: Draft) -> None:
    """Refuse a message the bot may not send there."""
    if place.kind is ChannelKind.FORUM:
        raise Refused(50008)
    if place.recipient and state.users[place.recipient].refuses_dms:
        raise Refused(50007)
    need(state, place, "send_messages_in_threads" if place.kind.is_thread else "send_messages")
    if draft.embeds:
        need(state, place, "embed_links")
    if draft.files:
        need(state, place, "attach_files")
    if place.locked:
        need(state, place, "manage_threads", code=160005)


def history(state: DiscordState, call: Call) -> Answer:
    """Return messages, newest first: the latest, or those before, after or around one."""
    place = the_channel(state, call)
    limit = call.query.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= _MOST_READ:
        message = f"int value should be between 1 and {_MOST_READ}."
        raise invalid("limit", code="NUMBER_TYPE_MAX", message=message)
    if not state.may(place.id, "read_message_history"):
        return []
    chosen = _chosen(state.messages(place.id), call, int(limit))
    return [read_json(state, message) for message in reversed(chosen)]


def read(state: DiscordState, call: Call) -> Answer:
    """Return one message."""
    need(state, the_channel(state, call), "read_message_history", code=50001)
    return read_json(state, the_message(state, call))


def edit(state: DiscordState, call: Call) -> Answer:
    """Edit one of the bot's messages."""
    place, message = the_channel(state, call), the_message(state, call)
    if message.author != state.bot_user:
        raise Refused(50005)
    need_open(state, place)
    draft, names = read_edit(message, call.fields, call.files, BY_BOT)
    return message_json(state, change(state, message, draft, names))


def delete(state: DiscordState, call: Call) -> Answer:
    """Delete a message: its own, or anybody's with the permission to manage them."""
    place, message = the_channel(state, call), the_message(state, call)
    if message.author != state.bot_user:
        need(state, place, "manage_messages")
    need_open(state, place)
    remove(state, message)
    return None


def react(state: DiscordState, call: Call) -> Answer:
    """Add the bot's reaction to a message."""
    place = the_channel(state, call)
    need(state, place, "read_message_history")
    message = the_message(state, call)
    mine = (call.ids["emoji"], state.bot_user)
    if mine[0] not in {emoji for emoji, _ in message.reactions}:
        need(state, place, "add_reactions")
    need_open(state, place)
    if mine not in message.reactions:
        reacted = state.keep(replace(message, reactions=(*message.reactions, mine)))
        reaction_event(state, "MESSAGE_REACTION_ADD", reacted, *mine)
    return None


def unreact(state: DiscordState, call: Call) -> Answer:
    """Take the bot's reaction back."""
    the_channel(state, call)
    message = the_message(state, call)
    mine = (call.ids["emoji"], state.bot_user)
    if mine in message.reactions:
        left = tuple(one for one in message.reactions if one != mine)
        reaction_event(state, "MESSAGE_REACTION_REMOVE", state.keep(replace(message, reactions=left)), *mine)
    return None


def start_typing(state: DiscordState, call: Call) -> Answer:
    """Show that the bot is typing."""
    place = the_channel(state, call)
    need(state, place, "send_messages_in_threads" if place.kind.is_thread else "send_messages")
    state.start_typing(place.id)
    return None


def _twin(state: DiscordState, place: Channel, draft: Draft) -> Message | None:
    since = state.clock.now() - NONCE_LASTS
    for message in reversed(state.messages(place.id)):
        if message.sent_at < since:
            return None
        if message.author == state.bot_user and str(message.nonce) == str(draft.nonce):
            return message
    return None


def _referring(state: DiscordState, place: Channel, message: Message, draft: Draft) -> Message:
    if draft.reference is None:
        return message
    need(state, place, "read_message_history", code=160002)
    answered = state.message(str(draft.reference.get("message_id")))
    if answered is not None and answered.channel == place.id and not answered.seen_by:
        return answering(message, answered)
    if draft.reference.get("fail_if_not_exists", True):
        raise invalid("message_reference", code="REPLIES_UNKNOWN_MESSAGE", message="Unknown message")
    return message


def _chosen(found: list[Message], call: Call, limit: int) -> list[Message]:
    if before := call.query.get("before"):
        return [message for message in found if int(message.id) < int(before)][-limit:]
    if after := call.query.get("after"):
        return [message for message in found if int(message.id) > int(after)][:limit]
    if around := call.query.get("around"):
        older = [message for message in found if int(message.id) < int(around)][-(limit // 2) :]
        newer = [message for message in found if int(message.id) >= int(around)]
        return [*older, *newer[: limit - len(older)]]
    return found[-limit:]


ROUTES: dict[str, Deed] = {
    "POST /channels/{channel}/messages": send,
    "GET /channels/{channel}/messages": history,
    "GET /channels/{channel}/messages/{message}": read,
    "PATCH /channels/{channel}/messages/{message}": edit,
    "DELETE /channels/{channel}/messages/{message}": delete,
    "PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me": react,
    "DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/@me": unreact,
    "POST /channels/{channel}/typing": start_typing,
}
