"""The platforms' sides: what talks with each, made from Settings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from starlette.routing import Route

from bots.discord.keys import DISCORD
from bots.discord.side import discord_side
from bots.settings import Settings
from bots.slack.inbound import SLACK
from bots.slack.side import slack_side
from bots.wiring.parts import discord_access, installing_over, slack_access
from bots.wiring.seats import Seats
from bots.wiring.trust import trusts_every_server
from core.clock import Clock
from core.model import Platform, ThreadKey
from core.ports import Poster, Transact
from core.services.offered import Services

if TYPE_CHECKING:
    import asyncio


class Side(Protocol):
    """One platform's side of Threadline: the poster, and the listeners."""

    poster: Poster

    @property
    def name(self) -> str:
        """Return the name by which people there know where, or who, we are."""
        ...

    @property
    def is_known(self) -> bool:
        """Tell whether the platform has told us who we are: nothing can be done there before."""
        ...

    async def attach(self, services: Services) -> list[Route]:
        """Bind the listeners, and return the routes by which HTTP reaches them."""
        ...

    async def listen(self) -> "asyncio.Task[None] | None":
        """Begin to listen; return the task that ends if the platform will have us no more."""
        ...

    async def hush(self) -> None:
        """Take nothing more in."""
        ...


@asynccontextmanager
async def sides_over(
    settings: Settings,
    clock: Clock,
    store: Transact,
    seats: Seats,
    *,
    connects: bool,
) -> AsyncIterator[Mapping[Platform, Side]]:
    """Log in wherever the settings say; `connects` is about Discord, whose gateway nothing else names."""
    sides: dict[Platform, Side] = {}
    async with AsyncExitStack() as stack:
        if settings.slack is not None:
            access = slack_access(settings.slack)
            installing = installing_over(settings, store, clock)
            made = slack_side(
                access,
                clock,
                settings.admins,
                installing,
                seating=seats.seating,
                elsewhere=seats.look_elsewhere,
            )
            slack = await stack.enter_async_context(made)
            seats.looks.append(slack.look)
            sides[SLACK] = slack
        if settings.discord is not None:

            async def move(thread: ThreadKey, to: str) -> bool:
                return await store(lambda uow: uow.conversations.move(thread, to))

            discord = discord_side(
                discord_access(
                    settings.discord,
                    listens=connects,
                    alone=seats.leased is None,
                    private=settings.chat.key is not None and trusts_every_server(settings),
                ),
                clock,
                settings.admins,
                move,
                seating=seats.seating,
            )
            sides[DISCORD] = await stack.enter_async_context(discord)
        yield sides
