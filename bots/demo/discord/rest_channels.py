"""The routes of channels and threads: look, open, rename, archive, lock, join, delete."""

from dataclasses import replace
from typing import Any

from bots.demo.discord.announcing import channel_event, thread_event
from bots.demo.discord.calling import Answer, Call, Deed, need, the_channel, the_message
from bots.demo.discord.drafts import read_draft
from bots.demo.discord.drawing import message_json
from bots.demo.discord.posting import blank, post
from bots.demo.discord.records import Channel, ChannelKind, Json, MessageKind
from bots.demo.discord.refusals import Refused, bad_choice, bad_length, required
from bots.demo.discord.state import DiscordState
from bots.demo.discord.threads import ARCHIVE_MINUTES, enter, open_threads, set_thread, start_thread
from bots.demo.discord.wire import channel_json

_MOST_NAME = 100
_THREADED = frozenset({ChannelKind.TEXT, ChannelKind.ANNOUNCEMENT})
_STARTERS = frozenset(
    {MessageKind.DEFAULT, MessageKind.REPLY, MessageKind.SLASH_COMMAND, MessageKind.MENU_COMMAND}
)


def look(state: DiscordState, call: Call) -> Answer:
    """Return a channel."""
    return channel_json(state, the_channel(state, call))


def change(state: DiscordState, call: Call) -> Answer:
    """Rename a channel or thread, archive or lock a thread, set its duration."""
    place = the_channel(state, call)
    if not place.guild:
        raise Refused(50024)
    body = call.fields
    name = _name(body, place.name) if "name" in body else place.name
    if place.kind.is_thread:
        return _change_thread(state, place, name, body)
    need(state, place, "manage_channels")
    topic = str(body.get("topic") or "") if "topic" in body else place.topic
    after = state.keep_channel(replace(place, name=name, topic=topic))
    channel_event(state, "CHANNEL_UPDATE", after)
    return channel_json(state, after)


def start_from_message(state: DiscordState, call: Call) -> Answer:
    """Open a thread from a message; there can be one."""
    place = the_channel(state, call)
    message = the_message(state, call)
    if place.kind not in _THREADED:
        raise Refused(50024)
    need(state, place, "create_public_threads")
    name, minutes = _name(call.fields), _minutes(call.fields)
    if message.id in state.channels:
        raise Refused(160004)
    if message.kind not in _STARTERS:
        raise Refused(50068)
    _check_room(state, place)
    thread = start_thread(state, place, state.bot_user, name, message=message, archive_minutes=minutes)
    return channel_json(state, thread)


def start(state: DiscordState, call: Call) -> Answer:
    """Open a thread from nothing, or a post in a forum."""
    place = the_channel(state, call)
    if place.kind is ChannelKind.FORUM:
        return _start_post(state, place, call)
    if place.kind not in _THREADED:
        raise Refused(50024)
    kind = call.fields.get("type", ChannelKind.PRIVATE_THREAD)
    if kind not in {10, 11, 12}:
        raise bad_choice("type", choices="10, 11, 12")
    private = kind == ChannelKind.PRIVATE_THREAD
    need(state, place, "create_private_threads" if private else "create_public_threads")
    name, minutes = _name(call.fields), _minutes(call.fields)
    _check_room(state, place)
    return channel_json(
        state, start_thread(state, place, state.bot_user, name, private=private, archive_minutes=minutes)
    )


def join(state: DiscordState, call: Call) -> Answer:
    """Make the bot a member of a thread."""
    place = the_channel(state, call)
    if not place.kind.is_thread:
        raise Refused(50024)
    if place.archived:
        raise Refused(50083)
    enter(state, place.id, state.bot_user)
    return None


def _start_post(state: DiscordState, place: Channel, call: Call) -> Answer:
    need(state, place, "send_messages")
    name, minutes = _name(call.fields), _minutes(call.fields)
    if not isinstance(call.fields.get("message"), dict):
        raise required("message")
    draft = read_draft(call.fields["message"], call.files)
    _check_room(state, place)
    thread = start_thread(state, place, state.bot_user, name, archive_minutes=minutes)
    first = replace(blank(state, thread.id, state.bot_user), id=thread.id)
    posted = post(state, first, draft)
    return channel_json(state, thread) | {"message": message_json(state, posted)}


def _change_thread(state: DiscordState, thread: Channel, name: str, body: Json) -> Answer:
    manages = state.may(thread.id, "manage_threads")
    archived = bool(body.get("archived", thread.archived))
    locked = bool(body.get("locked", thread.locked))
    others = set(body) - {"archived", "locked"}
    if thread.locked and not manages:
        raise Refused(160005 if thread.archived else 50013)
    if thread.archived and archived and others:
        raise Refused(50083)
    is_wake = set(body) == {"archived"} and not archived
    if not manages and (locked != thread.locked or not (is_wake or thread.owner == state.bot_user)):
        raise Refused(50013)
    minutes = _minutes({"auto_archive_duration": thread.archive_minutes} | body)
    renamed = state.keep_channel(replace(thread, name=name, archive_minutes=minutes))
    after = set_thread(state, thread.id, archived=archived, locked=locked)
    if after == renamed and renamed != thread:
        thread_event(state, "THREAD_UPDATE", after)
    return channel_json(state, after)


def _name(body: Json, default: str = "") -> str:
    name: Any = body.get("name", default)
    if not isinstance(name, str) or not name.strip():
        raise required("name")
    if len(name) > _MOST_NAME:
        raise bad_length("name", least=1, most=_MOST_NAME)
    return name


def _minutes(body: Json) -> int:
    minutes = body.get("auto_archive_duration") or 1440
    if minutes not in ARCHIVE_MINUTES:
        raise bad_choice("auto_archive_duration", choices=", ".join(map(str, ARCHIVE_MINUTES)))
    return int(minutes)


def _check_room(state: DiscordState, place: Channel) -> None:
    if open_threads(state, place.guild) >= state.most_active_threads:
        raise Refused(160006)


CREATING = frozenset(
    {"POST /channels/{channel}/messages/{message}/threads", "POST /channels/{channel}/threads"}
)
"""Routes answered with 201."""
ROUTES: dict[str, Deed] = {
    "GET /channels/{channel}": look,
    "PATCH /channels/{channel}": change,
    "POST /channels/{channel}/messages/{message}/threads": start_from_message,
    "POST /channels/{channel}/threads": start,
    "PUT /channels/{channel}/thread-members/@me": join,
}
