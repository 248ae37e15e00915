"""Frozen values that pass between the rooms of Threadline; no behaviour beyond their own sense."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from core.errors import InvalidProjectId

Platform = NewType("Platform", str)
WorkspaceId = NewType("WorkspaceId", str)
ProjectId = NewType("ProjectId", str)
AuthorId = NewType("AuthorId", str)
EventId = NewType("EventId", str)
MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
ConversationId = NewType("ConversationId", int)
LaneId = NewType("LaneId", str)

# The endpoint's own pattern and lengths (the chat contract, components/schemas/ProjectId).
_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9-]{6,58}[a-z0-9]")


def project_id(text: str) -> ProjectId:
    """Return `text` as a ProjectId.

    Raises InvalidProjectId unless it has the form the endpoint demands, so that no URL is ever
    built from anything else.
    """
    if _PROJECT_ID.fullmatch(text) is None:
        raise InvalidProjectId
    return ProjectId(text)


def posting_lane(platform: Platform, workspace: WorkspaceId) -> LaneId:
    """Return the lane of a workspace's posting: its 429s hold up no question's asking."""
    return LaneId(f"post {platform} {workspace}")


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """A place that can be linked to a project. `channel` is opaque; empty, it is the whole workspace."""

    platform: Platform
    workspace: WorkspaceId
    channel: str = ""


@dataclass(frozen=True, slots=True)
class ThreadKey:
    """One thread. `channel` and `thread` are opaque: only the adapter that wrote them reads them."""

    platform: Platform
    workspace: WorkspaceId
    channel: str
    thread: str

    @property
    def linked_at(self) -> ChannelKey:
        return ChannelKey(self.platform, self.workspace, self.channel)


class Outcome(StrEnum):
    """What became of a question that was offered."""

    ACCEPTED = "accepted"  #: it is on disk and will be answered
    DUPLICATE = "duplicate"  #: it was accepted before, perhaps as its twin event
    UNLINKED = "unlinked"  #: it is on disk and waits for the channel to be linked
    IGNORED = "ignored"  #: it was not meant for us
    REFUSED = "refused"  #: the thread has had its hour's worth of answers


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


class State(StrEnum):
    """Where a delivery stands."""

    UNLINKED = "unlinked"  #: no project yet; waits for a link
    WAITING = "waiting"  #: an earlier question of its thread is not settled
    ACCEPTED = "accepted"  #: to be asked when due
    ASKING = "asking"  #: leased; the chat call is under way
    ANSWERED = "answered"  #: the answer (or a notice) is stored, to be posted when due
    POSTING = "posting"  #: leased; being posted
    DONE = "done"
    BURIED = "buried"  #: given up; the asker has been told
    AMBIGUOUS = "ambiguous"  #: a part may or may not have been posted; only a human moves it
    CANCELLED = "cancelled"  #: taken back before it was answered


#: A delivery in one of these no longer holds up its thread.
SETTLED = frozenset({State.DONE, State.BURIED, State.AMBIGUOUS, State.CANCELLED})


class Reason(StrEnum):
    """Why a thread gets a notice instead of an answer. The words for it are in bots/texts.py."""

    NOT_LINKED = "not_linked"  #: the channel has no project; the question waits for one
    LINK_EXPIRED = "link_expired"  #: nobody linked the channel in time
    EMPTY = "empty"  #: a mention without a question
    ONLY_FILES = "only_files"  #: nothing but attachments, which are not read
    TOO_LONG = "too_long"  #: the question alone exceeds the history budget
    EXTERNAL = "external"  #: the channel is shared with people of another organisation
    TOO_MANY = "too_many"  #: the thread's ceiling of answers per hour
    KEY_REFUSED = "key_refused"
    PROJECT_UNKNOWN = "project_unknown"
    CREDITS_SPENT = "credits_spent"
    REJECTED = "rejected"
    MISPLACED = "misplaced"  #: the configured address is not the assistant's
    GAVE_UP = "gave_up"  #: attempts or time ran out
    MAYBE_CHARGED = "maybe_charged"  #: no reply came, twice; not asked a third time
    WAIT_TOO_LONG = "wait_too_long"  #: the assistant asked us to wait for more than a day
    POST_REFUSED = "post_refused"  #: the platform would not show the answer in its thread


#: Notices that answer what was written: nobody gave up on anything.
HINTS = frozenset({Reason.EMPTY, Reason.ONLY_FILES, Reason.TOO_LONG, Reason.EXTERNAL, Reason.TOO_MANY})


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
    counts only where the thread is ours already. `has_files` tells that something we cannot read
    hung on it; `objection`, that the adapter knows why it must not be answered.
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


class Remark(StrEnum):
    """Something to say beside an answer."""

    FILES_UNREAD = "files_unread"
    OLDER_TURNS_LEFT_OUT = "older_turns_left_out"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed piece of work: one question and what is owed for it.

    `fence` is the holder's number: a write with an older one is refused. `notice` is set when a
    notice is owed in place of an answer. `doubtful` tells that the next part may have been posted
    already. `ready_at` is when the question became the first of its thread; `paused_before` is how
    long its lane had been paused by then, so that pauses do not count towards its deadline.
    """

    id: DeliveryId
    conversation: ConversationId
    thread: ThreadKey
    project: ProjectId | None
    author: AuthorId
    lane: LaneId
    state: State
    asked_at: datetime
    accepted_at: datetime
    ready_at: datetime
    due_at: datetime
    paused_before: float
    attempt: int
    maybe_charged: int
    fence: int
    has_files: bool
    told: bool
    doubtful: bool
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A question about to be queued, with what was decided for it."""

    id: DeliveryId
    conversation: ConversationId
    question: Question
    project: ProjectId | None
    lane: LaneId
    state: State
    accepted_at: datetime
    due_at: datetime
    paused_before: float
    told: bool
    notice: Notice | None


#: A lane's window before anything has narrowed it; the concurrency allowed is the real bound.
WIDE_OPEN = 1_000_000
_PROVED = 64


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares one allowance: an API key, or a workspace's posting.

    Paused from `paused_since` to `paused_until`; `paused_before` is the seconds of all earlier
    pauses together. After a pause `window` lets one call through as a probe and grows from there.
    `strikes` counts the pauses since the last success.
    """

    id: LaneId
    window: int = WIDE_OPEN
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    paused_before: float = 0.0
    strikes: int = 0

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def paused_total(self, now: datetime) -> float:
        """Return the seconds this lane has been paused in all its life, up to `now`."""
        if self.paused_since is None or self.paused_until is None:
            return self.paused_before
        latest = min(now, self.paused_until) - self.paused_since
        return self.paused_before + max(0.0, latest.total_seconds())

    def widen(self) -> "Lane":
        """Return the lane with room for one more call at once; wide open once it has proved itself."""
        window = self.window + 1 if self.window < _PROVED else WIDE_OPEN
        return replace(self, window=window, strikes=0)

    def pause(self, now: datetime, until: datetime) -> "Lane":
        """Return the lane paused until `until` at least, narrowed to one probe afterwards."""
        if self.is_paused(now) and self.paused_until is not None:
            return replace(self, window=1, paused_until=max(until, self.paused_until))
        return replace(
            self,
            window=1,
            paused_since=now,
            paused_until=until,
            paused_before=self.paused_total(now),
            strikes=self.strikes + 1,
        )


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """One message's worth of an answer. `number` counts from 0; `posted` is the platform's id for it."""

    number: int
    text: str
    posted: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part or a notice goes, and which delivery it belongs to."""

    thread: ThreadKey
    delivery: DeliveryId
    author: AuthorId
    asked_at: datetime


class Working(StrEnum):
    """The states of a thread that people are shown while they wait, beside `QueuedUntil`."""

    ASKING = "asking"
    IDLE = "idle"  #: nothing is under way: whatever was shown is taken away


@dataclass(frozen=True, slots=True)
class QueuedUntil:
    """The question waits and will be tried again at `at`."""

    at: datetime


ThreadState = Working | QueuedUntil


@dataclass(frozen=True, slots=True)
class Link:
    """A channel's, or a workspace's, project, and who set it."""

    at: ChannelKey
    project: ProjectId
    by: AuthorId
    since: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread we know. `project` is None until it is bound."""

    id: ConversationId
    thread: ThreadKey
    project: ProjectId | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the queue holds, for people: deliveries by state, and each paused lane's end."""

    by_state: Mapping[State, int]
    oldest_due: datetime | None
    paused: Mapping[LaneId, datetime]
