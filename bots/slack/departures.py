"""When workspaces removed us, as far as anybody knows: what was written before then is not taken up again."""

from datetime import datetime

from bots.slack.inbound import SLACK
from core.clock import Clock
from core.model import WorkspaceId
from core.services.purging import Purging

#: Seconds after which it is looked up again: another process may have heard of it.
_REMEMBERED = 600.0


class Departures:
    """Remembers what the database knows."""

    def __init__(self, purging: Purging, clock: Clock, *, at_most: int = 10_000) -> None:
        """`at_most`: of how many workspaces it is remembered at once."""
        self._purging = purging
        self._clock = clock
        self._at_most = at_most
        self._known: dict[WorkspaceId, tuple[float, datetime | None]] = {}

    async def last(self, workspace: WorkspaceId) -> datetime | None:
        """Return when a workspace last removed us, None if it did not. Raises StoreUnavailable."""
        looked_at, left = self._known.get(workspace, (0.0, None))
        if workspace not in self._known or self._clock.monotonic() - looked_at >= _REMEMBERED:
            left = await self._purging.left(SLACK, workspace)
            self._known.pop(workspace, None)
            self._known[workspace] = self._clock.monotonic(), left
            if len(self._known) > self._at_most:
                del self._known[next(iter(self._known))]
        return left

    def forget(self, workspace: WorkspaceId) -> None:
        """Look it up again: it has just removed us."""
        self._known.pop(workspace, None)
