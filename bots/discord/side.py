"""Discord's side of a running Threadline, put together from plain values: client, poster, listeners."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from starlette.routing import Route

from bots.discord.calls import calling
from bots.discord.client import ThreadlineClient, let_in, log_in, pointed_at
from bots.discord.marks import Marks
from bots.discord.members import Members
from bots.discord.opening import Opening
from bots.discord.outbound import DiscordPoster
from bots.discord.owed import Owed
from bots.discord.patience import patiently
from bots.discord.receipts import Receipts
from bots.discord.replies import Replies
from bots.discord.shard import Shard, Shared
from bots.discord.typists import Typing
from bots.errands import Errands
from core.clock import Clock
from core.errors import Retryable
from core.model import SeatName, ThreadKey
from core.ports import Poster
from core.services.offered import Services
from core.services.seating import Seating, Sitting

log = structlog.get_logger(__name__)

_READY_WITHIN = 5.0  # seconds, for the login and then for the connection; later they come about by themselves
#: One for each process that shares the shards.
LISTENERS = tuple(SeatName(f"discord listener {number}") for number in range(1, 65))
_SHARD = re.compile(r"discord shard [0-9]+/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Access:
    """What Discord knows the bot by. Without a `gateway_url` Discord's own is used.

    Where it does not listen there is only posting, and no connection to the gateway.
    """

    token: str
    api_url: str
    gateway_url: str | None = None
    message_content: bool = False
    proxy: str | None = None
    listens: bool = True
    alone: bool = True  #: no other process takes interactions in
    shards: int | None = None
    private: bool = False  #: only its owner may be able to add the bot to a server


@asynccontextmanager
async def discord_side(
    access: Access,
    clock: Clock,
    admins: frozenset[str],
    move: Callable[[ThreadKey, str], Awaitable[bool]],
    *,
    seating: Seating,
) -> AsyncIterator["DiscordSide"]:
    """Log in and give everything that talks with Discord; `move` is the port's, for threads once opened.

    A Discord that is away keeps nobody: `listen` goes on trying, and what is posted meanwhile fails as
    Unreachable. Raises ConnectionRefused, and other Permanent errors of core.errors.
    """
    client = ThreadlineClient(
        clock, message_content=access.message_content, proxy=access.proxy, private=access.private
    )
    with pointed_at(access.api_url, access.gateway_url):
        side = DiscordSide(access, client, clock, admins=admins, move=move, seating=seating)
        try:
            await _try_to_log_in(client, access.token)
            yield side
        finally:
            await side.aclose()


class DiscordSide:
    """The poster, which delivers; and the listeners, which begin with `attach` and `listen`."""

    def __init__(
        self,
        access: Access,
        client: ThreadlineClient,
        clock: Clock,
        *,
        admins: frozenset[str],
        move: Callable[[ThreadKey, str], Awaitable[bool]],
        seating: Seating,
    ) -> None:
        self._access = access
        self._seating = seating
        self._client = client
        self._clock = clock
        self._typing = Typing(client, clock)
        self._errands = Errands()
        self._owed = Owed(clock, self._errands)
        receipts, replies = Receipts(access.token), Replies(client, None if access.alone else clock)
        self._shared = Shared(
            clock,
            admins,
            access.message_content,
            errands=self._errands,
            owed=self._owed,
            receipts=receipts,
            marks=Marks(access.token),
            members=Members(client, clock),
            replies=replies,
            opening=Opening(client, replies, receipts, move),
        )
        self._shards: dict[int, Shard] = {}
        self._owing: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self.poster: Poster = DiscordPoster(
            client,
            opening=self._shared.opening,
            replies=replies,
            receipts=receipts,
            marks=self._shared.marks,
            members=self._shared.members,
            typing=self._typing,
            clock=clock,
            hints=not access.message_content,
        )

    @property
    def name(self) -> str:
        """The bot's own name."""
        return self._client.user.name if self._client.user is not None else ""

    @property
    def is_known(self) -> bool:
        """Tell whether Discord has told us who we are."""
        return self._client.http.is_known

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners to the services; nothing comes in by HTTP."""
        if not self._access.listens:
            return []
        self._services = services
        self._shards[0] = Shard(self._client, self._shared, services)
        await self._shards[0].begin()
        self._owing = asyncio.create_task(self._owed.keep_up(), name="discord changes")
        return []

    async def listen(self) -> "asyncio.Task[None]":
        """Open the gateway; return the task that ends when Discord will not have us any more.

        A Discord that did not answer the login is not waited for.
        """
        self._connecting = asyncio.create_task(self._stay(), name="discord gateway")
        if self._client.http.is_known and self._access.listens:
            await let_in(self._client, self._connecting, _READY_WITHIN)
        return self._connecting

    async def hush(self) -> None:
        """Take nothing more in, and finish what was asked for; answers can be posted still."""
        for shard in self._shards.values():
            shard.deafen()
            await shard.end()
        for task in (self._owing, self._connecting):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._errands.run(self._owed.finish())
        await self._errands.aclose()

    async def aclose(self) -> None:
        """Stop what is still shown; nothing can be posted any more."""
        await self._typing.aclose()
        for shard in self._shards.values():
            await shard.client.close()
        await self._client.close()

    async def _stay(self) -> None:
        """Log in, however long that takes, and stay. Raises ConnectionRefused where that is no use."""
        await patiently(self._log_in, self._clock)
        if not self._access.listens:
            await asyncio.Event().wait()
        count = self._access.shards
        if count is None:
            count = await patiently(self._recommended, self._clock)
        shards = {SeatName(f"discord shard {number}/{count}"): number for number in range(count)}

        async def connect(sitting: Sitting) -> None:
            shard = await self._shard(shards[sitting.name], count)
            await shard.run(sitting)

        await self._seating.share(tuple(shards), connect, among=LISTENERS)

    async def _log_in(self) -> None:
        if not self._client.http.is_known:
            await log_in(self._client, self._access.token)

    async def _recommended(self) -> int:
        """Return how many shards there are: as many as others have made, or else as Discord recommends."""
        found = (_SHARD.fullmatch(name) for name in await self._seating.taken())
        made = next((int(one[1]) for one in found if one is not None), 0)
        if made:
            return made
        async with calling():
            shards, _, _ = await self._client.http.get_bot_gateway()
            return max(1, int(shards))

    async def _shard(self, number: int, count: int) -> Shard:
        """Return one shard; the first that this process gets has the client that also posts."""
        first = self._shards.get(0)
        if first is not None and first.client.shard_id is None:
            self._shards = {number: first}
        shard = self._shards.get(number)
        if shard is None:
            shard = self._shards[number] = Shard(await self._another_client(), self._shared, self._services)
            await patiently(shard.begin, self._clock)
        shard.client.be(number, count)
        shard.client.turn = self._seating.turn
        return shard

    async def _another_client(self) -> ThreadlineClient:
        access, base = self._access, self._client
        client = ThreadlineClient(
            self._clock, message_content=access.message_content, proxy=access.proxy, of=base
        )
        await client.log_in_as_another()
        return client


async def _try_to_log_in(client: ThreadlineClient, token: str) -> None:
    try:
        await log_in(client, token, _READY_WITHIN)
    except Retryable as error:
        log.warning("discord is away", error=type(error).__name__, said=str(error))
