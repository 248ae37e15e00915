"""What a workspace has of its own: an API key, which projects it may ask about, and how much."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from core.model.ids import AuthorId, LaneId, Platform, ProjectId, WorkspaceId

#: An API key as it is stored: whoever holds the secret key can open it, and nobody else.
SealedKey = NewType("SealedKey", str)
#: The lane of what there is no key for: nothing is ever called in it.
NO_KEY = LaneId("key none")


@dataclass(frozen=True, slots=True)
class Account:
    """A workspace's own account with MicroVisualizer, and who set it.

    `lane` is the key's fingerprint; `ending` its last characters, by which people know it, empty where that
    would tell too much. No `projects`: all that the key sees. `person`, `channel` and `waiting` are its own
    allowances, None where the installation's count.
    """

    platform: Platform
    workspace: WorkspaceId
    key: SealedKey = field(repr=False)
    lane: LaneId
    ending: str
    projects: tuple[ProjectId, ...]
    by: AuthorId
    since: datetime
    person: int | None = None
    channel: int | None = None
    waiting: int | None = None

    def admits(self, project: ProjectId) -> bool:
        """Tell whether a project is among those that may be asked about."""
        return not self.projects or project in self.projects
