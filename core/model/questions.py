"""What people ask and are told: questions, turns, notices, remarks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.ids import NO_RECEIPT, AuthorId, EventId, MessageId, ProjectId, Receipt, ThreadKey


class Outcome(StrEnum):
    """What became of a question that was offered."""

    ACCEPTED = "accepted"  #: it is on disk and will be answered
    DUPLICATE = "duplicate"  #: it was accepted before, perhaps as its twin event
    UNLINKED = "unlinked"  #: it is on disk and waits for the channel to be linked, or for an API key
    IGNORED = "ignored"  #: it was not meant for us
    REFUSED = "refused"  #: turned away without a word, after having been told why
    STOPPED = "stopped"  #: it said "stop", and that was done


class Role(StrEnum):
    """Who wrote a turn, in the chat contract's words."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of a conversation; `author` is None for the assistant."""

    role: Role
    author: AuthorId | None
    text: str


class Reason(StrEnum):
    """Why a thread gets a notice instead of an answer. The words for it are in bots/texts."""

    NOT_LINKED = "not_linked"  #: the channel has no project; the question waits for one
    LINK_EXPIRED = "link_expired"  #: nobody linked the channel in time
    NO_KEY = "no_key"  #: there is no API key to ask with; the question waits for one
    NO_KEY_IN_TIME = "no_key_in_time"  #: nobody set one in time
    KEY_REMOVED = "key_removed"  #: it was taken away before the question was asked
    NOT_ALLOWED = "not_allowed"  #: the workspace's account does not allow the project
    EMPTY = "empty"  #: a mention without a question
    ONLY_FILES = "only_files"  #: nothing but attachments, which are not read
    TOO_LONG = "too_long"  #: the question alone exceeds the history budget
    UNREADABLE = "unreadable"  #: the platform keeps the text of this message from us
    OTHER_PROJECT = "other_project"  #: the thread is bound to another project than the one asked for
    EXTERNAL = "external"  #: the channel is shared with people of another organisation
    TOO_MANY = "too_many"  #: the thread's ceiling of answers per hour
    PERSON_SPENT = "person_spent"  #: its author has asked as much as one person may in an hour
    CHANNEL_SPENT = "channel_spent"  #: so has its channel
    QUEUE_FULL = "queue_full"  #: as many questions of its workspace wait as may
    STOPPED = "stopped"  #: its author said "stop": what they had asked in the thread was cancelled
    NOTHING_TO_STOP = "nothing_to_stop"  #: they said so, and nothing of theirs was under way
    KEY_REFUSED = "key_refused"
    OWN_KEY_REFUSED = "own_key_refused"  #: the key that the workspace has set for itself
    PROJECT_UNKNOWN = "project_unknown"
    CREDITS_SPENT = "credits_spent"
    REJECTED = "rejected"
    MISPLACED = "misplaced"  #: the configured address is not the assistant's
    GAVE_UP = "gave_up"  #: attempts or time ran out
    MAYBE_CHARGED = "maybe_charged"  #: no reply came, twice; not asked a third time
    WAIT_TOO_LONG = "wait_too_long"  #: the assistant asked us to wait for more than a day
    POST_REFUSED = "post_refused"  #: the platform would not show the answer in its thread


#: Notices that answer what was written: nobody gave up on anything.
HINTS = frozenset(
    {
        Reason.EMPTY,
        Reason.ONLY_FILES,
        Reason.TOO_LONG,
        Reason.UNREADABLE,
        Reason.OTHER_PROJECT,
        Reason.NOT_ALLOWED,
        Reason.EXTERNAL,
        Reason.TOO_MANY,
        Reason.PERSON_SPENT,
        Reason.CHANNEL_SPENT,
        Reason.QUEUE_FULL,
        Reason.STOPPED,
        Reason.NOTHING_TO_STOP,
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell a thread in place of an answer."""

    reason: Reason
    project: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What someone wrote to us, translated by an adapter.

    `event` and `message` are the platform's ids, each unique in its workspace (message: in its
    channel); `asked_at` is when the message was written. `addressed` is False for a message that
    counts only where the thread is ours already; where it is the first of a new thread (`begins`), also in
    a channel that answers every new one. `has_files` tells that something we cannot read hung on it;
    `objection`, that the adapter knows why it must not be answered. `project` is the one its author named.
    `edited_at` is when it came to read as it does; None where it was never edited, or nobody tells.
    """

    event: EventId
    message: MessageId
    thread: ThreadKey
    author: AuthorId
    text: str
    asked_at: datetime
    addressed: bool = True
    has_files: bool = False
    objection: Reason | None = None
    project: ProjectId | None = None
    begins: bool = False
    receipt: Receipt = NO_RECEIPT
    edited_at: datetime | None = None


class Remark(StrEnum):
    """Something to say beside an answer."""

    FILES_UNREAD = "files_unread"
    OLDER_TURNS_LEFT_OUT = "older_turns_left_out"


class Mark(StrEnum):
    """What became of a question after it was sent to the assistant; its answer is made to say so."""

    EDITED = "edited"  #: the answer is to an earlier text
    DELETED = "deleted"  #: the question is not there any more


class Amendment(StrEnum):
    """What an edit, or a deletion, of a message came to."""

    UNKNOWN = "unknown"  #: that message is no question of ours
    UNCHANGED = "unchanged"  #: it changes nothing for us
    TAKEN = "taken"  #: the latest text will be sent
    CANCELLED = "cancelled"  #: it will not be answered any more
    MARKED = "marked"  #: the answer will say so
