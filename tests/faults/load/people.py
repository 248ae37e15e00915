"""What people ask, and platforms on which everything that Threadline says is heard as it comes to stand."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bots.demo.discord import DiscordWorld, MessageKind
from bots.demo.discord import Message as DiscordMessage
from bots.demo.slack import Message as SlackMessage
from bots.demo.slack import SlackWorkspace

_MARKER = re.compile(r"\bq\d{5}z\b")


def named(text: str) -> Sequence[str]:
    """Return the markers of the questions that a text is about: each answer names its question."""
    return _MARKER.findall(text)


class Chat(StrEnum):
    """Where somebody asks."""

    SLACK = "Slack"
    DISCORD = "Discord"


@dataclass(frozen=True, slots=True)
class Said:
    """Something that Threadline has said, where it first stood."""

    chat: Chat
    channel: str
    thread: str
    text: str
    at: datetime


@dataclass(eq=False, slots=True)
class Asked:
    """One question, and when answers to it were seen."""

    marker: str
    thread: "Thread"
    message: str
    at: datetime
    shown: list[Said] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Thread:
    """One person's conversation, and what was said in it that is no answer."""

    chat: Chat
    user: str
    channel: str
    root: str = ""
    questions: list[Asked] = field(default_factory=list)
    strays: list[Said] = field(default_factory=list)


class HeardWorkspace(SlackWorkspace):
    """A workspace in which everything the bot says is heard at once."""

    hear: Callable[[Said], None]

    def keep(self, message: SlackMessage) -> None:
        is_new = message.user == self.bot_user and self.message(message.channel, message.ts) is None
        super().keep(message)
        if is_new:
            text = str(message.blocks[0].get("text", "")) if message.blocks else message.text
            self.hear(Said(Chat.SLACK, message.channel, message.root, text, self.clock.now()))


class HeardWorld(DiscordWorld):
    """The same of Discord."""

    hear: Callable[[Said], None]

    def keep(self, message: DiscordMessage) -> DiscordMessage:
        is_new = message.author == self.bot_user and self.message(message.id) is None
        kept = super().keep(message)
        if is_new and message.kind in {MessageKind.DEFAULT, MessageKind.REPLY}:
            self.hear(Said(Chat.DISCORD, message.channel, message.channel, message.content, self.clock.now()))
        return kept
