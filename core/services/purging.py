"""Forgetting a workspace: everything of it, whatever is under way."""

from collections.abc import Callable
from dataclasses import dataclass

from core.model import Platform, WorkspaceId, posting_lane
from core.ports import Transact, UnitOfWork

_AT_ONCE = 200  #: conversations in one transaction


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was deleted of a workspace: links, and conversations with their questions and answers."""

    links: int
    conversations: int


class Purging:
    """Deletes all that is kept of a workspace: nothing of it is posted, or written again, from then on."""

    def __init__(self, transact: Transact, *, purged: Callable[[Platform, WorkspaceId], None]) -> None:
        """`purged` is called after each commit: what is under way for the workspace ends."""
        self._transact = transact
        self._purged = purged

    async def purge(self, platform: Platform, workspace: WorkspaceId) -> Purged:
        """Delete a workspace's links, conversations, questions and answers; return how many.

        Raises StoreUnavailable; what was deleted by then stays deleted, and doing it again goes on.
        """

        def work(uow: UnitOfWork) -> Purged:
            links = uow.links.purge(platform, workspace)
            many = uow.conversations.purge(platform, workspace, _AT_ONCE)
            if many < _AT_ONCE:
                uow.lanes.remove(posting_lane(platform, workspace))
            return Purged(links, many)

        links = conversations = 0
        while True:
            gone = await self._transact(work)
            self._purged(platform, workspace)
            links, conversations = links + gone.links, conversations + gone.conversations
            if gone.conversations < _AT_ONCE:
                return Purged(links, conversations)
