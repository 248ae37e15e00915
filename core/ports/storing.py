"""The repositories of one transaction, and how one is run. The queue's are in `queue`."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from core.model import (
    Account,
    AuthorId,
    ChannelKey,
    Conversation,
    ConversationId,
    Delivery,
    DeliveryId,
    Link,
    MessageId,
    Outlived,
    Platform,
    ProjectId,
    Question,
    SealedKey,
    ThreadKey,
    Turn,
    WorkspaceId,
)
from core.ports.asked import Counts, Marks
from core.ports.installing import Installations, Spent
from core.ports.queue import Deliveries, Lanes
from core.ports.seats import Seats

T = TypeVar("T")


class Conversations(Protocol):
    """Threads and what was said in them."""

    def get(self, thread: ThreadKey) -> Conversation | None:
        """Return the conversation of a thread, or None where we never spoke."""
        ...

    def locked(self, thread: ThreadKey) -> Conversation | None:
        """Return what `get` does, to this transaction alone until its end.

        So what is accepted into a thread, and settled there, happens one after the other, whoever does it.
        """
        ...

    def lock(self, conversations: Collection[ConversationId]) -> None:
        """Have these to this transaction alone, as `locked` does. Comes before any lock of a lane."""
        ...

    def open(self, thread: ThreadKey, project: ProjectId | None) -> Conversation:
        """Return the thread's conversation, locked, made now and bound to `project` if there was none."""
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

    def turns(self, delivery: Delivery, budget: int) -> Sequence[Turn]:
        """Return the turns up to this delivery's question, in the order they were written.

        Where they have more than `budget` characters: the first, and of the newest as many as have.
        """
        ...

    def speakers(self, delivery: Delivery) -> Sequence[AuthorId]:
        """Return the people of these turns, none left out, in the order they first spoke."""
        ...

    def asked(self, delivery: DeliveryId) -> str | None:
        """Return a question's text as it is stored; None where there is none (any more)."""
        ...

    def rewrite(self, delivery: DeliveryId, text: str) -> None:
        """Replace a question's text."""
        ...

    def forget(self, delivery: DeliveryId) -> None:
        """Take a question, and what was answered to it, out of its conversation."""
        ...

    def told_trimmed(self, conversation: ConversationId) -> bool:
        """Note that the thread is told of left-out turns; return False if it had been told before."""
        ...

    def purge(self, platform: Platform, workspace: WorkspaceId, limit: int) -> int:
        """Delete up to `limit` conversations of a workspace and all that belongs to them; return how many."""
        ...

    def outlived(self, after: ConversationId, before: datetime, limit: int) -> Outlived:
        """Look through up to `limit` conversations that began behind `after` but before `before`.

        Those in which nothing was asked since `before`, and nothing is unsettled, are deleted, with all that
        belongs to them.
        """
        ...


class Overtaking(Protocol):
    """Follow-ups that came before what makes their thread ours: kept for a moment."""

    def keep(self, question: Question, now: datetime) -> bool:
        """Keep the latest text of a message in a thread without a conversation.

        False, and nothing is kept, where the thread has one by now: it began after this transaction had
        looked. Whoever opens it later is sure to find what is kept.
        """
        ...

    def take(self, thread: ThreadKey, since: datetime) -> Sequence[Question]:
        """Return, once, what was kept since then in a thread that this transaction has opened."""
        ...

    def forget(self, at: ChannelKey, message: MessageId) -> None:
        """Keep a message no more."""
        ...

    def trim(self, since: datetime, until: datetime, most: int) -> None:
        """Keep what was kept between the two alone, and of that no more than `most` messages, the latest."""
        ...


class Links(Protocol):
    """Which channel has which project."""

    def get(self, at: ChannelKey) -> Link | None:
        """Return the link set at exactly this place."""
        ...

    def both(self, at: ChannelKey) -> tuple[Link | None, Link | None]:
        """Return the link set at exactly this channel, and that of its workspace."""
        ...

    def put(self, link: Link) -> None:
        """Set a link, in place of any before."""
        ...

    def hold(self, platform: Platform, workspace: WorkspaceId) -> None:
        """Have no link, nor account, set in a workspace until the end of this transaction.

        So what is stored as waiting for one is seen by whoever sets it.
        """
        ...

    def remove(self, at: ChannelKey) -> bool:
        """Take a link away; return False if there was none."""
        ...

    def all(self, platform: Platform) -> Sequence[Link]:
        """Return all links of a platform."""
        ...

    def purge(self, platform: Platform, workspace: WorkspaceId) -> int:
        """Delete all links of a workspace; return how many."""
        ...


class Accounts(Protocol):
    """Which workspaces have an API key of their own."""

    def get(self, platform: Platform, workspace: WorkspaceId) -> Account | None:
        """Return a workspace's account, or None where it has none."""
        ...

    def put(self, account: Account) -> None:
        """Set a workspace's account, in place of any before."""
        ...

    def reseal(self, account: Account, key: SealedKey) -> bool:
        """Keep an account's key sealed otherwise; False where it is not sealed as in `account` any more.

        So what others take away, or set, meanwhile is as they want it.
        """
        ...

    def remove(self, platform: Platform, workspace: WorkspaceId) -> bool:
        """Take an account away; return False if there was none."""
        ...

    def all(self, platform: Platform) -> Sequence[Account]:
        """Return all accounts of a platform."""
        ...


class UnitOfWork(Protocol):
    """The repositories of one transaction."""

    @property
    def conversations(self) -> Conversations: ...
    @property
    def overtaking(self) -> Overtaking: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def lanes(self) -> Lanes: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def links(self) -> Links: ...
    @property
    def marks(self) -> Marks: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def installations(self) -> Installations: ...
    @property
    def spent(self) -> Spent: ...
    @property
    def seats(self) -> Seats: ...


class Transact(Protocol):
    """Runs synchronous work in one transaction, away from the event loop.

    Where another transaction gets in its way (a deadlock, the same row made twice), the work is run again
    from its beginning: it must have no effects but those on its unit of work.
    """

    async def __call__(self, work: Callable[[UnitOfWork], T]) -> T:
        """Commit what `work` did and return its result; on any exception nothing of it remains.

        Raises StoreUnavailable when the database did not take it, or was lost before it said so.
        """
        ...
