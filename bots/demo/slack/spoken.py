"""What stands in the simulated workspace's channels: messages, private notes, statuses. It only keeps."""

from bots.demo.changes import Changes
from bots.demo.slack.mentions import live_mentions
from bots.demo.slack.records import Message, Note, Ping
from core.clock import Clock

STATUS_LASTS = 120.0
"""Seconds until `assistant.threads.setStatus` clears itself."""


class Spoken:
    """Keeps what was said, by channel and thread, and wakes whoever waits for a change."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changes = Changes()
        self.pings: list[Ping] = []
        self._messages: dict[str, dict[str, Message]] = {}
        self._threads: dict[tuple[str, str], list[str]] = {}
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._notes: list[Note] = []

    def message(self, channel: str, ts: str) -> Message | None:
        """Return one message as it reads now; None if there is none."""
        return self._messages.get(channel, {}).get(ts)

    def roots(self, channel: str) -> tuple[Message, ...]:
        """Return the messages that are not replies, oldest first."""
        return tuple(m for m in self._messages.get(channel, {}).values() if not m.thread_ts)

    def thread(self, channel: str, ts: str) -> tuple[Message, ...]:
        """Return the thread's messages in order, its root first."""
        stored = self._messages.get(channel, {})
        found = (stored.get(at) for at in (ts, *self._threads.get((channel, ts), ())))
        return tuple(message for message in found if message is not None)

    def keep(self, message: Message) -> None:
        """Store a new message, or a new state of one."""
        stored = self._messages.setdefault(message.channel, {})
        if message.thread_ts and message.ts not in stored:
            self._threads.setdefault((message.channel, message.thread_ts), []).append(message.ts)
        stored[message.ts] = message
        self.changes.happened()

    def forget(self, message: Message) -> None:
        """Remove a message for good, and the status below it."""
        self._statuses.pop((message.channel, message.ts), None)
        self._messages[message.channel].pop(message.ts, None)
        siblings = self._threads.get((message.channel, message.thread_ts), [])
        if message.ts in siblings:
            siblings.remove(message.ts)
        self.changes.happened()

    def add_note(self, note: Note) -> None:
        """Show an ephemeral message."""
        self._notes.append(note)
        self.changes.happened()

    def ephemerals(self, user: str) -> tuple[Note, ...]:
        """Return the ephemeral messages the user saw, oldest first."""
        return tuple(note for note in self._notes if note.user == user)

    def note_pings(self, message: Message) -> None:
        """Remember every live mention in something the app posted."""
        mentions = live_mentions(message.text, message.blocks)
        self.pings.extend(Ping(message.channel, message.ts, mention) for mention in mentions)

    # --- statuses ------------------------------------------------------------------------------

    def set_status(self, channel: str, ts: str, status: str) -> None:
        """Show a status under a thread; "" takes it away."""
        self._statuses[channel, ts] = (status, self.clock.monotonic())
        self.changes.happened()

    def status(self, channel: str, ts: str) -> str:
        """Return the status shown under a thread, "" for none; it clears itself after two minutes."""
        status, since = self._statuses.get((channel, ts), ("", 0.0))
        return status if self.clock.monotonic() - since < STATUS_LASTS else ""
