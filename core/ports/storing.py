"""The repositories of one transaction, and how one is run."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from core.model import (
    AnswerPart,
    AuthorId,
    ChannelKey,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Link,
    NewDelivery,
    Platform,
    ProjectId,
    Question,
    State,
    Tally,
    ThreadKey,
    Turn,
)

T = TypeVar("T")


class Conversations(Protocol):
    """Threads and what was said in them."""

    def get(self, thread: ThreadKey) -> Conversation | None:
        """Return the conversation of a thread, or None where we never spoke."""
        ...

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        """Return the thread's conversation, made now and bound to `project` if there was none."""
        ...

    def bind(self, conversation: ConversationId, project: ProjectId) -> None:
        """Bind a thread that had no project."""
        ...

    def move(self, thread: ThreadKey, to: str) -> bool:
        """Give a conversation, and its deliveries, the thread `to` of the same channel.

        False, and nothing is changed, where there is no such conversation or `to` has one already.
        """
        ...

    def append(self, conversation: ConversationId, delivery: DeliveryId, turn: Turn) -> None:
        """Store one turn of a delivery."""
        ...

    def turns(self, delivery: Delivery) -> Sequence[Turn]:
        """Return all turns up to this delivery's question, in the order they were written."""
        ...

    def told_trimmed(self, conversation: ConversationId) -> bool:
        """Note that the thread is told of left-out turns; return False if it had been told before."""
        ...


class Deliveries(Protocol):
    """The queue's rows. A write by a holder whose fence has passed raises LeaseLost."""

    def enqueue(self, entry: NewDelivery) -> None:
        """Store a new delivery."""
        ...

    def known(self, question: Question) -> bool:
        """Tell whether this event, or this message by another event, was accepted before."""
        ...

    def head(self, conversation: ConversationId) -> Delivery | None:
        """Return the one unsettled delivery of a conversation that is its turn."""
        ...

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        """Return the waiting delivery whose question was written first."""
        ...

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        """Return what waits for a link in a channel (in the workspace, on the platform), oldest first."""
        ...

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        """Lease what is due in lanes that are open and have room, until `until`.

        Accepted ones become asking, answered ones posting; the fence steps up by one.
        """
        ...

    def renew(self, held: Collection[Delivery], until: datetime) -> Collection[DeliveryId]:
        """Prolong these leases; return the ids of those still held."""
        ...

    def release_expired(self, now: datetime, held: Collection[DeliveryId]) -> int:
        """Return to the queue what expired leases held, except the ids in `held`; return how many.

        What was being asked has used up an attempt; what was being posted, or told, comes back doubtful.
        """
        ...

    def save(self, delivery: Delivery, lease: datetime | None) -> None:
        """Write all that may change of a delivery; with no lease it is free to be claimed."""
        ...

    def bind(self, delivery: Delivery, project: ProjectId) -> Delivery:
        """Give an unlinked delivery, and its conversation, a project; its fence steps up by one."""
        ...

    def move(self, to: LaneId, paused_before: float) -> int:
        """Move every question that is still to be asked to another lane; return how many moved."""
        ...

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:
        """Write the final state."""
        ...

    def store_parts(self, delivery: DeliveryId, texts: Sequence[str]) -> None:
        """Store an answer's parts, in order."""
        ...

    def parts(self, delivery: DeliveryId) -> Sequence[AnswerPart]:
        """Return an answer's parts, in order."""
        ...

    def record(self, delivery: DeliveryId, number: int, posted: str) -> None:
        """Note that a part is posted, and as what."""
        ...

    def tell_paused(self, beyond: datetime, limit: int) -> Sequence[tuple[Delivery, datetime]]:
        """Mark as told, and return with its lane's end, what waits untold behind a pause past `beyond`."""
        ...

    def kept(self, platform: Platform, author: AuthorId) -> Sequence[Delivery]:
        """Return what is kept for someone to fetch, oldest first."""
        ...

    def fetched(self, delivery: DeliveryId) -> None:
        """Note that its asker has fetched what was kept."""
        ...

    def next_due(self, now: datetime) -> datetime | None:
        """Return the earliest time after `now` at which something becomes due."""
        ...

    def count_since(self, conversation: ConversationId, since: datetime) -> int:
        """Return how many questions of a thread were accepted since then."""
        ...

    def latest(self, platform: Platform, since: datetime) -> Mapping[ThreadKey, datetime]:
        """Return the threads with questions written since then, with the newest question's time."""
        ...

    def tally(self, now: datetime) -> Tally:
        """Return what the queue holds."""
        ...


class Lanes(Protocol):
    """Allowances and their pauses."""

    def get(self, lane: LaneId) -> Lane:
        """Return a lane, made now if there was none."""
        ...

    def save(self, lane: Lane) -> None:
        """Write a lane."""
        ...


class Links(Protocol):
    """Which channel has which project."""

    def get(self, at: ChannelKey) -> Link | None:
        """Return the link set at exactly this place."""
        ...

    def put(self, link: Link) -> None:
        """Set a link, in place of any before."""
        ...

    def remove(self, at: ChannelKey) -> bool:
        """Take a link away; return False if there was none."""
        ...

    def all(self, platform: Platform) -> Sequence[Link]:
        """Return all links of a platform."""
        ...


class UnitOfWork(Protocol):
    """The repositories of one transaction."""

    @property
    def conversations(self) -> Conversations: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def lanes(self) -> Lanes: ...
    @property
    def links(self) -> Links: ...


class Transact(Protocol):
    """Runs synchronous work in one transaction, away from the event loop."""

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        """Commit what `work` did and return its result; on any exception nothing of it remains.

        Raises StoreUnavailable when the database did not take it.
        """
        ...
