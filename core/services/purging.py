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
            whole = Purged(
                whole.links + gone.links,
                whole.conversations + gone.conversations,
                whole.installations + gone.installations,
                gone.account,
            )
            if gone.conversations < _AT_ONCE:
                return whole

    async def left(self, platform: Platform, workspace: WorkspaceId) -> datetime | None:
        """Return when a workspace removed the app last, as far as that is known. Raises StoreUnavailable."""
        return await self._transact(lambda uow: uow.installations.left(platform, workspace))
