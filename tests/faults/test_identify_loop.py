"""A process that cannot work is started again and again for a day: the day's connections are not used up."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bots.demo.discord import DiscordServer, DiscordWorld
from bots.demo.discord.start_limit import SessionStartLimit
from bots.discord.client import ConnectionRefused, ThreadlineClient, log_in, pointed_at, stay_connected
from core.testing import SettableClock

DAY = 86_400
WINDOW = timedelta(minutes=10)


class Hasty(SettableClock):
    """Nobody waits here: time is where the sleeper wants it."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


class Counted(ThreadlineClient):
    """Counts the IDENTIFYs it is about to send, and takes them from the day's if the gateway does not."""

    identifies = 0
    starts: SessionStartLimit | None = None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await super().before_identify_hook(shard_id, initial=initial)
        self.identifies += 1
        if self.starts is not None:
            assert self.starts.take()


@dataclass
class Loop:
    """A supervisor, and what its processes have done."""

    world: DiscordWorld
    server: DiscordServer
    clock: Hasty
    starts: int = 0
    identifies: int = 0

    async def start(self, token: str, *, message_content: bool = False) -> None:
        """Let one process start, and end as it must."""
        client = Counted(self.clock, message_content=message_content, proxy=None)
        # Ours refuses an intent before it counts the start; Discord does not say that it does.
        client.starts = self.server.gateway.session_start_limit if message_content else None
        self.starts += 1
        try:
            await log_in(client, token)
            await stay_connected(client, self.clock)
        except ConnectionRefused:
            self.identifies += client.identifies
        finally:
            await client.let_go()
            await client.close()

    async def for_a_day(self, token: str, *, every: float, message_content: bool = False) -> None:
        """Start a process, and another so many seconds after the end of each."""
        dusk = self.clock.monotonic() + DAY
        while self.clock.monotonic() < dusk:
            await self.start(token, message_content=message_content)
            self.clock.advance(every)

    def most_unauthorized(self) -> int:
        """Return how many calls were refused with 401 within any ten minutes."""
        recent: deque[datetime] = deque()
        most = 0
        for call in self.world.calls:
            if call.status == 401:
                recent.append(call.at)
                while recent[0] <= call.at - WINDOW:
                    recent.popleft()
                most = max(most, len(recent))
        return most


@asynccontextmanager
async def supervised() -> AsyncIterator[Loop]:
    clock = Hasty()
    world = DiscordWorld(clock)
    server = DiscordServer(world)
    await server.start()
    world.add_guild("acme")
    with pointed_at(server.api_url, server.gateway_url):
        yield Loop(world, server, clock)
    await server.stop()


@pytest.mark.parametrize("every", [60.0, 300.0], ids=["each minute", "each five minutes"])
async def test_a_token_that_is_wrong_from_the_start_is_never_identified_with(every: float) -> None:
    async with supervised() as loop:
        await loop.for_a_day("a.wrong.token", every=every)
        assert loop.starts == DAY / every
        assert loop.identifies == 0
        assert loop.most_unauthorized() <= WINDOW.total_seconds() / every + 1


async def test_a_token_that_is_reset_while_we_are_connected_costs_one_identify_more_at_most() -> None:
    async with supervised() as loop:
        token = loop.world.token
        client = Counted(loop.clock, message_content=False, proxy=None)
        await log_in(client, token)
        loop.world.token = "made.anew"  # between the login and the identify, at the worst
        with pytest.raises(ConnectionRefused):
            await stay_connected(client, loop.clock)
        assert client.identifies == 1
        await client.let_go()
        await client.close()
        await loop.for_a_day(token, every=300.0)
        assert loop.identifies == 0


async def test_a_missing_intent_is_never_identified_with_whatever_starts_it_again() -> None:
    """The token is good, the intents are not: the login tells, so that no start costs an identify."""
    async with supervised() as loop:
        await loop.for_a_day(loop.world.token, every=300.0, message_content=True)
        assert loop.starts == DAY / 300
        assert loop.identifies == 0
        assert loop.server.gateway.session_start_limit.remaining == 1000


async def test_an_intent_that_is_withdrawn_after_the_login_costs_one_identify() -> None:
    async with supervised() as loop:
        loop.world.granted_intents.add("message_content")
        client = Counted(loop.clock, message_content=True, proxy=None)
        await log_in(client, loop.world.token)
        loop.world.granted_intents.clear()
        with pytest.raises(ConnectionRefused, match="Message Content intent"):
            await stay_connected(client, loop.clock)
        assert client.identifies == 1
        await client.let_go()
        await client.close()
        await loop.for_a_day(loop.world.token, every=300.0, message_content=True)
        assert loop.identifies == 0
