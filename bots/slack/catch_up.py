"""The mentions and follow-ups that nobody heard, and what became of those that were heard, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

import structlog

from bots.errands import outlived
from bots.slack.amendments import Deletion, Edit
from bots.slack.inbound import SLACK
from bots.slack.looking import Known, Look, Takers, to_see_from
from bots.slack.workspaces import Workspaces
from core.clock import Clock
from core.errors import Retryable, ThreadlineError
from core.model import Link, Outcome, Question, ThreadKey, WorkspaceId
from core.services.asking import Asking
from core.services.linking import Linking

log = structlog.get_logger(__name__)

#: Seconds after which we look again where something was not stored, or out of reach; it doubles.
AGAIN_AFTER = 30.0
_LONGEST_WAIT = 300.0
# Workspaces at once: where Slack asks one app to slow down in one of them, the others need not wait.
_AT_ONCE = 8

Ledger = Mapping[ThreadKey, datetime]


class CatchUp:
    """Looks through the workspaces that have us, each by itself."""

    def __init__(
        self,
        workspaces: Workspaces,
        asking: Asking,
        linking: Linking,
        clock: Clock,
        *,
        offer: Callable[[Question], Awaitable[Outcome]],
        amend: Callable[[Edit | Deletion], Awaitable[None]],
    ) -> None:
        self._workspaces = workspaces
        self._asking = asking
        self._linking = linking
        self._clock = clock
        self._takers = Takers(offer, amend)
        self._ledgers: dict[WorkspaceId, Ledger] = {}
        self._only: Collection[WorkspaceId] | None = None
        self._wanted = asyncio.Event()
        self._wait = 0.0

    async def remember(self) -> None:
        """Note how far our threads had come: before listening, or new questions would hide missed ones."""
        self._ledgers = _by_workspace(await self._ledger())

    def want(self, seconds: float = 0.0) -> None:
        """Have `keep_up` look once more, after so many seconds; and not before it is through with a look."""
        self._only = None
        self._wait = seconds
        self._wanted.set()

    async def keep_up(self) -> None:
        """Look whenever it is wanted, until cancelled; and again, later and later, where that was not all."""
        failed = 0
        while True:
            await self._wanted.wait()
            if self._wait:
                await self._clock.sleep(self._wait)
            self._wanted.clear()
            left = await outlived(self.run(self._only), None, "cannot catch up")
            if left is not None and not left:
                failed = 0
                continue
            if not self._wanted.is_set():
                self.want(min(_LONGEST_WAIT, AGAIN_AFTER * 2**failed))
                self._only = left
            failed = min(failed + 1, 10)

    async def run(self, only: Collection[WorkspaceId] | None = None) -> Collection[WorkspaceId] | None:
        """Look through our channels and recent threads everywhere, or in some workspaces `only`.

        Returns the workspaces that could not be looked through, or not be stored, and may be later; None
        where it is not even known which there are.
        """
        try:
            fresh, links = _by_workspace(await self._ledger()), await self._linking.all(SLACK)
            there = await self._workspaces.all()
        except ThreadlineError as error:
            log.warning("cannot catch up", error=type(error).__name__, said=str(error))
            return None if isinstance(error, Retryable) else ()
        # Where people ask just now, something is missed soonest.
        wanted = sorted((one for one in there if only is None or one in only), key=fresh.__contains__)
        turns, left = asyncio.Semaphore(_AT_ONCE), list[WorkspaceId]()

        async def look(workspace: WorkspaceId) -> None:
            async with turns:
                whole = self._look(workspace, fresh.get(workspace, {}), links)
                if not await outlived(whole, False, "cannot catch up", workspace=workspace):
                    left.append(workspace)

        async with asyncio.TaskGroup() as looks:
            for workspace in reversed(wanted):
                looks.create_task(look(workspace))
        return left

    async def _look(self, workspace: WorkspaceId, fresh: Ledger, links: Sequence[Link]) -> bool:
        """Look through one workspace; tell whether that was all, or all that will ever be."""
        before = self._ledgers.get(workspace, {})
        linked = [link.at.channel for link in links if link.at.workspace == workspace and link.at.channel]
        try:
            here = await self._workspaces.get(workspace)
            look = Look(here, Known(before, fresh, linked), self._takers, self._clock)
            await look.run()
        except ThreadlineError as error:
            log.warning("cannot catch up", error=type(error).__name__, said=str(error), workspace=workspace)
            return not isinstance(error, Retryable)
        if look.was_whole:
            self._ledgers[workspace] = fresh
        return look.was_whole

    async def _ledger(self) -> Ledger:
        return await self._asking.ledger(SLACK, to_see_from(self._clock))


def _by_workspace(ledger: Ledger) -> dict[WorkspaceId, Ledger]:
    """Return the threads of each workspace apart, in their order."""
    apart: dict[WorkspaceId, dict[ThreadKey, datetime]] = {}
    for thread, newest in ledger.items():
        apart.setdefault(thread.workspace, {})[thread] = newest
    return dict(apart)
