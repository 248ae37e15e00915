"""The repositories of the queue: deliveries and who works on them, and lanes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from core.model import (
    AnswerPart,
    AuthorId,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    MessageId,
    NewDelivery,
    Platform,
    ProjectId,
    Question,
    State,
    Tally,
    WorkspaceId,
)


class Deliveries(Protocol):
    """The queue's rows. A write by a holder whose fence has passed raises LeaseLost.

    What `locked`, `head`, `next_waiting` and `unsettled` return stays as it is until the end of the
    transaction, but for what it does itself.
    """

    def enqueue(self, entry: NewDelivery) -> None:
        """Store a new delivery."""
        ...

    def known(self, question: Question) -> bool:
        """Tell whether this event, or this message by another event, was accepted before."""
        ...

    def get(self, delivery: DeliveryId) -> Delivery | None:
        """Return a delivery, whatever its state."""
        ...

    def locked(self, delivery: DeliveryId) -> Delivery | None:
        """Return what `get` does, with its conversation locked."""
        ...

    def of_message(self, at: ChannelKey, message: MessageId) -> Delivery | None:
        """Return the delivery of the question that was written as this message of a channel."""
        ...

    def head(self, conversation: ConversationId) -> Delivery | None:
        """Return the one unsettled delivery of a conversation that is its turn."""
        ...

    def next_waiting(self, conversation: ConversationId) -> Delivery | None:
        """Return the waiting delivery whose question was written first."""
        ...

    def unsettled(self, conversation: ConversationId) -> Sequence[Delivery]:
        """Return all that is owed in a conversation, oldest first."""
        ...

    def unlinked(self, at: ChannelKey) -> Sequence[Delivery]:
        """Return what waits for a link in a channel (in the workspace, on the platform), oldest first."""
        ...

    def listed(self, state: State, limit: int) -> Sequence[Delivery]:
        """Return what waits for a human in a state, ambiguous or buried, the newest first."""
        ...

    def next_rank(self, lane: LaneId, platform: Platform, workspace: WorkspaceId) -> int:
        """Return the place in a lane's line that is a workspace's next: its turns come one in a round."""
        ...

    def claim(self, now: datetime, until: datetime, concurrency: int, limit: int) -> Sequence[Delivery]:
        """Lease what is due in lanes that are open and have room, until `until`, by rank.

        Where `limit` is reached, lanes in which something has been due for longest come first. Accepted ones
        become asking, answered ones posting; the fence steps up by one.
        """
        ...

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether a delivery is still leased by who holds this fence."""
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

    def without_account(self, platform: Platform) -> Sequence[tuple[ChannelKey, LaneId]]:
        """Return which workspaces without an account have something to be asked, and in which lanes."""
        ...

    def move(self, to: LaneId, now: datetime, of: ChannelKey) -> int:
        """Move what is still to be asked in a workspace to another lane, into its line; return how many.

        Whatever it waited for in its old lane, it is due now.
        """
        ...

    def settle(self, delivery: Delivery, state: State, now: datetime) -> None:
        """Write the final state."""
        ...

    def revive(self, delivery: Delivery) -> None:
        """Write all of a settled delivery that an operator wants tried again; its fence steps up by one.

        Raises LeaseLost unless it is still in one of the states that only a human moves.
        """
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

    def tell_paused(
        self, now: datetime, beyond: datetime, away: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        """Mark as told, and return with its lane, what waits untold behind a closed lane.

        That is one paused past `beyond`, or one that is paused as its other side has been away since `away`.
        """
        ...

    def behind_pauses(
        self, now: datetime, ready: datetime, old: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Lane]]:
        """Return what waits in paused lanes and was ready by `ready`, longest first, with its lane.

        Of a lane whose other side was not away by then, only what failed before, or was accepted by `old`.
        """
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

    def newest(self) -> datetime | None:
        """Return the latest time at which anything was accepted, came up, or was paused."""
        ...

    def set_back(self, by: timedelta, now: datetime) -> None:
        """Move back all times of lanes, and of what is unsettled or accepted after `now`.

        The clock that wrote them was ahead.
        """
        ...

    def tally(self, now: datetime) -> Tally:
        """Return what the queue holds; nothing that it counts may grow for ever."""
        ...


class Lanes(Protocol):
    """Allowances and their pauses."""

    def get(self, lane: LaneId) -> Lane:
        """Return a lane, made now if there was none."""
        ...

    def locked(self, lane: LaneId) -> Lane:
        """Return what `get` does, to this transaction alone until its end, to be saved.

        Accepting does without: it would wait for whatever claims.
        """
        ...

    def save(self, lane: Lane) -> None:
        """Write a lane."""
        ...

    def busy(self, lane: LaneId) -> int:
        """Return how many leases are held in a lane."""
        ...

    def remove(self, lane: LaneId) -> None:
        """Delete a lane, as nothing is left in it."""
        ...
