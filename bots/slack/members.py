"""Who people are: names and admin rights, asked of Slack and remembered for a while."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.calls import translated
from core.clock import Clock
from core.errors import PostRefused
from core.model import AuthorId

log = structlog.get_logger(__name__)

_REMEMBERED = 600.0  #: seconds


@dataclass(frozen=True, slots=True)
class Member:
    """What we need to know of a person."""

    name: str
    is_admin: bool


class Members:
    """A workspace's people, by `users.info`."""

    def __init__(self, client: AsyncWebClient, clock: Clock, *, at_most: int = 10_000) -> None:
        """`at_most`: how many people are remembered at once."""
        self._at_most = at_most
        self._client = client
        self._clock = clock
        self._known: dict[AuthorId, tuple[float, Member]] = {}

    async def get(self, who: AuthorId) -> Member:
        """Return a member; raises errors of core.errors where Slack does not say."""
        asked_at, member = self._known.get(who, (0.0, None))
        if member is not None and self._clock.monotonic() - asked_at < _REMEMBERED:
            return member
        with translated():
            reply = await self._client.users_info(user=who)
        user = reply["user"]
        profile = user.get("profile", {})
        member = Member(
            name=profile.get("display_name") or user.get("real_name") or user.get("name") or who,
            is_admin=any(user.get(right) for right in ("is_admin", "is_owner", "is_primary_owner")),
        )
        if len(self._known) >= self._at_most:
            self._known.clear()
        self._known[who] = (self._clock.monotonic(), member)
        return member

    async def may_link(self, who: AuthorId, admins: frozenset[str]) -> bool:
        """Tell whether someone may link, and set keys: workspace admins, and whom the operator names."""
        return who in admins or (await self.get(who)).is_admin

    async def names(self, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return the names of those whom Slack knows; raises what `get` raises where that is no refusal."""
        names: dict[AuthorId, str] = {}
        for who in authors:
            try:
                names[who] = (await self.get(who)).name
            except PostRefused as error:
                log.info("name unknown", said=str(error))
        return names
