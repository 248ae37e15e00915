"""Notices what is new to be seen on all platforms, and numbers its conversations. It shows nothing."""

from collections.abc import Iterator, Mapping

from bots.cli.demo.seen import Chat, Said, Spot, Status, Window

News = Said | Status


class Watch:
    """Tells everything once, and a message again when it reads otherwise."""

    def __init__(self, windows: Mapping[Chat, Window]) -> None:
        self._windows = windows
        self._told: dict[tuple[Spot, str], str] = {}
        self._statuses: dict[Spot, str] = {}
        self._conversations: list[Spot] = []

    def news(self) -> list[News]:
        """Return what has happened since the last time, oldest first."""
        found = [said for window in self._windows.values() for said in window.said() if self._is_new(said)]
        found.sort(key=lambda said: said.at)
        for said in found:
            if said.conversation not in self._conversations and not said.only:
                self._conversations.append(said.conversation)
        return [*found, *self._new_statuses()]

    def number(self, conversation: Spot) -> int:
        """Return a conversation's number, from 1; 0 for what is none."""
        known = conversation in self._conversations
        return self._conversations.index(conversation) + 1 if known else 0

    def conversation(self, number: int) -> Spot | None:
        """Return the conversation with that number, None for none."""
        return self._conversations[number - 1] if 0 < number <= len(self._conversations) else None

    def waiting(self) -> Iterator[tuple[int, str]]:
        """Yield the conversations that show a status, by number, with its words."""
        for number, conversation in enumerate(self._conversations, start=1):
            words = self._status(conversation)
            if words:
                yield number, words

    def _new_statuses(self) -> Iterator[Status]:
        for conversation in self._conversations:
            words = self._status(conversation)
            if words != self._statuses.get(conversation, ""):
                self._statuses[conversation] = words
                if words:
                    yield Status(conversation, words)

    def _status(self, conversation: Spot) -> str:
        return self._windows[conversation.chat].status(conversation)

    def _is_new(self, said: Said) -> bool:
        key = (said.spot, said.id)
        if self._told.get(key) == said.words:
            return False
        self._told[key] = said.words
        return True
