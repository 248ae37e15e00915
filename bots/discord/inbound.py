"""Discord's messages → our Question, or None for what we must not answer. Makes no calls."""

import re
from dataclasses import dataclass

import discord

from bots.discord.keys import DIRECT, Kind, spot, thread_key, workspace
from bots.discord.marks import marks
from core.model import AuthorId, EventId, MessageId, Question, Reason, ThreadKey, WorkspaceId
from core.text import clean

_SPOKEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
_FORUMS = frozenset({discord.ChannelType.forum, discord.ChannelType.media})
_EVERYBODY = re.compile(r"@(everyone|here)\b")
_TOKEN = re.compile(r"<(?P<kind>@!?|@&|#)(?P<id>\d{1,20})>(?P<gap> ?)")


@dataclass(frozen=True, slots=True)
class Where:
    """Where something is said. `thread` is None at a channel's top level and in direct messages."""

    workspace: WorkspaceId
    channel: int
    thread: int | None = None
    is_private: bool = False  #: a private thread
    is_post: bool = False  #: a thread of a forum

    @property
    def is_direct(self) -> bool:
        """Whether only one person and we are there."""
        return self.workspace == DIRECT

    def key(self, begun_with: int) -> ThreadKey:
        """Return the key of the conversation that a message or an answer here belongs to."""
        if self.thread is not None:
            kind = Kind.CLOSED if self.is_private else Kind.OPEN
            return thread_key(self.workspace, self.channel, self.thread, kind)
        return thread_key(self.workspace, self.channel, self.channel if self.is_direct else begun_with)


def where(channel: object, guild: int | None) -> Where | None:
    """Read one of discord.py's channels; None for one it does not know enough about."""
    if guild is None:
        place = getattr(channel, "id", None)
        return None if place is None else Where(DIRECT, int(place))
    match channel:
        case discord.Thread():
            forum = channel.parent is not None and channel.parent.type in _FORUMS
            return Where(workspace(guild), channel.parent_id, channel.id, channel.is_private(), forum)
        case discord.abc.GuildChannel():
            return Where(workspace(guild), channel.id)
    return None


def is_talk(message: discord.Message) -> bool:
    """Whether a person says something, or perhaps does where we may not see what: others need no look."""
    return not message.author.bot and message.webhook_id is None and message.type in _SPOKEN


def to_question(message: discord.Message, here: Where, *, me: int, reads_everything: bool) -> Question | None:
    """Return None for what we must not answer: bots, joins, and talk that is not meant for us.

    In a thread without a mention the question comes back not `addressed`: it counts only where the
    thread is ours. `reads_everything`: whether we have the message-content intent.
    """
    if not is_talk(message):
        return None
    by_role = _mentions_our_role(message, me)
    addressed = here.is_direct or by_role or any(user.id == me for user in message.mentions)
    begins = here.is_post and here.thread == message.id
    if not addressed and (here.thread is None or _mentions_others(message)):
        return None
    text = plain(message, me)
    has_files = bool(message.attachments or message.stickers or message.message_snapshots)
    if not (addressed or text or has_files):
        return None
    unreadable = by_role and not message.content and not reads_everything
    return Question(
        event=EventId(str(message.id)),
        message=MessageId(str(message.id)),
        thread=_replied_in(message, here, me) or here.key(message.id),
        author=AuthorId(str(message.author.id)),
        text=text,
        asked_at=message.created_at,
        addressed=addressed,
        has_files=has_files,
        objection=Reason.UNREADABLE if unreadable else None,
        begins=begins,
        edited_at=message.edited_at,
    )


def withdrawn(message: discord.Message, here: Where, *, me: int, reads_everything: bool) -> Question | None:
    """Return what an edited message, of which `to_question` made nothing, leaves of what it was: no words.

    It begins nothing, for its key is no conversation's. None where we are not shown what it says: without
    the message-content intent, of a reply to us, in which an edit may lose the mention that a reply is; or
    of one to what Discord does not send along, which may have been ours.
    """
    hidden = not (message.content or reads_everything or here.is_direct)
    answered = None if message.reference is None else message.reference.resolved
    to_another = isinstance(answered, discord.Message) and answered.author.id != me
    if hidden and message.reference is not None and not to_another:
        return None
    return Question(
        event=EventId(str(message.id)),
        message=MessageId(str(message.id)),
        thread=thread_key(here.workspace, here.channel, message.id, Kind.PRIVATE),
        author=AuthorId(str(message.author.id)),
        text="",
        asked_at=message.created_at,
        addressed=False,
        edited_at=message.edited_at,
    )


def plain(message: discord.Message, me: int) -> str:
    """Return what is written, without our own mention, and with names in place of ids."""
    names = {user.id: user.display_name for user in message.mentions}
    roles = {role.id: role for role in message.role_mentions}

    def shown(found: re.Match[str]) -> str:
        number = int(found["id"])
        match found["kind"]:
            case "@&":
                role = roles.get(number)
                ours = role is not None and _is_ours(role, me)
                named = "" if ours else f"@{role.name if role is not None else 'role'}"
            case "#":
                channel = None if message.guild is None else message.guild.get_channel_or_thread(number)
                named = f"#{channel.name if channel is not None else 'channel'}"
            case _:
                named = "" if number == me else f"@{names.get(number, 'somebody')}"
        return f"{named}{found['gap']}" if named else ""

    return clean(_TOKEN.sub(shown, message.content)).strip()


def _mentions_others(message: discord.Message) -> bool:
    everybody = message.mention_everyone or _EVERYBODY.search(message.content)
    return bool(message.mentions or message.role_mentions or everybody)


def _mentions_our_role(message: discord.Message, me: int) -> bool:
    return any(_is_ours(role, me) for role in message.role_mentions)


def _is_ours(role: discord.Role, me: int) -> bool:
    return role.tags is not None and role.tags.bot_id == me


def _replied_in(message: discord.Message, here: Where, me: int) -> ThreadKey | None:
    """Return the conversation of the answer that this is a reply to, where that is told by its button.

    In a thread all is one conversation, whatever is replied to.
    """
    answered = None if message.reference is None else message.reference.resolved
    if here.thread is not None or not isinstance(answered, discord.Message) or answered.author.id != me:
        return None
    keys = [found.thread for found in marks(answered)]
    return next((key for key in keys if _belongs(key, here)), None)


def _belongs(key: ThreadKey, here: Where) -> bool:
    """Whether a conversation is this channel's; a private one also goes on in direct messages."""
    if spot(key).kind is Kind.PRIVATE:
        return here.is_direct
    return (key.workspace, key.channel) == (here.workspace, str(here.channel))
