"""Workspaces and organisations that remove us: all that is kept of them is deleted, and Slack told then."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import structlog

from bots.slack.departures import Departures
from bots.slack.inbound import SLACK, happened_at, shut_out_of, uninstalled_from
from bots.slack.workspaces import Workspaces
from core.clock import Clock
from core.model import WorkspaceId
from core.services.purging import Purging

log = structlog.get_logger(__name__)

_LONG_AGO = datetime.fromtimestamp(0, UTC)


class Leaving:
    """Whatever it raises goes on to Bolt: then Slack gets no acknowledgement, and sends the event again."""

    def __init__(
        self, workspaces: Workspaces, purging: Purging, departures: Departures, clock: Clock
    ) -> None:
        self._workspaces = workspaces
        self._purging = purging
        self._departures = departures
        self._clock = clock

    async def on_uninstalled(self, body: Mapping[str, Any]) -> None:
        """Forget a workspace that has removed us, or taken our token away; whichever event comes first.

        Where our token is accepted, the event is an old one that comes again: they have us again since.
        """
        workspace = uninstalled_from(body)
        if workspace is None:
            return
        here = await self._workspaces.find(workspace, anew=True)
        if here is not None and await here.accepts_us():
            log.warning("not purged: we are installed", workspace=workspace, event_id=body.get("event_id"))
            return
        for one in await self._workspaces.within(workspace):
            await self._purge(one, body, upto=None)
        since = None if here is None else here.since
        await self._purge(workspace, body, upto=since or _LONG_AGO)

    async def on_shut_out(self, body: Mapping[str, Any]) -> None:
        """Forget workspaces that an organisation lets us into no more.

        Where we were let in since, the event is an old one that comes again; where the workspace has
        installed us by itself, it is none of its business.
        """
        when = self._when(body)
        for workspace in shut_out_of(body):
            here = await self._workspaces.find(workspace, anew=True)
            if here is None or (here.organisation is not None and (here.since or when) <= when):
                await self._purge(workspace, body, upto=when)
            else:
                log.warning(
                    "not purged: we are installed", workspace=workspace, event_id=body.get("event_id")
                )

    async def _purge(self, workspace: WorkspaceId, body: Mapping[str, Any], upto: datetime | None) -> None:
        gone = await self._purging.purge(SLACK, workspace, left=self._when(body), upto=upto)
        self._departures.forget(workspace)
        self._workspaces.forget(workspace)
        log.info("workspace purged", workspace=workspace, event_id=body.get("event_id"), **asdict(gone))

    def _when(self, body: Mapping[str, Any]) -> datetime:
        return happened_at(body, self._clock.wall(self._clock.now()))
