"""Who has installed the app: their tokens, sealed while they are kept, and the states of installing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from core.clock import Clock
from core.errors import AccountRefused, SealUnbroken
from core.model import Installation, Platform, WorkspaceId
from core.ports import Sealing, Transact, UnitOfWork

#: How long somebody may take from the page that offers to install to the end of it.
STATE_HOLDS = timedelta(minutes=10)
_STATE = "state of installing"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An installation as it is used: for a workspace of an organisation, with that one's token."""

    installation: Installation
    token: str = field(repr=False)


class Installing:
    """Keeps installations of one platform."""

    def __init__(self, transact: Transact, sealing: Sealing, clock: Clock, platform: Platform) -> None:
        self._transact = transact
        self._sealing = sealing
        self._clock = clock
        self._platform = platform

    async def check(self) -> None:
        """Look whether everything kept can be opened. Raises SealUnbroken, StoreUnavailable."""
        for one in await self._all():
            if one.token:
                self._sealing.open(one.token)

    async def install(self, installation: Installation, token: str) -> None:
        """Keep an installation, in place of any before; its time is now. Raises StoreUnavailable."""
        kept = replace(installation, token=self._sealing.seal(token), since=self._clock.now())
        await self._transact(lambda uow: uow.installations.put(kept))

    async def credentials(
        self, workspace: WorkspaceId, organisation: WorkspaceId | None = None
    ) -> Credentials | None:
        """Return what to be in a workspace with; None where the app is not installed.

        `organisation`: said to be the workspace's, by whoever would know. Where that one has the app, the
        workspace is kept from now on as one of its own. Raises AccountRefused where the token cannot be
        opened, and StoreUnavailable.
        """

        def work(uow: UnitOfWork) -> tuple[Installation, str] | None:
            found = uow.installations.get(self._platform, workspace)
            if found is not None and found.token:
                return found, found.token
            name = organisation or (None if found is None else WorkspaceId(found.organisation))
            over = None if name is None else uow.installations.get(self._platform, name)
            if over is None or not over.token:
                return None
            since = self._clock.now() if found is None else found.since
            here = replace(over, workspace=workspace, organisation=over.workspace, token="", since=since)
            if found != here:
                uow.installations.put(here)
            return here, over.token

        found = await self._transact(work)
        try:
            return None if found is None else Credentials(found[0], self._sealing.open(found[1]))
        except SealUnbroken as error:  # as with a token that Slack refuses, what there is for it waits
            raise AccountRefused(str(error)) from error

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """Return the workspaces with the app; of organisations those from which anything came."""
        installed = await self._all()
        return [one.workspace for one in installed if one.organisation != one.workspace]

    async def within(self, organisation: WorkspaceId) -> Sequence[WorkspaceId]:
        """Return the workspaces that have the app by this organisation alone."""
        return [
            one.workspace
            for one in await self._all()
            if one.organisation == organisation and not one.token and one.workspace != organisation
        ]

    async def tokens(self, workspace: WorkspaceId) -> Sequence[str | None]:
        """Return a workspace's token, and those of an organisation's; None for what does not open."""
        here = [
            one for one in await self._all() if one.token and workspace in {one.workspace, one.organisation}
        ]
        return [self._opened(one.token) for one in here]

    def _opened(self, sealed: str) -> str | None:
        try:
            return self._sealing.open(sealed)
        except SealUnbroken:
            return None

    def issue_state(self) -> str:
        """Return a new state: what somebody who installs takes along to the platform and back.

        Nothing is kept of it: it is sealed, and counts once, for as long as STATE_HOLDS.
        """
        until = int((self._clock.now() + STATE_HOLDS).timestamp())
        sealed = self._sealing.seal(f"{_STATE} {until} {secrets.token_hex(16)}")
        return sealed.rstrip("=")  # it travels in an address and in a cookie

    async def use_state(self, state: str) -> bool:
        """Tell whether a state is one of ours, still counts, and was not used. Raises StoreUnavailable."""
        try:
            opened = self._sealing.open(state + "=" * (-len(state) % 4))
        except SealUnbroken:
            return False
        if not opened.startswith(_STATE):
            return False  # something else of ours that is sealed
        seconds, once = opened.removeprefix(_STATE).split()
        until, now = datetime.fromtimestamp(int(seconds), UTC), self._clock.now()
        return until > now and await self._transact(lambda uow: uow.spent.spend(once, until, now))

    async def _all(self) -> Sequence[Installation]:
        return await self._transact(lambda uow: uow.installations.all(self._platform))
