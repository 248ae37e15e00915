"""Who has installed the app: its repositories, and the seal on what they keep."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.model import Installation, Platform, WorkspaceId


class Sealing(Protocol):
    """Makes unreadable what is kept, and readable again."""

    def seal(self, plain: str) -> str:
        """Return the text sealed."""
        ...

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises SealUnbroken if none of the keys fits."""
        ...

    def renewed(self, sealed: str) -> str | None:
        """Return it sealed by the newest key; None where it is. Raises SealUnbroken as `open`."""
        ...


class Installations(Protocol):
    """Workspaces that have installed the app, and when some removed it."""

    def get(self, platform: Platform, workspace: WorkspaceId) -> Installation | None:
        """Return a workspace's installation, or an organisation's."""
        ...

    def put(self, installation: Installation) -> None:
        """Keep an installation, in place of any before."""
        ...

    def reseal(self, installation: Installation, token: str) -> bool:
        """Keep a token sealed otherwise; False where it is not sealed as in `installation` any more."""
        ...

    def remove(self, platform: Platform, workspace: WorkspaceId, upto: datetime | None = None) -> bool:
        """Delete an installation, unless it is newer than `upto`; return False if nothing was deleted."""
        ...

    def all(self, platform: Platform) -> Sequence[Installation]:
        """Return all installations of a platform, organisations' too, in the order of their ids."""
        ...

    def leave(self, platform: Platform, workspace: WorkspaceId, at: datetime) -> None:
        """Note when a workspace removed the app: the latest time counts. Notes a week older are deleted."""
        ...

    def left(self, platform: Platform, workspace: WorkspaceId) -> datetime | None:
        """Return when a workspace last removed the app; None if that is not known (any more)."""
        ...


class Spent(Protocol):
    """What counts once, and has been used."""

    def spend(self, once: str, until: datetime, now: datetime) -> bool:
        """Use it up; return False if it was used before. Until `until` that is remembered."""
        ...
