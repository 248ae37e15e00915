"""The door before the assistant: it sees to it that each question gets the answer that belongs to it."""

import asyncio
import json
import re
from typing import Protocol

from bots.demo.assistant import AssistantServer, faults
from tests.faults.crash.door import Door, Gatekeeper, Passage

_PARAGRAPHS_A_PART = 10
_NUMBER = r" paragraph (\d+) of (\d+)\."


class Question(Protocol):
    """What is asked about."""

    marker: str
    parts: int
    thinking: asyncio.Event | None


class Surroundings(Protocol):
    """Where the door stands."""

    assistant: AssistantServer
    keeper: Gatekeeper

    @property
    def paragraph(self) -> int:
        """Return how many characters a paragraph has, of which ten fill a message."""
        ...

    def named(self, text: str) -> Question | None:
        """Return the question a text is about."""
        ...


def answer(marker: str, parts: int, paragraph: int) -> str:
    """Return an answer that fills so many messages; every paragraph has the marker and a number."""
    many = _PARAGRAPHS_A_PART * (parts - 1) + 1 + (parts > 1)
    heads = [f"{marker} paragraph {at} of {many}." for at in range(1, many + 1)]
    return "\n\n".join(head + " ipsum" * ((paragraph - len(head)) // 6) for head in heads)


def paragraphs(marker: str, text: str) -> list[tuple[int, int]]:
    """Return the number of each paragraph of an answer in a text, with how many there are to be."""
    return [(int(at), int(many)) for at, many in re.findall(re.escape(marker) + _NUMBER, text)]


class ChatDoor(Door):
    """Hands chat calls on one at a time: the assistant's faults, which hold its answers, are met in order."""

    def __init__(self, here: Surroundings, to: tuple[str, int]) -> None:
        super().__init__("assistant", here.keeper, lambda: to)
        self._here = here
        self._turn = asyncio.Lock()

    async def forward(self, passage: Passage, writer: asyncio.StreamWriter) -> None:
        """Tell the assistant what to say, then hand the call on and wait until it is in its journal."""
        assistant = self._here.assistant
        async with self._turn:
            self._here.keeper.must_live(passage)
            asked = self._here.named(last_words(passage))
            if asked is not None:
                said = faults.says(answer(asked.marker, asked.parts, self._here.paragraph))
                kept = asked.thinking
                assistant.faults.add(said if kept is None else faults.Hold(said, kept))
            calls = len(assistant.journal)
            await super().forward(passage, writer)
            await assistant.wait_for_calls(calls + 1)


def last_words(passage: Passage) -> str:
    """Return the question that a chat call asks: the text of its last turn."""
    return str(json.loads(passage.body)["messages"][-1]["content"]) if passage.body else ""
