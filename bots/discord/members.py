"""The names people know each other by, asked of Discord and remembered for a while."""

from collections.abc import Collection, Mapping

import discord
import structlog

from bots.discord.calls import calling
from bots.discord.keys import DIRECT
from core.clock import Clock
from core.errors import PostRefused
from core.model import AuthorId, WorkspaceId

log = structlog.get_logger(__name__)

_REMEMBERED = 600.0  #: seconds
_AT_MOST = 10_000
_LOOKED_AT = 5  # guilds: the answer must come within three seconds


class Members:
    """Names by guild and person: without the privileged members intent each is asked for."""

    def __init__(self, client: discord.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[tuple[WorkspaceId, AuthorId], tuple[float, str]] = {}

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return the names of those whom Discord knows; raises errors of core.errors that are no refusal."""
        names: dict[AuthorId, str] = {}
        for who in authors:
            try:
                names[who] = await self._name(workspace, who)
            except PostRefused as error:
                log.info("name unknown", said=str(error))
        return names

    async def shared(self, workspaces: Collection[WorkspaceId], who: int) -> set[WorkspaceId]:
        """Return the guilds among these, the first few, that somebody is a member of."""
        guilds = sorted(one for one in workspaces if one != DIRECT)[:_LOOKED_AT]
        author = AuthorId(str(who))
        return {guild for guild in guilds if await self.names(guild, [author])}

    async def _name(self, workspace: WorkspaceId, who: AuthorId) -> str:
        asked_at, name = self._known.get((workspace, who), (0.0, ""))
        if name and self._clock.monotonic() - asked_at < _REMEMBERED:
            return name
        async with calling():
            if workspace == DIRECT:
                user, nick = await self._client.http.get_user(int(who)), None
            else:
                member = await self._client.http.get_member(int(workspace), int(who))
                user, nick = member["user"], member.get("nick")
            name = nick or user.get("global_name") or user["username"]
        if len(self._known) >= _AT_MOST:
            self._known.clear()
        self._known[workspace, who] = (self._clock.monotonic(), name)
        return name
