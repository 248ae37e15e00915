"""“Threadline is typing …”, for as long as a question is with the assistant; it lapses by itself."""

import asyncio

import discord
import structlog

from bots.discord.calls import calling
from core.clock import Clock
from core.errors import ThreadlineError

log = structlog.get_logger(__name__)

_AGAIN = 9.0  # seconds; Discord shows it for ten
_ROUNDS = 12  # then somebody has to ask for it again: a long call does


class Typing:
    """Keeps it up in many channels."""

    def __init__(self, client: discord.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._all: set[asyncio.Task[None]] = set()

    def begin(self, channel: int) -> None:
        """Show it from now on."""
        self.end(channel)
        task = asyncio.create_task(self._keep_up(channel), name=f"typing {channel}")
        self._tasks[channel] = task
        self._all.add(task)
        task.add_done_callback(lambda _: self._ended(channel, task))

    def end(self, channel: int) -> None:
        """Show it no more: a message of ours takes it away."""
        task = self._tasks.pop(channel, None)
        if task is not None:
            task.cancel()

    async def aclose(self) -> None:
        """Stop everywhere."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)

    def _ended(self, channel: int, task: "asyncio.Task[None]") -> None:
        self._all.discard(task)
        if self._tasks.get(channel) is task:
            del self._tasks[channel]

    async def _keep_up(self, channel: int) -> None:
        for _ in range(_ROUNDS):
            try:
                async with calling():
                    await self._client.http.send_typing(channel)
            except ThreadlineError as error:
                log.info("not shown as typing", error=type(error).__name__, said=str(error))
                return
            await self._clock.sleep(_AGAIN)
