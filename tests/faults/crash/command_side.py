"""Discord behind its door, where threads begin with /ask: it is told within three seconds, or never."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from bots.demo.discord import Interaction, MessageKind
from bots.discord.sync import sync
from bots.discord.tree import payloads
from tests.faults.crash.discord_side import DiscordSide, said_in
from tests.faults.crash.door import Gatekeeper, Keep, Passage, Way
from tests.faults.crash.side import Asked, Said


class CommandSide(DiscordSide):
    """A `Side`. A question's `thread` is its interaction's id here: the place it goes to is known later."""

    acknowledges = True

    def __init__(self) -> None:
        super().__init__()
        self._asking: set[asyncio.Task[Interaction]] = set()

    async def open(self, keeper: Gatekeeper, port: int) -> None:
        await super().open(keeper, port)
        await sync(self.world.token, self.server.api_url, payloads(), apply=True)

    async def close(self) -> None:
        await asyncio.gather(*self._asking, return_exceptions=True)
        await super().close()

    async def say(self, asked: Asked, place: int) -> None:
        if asked.opening is not None and self.place(asked.opening):
            await self._go_on(asked, asked.opening)
            return
        asked.opening = None
        self.add_person(asked)
        asked.channel = self.channels[place % len(self.channels)]
        question = f"who owns {asked.marker}?"
        using = asyncio.create_task(self.world.slash(asked.user, asked.channel, "ask", question=question))
        self._asking.add(using)
        await self.changes.until(lambda: self._interaction(asked) or using.done())
        interaction = self._interaction(asked)
        assert interaction is not None
        asked.message = asked.thread = interaction.id

    async def _go_on(self, asked: Asked, opening: Asked) -> None:
        self.add_person(asked)
        words = f"<@{self.world.bot_user}> who owns {asked.marker}?"
        asked.channel, asked.thread = opening.channel, opening.thread
        asked.message = await self.world.say(asked.user, self.place(opening), words)

    def said(self, thread: Asked) -> Sequence[Said]:
        place = self.place(thread)
        return said_in(self.world, place) if place else ()

    def events(self, asked: Asked) -> Collection[str]:
        return [asked.message] if asked.opening is None else ()

    def keep_acknowledgement(self, asked: Asked) -> Keep | None:
        return Keep(Way.IN, lambda one: self._acknowledges(one, asked))

    def turned_away(self, asked: Asked) -> bool:
        interaction = self._interaction(asked)
        return interaction is not None and interaction.failed

    def acknowledged(self) -> frozenset[str]:
        return frozenset(one.id for one in self.world.interactions.values() if one.response is not None)

    def statuses(self, asked: Asked) -> Sequence[datetime]:
        return self.typed(self.place(asked))

    def shows_status(self, asked: Asked) -> bool:
        """Tell whether its author still sees "thinking"."""
        interaction = self._interaction(asked)
        original = None if interaction is None else interaction.original
        return original is not None and original.is_loading

    def _interaction(self, asked: Asked) -> Interaction | None:
        return next((one for one in self.world.interactions.values() if one.user == asked.user), None)

    def _acknowledges(self, passage: Passage, asked: Asked) -> bool:
        interaction = self._interaction(asked)
        path = "" if interaction is None else f"/interactions/{interaction.id}/"
        return bool(path) and passage.name == "callback" and path.encode() in passage.request

    def place(self, asked: Asked) -> str:
        """Return the thread, which hangs on what shows its first question; "" for none yet."""
        opening = asked
        while opening.opening is not None:
            opening = opening.opening
        words = f"who owns {opening.marker}?"
        for message in self.world.messages(opening.channel):
            is_ours = message.author == self.world.bot_user and message.kind is not MessageKind.THREAD_STARTER
            if is_ours and words in message.content and message.id in self.world.channels:
                return message.id
        return ""
