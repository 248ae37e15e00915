"""A simulated Slack workspace, read as what its people see. It changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.markdown import Markdown

from bots.cli.demo.seen import Chat, Found, Said, Spot
from bots.cli.demo.slack_words import mrkdwn
from bots.demo.slack import Message, Note, SlackWorkspace


class SlackWindow:
    """The `Window` of a workspace."""

    def __init__(self, workspace: SlackWorkspace) -> None:
        self._workspace = workspace

    def said(self) -> Iterator[Said]:
        """Yield messages, then what one person alone was told."""
        for channel in self._workspace.channels:
            for root in self._workspace.roots(channel):
                yield from map(self._message, self._workspace.thread(channel, root.ts))
        for user in self._workspace.users:
            yield from map(self._note, self._workspace.ephemerals(user))

    def status(self, conversation: Spot) -> str:
        """Return the thread's status."""
        return self._workspace.status(conversation.channel, conversation.thread)

    def where(self, channel: str) -> str:
        """Return a channel's name."""
        found = self._workspace.channels[channel]
        return f"#{found.name}" if found.kind != "im" else "@Threadline"

    async def until(self, holds: Callable[[], Found | None]) -> Found:
        """Wait."""
        return await self._workspace.until(holds)

    def _message(self, message: Message) -> Said:
        words = _markdown(message) or message.text
        return Said(
            Spot(Chat.SLACK, message.channel, message.thread_ts),
            message.ts,
            _time(message.ts),
            self._name(message.user),
            words,
            lambda: self._drawn(message),
            conversation=Spot(Chat.SLACK, message.channel, message.root),
            is_app=message.user == self._workspace.bot_user,
            buttons=tuple(button["text"]["text"] for button in buttons(message)),
        )

    def _note(self, note: Note) -> Said:
        spot = Spot(Chat.SLACK, note.channel, note.thread_ts)
        return Said(
            spot,
            note.ts,
            _time(note.ts),
            self._name(self._workspace.bot_user),
            note.text,
            lambda: mrkdwn(note.text, self._name),
            conversation=spot,
            is_app=True,
            only=self._name(note.user),
        )

    def _drawn(self, message: Message) -> RenderableType:
        if markdown := _markdown(message):
            return Markdown(markdown, code_theme="ansi_dark", hyperlinks=False)
        return mrkdwn(message.text, self._name)

    def _name(self, user: str) -> str:
        person = self._workspace.users.get(user)
        return user if person is None else person.display_name


def _markdown(message: Message) -> str:
    """Return a message's Markdown, with the small print below it."""
    said = [block["text"] for block in message.blocks if block.get("type") == "markdown"]
    below = [
        part["text"]
        for block in message.blocks
        if block.get("type") == "context"
        for part in block["elements"]
    ]
    return "\n\n".join([*said, *below])


def _time(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def buttons(message: Message) -> Sequence[Mapping[str, Any]]:
    """Return the buttons below a message, as Slack was sent them."""
    rows = (block["elements"] for block in message.blocks if block.get("type") == "actions")
    return [element for row in rows for element in row]
