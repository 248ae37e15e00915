"""The workspaces that have us: who we are in each, and the client to be it with, all over one session."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.calls import TokenWatch, refuses_token, translated
from bots.slack.identity import Identity, identify
from bots.slack.members import Members
from core.clock import Clock
from core.errors import AccountRefused, Permanent, Unreachable
from core.model import WorkspaceId
from core.services.installing import Credentials, Installing

#: Seconds after which an installation is looked up again: another process may have changed it.
_REMEMBERED = 600.0
_MOST = 2_000


class BotClient(AsyncWebClient):
    """slack_sdk's, which notes that Slack does not accept its token."""

    is_refused = False

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        """Make a call. Raises as slack_sdk does."""
        try:
            return await super().api_call(api_method, **more)
        except SlackApiError as error:
            self.is_refused |= refuses_token(error)
            raise


@dataclass(eq=False, slots=True)
class Workspace:
    """One workspace, as we are in it.

    `since`: when the app was installed there, if its people did that. `organisation`: by whose installation
    we are there, if not by the workspace's own.
    """

    identity: Identity
    client: BotClient
    members: Members
    since: datetime | None = None
    organisation: WorkspaceId | None = None
    watch: TokenWatch = field(default_factory=TokenWatch)
    shows_status: bool = True
    """Whether the app has the scope to set a thread's status, as far as we know."""

    async def accepts_us(self) -> bool:
        """Tell whether Slack takes our token as this workspace's. Raises Retryable where it says neither."""
        try:
            with translated():
                reply = await self.client.auth_test()
        except (AccountRefused, Permanent):
            return False
        return self.identity.workspace in {reply.get("team_id"), reply.get("enterprise_id")}


class Workspaces(Protocol):
    """Knows who we are wherever we are."""

    async def begin(self) -> None:
        """Find out what has to be known first. Raises errors of core.errors; it may be called again."""
        ...

    async def find(
        self, workspace: WorkspaceId, organisation: WorkspaceId | None = None, *, anew: bool = False
    ) -> Workspace | None:
        """Return a workspace, None where we are not installed; `anew`: whatever is remembered of it.

        `organisation`: Slack says that we are there by its installation. Raises Unreachable before `begin`
        was through, StoreUnavailable.
        """
        ...

    async def get(self, workspace: WorkspaceId) -> Workspace:
        """Return a workspace. Raises AccountRefused where we are not installed, and as `find`."""
        ...

    async def all(self) -> Sequence[WorkspaceId]:
        """Return the workspaces that have us."""
        ...

    async def name(self) -> str:
        """Return the name of the one, or how many there are."""
        ...

    async def within(self, organisation: WorkspaceId) -> Sequence[WorkspaceId]:
        """Return the workspaces in which we are by this organisation's installation."""
        ...

    def forget(self, workspace: WorkspaceId) -> None:
        """Look a workspace, or those of an organisation, up again: we are there anew, or no more."""
        ...


