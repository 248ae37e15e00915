"""Opens, closes and wakes threads, and announces it. Who may is decided elsewhere."""

from dataclasses import replace

from bots.demo.discord.announcing import message_event, thread_event
from bots.demo.discord.records import Channel, ChannelKind, Flags, Message, MessageKind
from bots.demo.discord.state import DiscordState

ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


def start_thread(
    state: DiscordState,
    parent: Channel,
    owner: str,
    name: str,
    *,
    message: Message | None = None,
    private: bool = False,
    archive_minutes: int = 1440,
) -> Channel:
    """Open a thread below a channel, from a message of it or from nothing, and announce it.

    A thread from a message has the message's id and begins with a note that points to it; one from nothing
    is told of in the channel. A forum's post begins with neither.
    """
    thread = state.keep_channel(
        Channel(
            id=state.snowflakes.new() if message is None else message.id,
            kind=_kind(parent, private=private),
            name=name,
            created_at=state.clock.now(),
            guild=parent.guild,
            parent=parent.id,
            owner=owner,
            members=frozenset({owner}),
            archive_minutes=archive_minutes,
        )
    )
    thread_event(state, "THREAD_CREATE", thread)
    if message is not None:
        _point_to(state, thread, message)
    elif parent.kind is not ChannelKind.FORUM and not private:
        told = Message(state.snowflakes.new(), parent.id, owner, name, thread.created_at)
        _note(state, replace(told, kind=MessageKind.THREAD_CREATED, reply_channel=thread.id))
    return thread


def set_thread(state: DiscordState, thread: str, *, archived: bool, locked: bool) -> Channel:
    """Archive or lock a thread, or undo it, and announce it."""
    before = state.channels[thread]
    moved = before.archived != archived
    at = state.clock.now() if moved else before.archived_at
    after = state.keep_channel(replace(before, archived=archived, locked=locked, archived_at=at))
    if after != before:
        thread_event(state, "THREAD_UPDATE", after)
    return after


def wake(state: DiscordState, channel: str) -> None:
    """Take a thread out of the archive, as any message in it does."""
    place = state.channels[channel]
    if place.archived:
        set_thread(state, channel, archived=False, locked=place.locked)


def enter(state: DiscordState, thread: str, user: str) -> None:
    """Make a user a member of a thread."""
    place = state.channels[thread]
    if place.kind.is_thread and user not in place.members:
        state.keep_channel(replace(place, members=place.members | {user}))


def open_threads(state: DiscordState, guild: str) -> int:
    """Return how many threads of a guild are open."""
    places = state.channels.values()
    return sum(place.guild == guild and place.kind.is_thread and not place.archived for place in places)


def _kind(parent: Channel, *, private: bool) -> ChannelKind:
    if private:
        return ChannelKind.PRIVATE_THREAD
    if parent.kind is ChannelKind.ANNOUNCEMENT:
        return ChannelKind.ANNOUNCEMENT_THREAD
    return ChannelKind.PUBLIC_THREAD


def _point_to(state: DiscordState, thread: Channel, message: Message) -> None:
    marked = state.keep(replace(message, flags=message.flags | Flags.HAS_THREAD))
    message_event(state, "MESSAGE_UPDATE", marked)
    note = Message(state.snowflakes.new(), thread.id, thread.owner, "", thread.created_at)
    pointing = replace(note, reply_to=message.id, reply_channel=message.channel)
    _note(state, replace(pointing, kind=MessageKind.THREAD_STARTER))


def _note(state: DiscordState, note: Message) -> None:
    message_event(state, "MESSAGE_CREATE", state.keep(note))
