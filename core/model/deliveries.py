"""What is owed for a question, where it goes, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.ids import (
    AuthorId,
    ChannelKey,
    ConversationId,
    DeliveryId,
    LaneId,
    ProjectId,
    Receipt,
    ThreadKey,
)
from core.model.lanes import Lane
from core.model.questions import Notice, Question


class State(StrEnum):
    """Where a delivery stands."""

    UNLINKED = "unlinked"  #: no project yet, or no API key; waits for a link, or for a key
    WAITING = "waiting"  #: an earlier question of its thread is not settled
    ACCEPTED = "accepted"  #: to be asked when due
    ASKING = "asking"  #: leased; the chat call is under way
    ANSWERED = "answered"  #: the answer (or a notice) is stored, to be posted when due
    POSTING = "posting"  #: leased; being posted
    DONE = "done"
    KEPT = "kept"  #: stored, but its asker cannot be reached in private; they will fetch it
    BURIED = "buried"  #: given up; the asker has been told
    AMBIGUOUS = "ambiguous"  #: a part may or may not have been posted; only a human moves it
    CANCELLED = "cancelled"  #: deleted, or stopped, before anything was posted
    REFUSED = "refused"  #: turned away, as an allowance was used up; kept so that it is not asked later


#: A delivery in one of these no longer holds up its thread.
SETTLED = frozenset({State.DONE, State.KEPT, State.BURIED, State.AMBIGUOUS, State.CANCELLED, State.REFUSED})
#: Of these nothing is to be expected any more. There may be any number: they are counted for an hour only.
FINAL = frozenset({State.DONE, State.CANCELLED, State.REFUSED})
COUNTED_FOR = timedelta(hours=1)
#: A delivery in one of these is the one of its thread that it is the turn of.
HEADS = frozenset({State.ACCEPTED, State.ASKING, State.ANSWERED, State.POSTING})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed piece of work: one question and what is owed for it.

    `fence` is the holder's number: a write with an older one is refused. `notice` is set when a
    notice is owed in place of an answer. `doubtful` tells that the next part may have been posted
    already. `ready_at` is when the question became the first of its thread; `paused_before` is how
    long its lane had been paused by then, so that pauses do not count towards its deadline. `rank` is its
    place in its lane's line, in which workspaces take turns. `receipt` is the adapter's own note, gone once
    the delivery is settled.
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
    rank: int
    attempt: int
    maybe_charged: int
    fence: int
    has_files: bool
    told: bool
    doubtful: bool
    notice: Notice | None
    receipt: Receipt


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
    rank: int
    told: bool
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """One message's worth of an answer. `number` counts from 0; `posted` is the platform's id for it.

    `last` tells that nothing comes after it.
    """

    number: int
    text: str
    posted: str | None = None
    last: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part or a notice goes, and which delivery it belongs to."""

    thread: ThreadKey
    delivery: DeliveryId
    author: AuthorId
    asked_at: datetime
    receipt: Receipt


class Working(StrEnum):
    """The states of a thread that people are shown while they wait, beside `QueuedUntil`."""

    ASKING = "asking"
    IDLE = "idle"  #: nothing is under way: whatever was shown is taken away


@dataclass(frozen=True, slots=True)
class QueuedUntil:
    """The question waits and will be tried again at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class AssistantAway:
    """The assistant does not answer at all just now; the question is kept and tried until `until`."""

    until: datetime


ThreadState = Working | QueuedUntil | AssistantAway


@dataclass(frozen=True, slots=True)
class Link:
    """A channel's, or a workspace's, project, and who set it.

    With `answers_all`, whatever begins a thread in that channel is a question to us.
    """

    at: ChannelKey
    project: ProjectId
    by: AuthorId
    since: datetime
    answers_all: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread we know. `project` is None until it is bound."""

    id: ConversationId
    thread: ThreadKey
    project: ProjectId | None


@dataclass(frozen=True, slots=True)
class Outlived:
    """A look for conversations that nobody goes on with: how many were `deleted`, and up to which it came.

    `upto` is None at the end.
    """

    upto: ConversationId | None
    deleted: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """Questions that were accepted lately in a thread, of a person and in a channel; and that a workspace
    has waiting. None: not counted, or without bounds."""

    thread: int | None = None
    person: int | None = None
    channel: int | None = None
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the queue holds, for people: deliveries by state, and the lanes that are not wide open.

    Of those in a `FINAL` state, only what was accepted within the last hour.
    """

    by_state: Mapping[State, int]
    oldest_due: datetime | None
    lanes: Mapping[LaneId, Lane]

    @property
    def paused(self) -> Mapping[LaneId, datetime]:
        """Until when nothing is begun, by lane."""
        ends = {id_: lane.paused_until for id_, lane in self.lanes.items()}
        return {id_: at for id_, at in ends.items() if at is not None}
