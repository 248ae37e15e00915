"""The steps a tour is made of: someone does something, it is shown, and what must follow is waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from rich.console import Console

from bots.cli.demo.seen import Chat, Found, Said, Side, Spot, Status
from bots.cli.demo.town import Town
from bots.cli.demo.view import View

PATIENCE = 10.0  #: seconds


class StepFailed(Exception):
    """Something the demo promises did not come true; the message says what, in a sentence."""


class Stage:
    """One tour's view of a town. No wait is longer than `patience` seconds."""

    def __init__(self, town: Town, out: Console, *, patience: float = PATIENCE) -> None:
        self.town = town
        self.view = View(out)
        self._patience = patience

    def place(self, spot: Spot, more: str = "") -> None:
        """Tell where the following is."""
        self.view.place(self.town.name(spot), more)

    async def ask(self, who: str, spot: Spot, text: str) -> Spot:
        """Let someone write something; show it and return the conversation that goes on by it."""
        message = await self.town.sides[spot.chat].ways.say(who, spot, text)
        said = next(one for one in self._said(spot.chat) if one.spot == spot and one.id == message)
        self.view.said(said)
        return said.conversation

    async def command(self, who: str, spot: Spot, line: str) -> str:
        """Let someone use a slash command; show it, and return what only they are told."""
        self.view.command(who, line)
        said = await told(self.town, who, spot, line, within_seconds=self._patience)
        self.view.said(said)
        return said.words

    async def ask_by_command(self, who: str, spot: Spot, line: str) -> Said:
        """Let someone ask by a slash command; show it, and the message by which all see the question."""
        self.view.command(who, line)
        before = len(self._own(spot))
        await self.town.sides[spot.chat].ways.slash(who, spot, line)
        return await self._next(spot, before + 1, "the question is shown in the channel")

    async def ask_by_button(self, who: str, thread: Spot, question: str) -> None:
        """Let someone press the button under the newest answer and fill in the form; show the question."""
        self.view.command(who, f"presses the button, and writes into the form: {question}", in_thread=True)
        before = len(self._own(thread))
        await self.town.sides[thread.chat].ways.ask_more(who, thread, question)
        await self._next(thread, before + 1, "the form's question is shown in the thread")

    async def edit(self, who: str, thread: Spot, text: str) -> Said:
        """Let someone edit what they first asked there; show it, and the answer once it has changed."""
        before = self._own(thread)[-1]
        said = next(one for one in self._said(thread.chat) if one.conversation == thread and one.who == who)
        self.view.command(who, f"edits the message: {text}")
        await self.town.sides[thread.chat].ways.edit(said, text)

        def changed() -> Said | None:
            now = self._own(thread)[-1]
            return now if now.words != before.words else None

        answer = await self.comes(thread.chat, "the answer tells of the edit", changed)
        self.view.said(answer)
        return answer

    async def press(self, who: str, below: Said, label: str) -> Said:
        """Let someone press a button below a message; show and return what only they are told."""
        self.view.command(who, f"presses {label}", in_thread=True)
        side = self.town.sides[below.spot.chat]
        pressing = side.ways.press(who, below, label)
        said = await _told(side, who, pressing, f"{label} is answered", within_seconds=self._patience)
        self.view.said(said)
        return said

    async def set_key(self, who: str, spot: Spot, key: str) -> str:
        """Let someone fill in the form of `/threadline account`; show and return what it says then."""
        self.view.command(who, f"/threadline account, and into its form: {key}")
        said = await self.town.sides[spot.chat].ways.set_key(who, spot, key)
        self.view.aside(said)
        return said

    async def answer(self, thread: Spot, number: int = 1) -> Said:
        """Wait for the app's message of that number in a thread; show and return it."""
        return await self._next(thread, number, "Threadline writes in the thread")

    async def status(self, thread: Spot, beginning: str) -> None:
        """Wait until a thread's status begins like that, and show it."""
        window = self.town.sides[thread.chat].window

        def shown() -> Status | None:
            status = Status(thread, window.status(thread))
            return status if status.words.startswith(beginning) else None

        what = f"the thread's status says that Threadline {beginning}"
        self.view.status(await self.comes(thread.chat, what, shown))

    async def calls(self, count: int) -> None:
        """Wait until the assistant has been called that often, in all."""
        async with within(self._patience, f"the assistant is called, for the {count}. time in all"):
            await self.town.assistant.wait_for_calls(count)

    async def comes(self, chat: Chat, what: str, holds: Callable[[], Found | None]) -> Found:
        """Return the first truthy answer of `holds`, which is about one platform. Raises StepFailed if there
        is none in time."""
        async with within(self._patience, what):
            return await self.town.sides[chat].window.until(holds)

    def fact(self, what: str, holds: bool) -> None:
        """Show what was found to be true. Raises StepFailed if it was not."""
        if not holds:
            raise StepFailed(f"The tour promises that {what}. That was not so.")
        self.view.fact(what)

    def answered(self, spot: Spot) -> int:
        """Return how often the app has written in a thread, or outside of threads, for all to read."""
        return len(self._own(spot))

    async def _next(self, spot: Spot, number: int, what: str) -> Said:
        said = await self.comes(spot.chat, what, lambda: self._nth(spot, number))
        self.view.said(said)
        return said

    def _nth(self, spot: Spot, number: int) -> Said | None:
        own = self._own(spot)
        return own[number - 1] if len(own) >= number else None

    def _own(self, spot: Spot) -> list[Said]:
        return [one for one in self._said(spot.chat) if one.spot == spot and one.is_app and not one.only]

    def _said(self, chat: Chat) -> Iterator[Said]:
        return self.town.sides[chat].window.said()


async def told(town: Town, who: str, spot: Spot, line: str, *, within_seconds: float = PATIENCE) -> Said:
    """Let someone use a slash command, and return what only they are told. Raises StepFailed."""
    side = town.sides[spot.chat]
    typing = side.ways.slash(who, spot, line)
    return await _told(side, who, typing, f"{line} is answered", within_seconds=within_seconds)


async def _told(side: Side, who: str, deed: Awaitable[None], what: str, *, within_seconds: float) -> Said:
    """Let someone do something, and return what only they are told. Raises StepFailed."""

    def notes() -> list[Said]:
        return [one for one in side.window.said() if one.only == who and one.words]

    before = len(notes())
    await deed
    async with within(within_seconds, what):
        return (await side.window.until(lambda: notes()[before:]))[-1]


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raise StepFailed if what is awaited inside takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StepFailed(f"The demo waited {seconds:g} seconds in vain until {what}.") from error
