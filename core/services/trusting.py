"""Whom the installation's own API key serves. It changes nothing."""

from dataclasses import dataclass

from core.model import ChannelKey, Platform, ThreadKey, WorkspaceId
from core.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Trusted:
    """All workspaces of some `platforms`; `workspaces` that are named, and all of named `organisations`."""

    platforms: frozenset[Platform] = frozenset()
    workspaces: frozenset[WorkspaceId] = frozenset()
    organisations: frozenset[str] = frozenset()

    def admits(self, uow: UnitOfWork, at: ChannelKey | ThreadKey) -> bool:
        """Tell whether a workspace is among them: one read at most, where there are organisations.

        A workspace's organisation is the one that the platform named when the app was installed.
        """
        if at.platform in self.platforms or at.workspace in self.workspaces:
            return True
        installed = uow.installations.get(at.platform, at.workspace) if self.organisations else None
        return installed is not None and installed.organisation in self.organisations
