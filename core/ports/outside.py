"""What is outside: the assistant, the list of projects, and the places where things are shown."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from core.model import (
    Account,
    Address,
    AnswerPart,
    AuthorId,
    LaneId,
    Mark,
    Notice,
    Project,
    ProjectId,
    Remark,
    SealedKey,
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


class ChatApis(Protocol):
    """The projects' assistants, under whichever API key."""

    async def ask(self, account: Account | None, project: ProjectId, turns: Sequence[Turn]) -> str:
        """Ask as `ChatApi` does, under an account's key; under the installation's own where there is none.

        Raises what `ChatApi` raises; OwnKeyRefused in place of KeyRefused where the key is an account's.
        """
        ...


class Keys(Protocol):
    """API keys of workspaces: what is done with one in clear."""

    @property
    def can_seal(self) -> bool:
        """Tell whether a key can be kept at all."""
        ...

    def seal(self, key: str) -> SealedKey:
        """Return a key as it may be stored. Raises SealMissing."""
        ...

    def opened(self, key: SealedKey) -> str:
        """Return a key in clear. Raises SealMissing, SealUnbroken."""
        ...

    def lane(self, key: str) -> LaneId:
        """Return the lane of a key: its fingerprint, which gives nothing of the key away."""
        ...

    async def unseen(self, key: str, projects: Collection[ProjectId]) -> Sequence[ProjectId]:
        """Have a key accepted, and return which of these projects it does not see.

        Raises KeyRefused, and other errors of core.errors, within about two seconds. Never retries.
        """
        ...

    async def projects(self, account: Account | None, query: str) -> Sequence[Project]:
        """Return projects as `Catalogue` does, under an account's key, or the installation's own."""
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
