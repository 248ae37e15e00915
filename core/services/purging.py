"""Forgetting a workspace: everything of it, whatever is under way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.model import Platform, WorkspaceId, posting_lane
from core.ports import Transact, UnitOfWork

_AT_ONCE = 200  #: conversations in one transaction


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was deleted of a workspace: links, conversations with all that was said, tokens, account."""

    links: int
    conversations: int
    installations: int = 0
    account: bool = False

    def __add__(self, more: "Purged") -> "Purged":
        """Return what both are together."""
        return Purged(
            self.links + more.links,
            self.conversations + more.conversations,
            self.installations + more.installations,
            self.account or more.account,
        )


class Purging:
    """Deletes all that is kept of a workspace: nothing of it is posted, or written again, from then on."""

    def __init__(self, transact: Transact, *, purged: Callable[[Platform, WorkspaceId], None]) -> None:
        """`purged` is called after each commit: what is under way for the workspace ends."""
        self._transact = transact
        self._purged = purged

    async def purge(
        self,
        platform: Platform,
        workspace: WorkspaceId,
        *,
        left: datetime | None = None,
        upto: datetime | None = None,
    ) -> Purged:
        """Delete a workspace's installation and account, links, conversations, questions and answers.

        `left`: when it removed the app; that alone is remembered, for `left`. An installation newer than
        `upto` stays. Raises StoreUnavailable; what was deleted by then stays deleted, and doing it again
        goes on.
        """

        def work(uow: UnitOfWork) -> Purged:
            if left is not None:
                uow.installations.leave(platform, workspace, left)
            installed = uow.installations.remove(platform, workspace, upto)
            links = uow.links.purge(platform, workspace)
            many = uow.conversations.purge(platform, workspace, _AT_ONCE)
            if many == _AT_ONCE:  # while any question is there, it must not be asked under another key
                return Purged(links, many, int(installed))
            uow.lanes.remove(posting_lane(platform, workspace))
            return Purged(links, many, int(installed), uow.accounts.remove(platform, workspace))

        whole = Purged(0, 0)
        while True:
            gone = await self._transact(work)
            self._purged(platform, workspace)
            whole += gone
            if gone.conversations < _AT_ONCE:
                return whole

    async def purge_with_all_of(self, platform: Platform, workspace: WorkspaceId) -> Purged:
        """Delete what `purge` does; of an organisation also what is kept of each of its workspaces.

        Raises as `purge`. The organisation goes first: while it is there, its workspaces come back.
        """
        whole = await self.purge(platform, workspace)
        for one in await self._transact(lambda uow: uow.installations.all(platform)):
            if one.organisation == workspace:
                whole += await self.purge(platform, one.workspace)
        return whole

    async def left(self, platform: Platform, workspace: WorkspaceId) -> datetime | None:
        """Return when a workspace removed the app last, as far as that is known. Raises StoreUnavailable."""
        return await self._transact(lambda uow: uow.installations.left(platform, workspace))