class OneWorkspace:
    """The one that a bot token in the settings is of: whatever comes is taken to come from there."""

    def __init__(self, client: BotClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._here: Workspace | None = None

    async def begin(self) -> None:
        """Ask Slack who we are. Raises TokenRefused, and other errors of core.errors."""
        identity = await identify(self._client)
        self._here = Workspace(identity, self._client, Members(self._client, self._clock))

    async def find(
        self,
        workspace: WorkspaceId,  # noqa: ARG002 there is one
        organisation: WorkspaceId | None = None,  # noqa: ARG002 there is one
        *,
        anew: bool = False,  # noqa: ARG002 there is one
    ) -> Workspace | None:
        """Return the one."""
        return self._known()

    async def get(self, workspace: WorkspaceId) -> Workspace:  # noqa: ARG002 there is one
        """Return the one."""
        return self._known()

    async def all(self) -> Sequence[WorkspaceId]:
        """Return the one."""
        return [self._known().identity.workspace]

    async def name(self) -> str:
        """Return its name."""
        return self._known().identity.name

    async def within(self, organisation: WorkspaceId) -> Sequence[WorkspaceId]:  # noqa: ARG002 there is one
        """Return none: the token is the workspace's own."""
        return ()

    def forget(self, workspace: WorkspaceId) -> None:
        """Stay: the token is in the settings."""

    def _known(self) -> Workspace:
        if self._here is None:
            raise Unreachable("Slack has not told us yet who we are")
        return self._here


class ManyWorkspaces:
    """Those that have installed us: looked up where they are kept, the lately met ones remembered."""

    def __init__(
        self, client: AsyncWebClient, installing: Installing, clock: Clock, *, at_most: int = _MOST
    ) -> None:
        """`client` has no token of its own. `at_most`: how many workspaces are remembered at once."""
        self._client = client
        self._installing = installing
        self._clock = clock
        self._at_most = at_most
        self._known: dict[WorkspaceId, tuple[float, Workspace]] = {}

    async def begin(self) -> None:
        """Look whether all tokens can be opened. Raises SealUnbroken, StoreUnavailable."""
        await self._installing.check()

    async def find(
        self, workspace: WorkspaceId, organisation: WorkspaceId | None = None, *, anew: bool = False
    ) -> Workspace | None:
        """Return a workspace, None where we are not installed. Raises StoreUnavailable, AccountRefused."""
        looked_at, known = self._known.get(workspace, (0.0, None))
        is_fresh = self._clock.monotonic() - looked_at < _REMEMBERED
        if known is not None and is_fresh and not (anew or known.client.is_refused):
            self._keep(looked_at, known, workspace)
            return known
        found = await self._installing.credentials(workspace, organisation)
        _, known = self._known.pop(workspace, (0.0, None))
        if found is None:
            return None
        if known is None or not _is_same(known, found):
            known = self._workspace(found)
        self._keep(self._clock.monotonic(), known, workspace)
        return known

    async def get(self, workspace: WorkspaceId) -> Workspace:
        """Return a workspace. Raises AccountRefused where we are not installed, and as `find`."""
        found = await self.find(workspace)
        if found is None:
            raise AccountRefused("the app is not installed in this workspace")
        return found

    async def all(self) -> Sequence[WorkspaceId]:
        """Return the workspaces that have us, as far as anything ever came from them."""
        return await self._installing.workspaces()

    async def name(self) -> str:
        """Return how many there are."""
        return f"{len(await self.all())} workspaces"

    async def within(self, organisation: WorkspaceId) -> Sequence[WorkspaceId]:
        """Return the workspaces in which we are by this organisation's installation."""
        return await self._installing.within(organisation)

    def forget(self, workspace: WorkspaceId) -> None:
        """Look a workspace, or those of an organisation, up again."""
        for one, (_, known) in list(self._known.items()):
            if workspace in {one, known.organisation}:
                del self._known[one]

    def _keep(self, looked_at: float, known: Workspace, workspace: WorkspaceId) -> None:
        """Remember a workspace as the one that was met last: it is the last to be forgotten."""
        self._known.pop(workspace, None)
        self._known[workspace] = looked_at, known
        if len(self._known) > self._at_most:
            del self._known[next(iter(self._known))]

    def _workspace(self, found: Credentials) -> Workspace:
        here = found.installation
        client = as_bot(self._client, found.token)
        identity = Identity(here.workspace, here.name, here.bot_id, here.bot_user)
        members = Members(client, self._clock, at_most=1_000)
        by = None if here.token else WorkspaceId(here.organisation)
        return Workspace(identity, client, members, here.since, by)


def as_bot(client: AsyncWebClient, token: str) -> BotClient:
    """Return a client with a token over another one's session. It retries nothing, as that."""
    bot = BotClient(token=token, base_url=client.base_url, session=client.session, retry_handlers=[])
    bot.proxy = client.proxy  # given none, slack_sdk would look one up in the environment by itself
    return bot


def _is_same(known: Workspace, found: Credentials) -> bool:
    return (known.since, known.client.token) == (found.installation.since, found.token)
