"""The steps a tour is made of: someone does something, it is shown, and what must follow is waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from rich.console import Console

from bots.cli.demo_town import COMMAND, Town
from bots.cli.demo_view import View
from bots.demo.slack import Message

Found = TypeVar("Found")


class StepFailed(Exception):
    """Something the demo promises did not come true; the message says what, in a sentence."""


class Stage:
    """One tour's view of a town. No wait is longer than `patience` seconds."""

    def __init__(self, town: Town, out: Console, *, patience: float = 10.0) -> None:
        self.town = town
        self.view = View(town.workspace, out)
        self._patience = patience

    async def ask(self, who: str, channel: str, text: str, *, thread: str | None = None) -> str:
        """Let someone write, with a mention unless it is in a thread; show it and return the thread."""
        words = text if thread else f"<@{self.town.workspace.bot_user}> {text}"
        ts = await self.town.workspace.say(who, channel, words, thread=thread)
        self.view.message(self.town.workspace.thread(channel, ts)[0])
        return thread or ts

    async def command(self, who: str, channel: str, words: str) -> str:
        """Let someone use the slash command; show it, and return what only they are told."""
        self.view.command(who, f"{COMMAND} {words}")
        said = await self.town.workspace.command(who, channel, COMMAND, words)
        text = await self.comes("the command is answered", lambda: said.text)
        self.view.private(who, text)
        return text

    async def answer(self, channel: str, thread: str, number: int = 1) -> str:
        """Wait for the app's message of that number in a thread; show it and return its text."""
        message = await self.comes(
            "Threadline writes in the thread", lambda: self._nth(channel, thread, number)
        )
        self.view.message(message)
        return str(message.blocks[0]["text"]) if message.blocks else message.text

    async def status(self, channel: str, thread: str, beginning: str) -> None:
        """Wait until a thread's status begins like that, and show it."""
        workspace = self.town.workspace
        what = f"the thread's status says that Threadline {beginning}"

        def shown() -> str | None:
            status = workspace.status(channel, thread)
            return status if status.startswith(beginning) else None

        self.view.status(await self.comes(what, shown))

    async def calls(self, count: int) -> None:
        """Wait until the assistant has been called that often, in all."""
        async with within(self._patience, f"the assistant is called, for the {count}. time in all"):
            await self.town.assistant.wait_for_calls(count)

    async def comes(self, what: str, holds: Callable[[], Found | None]) -> Found:
        """Return the first truthy answer of `holds`. Raises StepFailed if there is none in time."""
        async with within(self._patience, what):
            return await self.town.workspace.until(holds)

    def fact(self, what: str, holds: bool) -> None:
        """Show what was found to be true. Raises StepFailed if it was not."""
        if not holds:
            raise StepFailed(f"The tour promises that {what}. That was not so.")
        self.view.fact(what)

    def answered(self, channel: str, thread: str) -> int:
        """Return how often the app has written in a thread."""
        return len(self._own(channel, thread))

    def _nth(self, channel: str, thread: str, number: int) -> Message | None:
        own = self._own(channel, thread)
        return own[number - 1] if len(own) >= number else None

    def _own(self, channel: str, thread: str) -> list[Message]:
        workspace = self.town.workspace
        return [one for one in workspace.thread(channel, thread) if one.user == workspace.bot_user]


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raise StepFailed if what is awaited inside takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StepFailed(f"The demo waited {seconds:g} seconds in vain until {what}.") from error
