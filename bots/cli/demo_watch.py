"""Notices what is new in a simulated workspace, and numbers its threads. It shows nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from bots.demo.slack import Message, Note, SlackWorkspace


@dataclass(frozen=True, slots=True)
class StatusShown:
    """The status of a thread has changed to these words."""

    channel: str
    thread: str
    words: str


News = Message | Note | StatusShown


class Watch:
    """Tells everything once: messages, notes to one person, statuses."""

    def __init__(self, workspace: SlackWorkspace) -> None:
        self._workspace = workspace
        self._told: set[tuple[str, str]] = set()
        self._statuses: dict[tuple[str, str], str] = {}
        self._threads: list[tuple[str, str]] = []

    def news(self) -> list[News]:
        """Return what has happened since the last time, oldest first."""
        found: list[News] = [*self._messages(), *self._notes()]
        found.sort(key=lambda one: one.ts if isinstance(one, Message | Note) else "")
        return [*found, *self._new_statuses()]

    def number(self, channel: str, root: str) -> int:
        """Return a thread's number, from 1."""
        return self._threads.index((channel, root)) + 1

    def thread(self, number: int) -> tuple[str, str] | None:
        """Return the channel and root of the thread with that number, None for none."""
        return self._threads[number - 1] if 0 < number <= len(self._threads) else None

    def waiting(self) -> Iterator[tuple[int, str]]:
        """Yield the threads that show a status, by number, with its words."""
        for number, at in enumerate(self._threads, start=1):
            words = self._workspace.status(*at)
            if words:
                yield number, words

    def _messages(self) -> Iterator[Message]:
        for channel in self._workspace.channels:
            for root in self._workspace.roots(channel):
                if self._is_new(channel, root.ts):
                    self._threads.append((channel, root.ts))
                    yield root
                replies = self._workspace.thread(channel, root.ts)[1:]
                yield from (reply for reply in replies if self._is_new(channel, reply.ts))

    def _notes(self) -> Iterator[Note]:
        for user in self._workspace.users:
            notes = self._workspace.ephemerals(user)
            yield from (note for note in notes if self._is_new(note.channel, note.ts))

    def _new_statuses(self) -> Iterator[StatusShown]:
        for at in self._threads:
            words = self._workspace.status(*at)
            if words != self._statuses.get(at, ""):
                self._statuses[at] = words
                if words:
                    yield StatusShown(*at, words)

    def _is_new(self, channel: str, ts: str) -> bool:
        is_new = (channel, ts) not in self._told
        self._told.add((channel, ts))
        return is_new
