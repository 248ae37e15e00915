"""Slack behind its doors, over signed HTTP or Socket Mode."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import Enum
from urllib.parse import urlsplit

from bots.demo.changes import Changes
from bots.demo.slack import SlackServer, SlackWorkspace
from bots.demo.slack.records import Message
from tests.faults.crash.door import Door, Gatekeeper, Keep, Passage, Way
from tests.faults.crash.side import Asked, HurriedClock, Said
from tests.faults.crash.sockets import SocketDoor

_CHANNELS = 4


class Transport(Enum):
    """How Slack reaches the program."""

    HTTP = "signed HTTP"
    SOCKET = "Socket Mode"


class SlackSide:
    """A `Side`."""

    paragraph = 1_060
    acknowledges = goes_on = True

    def __init__(self, transport: Transport) -> None:
        self._clock = HurriedClock()
        self.workspace = SlackWorkspace(self._clock)
        self._transport = transport
        self._server = SlackServer(self.workspace)
        self._channels = [self.workspace.add_channel(f"room{number}") for number in range(_CHANNELS)]
        self._doors: list[Door] = []

    @property
    def changes(self) -> Changes:
        return self.workspace.changes

    @property
    def clock(self) -> HurriedClock:
        return self._clock

    async def open(self, keeper: Gatekeeper, port: int) -> None:
        await self._server.start()
        at = urlsplit(self._server.api_url)
        host, own = at.hostname or "", at.port or 0
        outer = SocketDoor(
            "platform",
            keeper,
            lambda: (host, own),
            renamed=lambda: [(f"{host}:{own}".encode(), f"{host}:{outer.port}".encode())],
        )
        events = Door("events", keeper, lambda: ("127.0.0.1", port))
        self._doors = [outer, events]
        for door in self._doors:
            await door.open()
        if self._transport is Transport.HTTP:
            self._server.send_events_to(f"http://127.0.0.1:{events.port}/slack/events")

    async def close(self) -> None:
        for door in self._doors:
            await door.close()
        await self._server.stop()

    def environment(self) -> dict[str, str]:
        way = (
            {"SLACK_SIGNING_SECRET": self.workspace.signing_secret}
            if self._transport is Transport.HTTP
            else {"SLACK_APP_TOKEN": self.workspace.app_token}
        )
        return way | {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_API_URL": f"http://127.0.0.1:{self._doors[0].port}/api/",
        }

    async def say(self, asked: Asked, place: int) -> None:
        opening = asked.opening
        asked.user = self.workspace.add_user(f"person {asked.marker}")
        asked.channel = self._channels[place % _CHANNELS] if opening is None else opening.channel
        words = f"<@{self.workspace.bot_user}> who owns {asked.marker}?"
        thread = None if opening is None else opening.thread
        asked.message = await self.workspace.say(asked.user, asked.channel, words, thread=thread)
        asked.thread = thread or asked.message

    async def says(self, asked: Asked, text: str) -> None:
        bot, ts = self.workspace.bot_user, self.workspace.new_ts()
        self.workspace.keep(Message(asked.channel, ts, bot, text, thread_ts=asked.thread))

    def said(self, thread: Asked) -> Sequence[Said]:
        messages = self.workspace.thread(thread.channel, thread.thread)
        return [_said(message) for message in messages if message.user == self.workspace.bot_user]

    def misplaced(self, questions: Sequence[Asked]) -> Sequence[Said]:
        threads = {(one.channel, one.thread) for one in questions}
        found = [
            _said(message)
            for channel in self.workspace.channels
            for root in self.workspace.roots(channel)
            if (channel, root.ts) not in threads
            for message in self.workspace.thread(channel, root.ts)
            if message.user == self.workspace.bot_user
        ]
        notes = [note for one in questions for note in self.workspace.ephemerals(one.user)]
        return found + [Said(note.text, "", None) for note in notes]

    def events(self, asked: Asked) -> Collection[str]:
        place = (asked.channel, asked.message)
        return {
            event_id
            for event_id, envelope in self.workspace.events.items()
            if (envelope["event"].get("channel"), envelope["event"].get("ts")) == place
        }

    def keep_acknowledgement(self, asked: Asked) -> Keep | None:
        return Keep(Way.OUT, lambda one: one.tells_of(asked.marker))

    def turned_away(self, asked: Asked) -> bool:  # noqa: ARG002 Slack offers it again
        return False

    def acknowledged(self) -> frozenset[str]:
        return frozenset(one.event_id for one in self.workspace.deliveries if one.acked)

    def statuses(self, asked: Asked) -> Sequence[datetime]:
        return [
            call.at
            for call in self.workspace.calls
            if call.method == "assistant.threads.setStatus"
            and call.outcome == "ok"
            and call.arguments.get("thread_ts") == asked.thread
            and call.arguments.get("status")
        ]

    def shows_status(self, asked: Asked) -> bool:
        return bool(self.workspace.status(asked.channel, asked.thread))

    def is_first_look(self, passage: Passage) -> bool:
        return passage.name == "users.conversations"

    def looks_up(self, passage: Passage, asked: Asked) -> bool:
        return passage.name == "users.info" and asked.user.encode() in passage.request

    def part_of(self, passage: Passage) -> int | None:
        if passage.name != "chat.postMessage":
            return None
        metadata = json.loads(passage.body).get("metadata") or {}
        part = metadata.get("event_payload", {}).get("part")
        return part if isinstance(part, int) else None


def _said(message: Message) -> Said:
    mark = (message.metadata or {}).get("event_payload", {})
    text = str(message.blocks[0]["text"]) if message.blocks else message.text
    return Said(text, str(mark.get("delivery", "")), mark.get("part"))
