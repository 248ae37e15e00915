"""What is outside: the assistant, the list of projects, and the places where things are shown."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from core.model import (
    Address,
    AnswerPart,
    AuthorId,
    Mark,
    Notice,
    Project,
    ProjectId,
    Remark,
    ThreadState,
    Turn,
    WorkspaceId,
)


class ChatApi(Protocol):
    """The project's assistant."""

    async def ask(self, project: ProjectId, turns: Sequence[Turn]) -> str:
        """Send the conversation, the newest turn last, and return the answer's Markdown.

        Raises a Retryable or Permanent of core.errors, and nothing else. Never retries.
        """
        ...


class Catalogue(Protocol):
    """The organisation's projects, to choose from."""

    async def projects(self, query: str) -> Sequence[Project]:
        """Return projects that match a few letters, the best first, archived ones left out.

        Raises a Retryable or Permanent of core.errors, within two seconds. Never retries.
        """
        ...


class Poster(Protocol):
    """One platform's way of showing things in a thread. Raises only errors of core.errors."""

    def split(self, answer: str, remarks: Collection[Remark]) -> Sequence[str]:
        """Cut an answer into as many messages as the platform needs; at least one, nothing lost."""
        ...

    async def post(self, to: Address, part: AnswerPart) -> str:
        """Show one part and return the platform's id of the message.

        Raises OutcomeUnknown when it may have been shown all the same; RateLimited when not; AskerAway
        when it is for one person alone, who cannot be reached.
        """
        ...

    async def notify(self, to: Address, notice: Notice) -> str:
        """Show a notice in place of an answer and return its message's id; raises like `post`."""
        ...

    async def find(self, to: Address, piece: AnswerPart | Notice) -> str | None:
        """Look for a part, or a notice, after an attempt whose outcome is unknown.

        Raises CannotLook when the platform does not let us.
        """
        ...

    async def mark(self, to: Address, part: AnswerPart, mark: Mark) -> None:
        """Have a posted part say what became of its question since. Done twice, it looks as if done once.

        Raises like `post`; AskerAway or PostRefused where a message cannot be changed any more.
        """
        ...

    async def show_state(self, to: Address, state: ThreadState) -> None:
        """Show what the thread is waiting for. A kindness: it may fail without consequence."""
        ...

    async def names(self, workspace: WorkspaceId, authors: Collection[AuthorId]) -> Mapping[AuthorId, str]:
        """Return the names people know these authors by; whom it cannot name it leaves out."""
        ...
